//! The words: a row for each rule, with the refusal that it is about.

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
    AnsweredBy::{Every, Identifying, NoOperation, NotServed, Those},
    Described,
    Fault::{Client, Operator, Server},
    Row, request,
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
    [parameters(), bodies(), loads(), keys(), things(), of_kinds(), refusals(), creations(), failures()]
        .into_iter()
        .flatten()
        .collect()
}

/// What an operation says of a request that it cannot read.
fn misread<E: Endpoint>(query: &str, body: &str, strictness: Strictness) -> ApiError {
    match wire::decode::<E>(&Incoming { path: &[], query, body: body.as_bytes() }, strictness) {
        Err(error) => error.into(),
        // A test compares each answer with the server's own.
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
            fault: Client,
            meaning: "A parameter that the operation needs is not there.",
            next: "Add the parameter that `param` names.",
            answered_by: Those("operations whose query or body has required fields", Described::needs_field),
            request: Some(request("POST", GROUPS).body("{}")),
        },
        Row {
            error: misread_query("limit=ten"),
            fault: Client,
            meaning: "A value has another type than its parameter, such as a word for a number.",
            next: "Send what `param` names as the type that the message says. In a query a number is digits alone.",
            answered_by: Those("operations with a parameter that is no text, or with a body", |it| {
                it.facts.has_body || it.has_query_without_text()
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=ten")),
        },
        Row {
            error: misread_query("order=sideways"),
            fault: Client,
            meaning: "A value is of the right type, and none of those that its parameter takes.",
            next: "Use a value that the message lists or describes.",
            answered_by: Those(
                "operations that take an id, an order, a cursor or another value of a kind",
                |it| it.bounds_query("enum") || it.bounds_query("pattern") || it.facts.has_body,
            ),
            request: Some(request("GET", "/v1/organization/groups?order=sideways")),
        },
        Row {
            error: StoreError::UnknownCursor(Cursor::new("user_ada").expect("an id can be a cursor")).into(),
            fault: Client,
            meaning: "`after` or `before` is no place in this list: an id that was never in it, or a cursor of another \
                      list. A first page in its place would send a client round in circles.",
            next: "Go on with `next` or `last_id` of a page of this list, or with the id of one of its items; or begin \
                   anew without a cursor.",
            answered_by: Those("lists", |it| it.names_in_query("after")),
            request: Some(request("GET", "/v1/organization/groups?after=user_ada")),
        },
        Row {
            error: misread_query("limit=-1"),
            fault: Client,
            meaning: "A number is less than its parameter takes.",
            next: "Use at least the number that the message says.",
            answered_by: Those("operations with a number that has a least value", |it| {
                it.bounds_query("minimum")
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=-1")),
        },
        Row {
            error: misread_query("limit=1001"),
            fault: Client,
            meaning: "A number is greater than its parameter takes.",
            next: "Use at most the number that the message says. Read a long list in pages.",
            answered_by: Those("operations with a number that has a greatest value", |it| {
                it.bounds_query("maximum")
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=1001")),
        },
        Row {
            error: misread_body(r#"{"name":" "}"#),
            fault: Client,
            meaning: "A text has fewer characters than its parameter needs. White space alone counts as nothing.",
            next: "Send at least as many characters as the message says.",
            answered_by: Those("operations with a text that has a least length", |it| {
                it.bounds_text("minLength")
            }),
            request: Some(request("POST", GROUPS).body(r#"{"name":" "}"#)),
        },
        Row {
            error: misread_body(&format!(r#"{{"name":"{}"}}"#, "x".repeat(256))),
            fault: Client,
            meaning: "A text has more characters than its parameter takes. Characters are counted, not bytes.",
            next: "Send at most as many characters as the message says.",
            answered_by: Those("operations with a text that has a greatest length", |it| {
                it.bounds_text("maxLength")
            }),
            request: Some(
                request("POST", GROUPS).body(r#"{"name":"xxx…"}"#).given("`name` has 256 characters"),
            ),
        },
        Row {
            error: misread_query("limit=1&limit=2"),
            fault: Client,
            meaning: "A parameter of the query that takes one value, or a field of the body, is given twice.",
            next: "Send it once. Those that take several values are lists in the document.",
            answered_by: Those("operations with parameters in the query, or with a body", |it| {
                it.facts.has_body || it.fields.query.iter().any(|field| !field.has("items"))
            }),
            request: Some(request("GET", "/v1/organization/groups?limit=1&limit=2")),
        },
        Row {
            error: misread::<CreateGroup>("", r#"{"name":"x","colour":"blue"}"#, Strictness::Strict),
            fault: Client,
            meaning: "The body has a field that the operation does not have. Only a strict server minds.",
            next: "Look for a misspelt name, or leave the field out. A server without `--strict` takes no notice of it.",
            answered_by: Those("operations with a body, when the server was started with `--strict`", |it| {
                it.facts.has_body
            }),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x","colour":"blue"}"#)
                    .given("the server was started with `--strict`"),
            ),
        },
    ]
}

fn bodies() -> Vec<Row> {
    let with_body = || Those("operations with a body", |it| it.facts.has_body);
    vec![
        Row {
            error: misread_body("[]"),
            fault: Client,
            meaning: "The body is not one JSON object, or it broke off.",
            next: "Send one whole JSON object. No body at all is none; `{}` is.",
            answered_by: with_body(),
            request: Some(request("POST", GROUPS).body("[]")),
        },
        Row {
            error: ApiError::unsupported_content_type(Some("text/plain")),
            fault: Client,
            meaning: "The body is said to be something else than JSON.",
            next: "Send the header `Content-Type: application/json` with it.",
            answered_by: with_body(),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x"}"#)
                    .given("the header is `Content-Type: text/plain`"),
            ),
        },
        Row {
            error: ApiError::body_too_large(BODY_BYTES_MAX),
            fault: Client,
            meaning: "The body is larger than any request of the API has to be.",
            next: "Send less. What does not fit into one request of this API is several requests.",
            answered_by: with_body(),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x","padding":"xxx…"}"#)
                    .given("the body has 1,048,577 bytes"),
            ),
        },
        Row {
            error: ApiError::body_too_slow(BODY_TIMEOUT.as_secs()),
            fault: Client,
            meaning: "The body did not arrive in time. Nothing was done.",
            next: "Send it again; if that does not help, look for what holds it up on its way.",
            answered_by: with_body(),
            request: Some(
                request("POST", GROUPS)
                    .body("{…")
                    .given("the rest of the body does not come within 30 seconds"),
            ),
        },
    ]
}

fn keys() -> Vec<Row> {
    vec![
        Row {
            error: ApiError::no_key(),
            fault: Client,
            meaning: "The request has no key, or none in the form of a bearer's.",
            next: "Send the header `Authorization: Bearer` with an admin key.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("there is no header `Authorization`")),
        },
        Row {
            error: ApiError::wrong_key("sk-admin********cdef", false),
            fault: Client,
            meaning: "The key is unknown: it is mistyped, revoked, expired, or for another service.",
            next: "Compare its ends with `openai-admin keys list` on the server's machine, and its service with the base \
                   URL. `openai-admin doctor` examines both.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("the key is `sk-admin-nobody-0123456789abcdef`")),
        },
        Row {
            error: ApiError::mismatched_organization(),
            fault: Client,
            meaning: "The header `OpenAI-Organization` names another organization than the key's. Nothing was done.",
            next: "Leave the header out (clients send `OPENAI_ORG_ID` in it), or use a key of that organization.",
            answered_by: Every,
            request: Some(
                request("GET", GROUPS).given("the header `OpenAI-Organization` is `org-of-others`"),
            ),
        },
        Row {
            error: ApiError::missing_scope(Scope::GROUPS_WRITE),
            fault: Client,
            meaning: "The key is right, and may not do this. The `error` of this answer is a text, not an object.",
            next: "Use a key with the scope that the message names; `openai-admin keys create --scope SCOPE` makes one \
                   on your own server.",
            answered_by: Every,
            request: Some(
                request("POST", GROUPS).body(r#"{"name":"x"}"#).given("the key has only `api.groups.read`"),
            ),
        },
        Row {
            error: ApiError::wrong_host("your request has more than one; send one"),
            fault: Client,
            meaning: "The header `Host` is missing, there more than once, no host, or not that of the request's target. \
                      Nothing was done.",
            next: "Send one `Host`, with the host of the URL. HTTP libraries do so by themselves.",
            answered_by: NoOperation("any connection"),
            request: Some(request("GET", GROUPS).given("there are two headers `Host`")),
        },
        Row {
            error: ApiError::needs_tls(),
            fault: Client,
            meaning: "The server speaks HTTPS, and the request came unencrypted: others may have read it.",
            next: "Begin the base URL with https://, and replace the key that was sent.",
            answered_by: NoOperation("any connection that is not encrypted, to a server with `--tls-cert`"),
            request: Some(
                request("GET", GROUPS).given("sent over plain HTTP, to a server that speaks HTTPS"),
            ),
        },
        Row {
            error: ApiError::too_many_wrong_keys(Duration::from_secs(30)),
            fault: Client,
            meaning: "More than 60 requests with unknown keys came from one address within a minute. Requests on the loopback or \
                      through a proxy are not counted.",
            next: "Stop what sends the wrong key, and wait as long as `Retry-After` says. A key that worked before still \
                   works.",
            answered_by: Every,
            request: Some(
                request("GET", GROUPS).given("60 other wrong keys came from there within this minute"),
            ),
        },
    ]
}

/// One for each kind of thing that may not be there.
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
        fault: Client,
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
        fault: Client,
        meaning,
        next: refusal.next(),
        answered_by: NoOperation(refusal.operations()),
        request: None,
    });
    rows.collect()
}

/// What a rule says, about no value in particular.
fn meaning(refusal: Refusal) -> String {
    format!("The {}.", refusal.says().replacen(" '{}'", "", 1).replacen(": {}", "", 1))
}

fn things() -> Vec<Row> {
    let group = |id: &str| id.parse::<GroupId>().expect("an id of a group");
    let user_ada = "user_ada".parse().expect("an id of a user");
    vec![
        Row {
            error: ApiError::unknown_url("GET", "/v1/organization/colours"),
            fault: Client,
            meaning: "No operation of the API has this URL, or an id in it is one that nothing can have.",
            next: "Look at the base URL, which ends in `/v1`, and for an id that is empty or has a `/`. `/docs` lists the \
                   URLs.",
            answered_by: NoOperation("any URL that is no operation's"),
            request: Some(request("GET", "/v1/organization/colours")),
        },
        Row {
            error: ApiError::not_allowed("PUT", &HeaderValue::from_static("GET, POST, HEAD, OPTIONS")),
            fault: Client,
            meaning: "The URL is one of the API's, and does not have this method.",
            next: "Use one of the methods of the header `Allow`. Changes are POSTs in this API.",
            answered_by: NoOperation("any URL of the API, to another method than its own"),
            request: Some(request("PUT", GROUPS)),
        },
        Row {
            error: StoreError::NotMember { group_id: group("group_support"), user_id: user_ada }.into(),
            fault: Client,
            meaning: "Group and user exist, and the user is not in the group.",
            next: "Where the user is to be removed, they are: take this for success. Else add them first.",
            answered_by: Those("operations on a user of a group", |it| {
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
            fault: Client,
            meaning: "The project exists, and the user or group is not in it.",
            next: "If the request removes it, treat this answer as success. Otherwise add it to the project first.",
            answered_by: Those("operations on a user or group of a project", |it| {
                it.names_in_path("project_id")
                    && (it.names_in_path("user_id") || it.names_in_path("group_id"))
            }),
            request: Some(request("DELETE", "/v1/organization/projects/proj_search/users/user_ada")),
        },
        Row {
            error: StoreError::ManagedGroup(group("group_staff")).into(),
            fault: Client,
            meaning: "An identity provider or a tenant decides about the group, so the API does not change it.",
            next: "Change it where it is managed. `is_scim_managed` and `group_type` tell such groups beforehand.",
            answered_by: Those("operations that change a group, or who is in it", |it| {
                // Roles of a group are no part of what its manager decides (assumed).
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
            fault: Client,
            meaning: "Something that must be unique exists already: an id, a role's name, or an email address in any letter case.",
            next: "Look whether it is what you want to create. If not, choose another value for `param`.",
            answered_by: Those("operations that give a user or a role what must be unique", |it| {
                (it.names_in_body("email") && it.names_in_body("name")) || it.names_in_body("role_name")
            }),
            request: Some(
                request("POST", "/v1/x/users").body(r#"{"email":"ada@example.com","name":"Another Ada"}"#),
            ),
        },
    ]
}

fn creations() -> Vec<Row> {
    let creations = || Those("operations that create something", |it| !it.facts.is_idempotent);
    let again = |given| Some(request("POST", GROUPS).body(r#"{"name":"Second"}"#).given(given));
    vec![
        Row {
            error: ApiError::invalid_idempotency_key("it is empty; send a random text, or no such header"),
            fault: Client,
            meaning: "The header `Idempotency-Key` is empty, too long, or there more than once.",
            next: "Send one random text of at most 255 bytes for each creation, or no such header.",
            answered_by: creations(),
            request: again("the header `Idempotency-Key` is there and empty"),
        },
        Row {
            error: StoreError::IdempotencyKeyReused.into(),
            fault: Client,
            meaning: "Another request came with this `Idempotency-Key` within the last 24 hours. This one was not done.",
            next: "Send a new key with each new creation, and the same key only to repeat one.",
            answered_by: creations(),
            request: again("another body came under the same `Idempotency-Key`"),
        },
        Row {
            error: StoreError::IdempotentAnswerDeleted.into(),
            fault: Client,
            meaning: "The creation was done under this `Idempotency-Key`, and what it made has been deleted since. It \
                      was not made again.",
            next: "Send a new key if another one is to be made.",
            answered_by: creations(),
            request: again("the group that the same request made under its `Idempotency-Key` was deleted"),
        },
        Row {
            error: StoreError::IdempotentAnswerSecret.into(),
            fault: Client,
            meaning: "The creation was done under this `Idempotency-Key`, and its answer showed a secret, which is shown \
                      once and not kept. It was not done again.",
            next: "If that answer was lost, delete what was created and create it under a new key.",
            answered_by: NoOperation("`create-project-service-account`"),
            request: None,
        },
    ]
}

fn loads() -> Vec<Row> {
    vec![
        Row {
            error: ApiError::rate_limited(Duration::from_secs(30)),
            fault: Client,
            meaning: "The key has made more requests than it may in a minute. This one was not done.",
            next: "Wait as long as `Retry-After` says; the real service often says it in the message alone. Send fewer \
                   at a time: `--max-rpm` of `openai-admin apply`, `--requests-per-minute` of your own server.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("the key has used up `--requests-per-minute`")),
        },
        Row {
            error: StoreError::Unavailable(cause()).into(),
            fault: Operator,
            meaning: "The database is away, overloaded or too slow. Nothing was done.",
            next: "Send it again after `Retry-After`. If it stays so, look at the database: the server's log says what \
                   it was, and `/ready` of `--admin-listen` says when it is over.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("the database cannot be reached")),
        },
    ]
}

fn failures() -> Vec<Row> {
    vec![
        Row {
            error: StoreError::OutcomeUnknown(cause()).into(),
            fault: Operator,
            meaning: "The database was lost while it wrote: the whole change has happened, or nothing of it.",
            next: "Look before you repeat it. With an `Idempotency-Key` a creation may be repeated as it is.",
            answered_by: Those("operations that change something", |it| it.facts.method != Method::Get),
            request: Some(
                request("POST", GROUPS)
                    .body(r#"{"name":"x"}"#)
                    .given("the database goes away while it commits"),
            ),
        },
        Row {
            error: ApiError::internal(),
            fault: Server,
            meaning: "The server failed in a way that it should not: a fault of this program, or a damaged database.",
            next: "Look into the server's log under the answer's `x-request-id`, run `openai-admin admin verify`, and \
                   report what you find.",
            answered_by: Every,
            request: Some(request("GET", GROUPS).given("something in the server is broken")),
        },
        not_served(),
    ]
}

fn not_served() -> Row {
    // Any will do whose path is a URL as it stands.
    let not_yet = |(operation, coverage): (PublishedOperation, Coverage)| {
        (coverage == Coverage::NotYet && !operation.path.contains('{')).then_some(operation)
    };
    let operation = Coverage::of_all().into_iter().find_map(not_yet);
    Row {
        error: operation.map_or_else(ApiError::internal, ApiError::not_served),
        fault: Server,
        meaning: "The API has this operation, and this server does not answer it yet. Nothing was done.",
        next: "`openai-admin coverage` lists what is answered. The real service answers all of it.",
        answered_by: NotServed,
        request: operation
            .map(|operation| request(operation.method.as_str(), &format!("/v1{}", operation.path))),
    }
}

fn cause() -> Cause {
    Arc::new(io::Error::from(io::ErrorKind::ConnectionReset))
}
