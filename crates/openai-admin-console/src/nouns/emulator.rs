//! The emulator: the journal, the clock, faults, snapshots and rules of a namespace.

use askama::Template;
use axum::extract::Path;
use openai_admin::{Client, Method, Timestamp, client::RawRequest};
use openai_admin_server::Rule;
use serde_json::{Value, json};

use crate::{
    base::{
        failure::Failure,
        fields::{escaped, link},
        frame::{Frame, Section},
        page::{Answer, page, see},
    },
    session::with_notice,
    visit::{ChangeForm, Visit},
};

const PATH: &str = "/console/emulator";
/// Exchanges of a page.
const SHOWN_MAX: usize = 100;
/// Exchanges that one request for the journal reads, and how many requests a page sends.
const READ_MAX: u32 = 1000;
const READS_MAX: usize = 20;
/// The length of a time to the minute, such as `2026-01-31T12:00`.
const MINUTE_LENGTH: usize = 16;

/// The controls of a namespace.
struct Controls {
    client: Client,
    /// The name of the namespace; empty for the default one.
    namespace: String,
}

impl Controls {
    fn of(visit: &Visit, namespace: &str) -> Result<Self, Failure> {
        let client = visit.state.controls();
        let client = client.ok_or_else(|| Failure::not_found("this is a server, not an emulator"))?;
        Ok(Self { client, namespace: namespace.to_owned() })
    }

    fn path(&self, control: &str) -> String {
        match self.namespace.as_str() {
            "" => format!("/_emulator{control}"),
            name => format!("/_ns/{}/_emulator{control}", escaped(name)),
        }
    }

    async fn get(&self, control: &str) -> Result<Value, Failure> {
        let request = RawRequest::new(Method::Get, self.path(control));
        Ok(self.client.send_raw(&request).await?.into_inner())
    }

    async fn post(&self, control: &str, body: Value) -> Result<Value, Failure> {
        let request = RawRequest::new(Method::Post, self.path(control)).body(body.to_string());
        Ok(self.client.send_raw(&request).await?.into_inner())
    }

    async fn put(&self, control: &str, body: Value) -> Result<Value, Failure> {
        let request = RawRequest::new(Method::Put, self.path(control)).body(body.to_string());
        Ok(self.client.send_raw(&request).await?.into_inner())
    }

    async fn delete(&self, control: &str) -> Result<Value, Failure> {
        let request = RawRequest::new(Method::Delete, self.path(control));
        Ok(self.client.send_raw(&request).await?.into_inner())
    }

    async fn names(&self, control: &str) -> Result<Vec<String>, Failure> {
        let names = self.get(control).await?;
        Ok(list(&names["data"]).filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

/// The time of the pages: that of the server, or of the default namespace of an emulator.
pub(crate) async fn now(visit: &Visit) -> Result<Timestamp, Failure> {
    if visit.state.controls().is_none() {
        return Ok(visit.state.minter.now());
    }
    let clock = Controls::of(visit, "")?.get("/clock").await?;
    let now = text(&clock, "now");
    let read: jiff::Timestamp =
        now.parse().map_err(|_| Failure::internal(&format!("the clock of the emulator shows \"{now}\"")))?;
    Ok(Timestamp::from_unix_seconds(read.as_second()))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// A text field, or an empty text.
fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

/// An exchange in the journal.
struct ExchangeRow {
    number: u64,
    at: String,
    request: String,
    operation: String,
    status: u64,
    fault: String,
    notes: Vec<String>,
}

impl From<&Value> for ExchangeRow {
    fn from(exchange: &Value) -> Self {
        let warnings = list(&exchange["warnings"]).filter_map(Value::as_str).map(str::to_owned);
        let near_miss = exchange["near_miss"].as_str().map(|text| format!("near miss: {text}"));
        let query = text(exchange, "query");
        let separator = if query.is_empty() { "" } else { "?" };
        let (method, path) = (text(exchange, "method"), text(exchange, "url_path"));
        Self {
            number: exchange["number"].as_u64().unwrap_or_default(),
            at: text(exchange, "at"),
            request: format!("{method} {path}{separator}{query}"),
            operation: text(exchange, "operation"),
            status: exchange["status"].as_u64().unwrap_or_default(),
            fault: text(exchange, "fault"),
            notes: warnings.chain(near_miss).collect(),
        }
    }
}

/// A rule that can be switched.
struct RuleRow {
    name: &'static str,
    assumption: &'static str,
    effect_of_off: &'static str,
    is_on: bool,
}

impl RuleRow {
    fn of(rule: Rule, states: &Value) -> Self {
        Self {
            name: rule.name(),
            assumption: rule.assumption(),
            effect_of_off: rule.effect_of_off(),
            is_on: states[rule.name()] != "off",
        }
    }
}

#[derive(Template)]
#[template(path = "emulator.html")]
struct EmulatorPage {
    frame: Frame,
    namespace: String,
    namespaces: Vec<String>,
    now: String,
    clock_runs: bool,
    /// The name, the operation and the injected count of each fault rule.
    faults: Vec<(String, String, u64)>,
    snapshots: Vec<String>,
    rules: Vec<RuleRow>,
    rules_off: usize,
    exchanges: Vec<ExchangeRow>,
    older: usize,
}

pub(crate) async fn show(visit: Visit) -> Answer {
    let namespace = visit.query.get("ns").to_owned();
    let controls = Controls::of(&visit, &namespace)?;
    let (clock, faults) = (controls.get("/clock").await?, controls.get("/faults").await?);
    let rules = controls.get("/rules").await?;
    let faults = list(&faults["rules"]).map(|rule| {
        let operation = rule["rule"]["operation"].as_str().unwrap_or("every operation");
        let injected = rule["counts"]["injected"].as_u64().unwrap_or_default();
        (text(&rule["rule"], "name"), operation.to_owned(), injected)
    });
    let rules: Vec<RuleRow> = Rule::ALL.iter().map(|rule| RuleRow::of(*rule, &rules)).collect();
    let (exchanges, older) = newest(&controls).await?;
    page(&EmulatorPage {
        frame: visit.frame(Section::Emulator, "Emulator"),
        namespaces: controls.names("/namespaces").await?,
        now: text(&clock, "now"),
        clock_runs: clock["runs"].as_bool().unwrap_or_default(),
        faults: faults.collect(),
        snapshots: controls.names("/snapshots").await?,
        rules_off: rules.iter().filter(|rule| !rule.is_on).count(),
        rules,
        exchanges,
        older,
        namespace,
    })
}

/// The newest exchanges, newest first, and how many older ones were read.
async fn newest(controls: &Controls) -> Result<(Vec<ExchangeRow>, usize), Failure> {
    let (mut rows, mut after, mut older) = (Vec::<ExchangeRow>::new(), 0, 0);
    for _ in 0..READS_MAX {
        let read = controls.get(&format!("/requests?after={after}&limit={READ_MAX}")).await?;
        rows.extend(list(&read["data"]).map(ExchangeRow::from));
        let dropped = rows.len().saturating_sub(SHOWN_MAX);
        older += rows.drain(..dropped).count();
        match rows.last() {
            Some(last) if read["has_more"] == true => after = last.number,
            _ => break,
        }
    }
    rows.reverse();
    Ok((rows, older))
}

#[derive(Template)]
#[template(path = "exchange.html")]
struct ExchangePage {
    frame: Frame,
    exchange: ExchangeRow,
    sent: String,
    answer: String,
    back: String,
}

pub(crate) async fn exchange(visit: Visit, Path(number): Path<u64>) -> Answer {
    let namespace = visit.query.get("ns").to_owned();
    let controls = Controls::of(&visit, &namespace)?;
    let read = controls.get(&format!("/requests?after={}&limit=1", number.saturating_sub(1))).await?;
    let found = list(&read["data"]).next().filter(|exchange| exchange["number"] == number);
    let found = found.ok_or_else(|| Failure::not_found("the journal does not hold this request"))?;
    let body = |field: &str| match &found[field] {
        Value::Null => String::new(),
        body => serde_json::to_string_pretty(body).unwrap_or_default(),
    };
    page(&ExchangePage {
        frame: visit.frame(Section::Emulator, format!("Request {number}")),
        exchange: found.into(),
        sent: body("body"),
        answer: body("answer"),
        back: link(PATH, &[("ns", &namespace)]),
    })
}

/// Runs one control, and returns to the page.
pub(crate) async fn control(form: ChangeForm) -> Answer {
    let ChangeForm { visit, fields } = form;
    let namespace = fields.get("ns").to_owned();
    let controls = Controls::of(&visit, &namespace)?;
    let name = escaped(fields.get("name"));
    match fields.get("action") {
        "reset" => controls.post("/reset", json!({})).await?,
        "clear" => controls.delete("/requests").await?,
        "step" => {
            let seconds = fields.get("seconds");
            let seconds: u32 =
                seconds.parse().map_err(|_| Failure::invalid(format!("invalid number \"{seconds}\"")))?;
            controls.post("/clock/step", json!({ "ms": seconds.saturating_mul(1000) })).await?
        }
        "set_clock" => {
            // A field for a day and a time has no zone: it is UTC.
            let now = match fields.get("now") {
                at if at.ends_with('Z') => at.to_owned(),
                at if at.len() == MINUTE_LENGTH => format!("{at}:00Z"),
                at => format!("{at}Z"),
            };
            let body = json!({ "now": now, "runs": fields.given("runs").is_some() });
            controls.put("/clock", body).await?
        }
        "rule" => {
            let state = if fields.get("state") == "off" { "off" } else { "on" };
            controls.put("/rules", json!({ fields.get("name"): state })).await?
        }
        "fault" => controls.post("/faults", fault(&fields)?).await?,
        "remove_fault" => controls.delete(&format!("/faults/{name}")).await?,
        "save" if name.is_empty() => return Err(Failure::invalid("name the snapshot")),
        "save" => controls.post(&format!("/snapshots/{name}"), json!({})).await?,
        "restore" => controls.post(&format!("/snapshots/{name}/restore"), json!({})).await?,
        other => return Err(Failure::invalid(format!("unknown control \"{other}\""))),
    };
    see(&with_notice(&link(PATH, &[("ns", &namespace)]), "saved"))
}

/// The fault rule of a form.
fn fault(fields: &crate::base::fields::Fields) -> Result<Value, Failure> {
    let fault = match fields.get("kind") {
        "rate_limited" => json!({ "kind": "rate_limited" }),
        "reset" => json!({ "kind": "reset", "when": "before" }),
        "truncated" => json!({ "kind": "truncated" }),
        status => {
            let status: u16 =
                status.parse().map_err(|_| Failure::invalid(format!("invalid fault \"{status}\"")))?;
            json!({ "kind": "status", "status": status })
        }
    };
    let mut rule = json!({ "fault": fault });
    if let Some(operation) = fields.given("operation") {
        rule["operation"] = json!(operation);
    }
    if let Some(count) = fields.given("count") {
        let count: u64 =
            count.parse().map_err(|_| Failure::invalid(format!("invalid number \"{count}\"")))?;
        rule["count"] = json!(count);
    }
    Ok(rule)
}
