//! `openai-admin login` and `openai-admin profiles`: services with their keys, for several organizations.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use openai_admin_sync::render::shell_word;
use serde::Serialize;

use crate::{
    arguments::{GlobalArguments, LoginArguments, ProfilesCommand},
    config::{self, Environment, Key},
    failure::{Doing as _, Failure, Result},
    output::{Output, Record, visible},
    profiles::{self, Profile, Profiles},
    prompt::{Consent, secret},
    target,
};

/// A profile without its key.
#[derive(Serialize)]
struct ProfileRow<'a> {
    name: &'a str,
    organization: Option<&'a str>,
    base_url: &'a str,
    is_current: bool,
}

impl Record for ProfileRow<'_> {
    const FIELDS: &'static [&'static str] = &["name", "organization", "base_url", "is_current"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("NAME", "name"),
        ("ORGANIZATION", "organization"),
        ("CURRENT", "is_current"),
        ("BASE URL", "base_url"),
    ];
}

pub(super) fn run(command: ProfilesCommand, environment: &Environment, output: &Output) -> Result<()> {
    let file = profiles::file(environment.profiles_file())?;
    match command {
        ProfilesCommand::List => {
            let found = Profiles::read(&file)?;
            let rows = found.profiles.iter().map(|(name, profile)| row(name, profile, &found));
            let rows: Vec<ProfileRow<'_>> = rows.collect();
            output.items(&rows, "no profiles; `openai-admin login` saves one")
        }
        ProfilesCommand::Use { name } => {
            Profiles::change(&file, |profiles| {
                profiles.find(&name)?;
                profiles.current = Some(name.clone());
                Ok(())
            })?;
            output.note(&format!("profile '{name}' is the current profile"));
            Ok(())
        }
        ProfilesCommand::Remove { name, removal } => {
            let consent = Consent::of_removal(&removal, "removing a profile")?;
            let found = Profiles::read(&file)?.find(&name)?.clone();
            let label = found.label();
            consent
                .ask(&format!("remove profile '{name}' ({label}) and its key from this machine?"), output)?;
            Profiles::change(&file, |profiles| {
                profiles.check_unchanged(&name, Some(&found))?;
                profiles.profiles.remove(&name);
                profiles.current.take_if(|current| *current == name);
                Ok(())
            })?;
            output.note(&format!("removed profile '{name}'; its key stays valid until you revoke it"));
            Ok(())
        }
    }
}

fn row<'a>(name: &'a str, profile: &'a Profile, profiles: &Profiles) -> ProfileRow<'a> {
    ProfileRow {
        name,
        organization: profile.organization.as_deref(),
        base_url: &profile.base_url,
        is_current: profiles.current.as_deref() == Some(name),
    }
}

/// Tries a key, and saves it as a profile.
pub(super) async fn login(
    arguments: LoginArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let LoginArguments { name, consent } = arguments;
    check_options(global)?;
    let file = profiles::file(environment.profiles_file())?;
    let earlier = Profiles::read(&file)?.profiles.remove(&name);
    let base_url = target::base_url_to_save(global, environment, earlier.as_ref());
    let key = read_key(global, &base_url)?;
    let organization = organization(&base_url, &key, global, environment).await?;
    let profile = Profile { base_url, organization, key: key.expose().to_owned() };
    if let Some(earlier) = earlier.as_ref().filter(|earlier| !is_same(earlier, &profile)) {
        let (before, after) = (earlier.label(), profile.label());
        let consent = Consent::of(&consent, &format!("replacing profile '{name}' ({before})"))?;
        consent.ask(&format!("replace profile '{name}' ({before}) with {after}?"), output)?;
    }
    let saved = profile.clone();
    let is_current = Profiles::change(&file, |profiles| {
        profiles.check_unchanged(&name, earlier.as_ref())?;
        profiles.save(&name, saved)
    })?;
    let current = match is_current {
        true => "it is the current profile".to_owned(),
        false => format!("`openai-admin profiles use {name}` makes it the current profile"),
    };
    let label = visible(&profile.label());
    output.note(&format!("saved profile '{name}' ({label}) in {}; {current}", file.display()));
    if environment.has_key() {
        output.note("OPENAI_ADMIN_KEY is set and takes precedence: unset it to use profiles");
    }
    if output.is_for_people() {
        return Ok(());
    }
    output.item(&row(&name, &profile, &Profiles::read(&file)?))
}

fn check_options(global: &GlobalArguments) -> Result<()> {
    for (option, is_typed) in [
        ("--local", global.local.is_some()),
        ("--database", global.database.is_some()),
        ("--organization", global.organization.is_some()),
    ] {
        if is_typed {
            return Err(Failure::usage(format!(
                "`login` saves the key of a service, so {option} has no effect"
            ))
            .hint(format!("omit {option}; name a service with --base-url")));
        }
    }
    match &global.profile {
        Some(name) => {
            Err(Failure::usage("`login` takes the name of the profile as its argument, not as --profile")
                .hint(format!("openai-admin login {}", shell_word(name))))
        }
        None => Ok(()),
    }
}

/// Whether a new login replaces only the key.
fn is_same(earlier: &Profile, profile: &Profile) -> bool {
    let is_same_organization = earlier.organization.is_none() || earlier.organization == profile.organization;
    profiles::is_same_url(&earlier.base_url, &profile.base_url) && is_same_organization
}

/// The key from the file of `--key-file`, the terminal, or a pipe. Never from an argument.
fn read_key(global: &GlobalArguments, base_url: &str) -> Result<Key> {
    match &global.key_file {
        Some(file) => config::key_of_file(file),
        None if io::stdin().is_terminal() => {
            let typed = secret::ask(&format!("Admin key for {} (not shown): ", visible(base_url)))?;
            Key::new(&typed, "the typed text".to_owned())
        }
        None => config::key_of_file(Path::new("-")),
    }
}

/// Tries the key with a read-only request, and returns the organization that the service names. A key without the scope
/// to read groups is a key.
async fn organization(
    base_url: &str,
    key: &Key,
    global: &GlobalArguments,
    environment: &Environment,
) -> Result<Option<String>> {
    let client = environment.client(base_url, key, global)?.retries(global.retries).build()?;
    let answer = client.groups().list_groups().limit(1).await;
    let headers = match &answer {
        Ok(answer) => Some(answer.headers()),
        Err(error) if error.is_permission_denied() => error.headers(),
        Err(_) => None,
    };
    let organization = headers.and_then(|headers| headers.get("openai-organization")?.to_str().ok());
    let organization = organization.map(str::to_owned);
    match answer {
        Err(error) if !error.is_permission_denied() => {
            Err(error).doing(|| format!("try the key at {}, so nothing was saved", visible(base_url)))
        }
        _ => Ok(organization),
    }
}
