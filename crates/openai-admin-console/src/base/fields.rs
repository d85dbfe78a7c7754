//! The fields of a form or of a query.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Names and values in order. A name may appear several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of a query or of an URL-encoded form.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// These fields.
    pub(crate) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The trimmed value of a field, or an empty text.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default().trim()
    }

    /// The value of a field as it was sent, or an empty text.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// The value of a field, unless it is empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// All values of a field.
    pub(crate) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.0.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value.as_str())
    }
}

/// A part of a path or of a query, escaped.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A link with those fields that are not empty.
pub(crate) fn link(path: &str, fields: &[(&str, &str)]) -> String {
    let query: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_escapes_its_fields_and_omits_empty_ones() {
        assert_eq!(link("/a", &[("q", ""), ("b", "x&y z")]), "/a?b=x%26y%20z");
        assert_eq!(link("/a", &[("q", "")]), "/a");
    }

    #[test]
    fn a_field_may_appear_several_times() {
        let fields = Fields::parse(b"a=1&b=+2+&a=3");
        assert_eq!(fields.values("a").collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!((fields.get("b"), fields.raw("b"), fields.given("c")), ("2", " 2 ", None));
    }
}
