//! Filters of exchanges.

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exchange::{Recorded, cut};
use crate::{
    error::{Error, Result},
    operations,
};

/// The maximum length of a value in a message, in bytes.
const VALUE_SHOWN_BYTES_MAX: usize = 200;
/// Matches requests without an operation, or without a fault.
const NONE: &str = "none";
/// Matches every fault.
pub(crate) const ANY: &str = "any";
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];

/// A filter of exchanges. An absent field matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeFilter {
    /// The id of the operation, such as `add-group-user`. `none` matches requests without an operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path parameters, such as `{"group_id": "group_support"}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub path: BTreeMap<String, String>,
    /// The fields that the body must contain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The name of a fault rule, or the kind of a fault. `any` or `none` match requests with or without a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl std::fmt::Display for ExchangeFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = serde_json::to_string(self).unwrap_or_default();
        f.write_str(&text)
    }
}

impl ExchangeFilter {
    /// Parses a filter from a query: `operation=add-group-user&path.group_id=group_support&status=200`.
    ///
    /// # Errors
    ///
    /// A description of the first error.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut filter = Self::default();
        for (name, value) in pairs {
            match name {
                "operation" => filter.operation = Some(value.to_owned()),
                "method" => filter.method = Some(value.to_owned()),
                "fault" => filter.fault = Some(value.to_owned()),
                "status" => {
                    let status = value.parse().map_err(|_| {
                        Error::invalid(format!("invalid 'status' '{value}': expected a number"))
                    })?;
                    filter.status = Some(status);
                }
                _ => match name.strip_prefix("path.") {
                    Some(name) => drop(filter.path.insert(name.to_owned(), value.to_owned())),
                    None => {
                        return Err(Error::invalid(format!(
                            "unknown filter '{name}': use operation, method, status, fault, path.group_id, \
                             path.user_id, after or limit"
                        )));
                    }
                },
            }
        }
        Ok(filter)
    }

    /// Refuses a filter that no exchange can match: an expectation of zero requests would always be met.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], with the most similar valid name.
    pub fn check(&self) -> Result<()> {
        let operation = self.operation.as_deref().filter(|operation| *operation != NONE);
        if let Some(operation) = operation {
            operations::check_id(operation).map_err(Error::Invalid)?;
        }
        for name in self.path.keys() {
            operations::check_path_name(self.operation.as_deref(), name).map_err(Error::Invalid)?;
        }
        if let Some(method) = &self.method {
            check_method(method, operation)?;
        }
        match self.status {
            Some(status) if !(100..=599).contains(&status) => {
                Err(Error::invalid(format!("'status' is {status}; expected 100 to 599")))
            }
            _ => Ok(()),
        }
    }

    /// The name of a rule or the kind of a fault, if the filter has one.
    pub(crate) fn fault_name(&self) -> Option<&str> {
        self.fault.as_deref().filter(|fault| ![ANY, NONE].contains(fault))
    }

    fn is_operation(&self, recorded: &Recorded) -> bool {
        self.operation.as_deref().is_none_or(|wanted| match &recorded.exchange.operation {
            Some(operation) => operation == wanted,
            None => wanted == NONE,
        })
    }

    fn is_fault(&self, recorded: &Recorded) -> bool {
        let exchange = &recorded.exchange;
        self.fault.as_deref().is_none_or(|wanted| match &exchange.fault {
            Some(name) => wanted == ANY || wanted == name || exchange.fault_kind == Some(wanted),
            None => wanted == NONE,
        })
    }

    fn is_method(&self, recorded: &Recorded) -> bool {
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&recorded.exchange.method))
    }

    fn is_status(&self, recorded: &Recorded) -> bool {
        self.status.is_none_or(|status| recorded.exchange.status == Some(status))
    }

    fn is_body(&self, recorded: &Recorded) -> bool {
        let wanted = self.body.as_ref();
        wanted.is_none_or(|wanted| recorded.body.read().is_some_and(|whole| is_part(wanted, &whole)))
    }

    pub(super) fn matches(&self, recorded: &Recorded) -> bool {
        self.is_operation(recorded)
            && self.is_fault(recorded)
            && self.is_method(recorded)
            && self.is_status(recorded)
            && self.path.iter().all(|(name, value)| recorded.exchange.path.get(name) == Some(value))
            && self.is_body(recorded)
    }

    /// The differences between an exchange and the filter, each with the exchange's value.
    pub(super) fn differences(&self, recorded: &Recorded) -> Vec<String> {
        let exchange = &recorded.exchange;
        let mut differences = Vec::new();
        let mut differs = |name: &str, value: Option<String>| {
            differences.push(match value {
                Some(mut value) => {
                    cut(&mut value, VALUE_SHOWN_BYTES_MAX);
                    format!("{name} is {value}")
                }
                None => format!("it has no {name}"),
            });
        };
        if !self.is_operation(recorded) {
            differs("operation", exchange.operation.clone());
        }
        if !self.is_method(recorded) {
            differs("method", Some(exchange.method.clone()));
        }
        for name in self.path.iter().filter(|(name, value)| exchange.path.get(*name) != Some(*value)) {
            differs(&format!("path.{}", name.0), exchange.path.get(name.0).cloned());
        }
        if !self.is_body(recorded) {
            differs("body", recorded.body.read().map(|body| body.to_string()));
        }
        if !self.is_status(recorded) {
            differs("status", exchange.status.map(|status| status.to_string()));
        }
        if !self.is_fault(recorded) {
            differs("fault", exchange.fault.clone());
        }
        differences
    }
}

fn check_method(method: &str, operation: Option<&str>) -> Result<()> {
    let upper = method.to_ascii_uppercase();
    if !METHODS.iter().any(|known| known.as_str() == upper) {
        let known = METHODS.each_ref().map(Method::as_str).join(", ");
        return Err(Error::invalid(format!("invalid 'method' '{method}': use one of {known}")));
    }
    let takes = operation.and_then(operations::method_of);
    match takes {
        // HEAD matches a GET operation.
        Some(takes) if takes != upper && !(takes == "GET" && upper == "HEAD") => {
            Err(Error::invalid(format!(
                "{upper} never matches {}, which is a {takes}: omit 'method'",
                operation.unwrap_or_default()
            )))
        }
        _ => Ok(()),
    }
}

/// Whether `whole` contains everything in `part`.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| is_part(value, whole)))
        }
        _ => part == whole,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_filter_is_refused() {
        let filter = |name| ExchangeFilter::from_pairs([(name, "x")].into_iter());
        assert!(filter("group").expect_err("no filter").to_string().contains("path.group_id"));
        assert!(filter("status").expect_err("no number").to_string().contains("invalid 'status' 'x'"));
        assert!(filter("path.group_id").is_ok());
    }

    #[test]
    fn a_filter_that_nothing_can_match_is_refused_with_a_suggestion() {
        for (filter, problem) in [
            (
                json!({ "operation": "addGroupUser" }),
                "unknown operation 'addGroupUser': did you mean 'add-group-user'?",
            ),
            (
                json!({ "operation": "add-user" }),
                "unknown operation 'add-user': did you mean 'add-group-user'?",
            ),
            (
                json!({ "operation": "xyz" }),
                "unknown operation 'xyz': openai-admin coverage lists all operations",
            ),
            (
                json!({ "operation": "add-group-user", "path": { "group": "g" } }),
                "the path of add-group-user has no 'group': it has group_id",
            ),
            (
                json!({ "operation": "list-groups", "path": { "group_id": "g" } }),
                "the path of list-groups has no 'group_id': it has no parameters",
            ),
            (
                json!({ "operation": "none", "path": { "group_id": "g" } }),
                "a request without an operation has no 'group_id' in its path",
            ),
            (json!({ "path": { "groupId": "g" } }), "no path has a 'groupId': did you mean 'group_id'?"),
            (json!({ "method": "GTE" }), "invalid 'method' 'GTE': use one of GET,"),
            (
                json!({ "operation": "add-group-user", "method": "put" }),
                "PUT never matches add-group-user, which is a POST",
            ),
            (json!({ "status": 2000 }), "'status' is 2000"),
        ] {
            let filter: ExchangeFilter = serde_json::from_value(filter).expect("a filter");
            let refused = filter.check().expect_err(problem).to_string();
            assert!(refused.contains(problem), "{filter}: {refused}");
        }
        for filter in [
            json!({}),
            json!({ "operation": "none", "method": "get" }),
            json!({ "operation": "list-groups", "method": "HEAD", "status": 501 }),
            json!({ "operation": "retrieve-project", "path": { "project_id": "p" } }),
            json!({ "path": { "user_id": "u", "group_id": "g" } }),
        ] {
            let filter: ExchangeFilter = serde_json::from_value(filter).expect("a filter");
            assert!(filter.check().is_ok(), "{filter}: {:?}", filter.check());
        }
    }
}
