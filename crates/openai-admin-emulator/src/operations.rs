//! Which operation a request is, what it may hold, and which one was probably meant.

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

/// Where the published API lives below its host; the server answers without it as well.
const PREFIX: &str = "/v1";

/// An operation that the server answers.
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

/// An operation, and what the path says.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) operation: &'static Operation,
    pub(crate) path: BTreeMap<String, String>,
}

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    operations().into_iter().map(|facts| Operation { fields: facts.fields(), facts }).collect()
});

/// The operation of a request, if there is one.
pub(crate) fn find(method: &Method, path: &str) -> Option<Found> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let found = OPERATIONS
        .iter()
        .filter(|operation| operation.facts.method.as_str() == method)
        .filter_map(|operation| Some(Found { operation, path: matched(operation.facts.path, path)? }));
    // A segment that is written out goes before one that is anything.
    found.min_by_key(|found| found.path.len())
}

/// What the placeholders of a path stand for in another path, decoded.
pub(crate) fn matched(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let decoded = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let named = match_path(template, path)?.into_iter();
    Some(named.map(|(name, segment)| (name.to_owned(), decoded(segment))).collect())
}

/// The names of what a request holds and its operation does not have.
pub(crate) fn unknown(operation: &Operation, query: &str, body: Option<&Value>) -> Vec<String> {
    let has = |fields: &[Field], name: &str| fields.iter().any(|field| field.name == name);
    let in_query = form_urlencoded::parse(query.as_bytes())
        .map(|(name, _)| name.split('[').next().unwrap_or_default().to_owned())
        .filter(|name| !has(&operation.fields.query, name));
    let in_body = body.and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys);
    let in_body = in_body.filter(|name| operation.facts.has_body && !has(&operation.fields.body, name));
    let mut unknown: Vec<String> = in_query.chain(in_body.cloned()).collect();
    let mut seen = BTreeSet::new();
    unknown.retain(|name| seen.insert(name.clone()));
    unknown
}

/// The id of an operation that is published and not served, if a request is one, and what the path says.
pub(crate) fn not_served(method: &Method, path: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let here = PublishedOperation::at(path);
    let found = here.iter().find(|operation| operation.method.as_str() == method)?;
    Some((found.id, matched(found.path, path)?))
}

/// An operation that is published or served, as it is called.
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

/// The method of an operation that is published or served.
pub(crate) fn method_of(id: &str) -> Option<&'static str> {
    known().find(|known| known.id == id).map(|known| known.method)
}

/// Refuses an id that no operation has.
///
/// # Errors
///
/// The id that was probably meant, in words.
pub(crate) fn check_id(id: &str) -> Result<(), String> {
    if known().any(|known| known.id == id) {
        return Ok(());
    }
    Err(match most_like(id, known().map(|known| known.id)) {
        Some(meant) => format!("there is no operation '{id}': did you mean '{meant}'?"),
        None => format!("there is no operation '{id}': openai-admin coverage lists them"),
    })
}

/// Refuses a name that the path of an operation does not have: of any operation, when none is given.
///
/// # Errors
///
/// The names that there are, in words.
pub(crate) fn check_path_name(operation: Option<&str>, name: &str) -> Result<(), String> {
    match operation.map(|id| (id, known().find(|known| known.id == id))) {
        Some((_, Some(known))) => {
            let names: Vec<&str> = placeholders(known.path).collect();
            if names.contains(&name) {
                return Ok(());
            }
            let has = if names.is_empty() {
                "nothing in it varies".to_owned()
            } else {
                format!("it has {}", names.join(" and "))
            };
            Err(format!("the path of {} has no '{name}': {has}", known.id))
        }
        Some((_, None)) => Err(format!("a request that is no operation has no '{name}' in its path")),
        None if known().any(|known| placeholders(known.path).any(|own| own == name)) => Ok(()),
        None => {
            let meant = most_like(name, known().flat_map(|known| placeholders(known.path)));
            let meant = meant.map(|meant| format!(": did you mean '{meant}'?")).unwrap_or_default();
            Err(format!("no path has a '{name}'{meant}"))
        }
    }
}

/// How alike a request and what it is taken for are at least, from 0 to 1.
const PATH_LIKENESS_MIN: f64 = 0.75;

/// What was probably meant by a request that is no operation, in words. None when it is like none.
pub(crate) fn near_miss(method: &Method, path: &str) -> Option<String> {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    if let Some(rest) = path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/')) {
        return Some(format!(
            "the path begins with {PREFIX} twice, and {PREFIX}{rest} once is enough: the base URL may have it already"
        ));
    }
    let methods: Vec<&str> = OPERATIONS
        .iter()
        .filter(|operation| matched(operation.facts.path, path).is_some())
        .map(|operation| operation.facts.method.as_str())
        .collect();
    if !methods.is_empty() {
        return Some(format!("the path is right, and takes {} instead of {method}", methods.join(" and ")));
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

/// How alike two paths are, segment by segment: 1 when they are the same.
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
    fn what_an_operation_does_not_have_is_named() {
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
    fn a_near_miss_names_what_was_probably_meant() {
        for (method, path, meant) in [
            (Method::PUT, "/v1/organization/groups/g/users", "takes GET and POST instead of PUT"),
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
            (Method::GET, "/v1/organization/groups/", "GET /v1/organization/groups (list-groups)?"),
        ] {
            let near = near_miss(&method, path).expect("a near miss");
            assert!(near.contains(meant), "{method} {path}: {near}");
        }
    }

    #[test]
    fn what_is_like_no_operation_is_no_near_miss() {
        for path in
            ["/", "/v1", "/v1/", "/v1/models", "/v1/chat/completions", "/favicon.ico", "/v1/files/f/content"]
        {
            assert_eq!(near_miss(&Method::GET, path), None, "{path}");
        }
    }

    #[test]
    fn a_path_that_begins_with_its_version_twice_is_told_so() {
        let near = near_miss(&Method::GET, "/v1/v1/organization/groups").expect("a near miss");
        assert!(near.contains("begins with /v1 twice") && near.contains("/v1/organization/groups"), "{near}");
    }

    #[test]
    fn what_is_published_and_not_served_has_its_id_and_what_its_path_says() {
        let (id, path) = not_served(&Method::GET, "/v1/organization/projects/p").expect("an operation");
        assert_eq!((id, path["project_id"].as_str()), ("retrieve-project", "p"));
    }
}
