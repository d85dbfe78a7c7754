//! The destination of a command's requests: a SQLite file, or a service with its key. And the folder of its runs.

use std::path::{Path, PathBuf};

use openai_admin::{DEFAULT_BASE_URL, OrganizationId};
use openai_admin_store::DatabaseUrl;
use openai_admin_sync::render::shell_word;

use crate::{
    arguments::GlobalArguments,
    config::{self, Environment, KEY_VARIABLE, Key, LOCAL},
    failure::{ExitStatus, Failure, Result},
    profiles::{self, NamedProfile, Profile, Profiles},
};

/// The variable that names a profile.
const PROFILE_VARIABLE: &str = "OPENAI_ADMIN_PROFILE";

/// The destination of an API command's requests.
#[derive(Debug)]
pub(crate) enum Target {
    /// The server's router in this process, with a SQLite file.
    Local(LocalFile),
    /// A service.
    Remote(Service),
}

/// A service and the key for it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) base_url: String,
    /// Where the base URL comes from.
    pub(crate) source: String,
    pub(crate) key: Key,
    /// The profile and its organization, or the key that takes precedence over a profile. For prompts.
    pub(crate) label: Option<String>,
    /// A profile that is selected and not used, because the key takes precedence.
    pub(crate) unused_profile: Option<UnusedProfile>,
}

/// A profile that is selected and not used.
#[derive(Debug)]
pub(crate) struct UnusedProfile {
    pub(crate) name: String,
    /// Whether a variable names it; otherwise it is the current profile.
    pub(crate) is_named: bool,
}

/// The file of `--local`.
#[derive(Debug)]
pub(crate) struct LocalFile {
    pub(crate) path: PathBuf,
    pub(crate) organization: Option<OrganizationId>,
    /// The actor of changes.
    pub(crate) actor: String,
}

/// The destination of the requests of `command`.
pub(crate) fn target(command: &str, global: &GlobalArguments, environment: &Environment) -> Result<Target> {
    if let Some(database) = &global.database {
        return Err(Failure::usage(format!(
            "--database is for serve, load, dump and keys; `{command}` uses an API"
        ))
        .hint(match database.strip_prefix("sqlite:") {
            Some(file) => format!("for a SQLite file use --local: openai-admin --local {file} {command} …"),
            None => "start `openai-admin serve --database …` and pass its address as --base-url".to_owned(),
        }));
    }
    for (option, is_typed) in
        [("--base-url", global.base_url.is_some()), ("--profile", global.profile.is_some())]
    {
        if global.local.is_some() && is_typed {
            return Err(Failure::usage(format!("--local and {option} cannot be used together")));
        }
    }
    if let Some(path) = local(global, environment) {
        config::check_file_name(path)?;
        let organization = config::organization(global, environment)?;
        let (path, actor) = (path.clone(), environment.actor(LOCAL));
        return Ok(Target::Local(LocalFile { path, organization, actor }));
    }
    if global.organization.is_some() {
        return Err(Failure::usage("--organization is for databases; with an API the key determines it")
            .hint("omit it, or use --local FILE"));
    }
    service(global, environment).map(Target::Remote)
}

/// The file of `--local`. Options take precedence over the environment.
fn local<'a>(global: &'a GlobalArguments, environment: &'a Environment) -> Option<&'a PathBuf> {
    match (&global.local, &global.base_url, &global.profile) {
        (None, None, None) => environment.local.as_ref(),
        (local, ..) => local.as_ref(),
    }
}

fn service(global: &GlobalArguments, environment: &Environment) -> Result<Service> {
    let profile = profile(global, environment)?;
    let (base_url, source) = base_url(global, environment, profile.as_ref());
    let (key, unused_profile) = match &profile {
        Some(NamedProfile { name, profile }) => {
            (Some(Key::new(&profile.key, format!("profile '{name}'"))?), None)
        }
        None => (config::key(global, environment)?, unused_profile(global, environment)),
    };
    let key = key.ok_or_else(|| {
        Failure::new(ExitStatus::Key, format!("no admin key for {base_url}"))
            .hint("export OPENAI_ADMIN_KEY=sk-admin-…")
            .hint("or pass a file with the key: --key-file FILE")
            .hint("or pipe it: … | openai-admin --key-file - …")
            .hint("or save it once: openai-admin login")
            .hint("--local FILE needs no key and uses a SQLite file")
    })?;
    let label = match (profile, &unused_profile) {
        (Some(profile), _) => Some(profile.label()),
        (None, Some(unused)) => Some(format!("key in {}, not profile {}", key.source(), unused.name)),
        (None, None) => None,
    };
    Ok(Service { base_url, source, key, label, unused_profile })
}

/// The base URL of the service, and its source.
fn base_url(
    global: &GlobalArguments,
    environment: &Environment,
    profile: Option<&NamedProfile>,
) -> (String, String) {
    match (&global.base_url, &environment.base_url, profile) {
        (Some(url), ..) => (url.clone(), "--base-url".to_owned()),
        (None, Some(url), _) => (url.clone(), "OPENAI_BASE_URL".to_owned()),
        (None, None, Some(NamedProfile { name, profile })) => {
            (profile.base_url.clone(), format!("profile '{name}'"))
        }
        (None, None, None) => (DEFAULT_BASE_URL.to_owned(), "the default".to_owned()),
    }
}

/// The base URL of a profile to save: as typed or in the environment, or else that of the earlier profile.
pub(crate) fn base_url_to_save(
    global: &GlobalArguments,
    environment: &Environment,
    earlier: Option<&Profile>,
) -> String {
    let earlier = earlier.filter(|_| global.base_url.is_none() && environment.base_url.is_none());
    earlier.map_or_else(|| base_url(global, environment, None).0, |earlier| earlier.base_url.clone())
}

/// The profile whose key a command uses. A key from a file or the environment takes precedence, and a profile's key is
/// never sent to another service than its own.
fn profile(global: &GlobalArguments, environment: &Environment) -> Result<Option<NamedProfile>> {
    let typed = global.profile.as_deref();
    if let Some(key) = own_key(global, environment) {
        return match typed {
            None => Ok(None),
            Some(name) => {
                let message = format!("two keys: {key} is set, and --profile {name} names another");
                let remedy = if global.key_file.is_some() { "omit one" } else { "unset OPENAI_ADMIN_KEY" };
                Err(Failure::usage(message).hint(format!("{remedy}, or omit --profile")))
            }
        };
    }
    let Some(file) = environment.profiles_file() else { return Ok(None) };
    let profiles = Profiles::read(&file)?;
    let named = typed.or_else(|| environment.own(PROFILE_VARIABLE));
    let Some(name) = named.or(profiles.current.as_deref()) else { return Ok(None) };
    let profile = profiles.find(name)?;
    let url = global.base_url.as_ref().or(environment.base_url.as_ref());
    if let Some(url) = url.filter(|url| !profiles::is_same_url(url, &profile.base_url)) {
        // The current profile is only a default: another service needs another key.
        if named.is_none() {
            return Ok(None);
        }
        let message = format!("profile '{name}' is for {}, not for {url}", profile.base_url);
        return Err(Failure::new(ExitStatus::Key, message)
            .hint("omit the base URL, or `openai-admin login` with it as another profile"));
    }
    Ok(Some(NamedProfile { name: name.to_owned(), profile: profile.clone() }))
}

/// The source of a key that takes precedence over profiles.
fn own_key(global: &GlobalArguments, environment: &Environment) -> Option<&'static str> {
    let variable = environment.has_key().then_some(KEY_VARIABLE);
    if global.key_file.is_some() { Some("--key-file") } else { variable }
}

/// The profile that would be used without the other key.
fn unused_profile(global: &GlobalArguments, environment: &Environment) -> Option<UnusedProfile> {
    own_key(global, environment)?;
    if let Some(name) = environment.own(PROFILE_VARIABLE) {
        return Some(UnusedProfile { name: name.to_owned(), is_named: true });
    }
    // A file that cannot be read does not matter: it is not used.
    let name = Profiles::read(&environment.profiles_file()?).ok()?.current?;
    Some(UnusedProfile { name, is_named: false })
}

/// The folder with the runs of a service. Services are separate, because two may have an organization with the same id.
pub(crate) fn state_of_service(global: &GlobalArguments, environment: &Environment) -> Result<PathBuf> {
    let state = config::state_folder(environment).ok_or_else(|| {
        Failure::usage("no folder for runs").hint("set one: export OPENAI_ADMIN_STATE=FOLDER")
    })?;
    let service = match local(global, environment) {
        Some(file) => local_service(file),
        None => base_url(global, environment, profile(global, environment)?.as_ref()).0,
    };
    Ok(folder_of_service(&state, &service))
}

/// The folder with the runs of a database: the same as that of commands with `--local`.
pub(crate) fn runs_of_database(database: &DatabaseUrl, environment: &Environment) -> Option<PathBuf> {
    let service = match database {
        DatabaseUrl::Sqlite(file) => local_service(file),
        DatabaseUrl::Postgres(url) => config::shown_database(url),
    };
    Some(folder_of_service(&config::state_folder(environment)?, &service))
}

/// The command line that reads the runs of a database: `--local` takes a file only.
pub(crate) fn command_of_database(database: &DatabaseUrl) -> Option<String> {
    match database {
        DatabaseUrl::Sqlite(file) => {
            Some(format!("openai-admin --local {}", shell_word(&file.display().to_string())))
        }
        DatabaseUrl::Postgres(_) => None,
    }
}

fn local_service(file: &Path) -> String {
    // Another path of the same file has the same runs.
    let path = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    format!("local{}", path.display())
}

fn folder_of_service(state: &Path, service: &str) -> PathBuf {
    let folder = state.join(openai_admin_sync::run::folder_name(service));
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' };
    // An earlier version named the folder without a hash.
    let earlier = state.join(service.trim_start_matches("https://").chars().map(plain).collect::<String>());
    if !folder.exists() && earlier.exists() { earlier } else { folder }
}
