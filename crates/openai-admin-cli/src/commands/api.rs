//! `openai-admin api`: any request, and the unchanged response.

use std::{
    io::{self, Read as _},
    path::Path,
};

use openai_admin::{Method, client::RawRequest};
use serde_json::Value;

use crate::{
    arguments::{ApiArguments, Format, GlobalArguments},
    failure::{Doing as _, Failure, Result},
    output::{Output, count, file_name, yaml},
    prompt::Consent,
    session::Session,
};

/// The largest body that is read, in bytes; no operation takes more.
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A request, and the consent to send it.
pub(super) struct Prepared {
    request: RawRequest,
    consent: Consent,
    question: String,
    has_slash_at_end: bool,
}

/// Checks everything that needs neither a key nor a connection.
pub(super) fn prepare(arguments: ApiArguments, global: &GlobalArguments) -> Result<Prepared> {
    if let Some(Format::Csv | Format::Table) = global.output {
        return Err(Failure::usage("`api` writes json, jsonl or yaml: a response may have any shape"));
    }
    let ApiArguments { method, path, data, query, consent, dry_run } = arguments;
    let consent = match method {
        _ if dry_run => Consent::DryRun,
        Method::Get => Consent::Given,
        method => Consent::of(&consent, &format!("a {method}"))?,
    };
    let mut question = format!("send {method} {path}");
    let has_slash_at_end = path.ends_with('/');
    let mut request = RawRequest::new(method, path);
    for (name, value) in query {
        request = request.query(name, value);
    }
    if let Some(data) = data {
        let is_key_from_input = global.key_file.as_deref() == Some(Path::new("-"));
        if data == "-" && is_key_from_input {
            return Err(Failure::usage("both --key-file and --data are standard input")
                .hint("put the key in OPENAI_ADMIN_KEY or a file"));
        }
        let body = body(data)?;
        question += &format!(" with {}", count(body.len(), "byte"));
        request = request.body(body);
    }
    question.push('?');
    Ok(Prepared { request, consent, question, has_slash_at_end })
}

/// The JSON of the argument, of a file (`@FILE`) or of standard input (`-`); checked, and sent unchanged.
fn body(data: String) -> Result<Vec<u8>> {
    let file = match data.strip_prefix('@') {
        Some(file) => file,
        None if data == "-" => "-",
        None => {
            check_json(data.as_bytes(), "--data")?;
            return Ok(data.into_bytes());
        }
    };
    let name = file_name(Path::new(file));
    let mut bytes = Vec::new();
    let read = match file {
        "-" => io::stdin().lock().take(BODY_BYTES_MAX + 1).read_to_end(&mut bytes),
        file => {
            std::fs::File::open(file).and_then(|file| file.take(BODY_BYTES_MAX + 1).read_to_end(&mut bytes))
        }
    };
    read.map_err(|error| Failure::bad_input(error.to_string())).doing(|| format!("read {name}"))?;
    if bytes.len() as u64 > BODY_BYTES_MAX {
        return Err(Failure::bad_input(format!("{name} is larger than {BODY_BYTES_MAX} bytes")));
    }
    check_json(&bytes, &name)?;
    Ok(bytes)
}

fn check_json(bytes: &[u8], name: &str) -> Result<()> {
    match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::bad_input(format!("invalid JSON in {name}: {error}"))
            .hint("pass JSON, @FILE, or - for standard input")),
    }
}

pub(super) async fn run(prepared: Prepared, session: &Session<'_>) -> Result<()> {
    let Prepared { request, consent, question, has_slash_at_end } = prepared;
    consent.ask(&question, session.output)?;
    match session.client.send_raw(&request).await {
        Ok(answer) => print(&answer, session.output),
        Err(error) => {
            // The body of a refusal may hold more than its message.
            if let Some(body) = error.body().and_then(|body| serde_json::from_slice::<Value>(body).ok()) {
                print(&body, session.output)?;
            }
            let is_unknown_url = error.is_unknown_url();
            let mut failure = Failure::from(error);
            if is_unknown_url && has_slash_at_end {
                failure.hints.clear();
                failure = failure.hint("remove the slash at the end of the path");
            }
            Err(failure)
        }
    }
}

fn print(tree: &Value, output: &Output) -> Result<()> {
    match output.format() {
        Some(Format::Yaml) => output.text(&yaml(tree)?),
        Some(Format::Jsonl) => output.json(&format!("{tree}\n")),
        _ => output.json(&format!("{tree:#}\n")),
    }
}
