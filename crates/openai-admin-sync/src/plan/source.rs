//! Where wishes come from, and whether a source has shrunk since the last applied run.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::fault::{Fault, Faults, Place};

/// By how much a source may shrink from one applied run to the next, in percent.
pub const SHRINKING_PERCENT_MAX: usize = 30;
/// A source with fewer entries than this may shrink by more: of three people, one is a third.
const SHRINKING_SIZE_MIN: usize = 10;

/// Where a wish comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The line that says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The set that it comes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The last day of the membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// The reason that somebody wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where wishes come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The file, and the filter of a table.
    pub name: String,
    /// How many memberships it says.
    pub entries: usize,
    /// Its one name, however its path was typed; none for standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// The path of its file, as it was typed, and the filter: what the canonical name is made of.
    #[serde(skip)]
    pub typed: Option<(String, String)>,
}

impl Source {
    /// A source by its name alone.
    pub fn named(name: impl Into<String>, entries: usize) -> Self {
        Self { name: name.into(), entries, canonical: None, typed: None }
    }

    pub(crate) fn of_path(name: String, entries: usize, path: String, filter: String) -> Self {
        let typed = (path != "-").then_some((path, filter));
        Self { typed, ..Self::named(name, entries) }
    }

    /// Gives it its one name. `canonical` knows the one name of a path; none when there is no such file.
    pub fn settle(&mut self, canonical: impl FnOnce(&str) -> Option<String>) {
        let Some((path, filter)) = &self.typed else { return };
        self.canonical = canonical(path).map(|path| path + filter);
    }

    /// What of it a plan keeps.
    pub(crate) fn kept(&self) -> Self {
        Self { typed: None, ..self.clone() }
    }

    /// Whether both are one source. Where one has no canonical name, names as they were typed count.
    fn is(&self, other: &Self) -> bool {
        match (&self.canonical, &other.canonical) {
            (Some(one), Some(other)) => one == other,
            _ => self.name == other.name,
        }
    }
}

/// What could not be compared with the last applied run: a line for people, if there is something.
pub fn uncompared(sources: &[Source], before: Option<&[Source]>) -> Option<String> {
    let Some(before) = before else {
        return Some(
            "no earlier run to compare sources with: a source that shrank is not noticed".to_owned(),
        );
    };
    let new = sources.iter().filter(|source| !before.iter().any(|before| before.is(source)));
    let names: Vec<&str> = new.map(|source| source.name.as_str()).collect();
    (!names.is_empty())
        .then(|| format!("not in the last applied run, so the size is not compared: {}", names.join(", ")))
}

/// Refuses sources that have shrunk to less than they can have shrunk to. `accepted` holds the number of entries that
/// somebody has accepted for a source by name.
///
/// # Errors
///
/// Each source that shrank to nothing, or by more than [`SHRINKING_PERCENT_MAX`].
pub fn check_sources(
    sources: &[Source],
    before: &[Source],
    accepted: &BTreeMap<String, usize>,
) -> Result<(), Faults> {
    let mut faults = Faults::default();
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
            let accept = format!("if that is right: --accept-source '{}={has}'", source.name);
            faults.0.push(Fault::of_file(&source.name, message).hint(accept));
        }
    }
    faults.or(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_spellings_of_a_source_are_one() {
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
        assert!(uncompared(&before, None).expect("a line").starts_with("no earlier run to compare"));
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
        let faults = check_sources(&source(69), &source(100), &none).expect_err("shrank");
        assert_eq!(faults.to_string(), "t.csv had 100 entries in the last applied run and has 69 now");
        assert!(check_sources(&source(0), &source(3), &none).is_err());
        let accepted = |number| BTreeMap::from([("t.csv".to_owned(), number)]);
        assert!(check_sources(&source(69), &source(100), &accepted(69)).is_ok());
        assert!(check_sources(&source(69), &source(100), &accepted(68)).is_err());
    }
}
