use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use axum::http::StatusCode;
use openai_admin::{Client, models::CreateGroupBody};
use openai_admin_console::{Console, Pages, Router};
use openai_admin_emulator::{Emulator, EmulatorService};
use openai_admin_server::{Minter, browser::AllowedHosts};
use tokio::{net::TcpListener, sync::OnceCell};

use crate::browser::Browser;

/// An emulator on a port, and a browser of its console in process.
async fn emulator() -> (Emulator, Browser) {
    emulator_with(None).await
}

/// The same with a folder for the runs of the console.
async fn emulator_with(runs: Option<PathBuf>) -> (Emulator, Browser) {
    let router: Arc<OnceCell<Router>> = Arc::default();
    let pages = |service: EmulatorService| {
        let client_of = |url: &str| {
            let client = Client::builder().base_url(url).key("sk-admin-console").retries(0);
            client.service(service.clone()).build().expect("a client")
        };
        let hosts = AllowedHosts::of([127, 0, 0, 1].into());
        let pages = Pages { hosts, is_secure: false, runs, command: None, policy: Default::default() };
        let (client, controls) = (client_of("http://localhost/v1"), client_of("http://localhost"));
        let console = Console::open(client, controls, Minter::system(), pages);
        router.set(console.router()).expect("one router");
        Some(console.router())
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
    let emulator = Emulator::builder().listen_with(listener, pages).await.expect("an emulator");
    let router = router.get().expect("a router").clone();
    (emulator, Browser { router, cookies: BTreeMap::new() })
}

#[tokio::test]
async fn the_journal_shows_requests_of_clients_and_not_of_the_console() {
    let (emulator, mut browser) = emulator().await;
    assert_eq!(browser.get("/console/groups").await.status, StatusCode::OK);
    assert!(browser.get("/console/emulator").await.text().contains("No requests yet"));
    let client = emulator.client().unwrap();
    client.groups().create_group(CreateGroupBody::new("Support".try_into().unwrap())).await.unwrap();
    let text = browser.get("/console/emulator").await.text();
    assert!(text.contains("POST /v1/organization/groups") && text.contains("create-group"), "{text}");
    let text = browser.get("/console/emulator/requests/1").await.text();
    assert!(text.contains("Support"), "{text}");
    assert!(browser.get("/console/groups").await.text().contains("Support"));
}

#[tokio::test]
async fn faults_of_a_form_apply_to_clients_and_not_to_the_console() {
    let (emulator, mut browser) = emulator().await;
    let page =
        browser.post("/console/emulator", &[("action", "fault"), ("kind", "503"), ("count", "1")]).await;
    assert!(page.text().contains("every operation, 0 injected"), "{}", page.text());
    assert_eq!(browser.get("/console/groups").await.status, StatusCode::OK);
    // The client retries a 503.
    emulator.client().unwrap().groups().list_groups().await.unwrap();
    let text = browser.get("/console/emulator").await.text();
    assert!(text.contains("1 injected") && text.contains("503"), "{text}");
}

#[tokio::test]
async fn snapshots_the_clock_and_a_reset_work_by_forms() {
    let (emulator, mut browser) = emulator().await;
    let client = emulator.client().unwrap();
    let page = browser.post("/console/emulator", &[("action", "save"), ("name", "empty")]).await;
    assert!(page.text().contains("empty Restore"), "{}", page.text());
    client.groups().create_group(CreateGroupBody::new("Support".try_into().unwrap())).await.unwrap();
    browser.post("/console/emulator", &[("action", "restore"), ("name", "empty")]).await;
    assert!(browser.get("/console/groups").await.text().contains("No groups yet"));
    let page = browser.post("/console/emulator", &[("action", "step"), ("seconds", "3600")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    client.groups().create_group(CreateGroupBody::new("Support".try_into().unwrap())).await.unwrap();
    browser.post("/console/emulator", &[("action", "reset")]).await;
    assert!(browser.get("/console/groups").await.text().contains("No groups yet"));
}

#[tokio::test]
async fn another_site_cannot_use_the_emulator_through_its_console() {
    let (_emulator, mut browser) = emulator().await;
    let page = browser.send("GET", "/console", &[("host", "evil.example")], &[]).await;
    assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST);
    let headers = [("origin", "https://evil.example")];
    let page = browser.send("POST", "/console/emulator", &headers, &[("action", "reset")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_rule_is_explained_and_switched_by_a_form() {
    let (_emulator, mut browser) = emulator().await;
    let text = browser.get("/console/emulator").await.text();
    assert!(text.contains("All are on."), "{text}");
    assert!(text.contains("adding a user who is in the project returns the user, unchanged"), "{text}");
    let fields = [("action", "rule"), ("name", "already_in_project"), ("state", "off")];
    let text = browser.post("/console/emulator", &fields).await.text();
    assert!(text.contains("1 off."), "{text}");
    let fields = [("action", "rule"), ("name", "already_in_project"), ("state", "on")];
    assert!(browser.post("/console/emulator", &fields).await.text().contains("All are on."));
    let refused = browser.post("/console/emulator", &[("action", "rule"), ("name", "no_rule")]).await;
    assert!(refused.text().contains("unknown rule"), "{}", refused.text());
}

#[tokio::test]
async fn the_clock_is_set_to_a_time_by_a_form() {
    let (_emulator, mut browser) = emulator().await;
    for (now, shown) in
        [("2030-01-31T12:00", "2030-01-31T12:00:00"), ("2031-02-03T04:05:06", "2031-02-03T04:05:06")]
    {
        let page = browser.post("/console/emulator", &[("action", "set_clock"), ("now", now)]).await;
        assert!(page.text().contains(shown) && page.text().contains("(stopped)"), "{}", page.text());
    }
    let fields = [("action", "set_clock"), ("now", "2030-01-31T12:00"), ("runs", "yes")];
    assert!(!browser.post("/console/emulator", &fields).await.text().contains("(stopped)"));
    let refused = browser.post("/console/emulator", &[("action", "set_clock"), ("now", "soon")]).await;
    assert!(!refused.status.is_success(), "{}", refused.text());
}

#[tokio::test]
async fn pages_use_the_clock_of_the_emulator() {
    let (emulator, mut browser) = emulator().await;
    let fields = [("action", "set_clock"), ("now", "2041-03-10T12:00")];
    browser.post("/console/emulator", &fields).await;
    let audit = browser.get("/console/audit").await;
    assert!(audit.html.contains("from=2041%2D02%2D01&#38;to=2041%2D02%2D28"), "last month: {}", audit.html);
    assert!(audit.html.contains("from=2041%2D03%2D10&#38;to=2041%2D03%2D10"), "today: {}", audit.html);
    // A key that ends on the next day of the emulator ends soon.
    let body: openai_admin::models::CreateAdminApiKeyBody =
        serde_json::from_value(serde_json::json!({ "name": "brief", "expires_in_seconds": 86_400 })).unwrap();
    let client = emulator.client().unwrap();
    client.admin_api_keys().create_admin_api_key(body).await.unwrap();
    let home = browser.get("/console").await.text();
    assert!(home.contains("brief") && home.contains("11 Mar 2041"), "{home}");
    let file = "version: 1\ngroups:\n  - name: Support\n    members:\n      - { email: ada@example.com, until: 2041-03-09 }\n";
    let fields = [("kind", "groups")];
    let plan = browser.upload("/console/plans", &fields, &[("groups.yaml", file)]).await;
    assert!(!plan.text().contains("+ ada@example.com"), "the membership has ended: {}", plan.text());
}

#[tokio::test]
async fn plans_are_applied_and_undone_in_an_emulator_with_a_folder_of_runs() {
    let runs = tempfile::tempdir().unwrap();
    let (emulator, mut browser) = emulator_with(Some(runs.path().to_owned())).await;
    let client = emulator.client().unwrap();
    client.groups().create_group(CreateGroupBody::new("Support".try_into().unwrap())).await.unwrap();
    let body = serde_json::json!({ "name": "Ada", "email": "ada@example.com" });
    let request = openai_admin::client::RawRequest::new(openai_admin::Method::Post, "/x/users");
    client.send_raw(&request.body(body.to_string())).await.unwrap();
    let rows = "email,group\nada@example.com,Support\n";
    let plan = browser.upload("/console/plans", &[("kind", "table")], &[("people.csv", rows)]).await;
    assert!(plan.text().contains("+ ada@example.com"), "{}", plan.text());
    let run = browser.post(&plan.path.clone(), &[]).await;
    assert!(run.text().contains("complete"), "{}", run.text());
    assert!(browser.get("/console/runs").await.text().contains("import people.csv"));
    let undo = format!("{}/undo", run.path.split('?').next().unwrap());
    let plan = browser.post(&undo, &[]).await;
    // The limit on the last member of a group.
    let run = browser.post(&plan.path.clone(), &[("removals", "1")]).await;
    assert!(run.text().contains("complete"), "{}", run.text());
}
