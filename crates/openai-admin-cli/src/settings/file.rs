//! The file of `--config`: TOML, one line for each setting.

use std::{fs::File, io::Read as _, path::Path};

use openai_admin::likeness::most_like;
use toml::de::{DeTable, DeValue};

use super::setting::{Setting, SettingValue};
use crate::{
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{file_name, visible},
};

/// The largest settings file, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The settings in a file, in order.
pub(super) fn read(path: &Path, settings: &[Setting]) -> Result<Vec<SettingValue>> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    read.doing(|| format!("read the settings from {}", file_name(path)))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::bad_input(format!("{} is larger than {FILE_BYTES_MAX} bytes", file_name(path))));
    }
    parse(&text, &file_name(path), settings)
}

fn parse(text: &str, name: &str, settings: &[Setting]) -> Result<Vec<SettingValue>> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        error_at(text, name, at, &error.message().replace('\n', ", "))
            .hint("a line is NAME = VALUE, with texts in quotes: listen = \"127.0.0.1:8080\"")
    })?;
    let mut given: Vec<(usize, SettingValue)> = Vec::new();
    for (key, value) in table.get_ref() {
        let at = key.span().start;
        let refusal = |what: String| error_at(text, name, at, &what);
        let Some(setting) = settings.iter().find(|setting| setting.name == **key.get_ref()) else {
            let unknown = visible(key.get_ref());
            let refused = refusal(format!("unknown setting `{unknown}`"));
            let names = settings.iter().map(|setting| setting.name.as_str());
            return Err(match most_like(&unknown, names) {
                Some(known) => refused.hint(format!("did you mean `{known}`?")),
                None => refused.hint("`openai-admin admin settings` lists them all"),
            });
        };
        let texts = match value.get_ref() {
            DeValue::Array(values) if setting.is_list => {
                values.iter().map(|value| scalar(value.get_ref())).collect()
            }
            value => scalar(value).map(|text| vec![text]),
        };
        let Some(texts) = texts else {
            let expected = match (&setting.value, setting.is_list) {
                (Some(_), false) => "a text or a number",
                (Some(_), true) => "a text or a list of texts",
                (None, _) => "true or false",
            };
            return Err(refusal(format!("{}: expected {expected}", setting.name)));
        };
        let source = format!("{}: {}", position(text, name, at), setting.name);
        given.push((
            at,
            SettingValue { name: setting.name.clone(), texts, source, status: ExitStatus::BadInput },
        ));
    }
    given.sort_by_key(|(at, _)| *at);
    Ok(given.into_iter().map(|(_, given)| given).collect())
}

/// The text of a value that is not a list.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn error_at(text: &str, name: &str, at: usize, what: &str) -> Failure {
    Failure::bad_input(format!("{}: {what}", position(text, name, at)))
}

/// File, line and column of a byte offset.
fn position(text: &str, name: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{name}:{line}:{column}")
}
