//! Finds the operation of a request, its unknown parameters, and the most similar operation.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use axum::http::Method;
use openai_admin::{
    likeness::{likeness, most_like},
    wire::{match_path, placeholders},
};
use openai_admin_server::{Field, OperationFacts, OperationFields, PublishedOperation, operations};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The path of the published API. The server also answers without it.
const PREFIX: &str = "/v1";

/// A served operation.
#[derive(Debug)]
pub(crate) struct Operation {
    facts: OperationFacts,
    fields: OperationFields,
}

impl Operation {
    pub(crate) fn id(&self) -> &'static str {
        self.facts.id
    }
}

/// An operation with its path parameters.
#[derive(Debug)]
pub(crate) struct MatchedOperation {
    pub(crate) operation: &'static Operation,
    pub(crate) path: BTreeMap<String, String>,
}

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    operations().into_iter().map(|facts| Operation { fields: facts.fields(), facts }).collect()
});

/// The operation of a request, if there is one.
pub(crate) fn find(method: &Method, path: &str) -> Option<MatchedOperation> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let found = OPERATIONS.iter().filter(|operation| operation.facts.method.as_str() == method).filter_map(
        |operation| Some(MatchedOperation { operation, path: matched(operation.facts.path, path)? }),
    );
    // Literal segments take precedence over placeholders.
    found.min_by_key(|found| found.path.len())
}

/// The path parameters of a template in a path, decoded.
pub(crate) fn matched(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let decoded = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let named = match_path(template, path)?.into_iter();
    Some(named.map(|(name, segment)| (name.to_owned(), decoded(segment))).collect())
}

/// The names of a request's unknown parameters.
pub(crate) fn unknown(operation: &Operation, query: &str, body: Option<&Value>) -> Vec<String> {
    let has = |fields: &[Field], name: &str| fields.iter().any(|field| field.name == name);
    let in_query = form_urlencoded::parse(query.as_bytes())
        .map(|(name, _)| name.split('[').next().unwrap_or_default().to_owned())
        .filter(|name| !has(&operation.fields.query, name));
    let in_body = body.and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys);
    let in_body = in_body.filter(|name| operation.facts.has_body() && !has(&operation.fields.body, name));
    let mut unknown: Vec<String> = in_query.chain(in_body.cloned()).collect();
    let mut seen = BTreeSet::new();
    unknown.retain(|name| seen.insert(name.clone()));
    unknown
}

/// The id and the path parameters of a published operation that is not served.
pub(crate) fn not_served(method: &Method, path: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let here = PublishedOperation::at(path);
    let found = here.iter().find(|operation| operation.method.as_str() == method)?;
    Some((found.id, matched(found.path, path)?))
}

/// A published or served operation.
struct Known {
    id: &'static str,
    method: &'static str,
    path: &'static str,
}

fn known() -> impl Iterator<Item = Known> {
    let published = PublishedOperation::all().map(|operation| Known {
        id: operation.id,
        method: operation.method.as_str(),
        path: operation.path,
    });
    let served = OPERATIONS.iter().map(|operation| Known {
        id: operation.facts.id,
        method: operation.facts.method.as_str(),
        path: operation.facts.path,
    });
    served.chain(published)
}

/// The method of a published or served operation.
pub(crate) fn method_of(id: &str) -> Option<&'static str> {
    known().find(|known| known.id == id).map(|known| known.method)
}

/// Refuses an unknown operation id.
///
/// # Errors
///
/// A message with the most similar id.
pub(crate) fn check_id(id: &str) -> Result<(), String> {
    if known().any(|known| known.id == id) {
        return Ok(());
    }
    Err(match most_like(id, known().map(|known| known.id)) {
        Some(meant) => format!("unknown operation '{id}': did you mean '{meant}'?"),
        None => format!("unknown operation '{id}': openai-admin coverage lists all operations"),
    })
}

/// Refuses a path parameter that the operation (or, without one, every operation) does not have.
///
/// # Errors
///
/// A message with the valid names.
pub(crate) fn check_path_name(operation: Option<&str>, name: &str) -> Result<(), String> {
    match operation.map(|id| (id, known().find(|known| known.id == id))) {
        Some((_, Some(known))) => {
            let names: Vec<&str> = placeholders(known.path).collect();
            if names.contains(&name) {
                return Ok(());
            }
            let has = if names.is_empty() {
                "it has no parameters".to_owned()
            } else {
                format!("it has {}", names.join(" and "))
            };
            Err(format!("the path of {} has no '{name}': {has}", known.id))
        }
        Some((_, None)) => Err(format!("a request without an operation has no '{name}' in its path")),
        None if known().any(|known| placeholders(known.path).any(|own| own == name)) => Ok(()),
        None => {
            let meant = most_like(name, known().flat_map(|known| placeholders(known.path)));
            let meant = meant.map(|meant| format!(": did you mean '{meant}'?")).unwrap_or_default();
            Err(format!("no path has a '{name}'{meant}"))
        }
    }
}

/// The minimum similarity of a request and the suggested operation, from 0 to 1.
const PATH_LIKENESS_MIN: f64 = 0.75;

/// A suggestion for a request without an operation. `None` if it is not similar to any.
pub(crate) fn near_miss(method: &Method, path: &str) -> Option<String> {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    if let Some(rest) = path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/')) {
        return Some(format!(
            "the path starts with {PREFIX} twice: use {PREFIX}{rest}; the base URL may already contain {PREFIX}"
        ));
    }
    let methods: Vec<&str> = OPERATIONS
        .iter()
        .filter(|operation| matched(operation.facts.path, path).is_some())
        .map(|operation| operation.facts.method.as_str())
        .collect();
    if !methods.is_empty() {
        return Some(format!("the path supports {}, not {method}", methods.join(" and ")));
    }
    if let Some(without) = path.strip_suffix('/').filter(|path| is_path_of_operation(path)) {
        return Some(format!("remove the slash at the end: {PREFIX}{without}"));
    }
    let likeness = |operation: &Operation| {
        let same_method = if operation.facts.method.as_str() == method.as_str() { 0.05 } else { 0.0 };
        likeness_of_paths(operation.facts.path, path) + same_method
    };
    let nearest = OPERATIONS.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    let OperationFacts { id, method, path, .. } = nearest.facts;
    (likeness(nearest) >= PATH_LIKENESS_MIN)
        .then(|| format!("did you mean {} {PREFIX}{path} ({id})?", method.as_str()))
}

fn is_path_of_operation(path: &str) -> bool {
    OPERATIONS.iter().any(|operation| matched(operation.facts.path, path).is_some())
}

/// The similarity of two paths, segment by segment. 1 if they are equal.
fn likeness_of_paths(template: &str, path: &str) -> f64 {
    let wanted: Vec<&str> = template.split('/').filter(|segment| !segment.is_empty()).collect();
    let got: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let alike = |wanted: &str, got: &str| {
        if placeholders(wanted).next().is_some() { 0.9 } else { likeness(wanted, got) }
    };
    let sum: f64 = wanted.iter().zip(&got).map(|(wanted, got)| alike(wanted, got)).sum();
    sum / wanted.len().max(got.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(method: &str, path: &str) -> Option<String> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        find(&method, path).map(|found| found.operation.id().to_owned())
    }

    #[test]
    fn every_operation_is_found_by_its_path() {
        for facts in operations() {
            let path = facts.path.replace('{', "x").replace('}', "");
            for prefix in ["", "/v1"] {
                assert_eq!(id(facts.method.as_str(), &format!("{prefix}{path}")).as_deref(), Some(facts.id));
            }
        }
        assert_eq!(id("HEAD", "/v1/organization/groups").as_deref(), Some("list-groups"));
        assert_eq!(id("GET", "/v1/organization/groups//users"), None);
        assert_eq!(id("GET", "/v1/organization/groups/"), None);
    }

    #[test]
    fn ids_are_decoded_once() {
        let found = find(&Method::GET, "/v1/organization/groups/a%2520b/users").expect("an operation");
        assert_eq!(found.path, BTreeMap::from([("group_id".to_owned(), "a%20b".to_owned())]));
    }

    #[test]
    fn unknown_parameters_are_named() {
        let operation = |method, path| find(&method, path).expect("an operation").operation;
        let list = operation(Method::GET, "/organization/groups/g/users");
        assert_eq!(unknown(list, "limit=1&after=x&order=asc", None), [""; 0]);
        assert_eq!(unknown(list, "page=1&limit=1&offset=2&page=3", None), ["page", "offset"]);
        let add = operation(Method::POST, "/organization/groups/g/users");
        let body = json!({ "user_id": "u", "role": "owner" });
        assert_eq!(unknown(add, "", Some(&body)), ["role"]);
        let users = operation(Method::GET, "/organization/users");
        assert_eq!(unknown(users, "emails[]=a&emails=b", None), [""; 0]);
        let logs = operation(Method::GET, "/organization/audit_logs");
        assert_eq!(unknown(logs, "effective_at[gte]=1", None), [""; 0]);
    }

    #[test]
    fn a_near_miss_names_the_most_similar_operation() {
        for (method, path, meant) in [
            (Method::PUT, "/v1/organization/groups/g/users", "supports GET and POST, not PUT"),
            (
                Method::POST,
                "/v1/organization/group/g/users",
                "POST /v1/organization/groups/{group_id}/users (add-group-user)?",
            ),
            (Method::GET, "/v1/organizations/groups", "GET /v1/organization/groups (list-groups)?"),
            (
                Method::GET,
                "/v1/organization/groups/g/members",
                "GET /v1/organization/groups/{group_id}/users (list-group-users)?",
            ),
            (
                Method::POST,
                "/v1/organization/groups/g/users/",
                "remove the slash at the end: /v1/organization/groups/g/users",
            ),
        ] {
            let near = near_miss(&method, path).expect("a near miss");
            assert!(near.contains(meant), "{method} {path}: {near}");
        }
    }

    #[test]
    fn a_dissimilar_path_has_no_near_miss() {
        for path in
            ["/", "/v1", "/v1/", "/v1/models", "/v1/chat/completions", "/favicon.ico", "/v1/files/f/content"]
        {
            assert_eq!(near_miss(&Method::GET, path), None, "{path}");
        }
    }

    #[test]
    fn a_path_with_its_version_twice_is_a_near_miss() {
        let near = near_miss(&Method::GET, "/v1/v1/organization/groups").expect("a near miss");
        assert!(near.contains("starts with /v1 twice") && near.contains("/v1/organization/groups"), "{near}");
    }

    #[test]
    fn a_published_operation_that_is_not_served_has_its_id_and_parameters() {
        let (id, path) = not_served(&Method::GET, "/v1/organization/projects/p").expect("an operation");
        assert_eq!((id, path["project_id"].as_str()), ("retrieve-project", "p"));
    }
}
