//! A browser without scripts: it keeps cookies, follows redirects and fills forms in.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use openai_admin::Timestamp;
use openai_admin_console::{Console, Pages};
use openai_admin_server::{Caller, Config, Minter, Server, api_keys, browser::AllowedHosts};
use openai_admin_store::{Organization, Store};
use serde_json::json;
use tower::ServiceExt as _;

/// A name that would run a script if it were not escaped.
pub(crate) const HOSTILE: &str = "<i>x</i><img src=x onerror=alert(1)>";

/// The start of the clock: 2026-01-03T15:05:00Z.
const START_MS: u64 = 1_767_452_700_000;

/// A server with a console, two keys, and a folder for runs.
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) minter: Minter,
    pub(crate) organization: Organization,
    pub(crate) console: Console,
    clock: Arc<AtomicU64>,
    /// A key with all scopes, and its id.
    pub(crate) key: String,
    pub(crate) key_id: String,
    /// A key that may only read groups.
    pub(crate) narrow_key: String,
    _runs: tempfile::TempDir,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let store = Store::open_in_memory(None).await.expect("a store");
        let clock = Arc::new(AtomicU64::new(START_MS));
        let (ticking, system) = (Arc::clone(&clock), Minter::system());
        let minter = Minter::new(move || ticking.fetch_add(1, Ordering::Relaxed), move || system.random());
        let directory = json!({
            "users": [
                { "id": "user_ada", "name": "Ada King", "email": "ada@example.com" },
                { "id": "user_bob", "name": "Bob Stone", "email": "bob@example.com", "roles": ["Reviewers"] },
                { "id": "user_eve", "name": HOSTILE, "email": "eve@example.com" },
            ],
            "groups": [
                { "id": "group_ml", "name": "ML Research", "members": ["user_bob"], "roles": ["Reviewers"] },
                { "id": "group_bad", "name": HOSTILE, "members": ["user_eve"] },
            ],
            "roles": [{ "id": "role_1", "name": "Reviewers", "permissions": ["api.groups.read"] }],
            "projects": [{ "id": "proj_1", "name": HOSTILE, "users": [{ "user": "user_bob" }] }],
        });
        let directory = serde_json::from_value(directory).expect("a directory");
        let loaded = store.load(minter.stamp("test"), directory).await.expect("loaded");
        let organization = loaded.organization;
        let (key, new) = api_keys::mint(&minter, "ci", api_keys::all_scopes(), None);
        let stored = store.create_api_key(organization.org, minter.stamp("test"), new).await.expect("a key");
        let scopes = vec!["api.groups.read".to_owned()];
        let (narrow_key, new) = api_keys::mint(&minter, HOSTILE, scopes, None);
        store.create_api_key(organization.org, minter.stamp("test"), new).await.expect("a key");
        let runs = tempfile::tempdir().expect("a folder");
        let server = Server::new(store.clone(), minter.clone(), Config::default());
        let pages = Pages {
            hosts: AllowedHosts::of([127, 0, 0, 1].into()),
            is_secure: false,
            runs: Some(runs.path().to_owned()),
            command: None,
            policy: Default::default(),
        };
        let console = Console::of_server(&server, minter.clone(), pages);
        let router = server.router_with(console.router());
        Self {
            router,
            store,
            minter,
            organization,
            console,
            clock,
            key,
            key_id: stored.id,
            narrow_key,
            _runs: runs,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: BTreeMap::new() }
    }

    /// A browser that is signed in with the key with all scopes.
    pub(crate) async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in(&self.key).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
        browser
    }

    /// A browser whose session may change things.
    pub(crate) async fn unlocked(&self) -> Browser {
        let mut browser = self.signed_in().await;
        let form = browser.get("/console/unlock").await;
        let page = browser.post("/console/unlock", &[("token", &form.token()), ("key", &self.key)]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
        browser
    }

    /// Advances the clock. It also advances by a millisecond whenever it is read.
    pub(crate) fn pass(&self, minutes: u64) {
        self.clock.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }

    /// Loads `number` users, `user_0` and so on, and a group with all of them. The group and `user_7` have a role for
    /// every 100 users.
    pub(crate) async fn load(&self, number: usize) {
        let user = |at| json!({ "id": format!("user_{at}"), "name": format!("Person {at}"), "email": format!("p{at}@example.com") });
        let mut users: Vec<_> = (0..number).map(user).collect();
        let members: Vec<String> = (0..number).map(|at| format!("user_{at}")).collect();
        let roles: Vec<String> = (0..number.div_ceil(100)).map(|at| format!("Role {at}")).collect();
        let groups = json!([{ "id": "group_all", "name": "Everyone", "members": members, "roles": roles }]);
        if let Some(user) = users.get_mut(7) {
            user["roles"] = json!(roles);
        }
        let role = |name: &String| json!({ "name": name, "permissions": ["api.groups.read"] });
        let roles: Vec<_> = roles.iter().map(role).collect();
        let organization = json!({ "id": self.organization.id, "title": self.organization.title });
        let directory =
            json!({ "organization": organization, "users": users, "groups": groups, "roles": roles });
        let directory = serde_json::from_value(directory).expect("a directory");
        self.store.load(self.minter.stamp("test"), directory).await.expect("loaded");
    }

    /// Advances the clock to `before_ms` before a time.
    pub(crate) fn pass_until(&self, at: Timestamp, before_ms: u64) {
        let at_ms = u64::try_from(at.unix_seconds()).expect("a time after 1970") * 1000;
        self.clock.store(at_ms - before_ms, Ordering::Relaxed);
    }

    pub(crate) fn operator(&self) -> Caller {
        Caller::local(&self.organization)
    }
}

pub(crate) struct Browser {
    pub(crate) router: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// An answer after all redirects.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
    pub(crate) path: String,
    /// The size of the body as sent, in bytes.
    pub(crate) size: usize,
}

impl Page {
    /// The first token of a form.
    pub(crate) fn token(&self) -> String {
        let start = self.html.split("name=\"token\" value=\"").nth(1);
        start.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    }

    /// The text without tags, in one line.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for part in self.html.split('<') {
            text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
            text.push(' ');
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Browser {
    pub(crate) async fn sign_in(&mut self, key: &str) -> Page {
        let form = self.get("/console/sign-in").await;
        self.post("/console/sign-in", &[("token", &form.token()), ("key", key)]).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.follow(path, &[]).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.send("POST", path, &[("sec-fetch-site", "same-origin")], fields).await;
        match page.headers.get("location").and_then(|to| to.to_str().ok()) {
            Some(to) => self.follow(to, &[]).await,
            None => page,
        }
    }

    async fn follow(&mut self, path: &str, headers: &[(&str, &str)]) -> Page {
        let mut path = path.to_owned();
        for _ in 0..5 {
            let page = self.send("GET", &path, headers, &[]).await;
            match page.headers.get("location").and_then(|to| to.to_str().ok()) {
                Some(to) => path = to.to_owned(),
                None => return page,
            }
        }
        unreachable!("too many redirects at {path}");
    }

    /// Sends a form with files.
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str)],
    ) -> Page {
        let mut body = String::new();
        for (name, value) in fields {
            body += &format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        for (name, text) in files {
            let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
            body += &format!("--limit\r\n{head}\r\nContent-Type: text/plain\r\n\r\n{text}\r\n");
        }
        body += "--limit--\r\n";
        let headers =
            [("sec-fetch-site", "same-origin"), ("content-type", "multipart/form-data; boundary=limit")];
        let page = self.send_body("POST", path, &headers, body.into()).await;
        match page.headers.get("location").and_then(|to| to.to_str().ok()) {
            Some(to) => self.follow(to, &[]).await,
            None => page,
        }
    }

    /// One request with a form, without following a redirect.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Page {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let headers: Vec<_> = headers.iter().chain(&form).copied().collect();
        self.send_body(method, path, &headers, body.finish().into()).await
    }

    async fn send_body(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let request = request.body(Body::from(body)).expect("a request");
        let (parts, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie").split(';').next().expect("a pair");
            let (name, value) = cookie.split_once('=').expect("a value");
            match value {
                "" => self.cookies.remove(name),
                _ => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let body = body.collect().await.expect("a body").to_bytes();
        let html = String::from_utf8_lossy(&body).into_owned();
        Page { status: parts.status, headers: parts.headers, html, path: path.to_owned(), size: body.len() }
    }
}
