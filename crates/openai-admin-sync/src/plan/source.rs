//! The sources of a desired state, and the check that none has shrunk since the last applied run.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::input_error::{InputError, InputErrors, Position};

/// The most that a source may shrink from one applied run to the next, in percent.
pub const SHRINKING_PERCENT_MAX: usize = 30;
/// Smaller sources may shrink by any percentage: one of three users is already 33 %.
const SHRINKING_SIZE_MIN: usize = 10;

/// Where the input requests a membership or a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The line of the input.
    #[serde(rename = "place", default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The set that includes the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The last day of the membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// The reason given in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A file or a table that the desired state comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The path, followed by the filter of a table.
    pub name: String,
    /// The number of memberships that it lists.
    pub entries: usize,
    /// The canonical path and the filter, the same for every spelling of the path; absent for standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// The path as typed, and the filter: the parts of the canonical name.
    #[serde(skip)]
    pub typed: Option<(String, String)>,
}

impl Source {
    /// A source without a canonical name.
    pub fn named(name: impl Into<String>, entries: usize) -> Self {
        Self { name: name.into(), entries, canonical: None, typed: None }
    }

    pub(crate) fn of_path(name: String, entries: usize, path: String, filter: String) -> Self {
        let typed = (path != "-").then_some((path, filter));
        Self { typed, ..Self::named(name, entries) }
    }

    /// Sets the canonical name. `canonical` returns the canonical form of a path, or `None` if the file does not exist.
    pub fn settle(&mut self, canonical: impl FnOnce(&str) -> Option<String>) {
        let Some((path, filter)) = &self.typed else { return };
        self.canonical = canonical(path).map(|path| path + filter);
    }

    /// The source without the fields that a plan does not store.
    pub(crate) fn kept(&self) -> Self {
        Self { typed: None, ..self.clone() }
    }

    /// Whether both are the same source: by canonical name, or by the name as typed if one has no canonical name.
    fn is(&self, other: &Self) -> bool {
        match (&self.canonical, &other.canonical) {
            (Some(one), Some(other)) => one == other,
            _ => self.name == other.name,
        }
    }
}

/// A message about sources that cannot be compared with the last applied run; `None` if all can.
pub fn uncompared(sources: &[Source], before: Option<&[Source]>) -> Option<String> {
    let Some(before) = before else {
        return Some("no earlier run found, so sources cannot be checked for missing rows".to_owned());
    };
    let new = sources.iter().filter(|source| !before.iter().any(|before| before.is(source)));
    let names: Vec<&str> = new.map(|source| source.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!("not in the last applied run, so not checked for missing entries: {}", names.join(", "))
    })
}

/// Refuses sources that have shrunk too much. `accepted` holds the number of entries that the caller accepts, by the
/// name of the source.
///
/// # Errors
///
/// Each source that is now empty, or shrank by more than [`SHRINKING_PERCENT_MAX`].
pub fn check_sources(
    sources: &[Source],
    before: &[Source],
    accepted: &BTreeMap<String, usize>,
) -> Result<(), InputErrors> {
    let mut errors = InputErrors::default();
    for source in sources {
        let Some(before) = before.iter().find(|before| before.is(source)) else { continue };
        let (had, has) = (before.entries, source.entries);
        let is_accepted = [Some(&source.name), source.canonical.as_ref()]
            .into_iter()
            .flatten()
            .any(|name| accepted.get(name) == Some(&has));
        let may_have = had * (100 - SHRINKING_PERCENT_MAX);
        let shrank = has == 0 || (had >= SHRINKING_SIZE_MIN && has * 100 < may_have);
        if had > 0 && shrank && !is_accepted {
            let message = format!("had {had} entries in the last applied run and has {has} now");
            let accept = format!("if this is correct, pass --accept-source '{}={has}'", source.name);
            errors.0.push(InputError::of_file(&source.name, message).hint(accept));
        }
    }
    errors.or(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_spellings_of_a_path_are_one_source() {
        let one_name = |path: &str| Some(path.rsplit('/').next().unwrap_or_default().to_owned());
        let source = |path: &str, entries| {
            let mut source = Source::of_path(path.to_owned(), entries, path.to_owned(), "[a=b]".to_owned());
            source.settle(one_name);
            source
        };
        let before = [source("groups.yaml", 39)];
        let none = BTreeMap::new();
        for path in
            ["groups.yaml", "./groups.yaml", "/repository/groups.yaml", "x/../groups.yaml", ".//groups.yaml"]
        {
            check_sources(&[source(path, 15)], &before, &none).expect_err(path);
            assert_eq!(uncompared(&[source(path, 15)], Some(&before)), None);
        }
        assert!(uncompared(&before, None).expect("a line").starts_with("no earlier run found"));
        assert!(
            uncompared(&[source("other.yaml", 1)], Some(&before)).expect("a line").contains("other.yaml")
        );
    }

    #[test]
    fn a_source_that_shrank_is_refused_unless_its_number_is_accepted() {
        let source = |entries| [Source::named("t.csv", entries)];
        let none = BTreeMap::new();
        assert!(check_sources(&source(70), &source(100), &none).is_ok());
        assert!(check_sources(&source(3), &source(5), &none).is_ok());
        assert!(check_sources(&source(69), &[], &none).is_ok());
        let errors = check_sources(&source(69), &source(100), &none).expect_err("shrank");
        assert_eq!(errors.to_string(), "t.csv had 100 entries in the last applied run and has 69 now");
        assert!(check_sources(&source(0), &source(3), &none).is_err());
        let accepted = |number| BTreeMap::from([("t.csv".to_owned(), number)]);
        assert!(check_sources(&source(69), &source(100), &accepted(69)).is_ok());
        assert!(check_sources(&source(69), &source(100), &accepted(68)).is_err());
    }
}
