//! Which exchanges are meant.

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

/// How much of a value a message repeats, in bytes.
const VALUE_SHOWN_BYTES_MAX: usize = 200;
/// What stands for no operation, and for no fault.
const NONE: &str = "none";
/// What stands for every fault.
pub(crate) const ANY: &str = "any";
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];

/// Which exchanges are meant; what is absent is true of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExchangeFilter {
    /// The id of the operation, such as `add-group-user`; `none` for what is no operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What the path names, such as `{"group_id": "group_support"}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub path: BTreeMap<String, String>,
    /// What the body holds, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The name of a fault's rule, or the kind of a fault; `any` and `none` are all and no faults.
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
    /// A filter as a query writes it: `operation=add-group-user&path.group_id=group_support&status=200`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut filter = Self::default();
        for (name, value) in pairs {
            match name {
                "operation" => filter.operation = Some(value.to_owned()),
                "method" => filter.method = Some(value.to_owned()),
                "fault" => filter.fault = Some(value.to_owned()),
                "status" => {
                    let status = value
                        .parse()
                        .map_err(|_| Error::invalid(format!("'status' is '{value}', and no number")))?;
                    filter.status = Some(status);
                }
                _ => match name.strip_prefix("path.") {
                    Some(name) => drop(filter.path.insert(name.to_owned(), value.to_owned())),
                    None => {
                        return Err(Error::invalid(format!(
                            "there is no filter '{name}': use operation, method, status, fault, path.group_id, \
                             path.user_id, after or limit"
                        )));
                    }
                },
            }
        }
        Ok(filter)
    }

    /// Refuses a filter that no exchange can ever match: "it never happened" would be true of it whatever happens.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], with the word that was probably meant.
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
                Err(Error::invalid(format!("'status' is {status}, and a status is from 100 to 599")))
            }
            _ => Ok(()),
        }
    }

    /// The name of a rule or the kind of a fault, if the filter is about one.
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

    /// What differs between an exchange and what is meant, each with the value that it has.
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
        return Err(Error::invalid(format!("'method' is '{method}', and a method is one of {known}")));
    }
    let takes = operation.and_then(operations::method_of);
    match takes {
        // The head of a GET is asked for by HEAD.
        Some(takes) if takes != upper && !(takes == "GET" && upper == "HEAD") => {
            Err(Error::invalid(format!(
                "no {upper} is ever {}, which is a {takes}: leave 'method' out",
                operation.unwrap_or_default()
            )))
        }
        _ => Ok(()),
    }
}

/// Whether all that is in `part` is in `whole`.
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
    fn a_filter_that_is_none_is_refused() {
        let filter = |name| ExchangeFilter::from_pairs([(name, "x")].into_iter());
        assert!(filter("group").expect_err("no filter").to_string().contains("path.group_id"));
        assert!(filter("status").expect_err("no number").to_string().contains("'status' is 'x'"));
        assert!(filter("path.group_id").is_ok());
    }

    #[test]
    fn a_filter_that_nothing_can_match_is_refused_with_what_was_meant() {
        for (filter, problem) in [
            (
                json!({ "operation": "addGroupUser" }),
                "no operation 'addGroupUser': did you mean 'add-group-user'?",
            ),
            (json!({ "operation": "add-user" }), "no operation 'add-user': did you mean 'add-group-user'?"),
            (json!({ "operation": "xyz" }), "there is no operation 'xyz': openai-admin coverage lists them"),
            (
                json!({ "operation": "add-group-user", "path": { "group": "g" } }),
                "the path of add-group-user has no 'group': it has group_id",
            ),
            (
                json!({ "operation": "list-groups", "path": { "group_id": "g" } }),
                "the path of list-groups has no 'group_id': nothing in it varies",
            ),
            (
                json!({ "operation": "none", "path": { "group_id": "g" } }),
                "a request that is no operation has no 'group_id' in its path",
            ),
            (json!({ "path": { "groupId": "g" } }), "no path has a 'groupId': did you mean 'group_id'?"),
            (json!({ "method": "GTE" }), "'method' is 'GTE', and a method is one of GET,"),
            (
                json!({ "operation": "add-group-user", "method": "put" }),
                "no PUT is ever add-group-user, which is a POST",
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
