//! Rules that hold for every operation of the route table.

use axum::{
    body::Body,
    http::{Request, header},
};
use openai_admin::{Endpoint, Method, Scope, for_each_operation, operations::*, wire};
use openai_admin_server::{Coverage, OperationFacts, operations};
use serde_json::Value;

use crate::support::{TestServer, adapted, bearer, every_field};

/// The path of an operation with an id for each placeholder.
fn path_of(operation: &OperationFacts) -> String {
    with_ids(operation.path)
}

fn with_ids(path: &'static str) -> String {
    let names: Vec<&str> = wire::placeholders(path).collect();
    names.iter().fold(format!("/v1{path}"), |path, name| path.replace(&format!("{{{name}}}"), "some-id"))
}

fn request(operation: &OperationFacts, key: Option<&str>, body: &str) -> Request<Body> {
    let builder = Request::builder().method(operation.method.as_str()).uri(path_of(operation));
    let builder = builder.header(header::CONTENT_TYPE, "application/json");
    let builder = match key {
        Some(key) => builder.header(header::AUTHORIZATION, bearer(key)),
        None => builder,
    };
    builder.body(Body::from(body.to_owned())).unwrap()
}

macro_rules! ids_of {
    ($($operation:ident)*) => { vec![$($operation::ID),*] };
}

#[test]
fn every_declared_operation_is_served_and_no_other() {
    let mut declared = for_each_operation!(ids_of);
    let mut served: Vec<&str> = operations().iter().map(|operation| operation.id).collect();
    declared.sort_unstable();
    served.sort_unstable();
    assert_eq!(served, declared);
}

#[tokio::test]
async fn every_operation_is_documented_under_its_own_path_and_method() {
    let server = TestServer::new().await;
    let document = server.get("/openapi.json").await.body;
    for operation in operations() {
        let described = &document["paths"][operation.path][operation.method.as_str().to_lowercase()];
        assert_eq!(described["operationId"], operation.id);
        assert!(
            described["summary"].as_str().is_some_and(|summary| summary.ends_with('.')),
            "{}",
            operation.id
        );
        assert_eq!(described["x-extension"] == true, operation.is_extension(), "{}", operation.id);
        assert_eq!(described["requestBody"].is_object(), operation.has_body(), "{}", operation.id);
        for name in wire::placeholders(operation.path) {
            let parameters = described["parameters"].as_array().unwrap();
            let parameter = parameters.iter().find(|parameter| parameter["name"] == name).expect(name);
            assert_eq!(
                (&parameter["in"], &parameter["required"]),
                (&Value::from("path"), &Value::from(true))
            );
        }
    }
}

#[tokio::test]
async fn every_operation_refuses_no_key_a_wrong_key_and_a_key_without_its_scope() {
    let server = TestServer::new().await;
    for operation in operations() {
        let answer = server.send(request(&operation, None, "{}")).await;
        answer.assert_error(401, None, None);
        let answer = server.send(request(&operation, Some("sk-admin-wrong-0123456789"), "{}")).await;
        answer.assert_error(401, Some("invalid_api_key"), None);

        let others: Vec<&str> = Scope::ALL
            .iter()
            .map(|scope| scope.as_str())
            .filter(|scope| *scope != operation.scope.as_str())
            .collect();
        let key = server.key_with(&others).await;
        let answer = server.send(request(&operation, Some(&key), "{}")).await;
        assert_eq!(answer.status, 403, "{}", operation.id);
        assert!(answer.body["error"].as_str().unwrap().contains(operation.scope.as_str()));
    }
}

#[tokio::test]
async fn every_operation_that_changes_something_needs_a_scope_to_write() {
    // Checks of access read with POST, because they are too long for a URL. A check of a key changes nothing.
    let reads = |operation: &OperationFacts| {
        operation.method == Method::Get
            || ["x-check-access", "x-look-up-names", "validate-external-key"].contains(&operation.id)
    };
    for operation in operations() {
        assert_eq!(operation.changes(), !reads(&operation), "{}", operation.id);
    }
}

#[tokio::test]
async fn every_path_answers_405_with_allow_to_other_methods() {
    let server = TestServer::new().await;
    for operation in operations() {
        for method in ["PUT", "PATCH", "TRACE", "FOO"] {
            let answer = server.call(method, &path_of(&operation), "").await;
            answer.assert_error(405, None, None);
            let allow = answer.header("allow").unwrap();
            assert!(allow.contains(operation.method.as_str()) && allow.contains("OPTIONS"), "{allow}");
        }
    }
}

/// Sends a value of the wrong type for each parameter and body field. The answer names it.
#[tokio::test]
async fn every_operation_refuses_wrong_types_and_names_the_parameter() {
    let server = TestServer::new().await;
    let document = server.get("/openapi.json").await.body;
    let mut checked = 0;
    for operation in operations() {
        let described = &document["paths"][operation.path][operation.method.as_str().to_lowercase()];
        for parameter in described["parameters"].as_array().unwrap() {
            if parameter["in"] == "query" && parameter["schema"]["type"] == "integer" {
                let name = parameter["name"].as_str().unwrap();
                let answer = server.get(&format!("{}?{name}=abc", path_of(&operation))).await;
                answer.assert_error(400, Some("invalid_type"), Some(name));
                checked += 1;
            }
        }
        if !operation.has_body() {
            continue;
        }
        let reference =
            described["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        let schema = document.pointer(reference.trim_start_matches('#')).expect(reference);
        for name in schema["properties"].as_object().unwrap().keys() {
            // Fields are checked in no particular order, so the body has all required ones with the right type.
            let mut body = adapted(every_field(), operation.id);
            let described = schema["properties"][name].to_string();
            let is_list = described.contains("\"items\"");
            // A list is not a string, but serde accepts it for the fields of an object in order.
            let is_list_of_objects = is_list && described.contains("$ref");
            body[name] = match is_list_of_objects {
                true => serde_json::json!(["of no field's type"]),
                false => serde_json::json!([["of no field's type"]]),
            };
            let answer = server.post(&path_of(&operation), &body.to_string()).await;
            let item = format!("{name}[0]");
            answer.assert_error(400, Some("invalid_type"), Some(if is_list { &item } else { name }));
            checked += 1;
        }
    }
    assert!(checked >= 15, "only {checked} parameters were found: the document has lost some");
}

#[test]
fn every_published_operation_is_served() {
    let served = operations().iter().filter(|operation| !operation.is_extension()).count();
    assert_eq!(served, 143);
    let missing = Coverage::of_all().into_iter().filter(|(_, coverage)| *coverage == Coverage::NotYet);
    assert_eq!(missing.map(|(operation, _)| operation.id).collect::<Vec<_>>(), [""; 0]);
}
