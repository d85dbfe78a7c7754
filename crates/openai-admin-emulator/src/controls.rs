//! The controls: what a test does with the emulator itself, below `/_emulator`. One line for each, as the operations of
//! the API have in the server's routes.

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

use self::control::{Asked, Control};
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
    shared::{Makes, Shared},
};

/// How long the body of a control may be, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long an organization may be that is imported, in bytes.
const IMPORT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How much of a header a message repeats, in bytes.
const SHOWN_BYTES_MAX: usize = 100;
/// What a body may be called. A web page can send none of these to another site without asking first.
const CONTENT_TYPES: [&str; 5] =
    ["application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];

static CONTROLS: LazyLock<Vec<Control>> = LazyLock::new(|| {
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    vec![
        control(&get, "", "Tells that the emulator is there", about),
        control(&get, "/openapi.json", "Describes these controls", async |_: Asked<()>| {
            Ok(openapi::document(&CONTROLS))
        }),
        control(&get, "/namespaces", "Lists the namespaces", namespaces),
        control(
            &delete,
            "/namespaces/{name}",
            "Deletes a namespace; the next request for it gets a new one",
            delete_namespace,
        ),
        control(&post, "/reset", "Puts everything back as it was at the start", reset),
        control(&get, "/snapshots", "Lists the names of the snapshots", snapshots),
        control(&put, "/snapshots/{name}", "Keeps the organization as it is, under a name", take_snapshot),
        control(&post, "/snapshots/{name}", "Keeps the organization as it is, under a name", take_snapshot),
        control(&post, "/snapshots/{name}/restore", "Makes the organization what it was", restore_snapshot),
        control(&delete, "/snapshots/{name}", "Deletes a snapshot", delete_snapshot),
        control(&get, "/export", "Shows the whole organization", export),
        control(
            &post,
            "/import",
            "Creates what is missing of an organization and updates what differs",
            import,
        ),
        control(&get, "/faults", "Shows the faults, and how often each happened", faults),
        control(&put, "/faults", "Replaces all faults", set_faults),
        control(&post, "/faults", "Adds a fault after the others", add_fault),
        control(&delete, "/faults", "Removes all faults", clear_faults),
        control(&delete, "/faults/{name}", "Removes a fault", remove_fault),
        control(&get, "/clock", "Shows the time", clock),
        control(&put, "/clock", "Sets the time; the clock stands then, unless it is told to run", set_clock),
        control(&post, "/clock/step", "Moves the clock on", step_clock),
        control(&get, "/requests", "Shows what was asked and answered, oldest first", requests),
        control(&delete, "/requests", "Forgets what was asked", clear_requests),
        control(
            &post,
            "/verify",
            "Says whether there were as many requests as expected; 409 when not",
            verify,
        ),
    ]
});

impl<B> Asked<B> {
    async fn namespace(&self) -> Result<Namespace> {
        self.shared.namespace(&self.place, self.makes).await
    }
}

/// What a control reads of its body.
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

/// Read from JSON or YAML.
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

/// An organization that is imported, which may be large.
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

/// One rule that is added.
struct NewRule(FaultRule);

impl ControlBody for NewRule {
    fn read(body: &Bytes) -> Result<Self> {
        Document::read(body).map(|Document(rule)| Self(rule)).map_err(|error| {
            let is_plan = Document::<Map<String, Value>>::read(body).is_ok_and(|Document(fields)| {
                ["rules", "profile", "stale_reads_ms"].iter().any(|name| fields.contains_key(*name))
            });
            if is_plan {
                return Error::invalid(
                    "POST adds one rule: send the rule itself, or PUT all of them with 'rules'",
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
    H: Fn(Asked<B>) -> F + Copy + Send + Sync + 'static,
{
    Control {
        method: method.clone(),
        path,
        summary,
        answer: Box::new(move |asked| {
            Box::pin(async move {
                let Asked { shared, place, makes, name, query, body } = asked;
                let body = B::read(&body)?;
                let answer = handler(Asked { shared, place, makes, name, query, body }).await?;
                Ok(answers::json(StatusCode::OK, &answer))
            })
        }),
        body_bytes_max: B::BYTES_MAX,
        body: B::schema,
        response: |schemas| schemas.subschema_for::<A>(),
    }
}

/// Answers a request whose path begins with [`CONTROLS_PREFIX`].
pub(crate) async fn answer(shared: &Arc<Shared>, place: String, request: Request<Body>) -> Response {
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
    let asked = Asked {
        shared: Arc::clone(shared),
        place,
        // What only looks leaves nothing behind.
        makes: if control.method == Method::GET { Makes::Passing } else { Makes::Kept },
        name: named.get("name").cloned().unwrap_or_default(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body,
    };
    (control.answer)(asked).await.unwrap_or_else(|error| refused(&error))
}

/// A page of another site can send text and forms, with or without a body, and nothing that is called JSON or YAML.
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
        "the content type is {sent}: send content-type: application/json, or application/yaml; with curl: \
         -H 'content-type: application/json'"
    )))
}

fn unread_body(unread: Unread, bytes_max: usize) -> String {
    match unread {
        Unread::Broken => "the body broke off".to_owned(),
        Unread::TooLong => format!("the body is longer than {bytes_max} bytes"),
        Unread::NoRoom => "other requests have too many bodies in memory: try again later".to_owned(),
    }
}

fn no_control<'a>(method: &Method, path: &str, methods: impl Iterator<Item = &'a Method>) -> Response {
    let methods: Vec<&str> = methods.map(Method::as_str).collect();
    if methods.is_empty() {
        return refused(&Error::NotFound(format!(
            "there is no control {path}: {CONTROLS_PREFIX}/openapi.json lists them"
        )));
    }
    let message = format!("{path} takes {}, and not {method}", methods.join(" and "));
    let mut response = answers::api_error(StatusCode::METHOD_NOT_ALLOWED, &message, None, None);
    if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// An error of the emulator as an answer.
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

/// That something was done.
#[derive(Serialize, JsonSchema)]
struct Done {
    done: bool,
}

const DONE: Done = Done { done: true };

/// Names of things.
#[derive(Serialize, JsonSchema)]
struct Names {
    data: Vec<String>,
}

/// The name of something.
#[derive(Serialize, JsonSchema)]
struct Name {
    name: String,
}

/// An organization with its users, groups and roles, as `load` reads it and `dump` writes it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Organization(#[schemars(with = "Map<String, Value>")] Directory);

async fn about(asked: Asked<()>) -> Result<Value> {
    let namespaces = asked.shared.namespace_names().len();
    Ok(json!({ "emulator": "openai-admin", "version": env!("CARGO_PKG_VERSION"), "namespaces": namespaces }))
}

async fn namespaces(asked: Asked<()>) -> Result<Names> {
    Ok(Names { data: asked.shared.namespace_names() })
}

async fn delete_namespace(asked: Asked<()>) -> Result<Done> {
    asked.shared.delete_namespace(&asked.name).map(|()| DONE)
}

async fn reset(asked: Asked<()>) -> Result<Done> {
    asked.namespace().await?.reset().await.map(|()| DONE)
}

async fn snapshots(asked: Asked<()>) -> Result<Names> {
    Ok(Names { data: asked.namespace().await?.snapshot_names() })
}

async fn take_snapshot(asked: Asked<()>) -> Result<Done> {
    asked.namespace().await?.take_snapshot(&asked.name).await.map(|()| DONE)
}

async fn restore_snapshot(asked: Asked<()>) -> Result<Done> {
    asked.namespace().await?.restore_snapshot(&asked.name).await.map(|()| DONE)
}

async fn delete_snapshot(asked: Asked<()>) -> Result<Done> {
    asked.namespace().await?.delete_snapshot(&asked.name).map(|()| DONE)
}

async fn export(asked: Asked<()>) -> Result<Organization> {
    asked.namespace().await?.export().await.map(Organization)
}

async fn import(asked: Asked<Import>) -> Result<Done> {
    let namespace = asked.namespace().await?;
    namespace.import(asked.body.0).await.map(|()| DONE)
}

async fn faults(asked: Asked<()>) -> Result<FaultReport> {
    Ok(asked.namespace().await?.faults())
}

async fn set_faults(asked: Asked<Document<FaultPlan>>) -> Result<FaultReport> {
    let namespace = asked.namespace().await?;
    namespace.set_faults(asked.body.0)?;
    Ok(namespace.faults())
}

async fn add_fault(asked: Asked<NewRule>) -> Result<Name> {
    let namespace = asked.namespace().await?;
    namespace.add_fault(asked.body.0).map(|name| Name { name })
}

async fn clear_faults(asked: Asked<()>) -> Result<Done> {
    asked.namespace().await?.set_faults(FaultPlan::default()).map(|()| DONE)
}

async fn remove_fault(asked: Asked<()>) -> Result<Done> {
    asked.namespace().await?.remove_fault(&asked.name).map(|()| DONE)
}

async fn clock(asked: Asked<()>) -> Result<ClockReading> {
    Ok(asked.namespace().await?.clock())
}

async fn set_clock(asked: Asked<Document<ClockReading>>) -> Result<ClockReading> {
    let namespace = asked.namespace().await?;
    namespace.set_clock(&asked.body.0)?;
    Ok(namespace.clock())
}

async fn step_clock(asked: Asked<Document<ClockStep>>) -> Result<ClockReading> {
    let namespace = asked.namespace().await?;
    namespace.step_clock(asked.body.0);
    Ok(namespace.clock())
}

async fn requests(asked: Asked<()>) -> Result<JournalPage> {
    let (mut after, mut limit) = (0, None);
    let pairs: Vec<_> = form_urlencoded::parse(asked.query.as_bytes()).collect();
    let number = |name: &str, value: &str| {
        let wrong = |_| Error::invalid(format!("'{name}' is '{value}', and no number"));
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
    asked.namespace().await?.requests(&filter, after, limit).await
}

async fn clear_requests(asked: Asked<()>) -> Result<Done> {
    asked.namespace().await?.clear_requests();
    Ok(DONE)
}

async fn verify(asked: Asked<Document<Expectation>>) -> Result<Verified> {
    let namespace = asked.namespace().await?;
    namespace.verify(&asked.body.0).await
}
