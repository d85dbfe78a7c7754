//! Filters rows and reports the excluded ones: a user who is silently excluded would be silently removed.

use std::collections::BTreeMap;

use openai_admin::identity::name_key_in_any_case;

use crate::input::visible::excerpt;

/// The most values of a column that a message shows.
const VALUES_SHOWN_MAX: usize = 5;
/// The most distinct values of a column that are counted separately. A column with more is not a status column.
const VALUES_KEPT_MAX: usize = 1_000;

/// A column and the value that rows must have in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) column: usize,
    name: String,
    wanted: String,
    wanted_key: String,
    /// The number of rows by other value, each as first written.
    others: BTreeMap<String, (String, usize)>,
    /// The number of rows with further values.
    uncounted: usize,
}

impl Filter {
    pub(super) fn new(column: usize, name: &str, wanted: &str) -> Self {
        Self {
            column,
            name: name.to_owned(),
            wanted: wanted.to_owned(),
            wanted_key: name_key_in_any_case(wanted),
            others: BTreeMap::new(),
            uncounted: 0,
        }
    }

    /// Whether a row with this value matches, ignoring case. If not, counts it.
    pub(super) fn admits(&mut self, value: &str) -> bool {
        let key = name_key_in_any_case(value);
        if key == self.wanted_key {
            return true;
        }
        if let Some((_, rows)) = self.others.get_mut(&key) {
            *rows += 1;
        } else if self.others.len() < VALUES_KEPT_MAX {
            self.others.insert(key, (value.to_owned(), 1));
        } else {
            self.uncounted += 1;
        }
        false
    }

    /// The number of excluded rows.
    fn left_out(&self) -> usize {
        self.others.values().map(|(_, rows)| rows).sum::<usize>() + self.uncounted
    }

    /// A message about the excluded rows; `None` if there are none.
    pub(super) fn left_out_message(&self, rows: usize) -> Option<String> {
        let left_out = self.left_out();
        (left_out > 0).then(|| {
            let noun = if rows == 1 { "row" } else { "rows" };
            let (name, wanted) = (excerpt(&self.name), excerpt(&self.wanted));
            let others = self.others();
            format!("skipped {left_out} of {rows} {noun} where {name} is not {wanted} ({others})")
        })
    }

    /// The other values, most frequent first.
    fn others(&self) -> String {
        let mut others: Vec<&(String, usize)> = self.others.values().collect();
        others.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        let (shown, rest) = others.split_at(others.len().min(VALUES_SHOWN_MAX));
        let mut parts: Vec<String> = shown
            .iter()
            .map(|(value, rows)| match value.as_str() {
                "" => format!("blank: {rows}"),
                value => format!("{}: {rows}", excerpt(value)),
            })
            .collect();
        let more = rest.iter().map(|(_, rows)| rows).sum::<usize>() + self.uncounted;
        if more > 0 {
            parts.push(format!("others: {more}"));
        }
        parts.join(", ")
    }
}
