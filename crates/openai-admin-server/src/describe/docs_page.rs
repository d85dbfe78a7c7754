//! The documentation page at `/docs`: one HTML file, generated from the OpenAPI document, without scripts, images or
//! external requests. It works with screen readers, on paper and without colours.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::Engine as _;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{answer::error::ApiError, describe::openapi};

const STYLE: &str = include_str!("docs_page.css");

/// Rendered once, at the first request.
static PAGE: LazyLock<String> = LazyLock::new(|| page(&openapi::document()));

/// Allows only the page's style, so that injected content could do nothing.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

pub(crate) async fn serve(method: Method) -> Response {
    let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
    match method {
        Method::GET | Method::HEAD => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "no-referrer"),
            ];
            (headers, PAGE.as_str()).into_response()
        }
        Method::OPTIONS => (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response(),
        other => ApiError::method_not_allowed(other.as_str(), allow),
    }
}

/// An operation with its path and method.
struct Operation<'a> {
    path: &'a str,
    method: String,
    described: &'a Value,
}

fn page(document: &Value) -> String {
    let base = text(&document["servers"][0]["url"]);
    let operations = operations(document);
    let mut tags: Vec<&str> = Vec::new();
    for operation in &operations {
        let tag = text(&operation.described["tags"][0]);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let of = |tag| operations.iter().filter(move |operation| operation.described["tags"][0] == tag);
    let (mut contents, mut main) = (String::new(), String::new());
    for tag in tags {
        // An id has no spaces.
        let (name, id) = (escaped(tag), escaped(&tag.replace(' ', "-")));
        let _ = writeln!(main, "<h2 id=\"tag-{id}\">{name}</h2>");
        let _ = write!(contents, "<p><a href=\"#tag-{id}\">{name}</a></p>\n<ul>\n");
        for operation in of(tag) {
            let (id, method) = (text(&operation.described["operationId"]), &operation.method);
            let summary = prose(text(&operation.described["summary"]));
            let _ = writeln!(
                contents,
                "<li><span class=\"method soft\">{method}</span> <a href=\"#{id}\">{summary}</a></li>"
            );
            article(&mut main, operation, base);
        }
        contents += "</ul>\n";
    }
    main += "<h2 id=\"schemas\">Schemas</h2>\n";
    for (name, schema) in fields(&document["components"]["schemas"]) {
        let _ = writeln!(main, "<article>\n<h3 id=\"schema-{0}\">{0}</h3>", escaped(name));
        if let Some(description) = schema["description"].as_str() {
            let _ = writeln!(main, "<p>{}</p>", prose(description));
        }
        match schema["properties"].is_object() {
            true => properties(&mut main, "Fields", schema),
            false => {
                let _ = writeln!(main, "<p>{}</p>", kind(schema));
            }
        }
        main += "</article>\n";
    }
    let info = &document["info"];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}: API</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the operations</a>\n\
         <header>\n<h1>{title}</h1>\n<p>{description}</p>\n\
         <p class=\"soft\">Version {version}. For programs: <a href=\"openapi.json\">the OpenAPI document</a>.</p>\n\
         </header>\n<nav aria-label=\"Operations\">\n{contents}</nav>\n<main id=\"main\">\n{main}</main>\n</body>\n</html>\n",
        title = escaped(text(&info["title"])),
        description = prose(text(&info["description"])),
        version = escaped(text(&info["version"])),
    )
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = fields(&document["paths"]);
    paths
        .flat_map(|(path, methods)| {
            fields(methods).map(|(method, described)| Operation {
                path,
                method: method.to_ascii_uppercase(),
                described,
            })
        })
        .collect()
}

fn article(out: &mut String, operation: &Operation<'_>, base: &str) {
    let Operation { path, method, described } = operation;
    let id = escaped(text(&described["operationId"]));
    let _ = writeln!(out, "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{id}</h3>");
    let _ = writeln!(out, "<p><code>{method} {}{}</code></p>", escaped(base), escaped(path));
    let _ = writeln!(
        out,
        "<p>{} {}</p>",
        prose(text(&described["summary"])),
        prose(text(&described["description"]))
    );
    if described["x-extension"] == true {
        *out += "<p class=\"soft\">An extension: the published API does not have it.</p>\n";
    }
    let parameters = described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        let rows = parameters.iter().map(|parameter| {
            let required = parameter["required"] == true;
            let place = escaped(text(&parameter["in"]));
            let kind = format!("{}, in the {place}", kind(&parameter["schema"]));
            row(text(&parameter["name"]), &kind, required, text(&parameter["description"]))
        });
        table(out, "Parameters", rows);
    }
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    if body.is_object() {
        let _ = writeln!(out, "<p><strong>Body</strong>: {}</p>", kind(body));
    }
    for (status, answer) in fields(&described["responses"]) {
        let kind = kind(&answer["content"]["application/json"]["schema"]);
        let status = if status == "default" { "otherwise" } else { status };
        let description = prose(text(&answer["description"]));
        let _ = writeln!(out, "<p><strong>Answer {}</strong>: {description} {kind}</p>", escaped(status));
    }
    let _ = writeln!(out, "<pre><code>{}</code></pre>\n</article>", escaped(&example(operation, base)));
}

/// The command that sends a request from a shell.
fn example(operation: &Operation<'_>, base: &str) -> String {
    let Operation { path, method, described } = operation;
    let mut command = String::from("curl -H \"Authorization: Bearer $OPENAI_ADMIN_KEY\"");
    if method != "GET" && method != "POST" {
        let _ = write!(command, " -X {method}");
    }
    if described["requestBody"].is_object() {
        command += " --json '{…}'";
    }
    command + &format!(" \"$SERVER{base}{path}\"")
}

fn properties(out: &mut String, caption: &str, schema: &Value) {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = fields(&schema["properties"]).map(|(name, field)| {
        row(name, &kind(field), required.iter().any(|known| known == name), text(&field["description"]))
    });
    table(out, caption, rows);
}

fn row(name: &str, kind: &str, required: bool, description: &str) -> String {
    let required = if required { "required" } else { "optional" };
    format!(
        "<tr><th scope=\"row\"><code>{}</code></th><td>{kind}</td><td>{required}</td><td>{}</td></tr>\n",
        escaped(name),
        prose(description)
    )
}

fn table(out: &mut String, caption: &str, rows: impl Iterator<Item = String>) {
    let _ = write!(
        out,
        "<div class=\"scroll\"><table>\n<caption>{caption}</caption>\n<thead><tr><th scope=\"col\">Name</th>\
         <th scope=\"col\">Type</th><th scope=\"col\">Needed</th><th scope=\"col\">Meaning</th></tr></thead>\n<tbody>\n"
    );
    out.extend(rows);
    *out += "</tbody>\n</table></div>\n";
}

/// The type of a schema, as HTML: a link to a named schema, or a type with its bounds.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escaped(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(choices) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(value) = schema.get("const") {
        return format!("always <code>{}</code>", escaped(&value.to_string()));
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().map(|value| format!("<code>{}</code>", escaped(&value.to_string())));
        return values.collect::<Vec<_>>().join(" or ");
    }
    let mut kind = match &schema["type"] {
        Value::String(kind) => escaped(kind),
        Value::Array(kinds) => kinds.iter().map(|kind| escaped(text(kind))).collect::<Vec<_>>().join(" or "),
        _ => "any value".to_owned(),
    };
    if schema["items"].is_object() {
        let _ = write!(kind, " of {}", self::kind(&schema["items"]));
    }
    let bounds = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("minItems", "items at least"),
        ("maxItems", "items at most"),
        ("format", "as"),
    ];
    for (name, words) in bounds {
        // A minimum length of 0 says nothing.
        if let Some(bound) = schema.get(name).filter(|bound| **bound != 0 || name == "minimum") {
            let bound = escaped(bound.as_str().unwrap_or(&bound.to_string()));
            let said = if name.starts_with("min") && name != "minimum"
                || name.ends_with("Length")
                || name.ends_with("Items")
            {
                format!("{bound} {words}")
            } else {
                format!("{words} {bound}")
            };
            let _ = write!(kind, ", {said}");
        }
    }
    kind
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text of the document as HTML. Backticks mark code.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        // Every second part is between backticks.
        let _ = match index % 2 {
            0 => write!(html, "{}", escaped(part)),
            _ => write!(html, "<code>{}</code>", escaped(part)),
        };
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_the_document_is_escaped_on_the_page() {
        let document = serde_json::json!({
            "info": { "title": "<b>", "description": "`a<b` & \"c\"", "version": "1" },
            "components": { "schemas": { "<i>": { "type": "string", "description": "<script>" } } },
        });
        let page = page(&document);
        assert!(page.contains("<h1>&lt;b&gt;</h1>"));
        assert!(page.contains("<code>a&lt;b</code> &amp; &quot;c&quot;"));
        assert!(!page.contains("<script") && !page.contains("<i>"));
    }

    #[test]
    fn a_type_is_shown_with_its_bounds() {
        for (schema, said) in [
            (
                serde_json::json!({ "type": "integer", "minimum": 0, "maximum": 9 }),
                "integer, at least 0, at most 9",
            ),
            (
                serde_json::json!({ "type": ["string", "null"], "minLength": 0, "maxLength": 255 }),
                "string or null, 255 characters at most",
            ),
            (serde_json::json!({ "type": "array", "items": { "type": "string" } }), "array of string"),
            (serde_json::json!({ "enum": ["a", null] }), "<code>&quot;a&quot;</code> or <code>null</code>"),
        ] {
            assert_eq!(kind(&schema), said);
        }
    }
}
