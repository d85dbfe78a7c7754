//! A setting as it is declared, and as it is given.

use serde::Serialize;

use crate::{failure::ExitStatus, output::Record};

/// A setting, as it is documented.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setting {
    /// The option without its dashes, which is also the key of the file.
    pub(crate) name: String,
    /// The variable of the environment.
    pub(crate) variable: String,
    /// What its value is called; none for a flag, which is true or false.
    pub(crate) value: Option<String>,
    /// What holds when nobody says otherwise.
    pub(crate) default: Option<String>,
    /// What it does.
    pub(crate) meaning: String,
    /// Whether it may be given more than once.
    #[serde(skip)]
    pub(super) is_list: bool,
}

impl Record for Setting {
    const FIELDS: &'static [&'static str] = &["name", "variable", "value", "default", "meaning"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("VARIABLE", "variable"), ("DEFAULT", "default"), ("MEANING", "meaning")];
}

/// A value that was not typed.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) name: String,
    /// The text of each value, or whether a flag is set.
    pub(super) texts: Vec<String>,
    /// Where it stands, for messages.
    pub(super) place: String,
    /// What a wrong value there is.
    pub(super) status: ExitStatus,
}
