//! Settings: options, completed from the environment, checked and converted to values.

use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    fmt,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use openai_admin::{ClientBuilder, OrganizationId};
use openai_admin_store::DatabaseUrl;
use openai_admin_sync::{Policy, policy::POLICY_FILE, render::shell_word};

use crate::{
    arguments::{ColorChoice, GlobalArguments},
    failure::{Doing as _, ExitStatus, Failure, Result},
    profiles,
};

/// The default database of `serve`, `load`, `dump` and `keys`.
pub(crate) const DEFAULT_DATABASE: &str = "sqlite:openai-admin.db";
/// Variables of the library's client, with the names that other programs use too.
const CLIENT_VARIABLES: [&str; 6] =
    ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"];
/// The variable with the admin key.
pub(crate) const KEY_VARIABLE: &str = "OPENAI_ADMIN_KEY";
/// The variable that names a file with the URL of the database.
const DATABASE_FILE: &str = "OPENAI_ADMIN_DATABASE_FILE";
/// The actor of changes to a database without a server.
pub(crate) const LOCAL: &str = "local";
/// The variables with the name of the user; `sudo` keeps the name of the person behind `root`.
const USER_VARIABLES: [&str; 4] = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"];
/// The most characters of a user's name in the audit log.
const USER_NAME_MAX: usize = 64;
/// The prefix of this program's variables.
pub(crate) const VARIABLE_PREFIX: &str = "OPENAI_ADMIN_";
/// The largest file with a key or URL that is read, in bytes.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;
/// The largest policy file that is read, in bytes.
const POLICY_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The environment of the process, read once.
#[derive(Default)]
pub(crate) struct Environment {
    /// The name that started the program, for suggested commands.
    pub(crate) program: String,
    /// The command line, with the program first.
    pub(crate) arguments: Vec<OsString>,
    /// This program's variables, by full name.
    own: HashMap<String, String>,
    admin_key: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) local: Option<PathBuf>,
    database: Option<String>,
    organization: Option<String>,
    pub(crate) log: Option<String>,
    /// The socket for readiness notifications to systemd.
    pub(crate) notify_socket: Option<String>,
    /// The client's variables, besides key and address.
    client: HashMap<&'static str, String>,
    /// Whether the environment turns colours off.
    no_color: bool,
    /// Whether it turns them on, even without a terminal.
    forces_color: bool,
    pub(crate) ci: bool,
    /// Whether it runs in GitHub Actions.
    pub(crate) is_github: bool,
    /// The file of the step summary in GitHub Actions.
    pub(crate) step_summary: Option<PathBuf>,
    /// The base folder of saved state.
    state_home: Option<PathBuf>,
    /// The base folder of configuration.
    config_home: Option<PathBuf>,
    /// The operating system's name of the user.
    pub(crate) user_name: Option<String>,
}

impl Environment {
    /// Reads the environment. An empty variable counts as unset.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub(crate) fn read() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let home = |name: &str, default: &str| {
            text(name).map(PathBuf::from).or_else(|| Some(Path::new(&text("HOME")?).join(default)))
        };
        let program = env::args().next().filter(|program| program.contains('/'));
        Self {
            program: program_name(program, env::var_os("PATH")),
            arguments: env::args_os().collect(),
            own: own_variables(env::vars_os()),
            // A key that is not UTF-8 is refused later, not ignored.
            admin_key: env::var_os(KEY_VARIABLE)
                .map(|key| key.to_string_lossy().into_owned())
                .filter(|key| !key.trim().is_empty()),
            base_url: text("OPENAI_BASE_URL"),
            local: env::var_os("OPENAI_ADMIN_LOCAL").filter(|file| !file.is_empty()).map(PathBuf::from),
            database: text("OPENAI_ADMIN_DATABASE"),
            organization: text("OPENAI_ADMIN_ORGANIZATION"),
            log: text("OPENAI_ADMIN_LOG"),
            notify_socket: text("NOTIFY_SOCKET"),
            client: CLIENT_VARIABLES.into_iter().filter_map(|name| Some((name, text(name)?))).collect(),
            no_color: text("NO_COLOR").is_some()
                || text("TERM").as_deref() == Some("dumb")
                || text("CLICOLOR").as_deref() == Some("0"),
            forces_color: text("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            ci: text("CI").is_some(),
            is_github: text("GITHUB_ACTIONS").is_some(),
            step_summary: text("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            state_home: home("XDG_STATE_HOME", ".local/state"),
            config_home: home("XDG_CONFIG_HOME", ".config"),
            user_name: USER_VARIABLES.into_iter().find_map(|name| plain_name(&text(name)?)),
        }
    }

    /// The actor of changes by this command line to a database: the command, and the user if known.
    pub(crate) fn actor(&self, command: &str) -> String {
        self.user_name.as_ref().map_or_else(|| command.to_owned(), |name| format!("{command}:{name}"))
    }

    /// A variable of this program.
    pub(crate) fn own(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(String::as_str)
    }

    /// The file with the profiles.
    pub(crate) fn profiles_file(&self) -> Option<PathBuf> {
        Some(self.config_home.as_ref()?.join("openai-admin").join(profiles::FILE))
    }

    /// Whether the environment holds an admin key.
    pub(crate) fn has_key(&self) -> bool {
        self.admin_key.is_some()
    }

    /// The names of the proxy variables that are set, without their values.
    pub(crate) fn proxy_variables(&self) -> Vec<&'static str> {
        let is_of_proxy = |name: &&str| name.to_ascii_lowercase().ends_with("_proxy");
        CLIENT_VARIABLES
            .into_iter()
            .filter(is_of_proxy)
            .filter(|name| self.client.contains_key(name))
            .collect()
    }

    /// A client of a service, with the proxy and headers of the environment.
    pub(crate) fn client(
        &self,
        base_url: &str,
        key: &Key,
        global: &GlobalArguments,
    ) -> Result<ClientBuilder> {
        let variable = |name: &str| match name {
            KEY_VARIABLE => Some(key.text.clone()),
            "OPENAI_BASE_URL" => Some(base_url.to_owned()),
            name => self.client.get(name).cloned(),
        };
        let client = ClientBuilder::from_variables(variable)?;
        let from_environment = self.own("OPENAI_ADMIN_CA_FILE").map(PathBuf::from);
        match global.ca_file.clone().or(from_environment) {
            None => Ok(client),
            Some(file) => {
                let certificates =
                    std::fs::read(&file).doing(|| format!("read certificates from {}", file.display()))?;
                Ok(client.root_certificates_pem(certificates))
            }
        }
    }

    /// Whether output is coloured.
    pub(crate) fn color(&self, choice: ColorChoice, is_terminal: bool) -> bool {
        match choice {
            ColorChoice::Auto => (is_terminal || self.forces_color) && !self.no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        }
    }
}

/// The characters of a user's name that an audit log can hold; none if no character is left.
fn plain_name(name: &str) -> Option<String> {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let plain: String = name.chars().filter(is_plain).take(USER_NAME_MAX).collect();
    (!plain.is_empty()).then_some(plain)
}

/// The program as a user would type it: without its folder if `PATH` finds the same file.
fn program_name(program: Option<String>, path: Option<OsString>) -> String {
    let Some(program) = program else { return "openai-admin".to_owned() };
    let typed = Path::new(&program);
    let (Some(name), Ok(file)) = (typed.file_name(), typed.canonicalize()) else { return program };
    let mut candidates =
        env::split_paths(path.as_deref().unwrap_or_default()).map(|folder| folder.join(name));
    let found = candidates.find(|candidate| candidate.is_file());
    match found.and_then(|found| found.canonicalize().ok()) {
        Some(found) if found == file => name.to_string_lossy().into_owned(),
        _ => program,
    }
}

/// This program's variables. A value that is not UTF-8 is kept, lossily, and refused later as invalid.
fn own_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> HashMap<String, String> {
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, value)| name.starts_with(VARIABLE_PREFIX) && !value.trim().is_empty())
        .collect()
}

/// An admin key. Never printed.
pub(crate) struct Key {
    text: String,
    source: String,
}

impl Key {
    /// Checks the text of a key. `source` is its file, variable or profile.
    pub(crate) fn new(text: &str, source: String) -> Result<Self> {
        let text = text.trim();
        // It travels in a header, where only these characters are safe.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("{source} does not contain a key: expected one word of ASCII characters");
            return Err(Failure::new(ExitStatus::Key, message));
        }
        Ok(Self { text: text.to_owned(), source })
    }

    /// The key itself, to store its hash or send it.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// The file or variable of the key, for messages.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The database of a command that works on one.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    pub(crate) organization: Option<OrganizationId>,
    /// The options that name the same database, for suggested commands.
    pub(crate) as_argument: String,
    /// Whether neither options nor the environment name it.
    pub(crate) is_default: bool,
    /// The actor of changes.
    pub(crate) actor: String,
}

/// The database of `command`.
pub(crate) fn database(
    command: &str,
    global: &GlobalArguments,
    environment: &Environment,
) -> Result<Database> {
    if global.base_url.is_some() {
        return Err(Failure::usage(format!("`{command}` uses a database, not an API"))
            .hint("pass --local FILE or --database URL instead of --base-url"));
    }
    // `emulate --profile` selects faults.
    if global.profile.is_some() && command != "emulate" {
        return Err(Failure::usage(format!("`{command}` uses a database, so --profile has no effect"))
            .hint("omit --profile"));
    }
    if global.local.is_some() && global.database.is_some() {
        return Err(Failure::usage("--local and --database cannot be used together"));
    }
    let is_typed = global.local.is_some() || global.database.is_some();
    if let Some(url) = environment.own(DATABASE_FILE).filter(|_| !is_typed) {
        return named_in_file(url, global, environment);
    }
    let file = |file: &PathBuf| check_file_name(file).map(|()| DatabaseUrl::Sqlite(file.clone()));
    let (url, typed) = match (&global.local, &global.database, &environment.local, &environment.database) {
        (Some(local), ..) | (None, None, Some(local), _) => (file(local)?, None),
        (None, Some(database), ..) => (database_url(database)?, Some(database)),
        (None, None, None, Some(database)) => (database_url(database)?, None),
        (None, None, None, None) => (database_url(DEFAULT_DATABASE)?, None),
    };
    let as_argument = match (&url, typed) {
        (DatabaseUrl::Sqlite(file), _) => format!("--local {}", shell_word(&file.display().to_string())),
        (DatabaseUrl::Postgres(_), Some(typed)) => format!("--database {}", shown_database(typed)),
        (DatabaseUrl::Postgres(_), None) => String::new(),
    };
    let is_default = typed.is_none() && environment.database.is_none() && global.local.is_none();
    let is_default = is_default && environment.local.is_none();
    let organization = organization(global, environment)?;
    Ok(Database { url, organization, as_argument, is_default, actor: environment.actor(LOCAL) })
}

/// The database whose URL is in a file, as for a server. Refuses a second name, which may be of another database.
fn named_in_file(file: &str, global: &GlobalArguments, environment: &Environment) -> Result<Database> {
    if environment.local.is_some() || environment.database.is_some() {
        let message = format!("{DATABASE_FILE} and OPENAI_ADMIN_LOCAL or OPENAI_ADMIN_DATABASE are both set");
        return Err(Failure::usage(message).hint("unset all but one, or pass --local FILE or --database URL"));
    }
    let url = database_url(&database_of_file(Path::new(file))?)?;
    let as_argument = match &url {
        DatabaseUrl::Sqlite(file) => format!("--local {}", shell_word(&file.display().to_string())),
        DatabaseUrl::Postgres(_) => String::new(),
    };
    let organization = organization(global, environment)?;
    Ok(Database { url, organization, as_argument, is_default: false, actor: environment.actor(LOCAL) })
}

fn database_url(text: &str) -> Result<DatabaseUrl> {
    let looks_like_one =
        ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    text.parse::<DatabaseUrl>().map_err(|error| {
        if looks_like_one {
            return Failure::from(error);
        }
        let expected = "neither sqlite:FILE nor postgres://…";
        // A URL with another scheme may contain a password.
        if text.contains("://") {
            return Failure::usage(format!("the database is {expected}"))
                .hint("for example: --database sqlite:openai-admin.db");
        }
        Failure::usage(format!("the database '{text}' is {expected}"))
            .hint(format!("did you mean {}?", shell_word(&format!("sqlite:{text}"))))
    })
}

/// Checks that `--local` has a file, not a database URL.
pub(crate) fn check_file_name(file: &Path) -> Result<()> {
    let name = file.to_string_lossy();
    if name.starts_with("postgres://") || name.starts_with("postgresql://") {
        return Err(Failure::usage("--local takes a SQLite file")
            .hint("for PostgreSQL: --database postgres://…, with serve, load, dump or keys"));
    }
    match name.strip_prefix("sqlite:") {
        Some(file) => Err(Failure::usage("--local takes a file, not a URL")
            .hint(format!("did you mean --local {}?", shell_word(file)))),
        None => Ok(()),
    }
}

/// The selected organization. The option takes precedence over the environment.
pub(crate) fn organization(
    global: &GlobalArguments,
    environment: &Environment,
) -> Result<Option<OrganizationId>> {
    match (&global.organization, &environment.organization) {
        (None, Some(id)) => OrganizationId::new(id.as_str())
            .map(Some)
            .map_err(|violation| Failure::usage(format!("OPENAI_ADMIN_ORGANIZATION: {violation}"))),
        (typed, _) => Ok(typed.clone()),
    }
}

impl Database {
    /// Whether the database is a file that does not exist yet.
    pub(crate) fn missing_file(&self) -> Option<&Path> {
        match &self.url {
            DatabaseUrl::Sqlite(file) if !file.exists() => Some(file),
            _ => None,
        }
    }
}

/// The admin key: from `--key-file`, or else from the environment. Never from an argument, because other users of the
/// machine can read arguments and shells save them.
pub(crate) fn key(global: &GlobalArguments, environment: &Environment) -> Result<Option<Key>> {
    let Some(file) = &global.key_file else {
        let key = environment.admin_key.as_ref();
        return key.map(|key| Key::new(key, KEY_VARIABLE.to_owned())).transpose();
    };
    key_of_file(file).map(Some)
}

/// The key in a file, or in standard input for `-`.
pub(crate) fn key_of_file(file: &Path) -> Result<Key> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        if io::stdin().is_terminal() {
            return Err(Failure::usage(
                "--key-file - reads the key from a pipe, but standard input is a terminal",
            ));
        }
        io::stdin().lock().take(SECRET_FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(SECRET_FILE_BYTES_MAX).read_to_string(&mut text))
    };
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    read.map_err(|error| Failure { status: ExitStatus::Key, ..error.into() })
        .doing(|| format!("read the key from {name}"))?;
    Key::new(&text, name)
}

/// The variable with the keys that an emulator accepts.
pub(crate) const REQUIRED_KEYS: &str = "OPENAI_ADMIN_REQUIRE_KEYS";

/// The keys that an emulator accepts: one per line of a file, or separated by spaces in the environment.
pub(crate) fn required_keys(file: Option<&Path>, environment: &Environment) -> Result<Vec<Key>> {
    let (text, source) = match (file, environment.own(REQUIRED_KEYS)) {
        (Some(file), _) => {
            let name = file.display().to_string();
            let mut text = String::new();
            std::fs::File::open(file)
                .and_then(|file| file.take(SECRET_FILE_BYTES_MAX).read_to_string(&mut text))
                .map_err(|error| Failure { status: ExitStatus::Key, ..error.into() })
                .doing(|| format!("read keys from {name}"))?;
            (text, name)
        }
        (None, Some(keys)) => (keys.to_owned(), REQUIRED_KEYS.to_owned()),
        (None, None) => return Ok(Vec::new()),
    };
    let keys: Vec<Key> =
        text.split_whitespace().map(|key| Key::new(key, source.clone())).collect::<Result<_>>()?;
    if keys.is_empty() {
        return Err(Failure::new(ExitStatus::Key, format!("{source} contains no key")));
    }
    Ok(keys)
}

/// The database's URL in a file. Messages never repeat it, even if it is invalid.
pub(crate) fn database_of_file(file: &Path) -> Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(SECRET_FILE_BYTES_MAX).read_to_string(&mut text))
        .doing(|| format!("read the database's URL from {}", file.display()))?;
    let url = text.trim();
    if url.parse::<DatabaseUrl>().is_err() {
        let message = format!("{} contains no database URL", file.display());
        return Err(Failure::bad_input(message).hint("expected one line: sqlite:FILE or postgres://…"));
    }
    Ok(url.to_owned())
}

/// The folder for state that outlives a command.
pub(crate) fn state_folder(environment: &Environment) -> Option<PathBuf> {
    let own = environment.own("OPENAI_ADMIN_STATE").map(PathBuf::from);
    own.or_else(|| Some(environment.state_home.as_ref()?.join("openai-admin")))
}

/// Whether a command line that may be invalid asks for JSON.
pub(crate) fn asks_for_json(arguments: &[OsString]) -> bool {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let format = words.iter().enumerate().rev().find_map(|(index, word)| match *word {
        "-o" | "--output" => words.get(index + 1).copied(),
        word => word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")),
    });
    matches!(format.map(|format| format.trim_start_matches('=')), Some("json" | "jsonl"))
}

/// The policy: the given file, or else the one in the state folder, or else only the built-in limits.
pub(crate) fn policy(global: &GlobalArguments, environment: &Environment) -> Result<Policy> {
    let named = global.policy.clone().or_else(|| environment.own("OPENAI_ADMIN_POLICY").map(PathBuf::from));
    let found =
        || state_folder(environment).map(|folder| folder.join(POLICY_FILE)).filter(|file| file.exists());
    let Some(file) = named.or_else(found) else { return Ok(Policy::default()) };
    let name = file.display().to_string();
    let mut text = String::new();
    std::fs::File::open(&file)
        .and_then(|file| file.take(POLICY_FILE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| Failure { status: ExitStatus::BadInput, ..error.into() })
        .doing(|| format!("read the policy {name}"))?;
    Policy::parse(&text, &name).map_err(|error| {
        let failure = Failure::bad_input(error.to_string());
        error.hint.into_iter().fold(failure, Failure::hint)
    })
}

/// The options that select the data, as they were typed, for suggested commands.
pub(crate) fn typed_target(global: &GlobalArguments) -> String {
    let path = |path: &PathBuf| shell_word(&path.display().to_string());
    [
        ("--local", global.local.as_ref().map(path)),
        ("--base-url", global.base_url.as_deref().map(shell_word)),
        ("--database", global.database.as_deref().map(shown_database)),
        ("--organization", global.organization.as_ref().map(|id| shell_word(id.as_str()))),
        ("--key-file", global.key_file.as_ref().map(path)),
        ("--profile", global.profile.as_deref().map(shell_word)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("{name} {} ", value?)))
    .collect()
}

/// A URL without its password.
pub(crate) fn shown_database(url: &str) -> String {
    let is_shown = url.parse::<DatabaseUrl>().is_ok_and(|url| !url.holds_password());
    if is_shown { shell_word(url) } else { "postgres://…".to_owned() }
}
