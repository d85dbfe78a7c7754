//! The settings of `serve`: declared once (`arguments/serve.rs`), given in three places.
//!
//! The option `--listen` is also the variable `OPENAI_ADMIN_LISTEN`, and the key `listen` of the file of `--config`.
//! Options take precedence over the environment, and the environment over the file. Values of the environment and the
//! file become further arguments, so that one parser reads, checks and describes all three.

mod file;
mod setting;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _, parser::ValueSource};

pub(crate) use self::setting::Setting;
use self::setting::SettingValue;
use crate::{
    arguments::{self, Arguments, GlobalArguments, ServeArguments},
    config::{self, Environment, VARIABLE_PREFIX},
    failure::{ExitStatus, Failure, Result},
};

/// The global options that select the data of a server, and its key.
const SHARED: [&str; 4] = ["local", "database", "organization", "key-file"];
/// Settings that exclude each other. Only the place with the highest precedence counts.
const ALTERNATIVES: [&[&str]; 1] = [&["local", "database", "database-file"]];

/// Every setting, in order of declaration.
pub(crate) fn all() -> Vec<Setting> {
    let own = ServeArguments::augment_args(Command::new("serve"));
    let global = GlobalArguments::augment_args(Command::new("openai-admin"));
    let shared = global.get_arguments().filter(|argument| SHARED.contains(&long(argument)));
    own.get_arguments().chain(shared).filter(|argument| long(argument) != "config").map(describe).collect()
}

fn long(argument: &Arg) -> &str {
    argument.get_long().unwrap_or_default()
}

fn describe(argument: &Arg) -> Setting {
    let name = long(argument).to_owned();
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().and_then(<[_]>::first).filter(|_| takes_value);
    let default = argument.get_default_values().first().filter(|_| takes_value);
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    Setting {
        is_list: matches!(argument.get_action(), ArgAction::Append),
        variable: variable(&name),
        value: value.map(ToString::to_string),
        default: default.map(|default| default.to_string_lossy().into_owned()),
        // The variable is documented for every setting, so the help need not repeat it.
        meaning: help.split(" [env: ").next().unwrap_or_default().to_owned(),
        name,
    }
}

fn variable(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.replace('-', "_").to_ascii_uppercase())
}

/// An example of the settings file: every setting as a comment, with its default or an example.
pub(crate) fn example() -> String {
    let mut text = "\
# Settings of `openai-admin serve --config FILE`. Uncomment a line to set it. The environment and the command line take
# precedence. `openai-admin admin settings --toml` writes this file.
"
    .to_owned();
    for Setting { name, variable, value, default, meaning, is_list } in all() {
        let value = match (value, default) {
            (None, _) => "false".to_owned(),
            (Some(value), _) if is_list => format!("[{value:?}]"),
            (Some(_), Some(default)) => format!("{default:?}"),
            (Some(value), None) if value == "N" => "600".to_owned(),
            (Some(value), None) => format!("{value:?}"),
        };
        text += &format!("\n# {meaning}.\n# --{name} or {variable}\n#{name} = {value}\n");
    }
    text
}

/// The settings of the server: options, completed from the environment and the file of `--config`.
///
/// # Errors
///
/// Names the place of a wrong value: its variable, or its file and line. Never repeats the value.
pub(crate) fn complete(environment: &Environment) -> Result<(GlobalArguments, ServeArguments)> {
    let settings = all();
    let typed = parse(environment.arguments.clone())?;
    let serve = serve_matches(&typed)?;
    let is_typed = |name: &str| serve.value_source(&name.replace('-', "_")) == Some(ValueSource::CommandLine);
    let file = match serve.get_one::<std::path::PathBuf>("config") {
        Some(path) => file::read(path, &settings)?,
        None => match environment.own(&variable("config")) {
            Some(path) => file::read(path.as_ref(), &settings)?,
            None => Vec::new(),
        },
    };
    let variables: Vec<SettingValue> =
        settings.iter().filter_map(|setting| of_environment(setting, environment)).collect();

    let mut arguments = environment.arguments.clone();
    for names in groups(&settings) {
        let is_key = names.contains(&"key-file");
        if names.iter().any(|name| is_typed(name)) {
            continue;
        }
        let mut given = variables.iter().filter(|given| names.contains(&given.name.as_str())).peekable();
        let given = if given.peek().is_some() {
            given.next()
        } else if is_key && environment.has_key() {
            None
        } else {
            only_one(file.iter().filter(|given| names.contains(&given.name.as_str())))?
        };
        if let Some(given) = given {
            arguments.extend(as_arguments(given, &settings)?.into_iter().map(Into::into));
        }
    }
    let mut complete = Arguments::from_arg_matches(&parse(arguments)?).map_err(|error| unparsed(&error))?;
    let arguments::Command::Serve(serve) = complete.command else { return Err(not_serve()) };
    if let Some(file) = &serve.database_file {
        if complete.global.local.is_some() || complete.global.database.is_some() {
            return Err(Failure::usage("--database-file cannot be used with --local or --database"));
        }
        complete.global.database = Some(config::database_of_file(file)?);
    }
    Ok((complete.global, serve))
}

fn groups(settings: &[Setting]) -> Vec<Vec<&str>> {
    let singles = settings.iter().map(|setting| setting.name.as_str());
    let singles = singles.filter(|name| !ALTERNATIVES.iter().any(|names| names.contains(name)));
    ALTERNATIVES.iter().map(|names| names.to_vec()).chain(singles.map(|name| vec![name])).collect()
}

fn of_environment(setting: &Setting, environment: &Environment) -> Option<SettingValue> {
    let text = environment.own(&setting.variable)?;
    let texts = match setting.is_list {
        true => text.split_whitespace().map(str::to_owned).collect(),
        false => vec![text.to_owned()],
    };
    Some(SettingValue {
        name: setting.name.clone(),
        texts,
        source: setting.variable.clone(),
        status: ExitStatus::Usage,
    })
}

/// The only value of the alternatives in a file. Two are an error.
fn only_one<'a>(mut given: impl Iterator<Item = &'a SettingValue>) -> Result<Option<&'a SettingValue>> {
    match (given.next(), given.next()) {
        (Some(one), Some(other)) => {
            let message = format!("{}: cannot be used together with {}", other.source, one.name);
            Err(Failure::new(other.status, message))
        }
        (given, _) => Ok(given),
    }
}

/// The same value as arguments; none for a flag that is off.
fn as_arguments(given: &SettingValue, settings: &[Setting]) -> Result<Vec<String>> {
    let takes_value = settings.iter().any(|setting| setting.name == given.name && setting.value.is_some());
    let as_argument = |text: &String| match takes_value {
        true => value_argument(given, text).map(Some),
        false => flag_argument(given, text),
    };
    given.texts.iter().filter_map(|text| as_argument(text).transpose()).collect()
}

fn flag_argument(given: &SettingValue, text: &str) -> Result<Option<String>> {
    let SettingValue { name, source, status, .. } = given;
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(Some(format!("--{name}"))),
        "false" | "0" | "no" | "off" => Ok(None),
        _ => Err(Failure::new(*status, format!("{source}: expected true or false"))),
    }
}

fn value_argument(given: &SettingValue, text: &str) -> Result<String> {
    let SettingValue { name, source, status, .. } = given;
    let argument = format!("--{name}={text}");
    // Parsed separately, so that an error can name its place.
    let parsed =
        Arguments::command_line_of(&["serve"]).try_get_matches_from(["openai-admin", "serve", &argument]);
    parsed.map_err(|error| Failure::new(*status, format!("{source}: {}", reason(&error))))?;
    Ok(argument)
}

/// The reason why clap refuses a value, without the value.
fn reason(error: &clap::Error) -> String {
    use clap::error::{ContextKind, ContextValue};
    if let Some(source) = std::error::Error::source(error) {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            format!("expected one of {}", values.join(", "))
        }
        _ => "invalid value".to_owned(),
    }
}

fn parse(arguments: Vec<std::ffi::OsString>) -> Result<ArgMatches> {
    Arguments::command_line().try_get_matches_from(arguments).map_err(|error| unparsed(&error))
}

fn serve_matches(matches: &ArgMatches) -> Result<&ArgMatches> {
    matches.subcommand_matches("serve").ok_or_else(not_serve)
}

fn unparsed(error: &clap::Error) -> Failure {
    Failure::usage(error.to_string().trim_start_matches("error: ").trim_end())
}

fn not_serve() -> Failure {
    Failure::usage("only `serve` has settings")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(file: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The table of `docs/configuration.md`.
    fn table() -> String {
        let mut table = "| Option | Environment | Default | What it does |\n|---|---|---|---|\n".to_owned();
        for Setting { name, variable, value, default, meaning, .. } in all() {
            let value = value.map(|value| format!(" {value}")).unwrap_or_default();
            let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
            table += &format!("| `--{name}{value}` | `{variable}` | {default} | {meaning} |\n");
        }
        table
    }

    #[test]
    fn the_documentation_lists_every_setting() {
        let table = table();
        assert!(
            repository("docs/configuration.md").contains(&table),
            "docs/configuration.md should have this table:\n\n{table}"
        );
    }

    #[test]
    fn the_example_file_lists_every_setting() {
        let example = example();
        assert!(
            repository("examples/server.toml") == example,
            "examples/server.toml should be what `openai-admin admin settings --toml` writes:\n\n{example}"
        );
    }

    #[test]
    fn every_setting_has_one_line_of_documentation() {
        for setting in all() {
            assert!(!setting.meaning.is_empty() && !setting.meaning.contains('\n'), "{setting:?}");
            assert!(!setting.meaning.ends_with('.'), "{setting:?}");
        }
        assert!(all().len() > SHARED.len());
    }
}
