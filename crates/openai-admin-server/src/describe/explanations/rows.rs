//! The texts: a row for each rule, with the refusal that it explains.

use std::{
    io,
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::http::HeaderValue;
use openai_admin::{
    Cursor, Endpoint, GroupId, Method, ProjectId, Scope,
    operations::{CreateGroup, ListGroups},
    wire::{self, Incoming, Strictness, placeholders},
};
use openai_admin_store::{Cause, Error as StoreError, Kind, Refusal};

use super::row::{
    AnsweredBy::{Every, Identifying, Matching, NoOperation, NotServed},
    Blame::{Client, Operator, Server},
    Described, Row, request,
};
use crate::{
    answer::{
        error::ApiError,
        facts::OperationFacts,
        published::PublishedOperation,
        routes::operations,
        rules::{self, NotFound},
    },
    connect::limits::{BODY_BYTES_MAX, BODY_TIMEOUT},
    describe::coverage::Coverage,
};

const GROUPS: &str = "/v1/organization/groups";

pub(super) fn rows() -> Vec<Row> {
    [parameters(), bodies(), overload(), keys(), resources(), of_kinds(), refusals(), creations(), failures()]
        .into_iter()
        .flatten()
        .chain(not_served())
        .collect()
}

/// The error of an operation that cannot decode its request.
fn misread<E: Endpoint>(query: &str, body: &str, strictness: Strictness) -> ApiError {
    match wire::decode::<E>(&Incoming { path: &[], query, body: body.as_bytes() }, strictness) {
        Err(error) => error.into(),
        // A test compares each example with a response of the server.
        Ok(_) => ApiError::internal(),
    }
}

fn misread_query(query: &str) -> ApiError {
    misread::<ListGroups>(query, "", Strictness::Lenient)
}

fn misread_body(body: &str) -> ApiError {
    misread::<CreateGroup>("", body, Strictness::Lenient)
}

fn parameters() -> Vec<Row> {
    vec![
        Row {
            error: misread_body("{}"),
            blame: Client,
            meaning: "A required parameter is missing.",
            next: "Add the parameter that `param` names.",
            answered_by: Matching(
                "operations whose query or body has required fields",
                Described::needs_field,
            ),
            request: Some(request("POST", GROUPS).body("{}")),
        },
        Row {
            error: misread_query("limit=ten"),
            blame: Client,
            meaning: "A value has the wrong type, such as a word for a number.",
            next: "Send the parameter in `param` as the type in the message. A number in a query consists of digits.",
            answered_by: Matching("operations with a parameter that is not a string, or with a body", |it| {
                it.facts.has_body() || it.has_query_without_text()
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=ten")),
        },
        Row {
            error: misread_query("order=sideways"),
            blame: Client,
            meaning: "A value has the right type, but the parameter does not accept it.",
            next: "Use one of the values in the message.",
            answered_by: Matching(
                "operations that take an id, an order, a cursor or another restricted value",
                |it| it.bounds_query("enum") || it.bounds_query("pattern") || it.facts.has_body(),
            ),
            request: Some(request("GET", "/v1/organization/groups?order=sideways")),
        },
        Row {
            error: StoreError::UnknownCursor(Cursor::new("user_ada").expect("an id can be a cursor")).into(),
            blame: Client,
            meaning: "`after` or `before` does not belong to this list: the id was never in it, or the cursor is from \
                      another list. The server does not return the first page instead, because a client would loop.",
            next: "Continue with `next` or `last_id` of a page of this list, or with the id of one of its items; or \
                   start again without a cursor.",
            answered_by: Matching("lists", |it| it.names_in_query("after")),
            request: Some(request("GET", "/v1/organization/groups?after=user_ada")),
        },
        Row {
            error: misread_query("limit=-1"),
            blame: Client,
            meaning: "A number is below the minimum of its parameter.",
            next: "Use at least the number in the message.",
            answered_by: Matching("operations with a number that has a minimum", |it| {
                it.bounds_query("minimum")
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=-1")),
        },
        Row {
            error: misread_query("limit=1001"),
            blame: Client,
            meaning: "A number is above the maximum of its parameter.",
            next: "Use at most the number in the message. Read a long list in pages.",
            answered_by: Matching("operations with a number that has a maximum", |it| {
                it.bounds_query("maximum")
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=1001")),
        },
        Row {
            error: misread_body(r#"{"name":" "}"#),
            blame: Client,
            meaning: "A string is shorter than its parameter allows. A string of white space counts as empty.",
            next: "Send at least the number of characters in the message.",
            answered_by: Matching("operations with a string that has a minimum length", |it| {
                it.bounds_text("minLength")
            }),
            request: Some(request("POST", GROUPS).body(r#"{"name":" "}"#)),
        },
        Row {
            error: misread_body(&format!(r#"{{"name":"{}"}}"#, "x".repeat(256))),
            blame: Client,
            meaning: "A string is longer than its parameter allows. The limit counts characters, not bytes.",
            next: "Send at most the number of characters in the message.",
            answered_by: Matching("operations with a string that has a maximum length", |it| {
                it.bounds_text("maxLength")
            }),
            request: Some(
                request("POST", GROUPS).body(r#"{"name":"xxx…"}"#).given("`name` has 256 characters"),
            ),
        },
        Row {
            error: misread_query("limit=1&limit=2"),
            blame: Client,
            meaning: "The request repeats a query parameter that takes one value, or a field of the body.",
            next: "Send it once. In the OpenAPI document, parameters that take several values are arrays.",
            answered_by: Matching("operations with parameters in the query, or with a body", |it| {
                it.facts.has_body() || it.fields.query.iter().any(|field| !field.has("items"))
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=1&limit=2")),
        },
        Row {
            error: misread::<CreateGroup>("", r#"{"name":"x","colour":"blue"}"#, Strictness::Strict),
            blame: Client,
            meaning: "The body has a field that the operation does not have. Only a strict server refuses it.",
            next: "Check the spelling of the field, or remove it. A server without `--strict` ignores it.",
            answered_by: Matching(
                "operations with a body, when the server was started with `--strict`",
                |it| it.facts.has_body(),
            ),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x","colour":"blue"}"#)
                    .given("the server was started with `--strict`"),
            ),
        },
    ]
}

fn bodies() -> Vec<Row> {
    let with_body = || Matching("operations with a body", |it| it.facts.has_body());
    vec![
        Row {
            error: misread_body("[]"),
            blame: Client,
            meaning: "The body is not one JSON object, or it is incomplete.",
            next: "Send one complete JSON object. An empty body is not one; `{}` is.",
            answered_by: with_body(),
            request: Some(request("POST", GROUPS).body("[]")),
        },
        Row {
            error: ApiError::unsupported_content_type(Some("text/plain"), false),
            blame: Client,
            meaning: "The `Content-Type` of the body is not JSON.",
            next: "Send the header `Content-Type: application/json`.",
            answered_by: with_body(),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x"}"#)
                    .given("the header is `Content-Type: text/plain`"),
            ),
        },
        Row {
            error: ApiError::body_too_large(BODY_BYTES_MAX),
            blame: Client,
            meaning: "The body exceeds the size limit.",
            next: "Send a smaller body. Split a large change into several requests.",
            answered_by: with_body(),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x","padding":"xxx…"}"#)
                    .given("the body has 1,048,577 bytes"),
            ),
        },
        Row {
            error: ApiError::body_too_slow(BODY_TIMEOUT.as_secs()),
            blame: Client,
            meaning: "The body did not arrive in time. The request had no effect.",
            next: "Retry. If it fails again, look for a slow proxy or network.",
            answered_by: with_body(),
            request: Some(
                request("POST", GROUPS)
                    .body("{…")
                    .given("the rest of the body does not arrive within 30 seconds"),
            ),
        },
    ]
}

fn keys() -> Vec<Row> {
    vec![
        Row {
            error: ApiError::no_key(),
            blame: Client,
            meaning: "The request has no key, or its key is not a bearer token.",
            next: "Send the header `Authorization: Bearer` with an admin key.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("there is no header `Authorization`")),
        },
        Row {
            error: ApiError::wrong_key("sk-admin********cdef", false),
            blame: Client,
            meaning: "The key is unknown: it is mistyped, revoked, expired, or for another service.",
            next: "Compare its first and last characters with `openai-admin keys list` on the server's machine, and \
                   check the base URL. `openai-admin doctor` checks both.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("the key is `sk-admin-unknown-0123456789abcdef`")),
        },
        Row {
            error: ApiError::mismatched_organization(),
            blame: Client,
            meaning: "The header `OpenAI-Organization` names a different organization than the key's. The request had \
                      no effect.",
            next: "Remove the header (clients set it from `OPENAI_ORG_ID`), or use a key of that organization.",
            answered_by: Every,
            request: Some(
                request("GET", GROUPS).given("the header `OpenAI-Organization` is `org-of-others`"),
            ),
        },
        Row {
            error: ApiError::missing_scope(Scope::GROUPS_WRITE),
            blame: Client,
            meaning: "The key is valid, but lacks the scope of this operation. The `error` of this response is a \
                      string, not an object.",
            next: "Use a key with the scope in the message. `openai-admin keys create --scope SCOPE` creates one \
                   on your own server.",
            answered_by: Every,
            request: Some(
                request("POST", GROUPS).body(r#"{"name":"x"}"#).given("the key has only `api.groups.read`"),
            ),
        },
        Row {
            error: ApiError::wrong_host("your request has more than one; send one"),
            blame: Client,
            meaning: "The header `Host` is missing, repeated, invalid, or differs from the host in the request's \
                      target. The request had no effect.",
            next: "Send one `Host` header with the host of the URL. HTTP libraries do this by default.",
            answered_by: NoOperation("any connection"),
            request: Some(request("GET", GROUPS).given("there are two headers `Host`")),
        },
        Row {
            error: ApiError::needs_tls(),
            blame: Client,
            meaning: "The server accepts only HTTPS, and the request was not encrypted: others may have read it.",
            next: "Use a base URL that starts with https://, and replace the key that was sent.",
            answered_by: NoOperation("unencrypted connections to a server with `--tls-cert`"),
            request: Some(
                request("GET", GROUPS).given("sent over plain HTTP to a server that requires HTTPS"),
            ),
        },
        Row {
            error: ApiError::too_many_wrong_keys(Duration::from_secs(30)),
            blame: Client,
            meaning: "More than 60 requests with unknown keys came from one address within a minute. Requests on the \
                      loopback or through a proxy are not counted.",
            next: "Stop the client that sends the wrong key, and wait for `Retry-After`. A key that was used before \
                   still works.",
            answered_by: Every,
            request: Some(
                request("GET", GROUPS).given("the same address sent 60 other wrong keys within this minute"),
            ),
        },
    ]
}

/// One row for each kind of resource.
fn of_kinds() -> Vec<Row> {
    rules::of_kinds().iter().map(of_kind).collect()
}

fn of_kind(not_found: &'static NotFound) -> Row {
    let NotFound { kind, meaning, next, param, .. } = not_found;
    let id = format!("{}_nope", kind.name());
    let retrieves = |facts: &OperationFacts| {
        facts.method == Method::Get && placeholders(facts.path).eq([param.as_str()]) && !facts.is_extension()
    };
    let retrieve = operations().into_iter().find(retrieves);
    let path = |path: &str| format!("/v1{}", path.replace(&format!("{{{param}}}"), &id));
    Row {
        request: retrieve.map(|facts| request(facts.method.as_str(), &path(facts.path))),
        error: StoreError::NotFound { kind: *kind, id }.into(),
        blame: Client,
        meaning,
        next,
        answered_by: Identifying(not_found),
    }
}

fn refusals() -> Vec<Row> {
    static MEANINGS: LazyLock<Vec<String>> =
        LazyLock::new(|| Refusal::ALL.iter().copied().map(meaning).collect());
    let rows = Refusal::ALL.iter().zip(&*MEANINGS).map(|(refusal, meaning)| Row {
        error: StoreError::Refused { refusal: *refusal, value: format!("{}_nope", refusal.param()) }.into(),
        blame: if refusal.is_unreachable_cloud() { Server } else { Client },
        meaning,
        next: refusal.next(),
        answered_by: NoOperation(refusal.operations()),
        request: None,
    });
    rows.collect()
}

/// The text of a rule, without a value.
fn meaning(refusal: Refusal) -> String {
    let message = refusal.message().replacen(" '{}'", "", 1).replacen(": {}", "", 1);
    format!("The {}.", message.trim_start_matches("the ").replacen("model {}", "the model", 1))
}

fn resources() -> Vec<Row> {
    let group = |id: &str| id.parse::<GroupId>().expect("an id of a group");
    let user_ada = "user_ada".parse().expect("an id of a user");
    vec![
        Row {
            error: ApiError::unknown_url("GET", "/v1/organization/colours"),
            blame: Client,
            meaning: "The API has no operation at this URL, or an id in the URL is malformed.",
            next: "Check that the base URL ends in `/v1` and that no id is empty or contains a `/`. `/docs` lists the \
                   URLs.",
            answered_by: NoOperation("any unknown URL"),
            request: Some(request("GET", "/v1/organization/colours")),
        },
        Row {
            error: ApiError::not_allowed("PUT", &HeaderValue::from_static("GET, POST, HEAD, OPTIONS")),
            blame: Client,
            meaning: "The URL exists, but does not support this method.",
            next: "Use a method from the header `Allow`. In this API, updates are POST requests.",
            answered_by: NoOperation("any URL of the API, for methods that it does not support"),
            request: Some(request("PUT", GROUPS)),
        },
        Row {
            error: StoreError::NotMember { group_id: group("group_support"), user_id: user_ada }.into(),
            blame: Client,
            meaning: "The group and the user exist, but the user is not in the group.",
            next: "If you were removing the user, treat this as success. Otherwise add the user first.",
            answered_by: Matching("operations on a user of a group", |it| {
                it.names_in_path("group_id") && it.names_in_path("user_id")
            }),
            request: Some(request("DELETE", "/v1/organization/groups/group_support/users/user_ada")),
        },
        Row {
            error: StoreError::NotInProject {
                kind: Kind::User,
                id: "user_ada".to_owned(),
                project_id: ProjectId::new("proj_search").expect("an id without a slash"),
            }
            .into(),
            blame: Client,
            meaning: "The project exists, and the user or group is not in it.",
            next: "If the request removes it, treat this answer as success. Otherwise add it to the project first.",
            answered_by: Matching("operations on a user or group of a project", |it| {
                it.names_in_path("project_id")
                    && (it.names_in_path("user_id") || it.names_in_path("group_id"))
            }),
            request: Some(request("DELETE", "/v1/organization/projects/proj_search/users/user_ada")),
        },
        Row {
            error: StoreError::ManagedGroup(group("group_staff")).into(),
            blame: Client,
            meaning: "An identity provider or a tenant manages the group, so the API cannot change it.",
            next: "Change it where it is managed. `is_scim_managed` and `group_type` identify such groups.",
            answered_by: Matching("operations that change a group or its members", |it| {
                // The API can change the roles of a managed group (assumed).
                it.names_in_path("group_id")
                    && !it.names_in_path("project_id")
                    && it.facts.method != Method::Get
                    && !(it.names_in_path("role_id") || it.names_in_body("role_id"))
            }),
            request: Some(request("DELETE", "/v1/organization/groups/group_staff/users/user_ada")),
        },
        Row {
            error: StoreError::AlreadyExists {
                kind: Kind::User,
                field: "email",
                value: "ada@example.com".to_owned(),
            }
            .into(),
            blame: Client,
            meaning: "A unique value already exists: an id, a role's name, or an email address (compared without \
                      case).",
            next: "Check whether it is the resource that you want to create. If not, choose another value for `param`.",
            answered_by: Matching("operations that set a unique value of a user or a role", |it| {
                (it.names_in_body("email") && it.names_in_body("name")) || it.names_in_body("role_name")
            }),
            request: Some(
                request("POST", "/v1/x/users").body(r#"{"email":"ada@example.com","name":"Another Ada"}"#),
            ),
        },
    ]
}

fn creations() -> Vec<Row> {
    let creations = || Matching("operations that create something", |it| !it.facts.is_idempotent);
    let again = |given| Some(request("POST", GROUPS).body(r#"{"name":"Second"}"#).given(given));
    vec![
        Row {
            error: ApiError::invalid_idempotency_key("it is empty; send a random string, or omit the header"),
            blame: Client,
            meaning: "The header `Idempotency-Key` is empty, too long or repeated.",
            next: "Send one random string of at most 255 bytes for each creation, or omit the header.",
            answered_by: creations(),
            request: again("the header `Idempotency-Key` is empty"),
        },
        Row {
            error: StoreError::IdempotencyKeyReused.into(),
            blame: Client,
            meaning: "A different request used this `Idempotency-Key` within the last 24 hours. This one had no \
                      effect.",
            next: "Send a new key with each creation. Reuse a key only to retry the same request.",
            answered_by: creations(),
            request: again("a request with another body used the same `Idempotency-Key`"),
        },
        Row {
            error: StoreError::IdempotentAnswerDeleted.into(),
            blame: Client,
            meaning: "A request with this `Idempotency-Key` created a resource, which has been deleted since. The \
                      resource was not created again.",
            next: "Send a new key to create another one.",
            answered_by: creations(),
            request: again("the group that the same request created was deleted"),
        },
        Row {
            error: StoreError::IdempotentAnswerSecret.into(),
            blame: Client,
            meaning: "A request with this `Idempotency-Key` created a resource, and its response showed a secret. The \
                      server does not store secrets. The resource was not created again.",
            next: "If you lost the response, delete the resource and create it again with a new key.",
            answered_by: NoOperation("`create-project-service-account`"),
            request: None,
        },
    ]
}

fn overload() -> Vec<Row> {
    vec![
        Row {
            error: ApiError::rate_limited(Duration::from_secs(30)),
            blame: Client,
            meaning: "The key exceeded its requests per minute. This request had no effect.",
            next: "Wait for `Retry-After`; the real service often gives the time only in the message. Send fewer \
                   requests with `openai-admin apply --max-rpm`, or raise `--requests-per-minute` on your server.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("the key has used up `--requests-per-minute`")),
        },
        Row {
            error: StoreError::Unavailable(cause()).into(),
            blame: Operator,
            meaning: "The database is unavailable, overloaded or too slow. The request had no effect.",
            next: "Retry after `Retry-After`. If it fails again, check the database: the server's log has the cause, \
                   and `/ready` of `--admin-listen` reports when the database is back.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("the database cannot be reached")),
        },
    ]
}

fn failures() -> Vec<Row> {
    vec![
        Row {
            error: StoreError::OutcomeUnknown(cause()).into(),
            blame: Operator,
            meaning: "The connection to the database was lost during a commit: the whole change happened, or none of \
                      it.",
            next: "Check the state before you retry. With an `Idempotency-Key`, retrying a creation is safe.",
            answered_by: Matching("operations that change something", |it| it.facts.changes()),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x"}"#)
                    .given("the connection to the database is lost during the commit"),
            ),
        },
        Row {
            error: ApiError::internal(),
            blame: Server,
            meaning: "The server failed unexpectedly: a bug in this program, or a damaged database.",
            next: "Search the server's log for the response's `x-request-id`, run `openai-admin admin verify`, and \
                   report the bug.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("the server has a bug")),
        },
    ]
}

/// The row of operations that are not served, if there are any.
fn not_served() -> Option<Row> {
    // Any operation without a placeholder in its path.
    let not_yet = |(operation, coverage): (PublishedOperation, Coverage)| {
        (coverage == Coverage::NotYet && !operation.path.contains('{')).then_some(operation)
    };
    let operation = Coverage::of_all().into_iter().find_map(not_yet)?;
    Some(Row {
        error: ApiError::not_served(operation),
        blame: Server,
        meaning: "The API has this operation, but this server does not support it yet. The request had no effect.",
        next: "`openai-admin coverage` lists the supported operations. The real service supports all of them.",
        answered_by: NotServed,
        request: Some(request(operation.method.as_str(), &format!("/v1{}", operation.path))),
    })
}

fn cause() -> Cause {
    Arc::new(io::Error::from(io::ErrorKind::ConnectionReset))
}
