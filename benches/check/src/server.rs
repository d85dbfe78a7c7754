//! Calls of the server on a SQLite file.

use axum::{Router, body::Body};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use openai_admin_server::{Config, Minter, Server, api_keys};
use openai_admin_store::{DatabaseUrl, Store};
use serde_json::{Value, json};
use tower_service::Service;

use crate::BoxError;

const KEY: &str = "sk-admin-check-0123456789abcdef";
const PAGE_USERS: usize = 100;
/// Enough that pages which are read once are never the same.
const USERS: usize = 12_000;
/// Groups of a thousand, whose members do not stand side by side.
const SMALL_GROUPS: usize = 12;
/// The members of this group are removed, those of the one after it are added.
const FULL_GROUP: usize = SMALL_GROUPS + 1;
const EMPTY_GROUP: usize = SMALL_GROUPS + 2;
/// How many pages are asked for again and again: fewer than the calls, so that twice as many calls read no more.
const KEPT_PAGES: usize = 20;

fn user(number: usize) -> String {
    format!("user-{number:024}")
}

fn group(number: usize) -> String {
    format!("group_{number:026}")
}

async fn open(database: &str) -> Result<Store, BoxError> {
    Ok(Store::open(&DatabaseUrl::Sqlite(database.into())).await?)
}

pub(crate) async fn prepare(database: &str) -> Result<(), BoxError> {
    let users: Vec<Value> = (0..USERS)
        .map(|number| json!({ "id": user(number), "name": "Grace Hopper", "email": format!("m{number}@example.com") }))
        .collect();
    let members = |of: usize| -> Vec<String> {
        match of {
            0 | FULL_GROUP => (0..USERS).map(user).collect(),
            EMPTY_GROUP => Vec::new(),
            _ => (0..USERS).filter(|number| number % SMALL_GROUPS == of - 1).map(user).collect(),
        }
    };
    let groups: Vec<Value> = (0..=EMPTY_GROUP)
        .map(|number| json!({ "id": group(number), "name": format!("Group {number}"), "members": members(number) }))
        .collect();
    let directory = json!({ "organization": { "id": "org-check" }, "users": users, "groups": groups });
    let (store, minter) = (open(database).await?, Minter::system());
    let organization =
        store.load(minter.stamp("check"), serde_json::from_value(directory)?).await?.organization;
    let key = api_keys::given(KEY, "check", api_keys::all_scopes());
    store.set_bootstrap_api_key(organization.org, minter.stamp("check"), key).await?;
    store.close().await;
    Ok(())
}

pub(crate) async fn make(call: &str, times: usize, database: &str) -> Result<(), BoxError> {
    let store = open(database).await?;
    let mut router = Server::new(store.clone(), Minter::system(), Config::default()).router();
    let (call, is_mixed) = call.strip_suffix(", mixed load").map_or((call, false), |call| (call, true));
    if is_mixed {
        mix(&mut router).await?;
    }
    for number in 0..times {
        let (method, path, body) =
            request(call, number).ok_or_else(|| format!("no call '{call}' of the server"))?;
        let answer = answer(&mut router, method, &path, body).await?;
        if method == "GET" && call.starts_with("list") {
            assert_eq!(answer.matches("\"id\"").count(), PAGE_USERS, "{path}: {answer}");
        }
    }
    store.close().await;
    Ok(())
}

/// At least so many of the requests of a mixed load succeed. The others name a resource that the database lacks.
const MIXED_MIN: usize = 100;

/// Makes every request that reads, in both orders and after a cursor, so that many statements are in use.
async fn mix(router: &mut Router) -> Result<(), BoxError> {
    let document = answer(router, "GET", "/openapi.json", String::new()).await?;
    let document: Value = serde_json::from_str(&document)?;
    let paths = document["paths"].as_object().ok_or("a document without paths")?;
    let known = [
        ("{group_id}", group(1)),
        ("{user_id}", user(1)),
        ("{project_id}", "proj_default_org-check".to_owned()),
        ("{permission}", "api.groups.write".to_owned()),
    ];
    let mut succeeded = 0;
    for (path, _) in paths.iter().filter(|(_, operations)| operations["get"].is_object()) {
        let path = known.iter().fold(format!("/v1{path}"), |path, (name, id)| path.replace(name, id));
        let after = if path.ends_with("users") { user(1) } else { group(1) };
        for query in ["", "?order=asc", "?order=desc", &format!("?order=asc&after={after}"), "?start_time=0"] {
            let path = format!("{path}{query}").replace(['{', '}'], "");
            let (status, _) = send(router, "GET", &path, String::new()).await?;
            succeeded += usize::from(status.is_success());
        }
    }
    assert!(succeeded >= MIXED_MIN, "only {succeeded} requests of the mixed load succeeded");
    Ok(())
}

/// The numberth request of a kind.
fn request(call: &str, number: usize) -> Option<(&'static str, String, String)> {
    let users = |of: usize| format!("/v1/organization/groups/{}/users", group(of));
    let page = |of: usize, after: usize| format!("{}?limit=100&after={}", users(of), user(after));
    // Later than a page and less than a round, so that each page is another.
    let place = PAGE_USERS + (number * 7) % (USERS / 2);
    Some(match call {
        "list, one group" => ("GET", page(0, USERS / 2 - PAGE_USERS + place), String::new()),
        "list, many groups" => {
            let small = number % SMALL_GROUPS;
            // Any user is a place in the list; at least half of the group comes after it.
            ("GET", page(1 + small, USERS - 1 - number), String::new())
        }
        "list, page asked for before" => ("GET", page(0, USERS - 1 - number % KEPT_PAGES), String::new()),
        "retrieve" => ("GET", format!("{}/{}", users(0), user(place)), String::new()),
        "add" => ("POST", users(EMPTY_GROUP), json!({ "user_id": user(number) }).to_string()),
        "remove" => ("DELETE", format!("{}/{}", users(FULL_GROUP), user(number)), String::new()),
        _ => return None,
    })
}

async fn answer(router: &mut Router, method: &str, path: &str, body: String) -> Result<String, BoxError> {
    let (status, text) = send(router, method, path, body).await?;
    if status.is_success() { Ok(text) } else { Err(format!("{method} {path}: {status} {text}").into()) }
}

async fn send(
    router: &mut Router,
    method: &str,
    path: &str,
    body: String,
) -> Result<(StatusCode, String), BoxError> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))?;
    let response = router.call(request).await?;
    let status = response.status();
    let text = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
    Ok((status, text))
}
