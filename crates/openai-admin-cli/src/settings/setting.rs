//! The declaration of a setting, and its given value.

use serde::Serialize;

use crate::{failure::ExitStatus, output::Record};

/// The declaration of a setting.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setting {
    /// The option without its dashes; also the key of the file.
    pub(crate) name: String,
    /// The environment variable.
    pub(crate) variable: String,
    /// The placeholder of its value; none for a flag.
    pub(crate) value: Option<String>,
    /// The default value.
    pub(crate) default: Option<String>,
    /// Its description.
    pub(crate) meaning: String,
    /// Whether it is repeatable.
    #[serde(skip)]
    pub(super) is_list: bool,
}

impl Record for Setting {
    const FIELDS: &'static [&'static str] = &["name", "variable", "value", "default", "meaning"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("VARIABLE", "variable"), ("DEFAULT", "default"), ("MEANING", "meaning")];
}

/// A value from the environment or the file.
#[derive(Debug)]
pub(super) struct SettingValue {
    pub(super) name: String,
    /// The text of each value, or whether a flag is set.
    pub(super) texts: Vec<String>,
    /// Its variable or line, for messages.
    pub(super) source: String,
    /// The exit code if the value is wrong.
    pub(super) status: ExitStatus,
}
