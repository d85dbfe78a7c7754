//! The controls: the HTTP interface of the emulator itself, below `/_emulator`. One line for each, as in the server's
//! routes.

mod control;
mod openapi;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, LazyLock},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use openai_admin_store::{Directory, Error as StoreError};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use self::control::{Control, ControlRequest};
use crate::{
    answers,
    bodies::{self, Unread},
    clock::{ClockReading, ClockStep},
    document,
    error::{Error, Result},
    faults::{FaultPlan, FaultReport, FaultRule},
    journal::{ExchangeFilter, Expectation, JournalPage, Verified, cut},
    namespace::Namespace,
    operations,
    paths::CONTROLS_PREFIX,
    rules::RuleStates,
    shared::{OnMissing, Shared},
};

/// The maximum size of a control's body, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The maximum size of an imported organization, in bytes.
const IMPORT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How many bytes of a header a message quotes.
const SHOWN_BYTES_MAX: usize = 100;
/// The allowed content types. A web page cannot send them to another site without a preflight request.
const CONTENT_TYPES: [&str; 5] =
    ["application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];

static CONTROLS: LazyLock<Vec<Control>> = LazyLock::new(|| {
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    vec![
        control(&get, "", "Shows the version of the emulator", about),
        control(&get, "/openapi.json", "Describes these controls", async |_: ControlRequest<()>| {
            Ok(openapi::document(&CONTROLS))
        }),
        control(&get, "/namespaces", "Lists the namespaces", namespaces),
        control(
            &delete,
            "/namespaces/{name}",
            "Deletes a namespace; the next request to it creates a new one",
            delete_namespace,
        ),
        control(&post, "/reset", "Restores the initial state", reset),
        control(&get, "/snapshots", "Lists the names of the snapshots", snapshots),
        control(&put, "/snapshots/{name}", "Saves a snapshot of the organization", take_snapshot),
        control(&post, "/snapshots/{name}", "Saves a snapshot of the organization", take_snapshot),
        control(
            &post,
            "/snapshots/{name}/restore",
            "Restores the organization from a snapshot",
            restore_snapshot,
        ),
        control(&delete, "/snapshots/{name}", "Deletes a snapshot", delete_snapshot),
        control(&get, "/export", "Exports the organization", export),
        control(
            &post,
            "/import",
            "Creates missing resources of an organization and updates those that differ",
            import,
        ),
        control(&get, "/faults", "Shows the faults and their counts", faults),
        control(&put, "/faults", "Replaces all faults", set_faults),
        control(&post, "/faults", "Adds a fault rule after the others", add_fault),
        control(&delete, "/faults", "Removes all faults", clear_faults),
        control(&delete, "/faults/{name}", "Removes a fault rule", remove_fault),
        control(&get, "/rules", "Shows which rules apply", rules),
        control(
            &put,
            "/rules",
            "Switches rules on or off; rules that the body omits do not change",
            set_rules,
        ),
        control(&get, "/clock", "Shows the time", clock),
        control(&put, "/clock", "Sets the time; the clock stops unless `runs` is true", set_clock),
        control(&post, "/clock/step", "Advances the clock", step_clock),
        control(&get, "/requests", "Lists the recorded requests with their answers, oldest first", requests),
        control(&delete, "/requests", "Clears the recorded requests", clear_requests),
        control(
            &post,
            "/verify",
            "Checks the recorded requests against an expectation; 409 if they differ",
            verify,
        ),
    ]
});

impl<B> ControlRequest<B> {
    async fn namespace(&self) -> Result<Namespace> {
        self.shared.namespace(&self.namespace_name, self.on_missing).await
    }
}

/// The body of a control.
trait ControlBody: Sized + Send {
    const BYTES_MAX: usize = BODY_BYTES_MAX;
    fn read(body: &Bytes) -> Result<Self>;
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema>;
}

impl ControlBody for () {
    fn read(_: &Bytes) -> Result<Self> {
        Ok(())
    }
    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// A body in JSON or YAML.
struct Document<T>(T);

impl<T: DeserializeOwned + JsonSchema + Send> ControlBody for Document<T> {
    fn read(body: &Bytes) -> Result<Self> {
        let text = std::str::from_utf8(body).map_err(|_| Error::invalid("the body is not UTF-8"))?;
        let read = document::read(text);
        read.map(Self).map_err(|problem| Error::invalid(format!("the body cannot be read: {problem}")))
    }
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema> {
        Some(schemas.subschema_for::<T>())
    }
}

/// An imported organization, which may be large.
struct Import(Directory);

impl ControlBody for Import {
    const BYTES_MAX: usize = IMPORT_BYTES_MAX;

    fn read(body: &Bytes) -> Result<Self> {
        Document::<Organization>::read(body).map(|Document(Organization(directory))| Self(directory))
    }
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema> {
        Document::<Organization>::schema(schemas)
    }
}

/// A single rule to add.
struct NewRule(FaultRule);

impl ControlBody for NewRule {
    fn read(body: &Bytes) -> Result<Self> {
        Document::read(body).map(|Document(rule)| Self(rule)).map_err(|error| {
            let is_plan = Document::<Map<String, Value>>::read(body).is_ok_and(|Document(fields)| {
                ["rules", "profile", "stale_reads_ms"].iter().any(|name| fields.contains_key(*name))
            });
            if is_plan {
                return Error::invalid(
                    "POST adds one rule: send the rule itself, or use PUT to replace all 'rules'",
                );
            }
            error
        })
    }
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema> {
        Document::<FaultRule>::schema(schemas)
    }
}

fn control<B, A, F, H>(method: &Method, path: &'static str, summary: &'static str, handler: H) -> Control
where
    B: ControlBody,
    A: Serialize + JsonSchema,
    F: Future<Output = Result<A>> + Send + 'static,
    H: Fn(ControlRequest<B>) -> F + Copy + Send + Sync + 'static,
{
    Control {
        method: method.clone(),
        path,
        summary,
        answer: Box::new(move |request| {
            Box::pin(async move {
                let ControlRequest { shared, namespace_name, on_missing, name, query, body } = request;
                let body = B::read(&body)?;
                let answer =
                    handler(ControlRequest { shared, namespace_name, on_missing, name, query, body }).await?;
                Ok(answers::json(StatusCode::OK, &answer))
            })
        }),
        body_bytes_max: B::BYTES_MAX,
        body: B::schema,
        response: |schemas| schemas.subschema_for::<A>(),
    }
}

/// Answers a request whose path starts with [`CONTROLS_PREFIX`].
pub(crate) async fn answer(shared: &Arc<Shared>, namespace_name: String, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(CONTROLS_PREFIX).unwrap_or_default();
    let path = path.strip_suffix('/').unwrap_or(path);
    let here =
        CONTROLS.iter().filter_map(|control| Some((control, operations::matched(control.path, path)?)));
    let here: Vec<(&Control, BTreeMap<String, String>)> = here.collect();
    let Some((control, named)) = here.iter().find(|(control, _)| control.method == parts.method) else {
        return no_control(&parts.method, parts.uri.path(), here.iter().map(|(control, _)| &control.method));
    };
    let body_bytes_max = control.body_bytes_max;
    let (body, _room) = match bodies::read(body, body_bytes_max, &shared.bodies).await {
        Ok(read) => read,
        Err(unread) => return refused(&Error::Invalid(unread_body(unread, body_bytes_max))),
    };
    if let Err(error) = check_content_type(&parts.headers, body.is_empty()) {
        let message = error.to_string();
        return answers::api_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message, None, Some("content_type"));
    }
    let request = ControlRequest {
        shared: Arc::clone(shared),
        namespace_name,
        // A read creates no namespace.
        on_missing: if control.method == Method::GET { OnMissing::UseTemporary } else { OnMissing::Create },
        name: named.get("name").cloned().unwrap_or_default(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body,
    };
    (control.answer)(request).await.unwrap_or_else(|error| refused(&error))
}

/// Web pages can send text and forms to other sites without a preflight request, but neither JSON nor YAML.
fn check_content_type(headers: &HeaderMap, is_empty: bool) -> Result<()> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let sent = match (values.next(), values.next()) {
        (None, _) if is_empty => return Ok(()),
        (None, _) => "none",
        (Some(value), None) => value.to_str().unwrap_or("?"),
        (Some(_), Some(_)) => "two",
    };
    let kind = sent.split(';').next().unwrap_or_default().trim();
    if CONTENT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    let mut sent = sent.to_owned();
    cut(&mut sent, SHOWN_BYTES_MAX);
    Err(Error::invalid(format!(
        "invalid content type {sent}: send content-type: application/json or application/yaml; with curl: \
         -H 'content-type: application/json'"
    )))
}

fn unread_body(unread: Unread, bytes_max: usize) -> String {
    match unread {
        Unread::Broken => "the body is incomplete".to_owned(),
        Unread::TooLong => format!("the body is longer than {bytes_max} bytes"),
        Unread::NoRoom => "too many bodies of other requests are in memory: retry later".to_owned(),
    }
}

fn no_control<'a>(method: &Method, path: &str, methods: impl Iterator<Item = &'a Method>) -> Response {
    let methods: Vec<&str> = methods.map(Method::as_str).collect();
    if methods.is_empty() {
        return refused(&Error::NotFound(format!(
            "unknown control {path}: {CONTROLS_PREFIX}/openapi.json lists all controls"
        )));
    }
    let message = format!("{path} supports {}, not {method}", methods.join(" and "));
    let mut response = answers::api_error(StatusCode::METHOD_NOT_ALLOWED, &message, None, None);
    if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// An error of the emulator, as a response.
pub(crate) fn refused(error: &Error) -> Response {
    let (status, code) = match error {
        Error::Invalid(_) | Error::Store(StoreError::InvalidValue { .. }) => {
            (StatusCode::BAD_REQUEST, "invalid")
        }
        Error::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
        Error::NotVerified(_) => (StatusCode::CONFLICT, "not_verified"),
        Error::Store(_) | Error::Io(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
    };
    answers::api_error(status, &error.to_string(), None, Some(code))
}

/// The result of a control that only acts.
#[derive(Serialize, JsonSchema)]
struct Done {
    done: bool,
}

const DONE: Done = Done { done: true };

/// A list of names.
#[derive(Serialize, JsonSchema)]
struct Names {
    data: Vec<String>,
}

/// A name.
#[derive(Serialize, JsonSchema)]
struct Name {
    name: String,
}

/// An organization with its users, groups and roles, in the format of `load` and `dump`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Organization(#[schemars(with = "Map<String, Value>")] Directory);

async fn about(request: ControlRequest<()>) -> Result<Value> {
    let namespaces = request.shared.namespace_names().len();
    Ok(json!({ "emulator": "openai-admin", "version": env!("CARGO_PKG_VERSION"), "namespaces": namespaces }))
}

async fn namespaces(request: ControlRequest<()>) -> Result<Names> {
    Ok(Names { data: request.shared.namespace_names() })
}

async fn delete_namespace(request: ControlRequest<()>) -> Result<Done> {
    request.shared.delete_namespace(&request.name).map(|()| DONE)
}

async fn reset(request: ControlRequest<()>) -> Result<Done> {
    request.namespace().await?.reset().await.map(|()| DONE)
}

async fn snapshots(request: ControlRequest<()>) -> Result<Names> {
    Ok(Names { data: request.namespace().await?.snapshot_names() })
}

async fn take_snapshot(request: ControlRequest<()>) -> Result<Done> {
    request.namespace().await?.take_snapshot(&request.name).await.map(|()| DONE)
}

async fn restore_snapshot(request: ControlRequest<()>) -> Result<Done> {
    request.namespace().await?.restore_snapshot(&request.name).await.map(|()| DONE)
}

async fn delete_snapshot(request: ControlRequest<()>) -> Result<Done> {
    request.namespace().await?.delete_snapshot(&request.name).map(|()| DONE)
}

async fn export(request: ControlRequest<()>) -> Result<Organization> {
    request.namespace().await?.export().await.map(Organization)
}

async fn import(request: ControlRequest<Import>) -> Result<Done> {
    let namespace = request.namespace().await?;
    namespace.import(request.body.0).await.map(|()| DONE)
}

async fn faults(request: ControlRequest<()>) -> Result<FaultReport> {
    Ok(request.namespace().await?.faults())
}

async fn set_faults(request: ControlRequest<Document<FaultPlan>>) -> Result<FaultReport> {
    let namespace = request.namespace().await?;
    namespace.set_faults(request.body.0)?;
    Ok(namespace.faults())
}

async fn add_fault(request: ControlRequest<NewRule>) -> Result<Name> {
    let namespace = request.namespace().await?;
    namespace.add_fault(request.body.0).map(|name| Name { name })
}

async fn clear_faults(request: ControlRequest<()>) -> Result<Done> {
    request.namespace().await?.set_faults(FaultPlan::default()).map(|()| DONE)
}

async fn remove_fault(request: ControlRequest<()>) -> Result<Done> {
    request.namespace().await?.remove_fault(&request.name).map(|()| DONE)
}

async fn rules(request: ControlRequest<()>) -> Result<RuleStates> {
    Ok(RuleStates::of(request.namespace().await?.rules()))
}

async fn set_rules(request: ControlRequest<Document<RuleStates>>) -> Result<RuleStates> {
    let namespace = request.namespace().await?;
    let rules = request.body.0.applied_to(namespace.rules())?;
    namespace.set_rules(rules);
    Ok(RuleStates::of(rules))
}

async fn clock(request: ControlRequest<()>) -> Result<ClockReading> {
    Ok(request.namespace().await?.clock())
}

async fn set_clock(request: ControlRequest<Document<ClockReading>>) -> Result<ClockReading> {
    let namespace = request.namespace().await?;
    namespace.set_clock(&request.body.0)?;
    Ok(namespace.clock())
}

async fn step_clock(request: ControlRequest<Document<ClockStep>>) -> Result<ClockReading> {
    let namespace = request.namespace().await?;
    namespace.step_clock(request.body.0);
    Ok(namespace.clock())
}

async fn requests(request: ControlRequest<()>) -> Result<JournalPage> {
    let (mut after, mut limit) = (0, None);
    let pairs: Vec<_> = form_urlencoded::parse(request.query.as_bytes()).collect();
    let number = |name: &str, value: &str| {
        let wrong = |_| Error::invalid(format!("invalid '{name}' '{value}': expected a number"));
        value.parse::<u64>().map_err(wrong)
    };
    let mut filters = Vec::new();
    for (name, value) in &pairs {
        match &**name {
            "namespace" => {}
            "after" => after = number(name, value)?,
            "limit" => limit = usize::try_from(number(name, value)?).ok(),
            _ => filters.push((&**name, &**value)),
        }
    }
    let filter = ExchangeFilter::from_pairs(filters.into_iter())?;
    request.namespace().await?.requests(&filter, after, limit).await
}

async fn clear_requests(request: ControlRequest<()>) -> Result<Done> {
    request.namespace().await?.clear_requests();
    Ok(DONE)
}

async fn verify(request: ControlRequest<Document<Expectation>>) -> Result<Verified> {
    let namespace = request.namespace().await?;
    namespace.verify(&request.body.0).await
}
