use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode},
};
use http_body::Frame;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::browser::{Browser, Page, Site};

const TABLE: &str = "Email;Team\r\nada@example.com;ML Research\r\nBOB@example.com;ML Research\r\n";
const GROUP_FILE: &str =
    "version: 1\ngroups:\n  - name: ML Research\n    members: [ada@example.com, bob@example.com]\n";

async fn upload(browser: &mut Browser, fields: &[(&str, &str)], files: &[(&str, &str)]) -> Page {
    let token = browser.get("/console/plans/new").await.token();
    let fields: Vec<(&str, &str)> = [("token", token.as_str())].iter().chain(fields).copied().collect();
    browser.upload("/console/plans", &fields, files).await
}

async fn applied(browser: &mut Browser, plan: &Page) -> Page {
    browser.post(&plan.path.clone(), &[("token", &plan.token())]).await
}

#[tokio::test]
async fn an_uploaded_table_becomes_a_plan_a_run_and_an_undo() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let columns = [("kind", "table"), ("group_column", "Team"), ("email_column", "Email")];
    let plan = upload(&mut browser, &columns, &[("people.csv", TABLE)]).await;
    assert!(plan.path.starts_with("/console/plans/"), "{}", plan.text());
    assert!(plan.text().contains("+ ada@example.com"), "{}", plan.text());
    assert!(!plan.text().contains("bob@example.com"), "a member is not added again: {}", plan.text());
    let run = applied(&mut browser, &plan).await;
    assert!(run.text().contains("import people.csv") && run.text().contains("complete"), "{}", run.text());
    let undo = format!("{}/undo", run.path.split('?').next().expect("a path"));
    let plan = browser.post(&undo, &[("token", &run.token())]).await;
    assert!(plan.text().contains("− ada@example.com"), "{}", plan.text());
    assert!(applied(&mut browser, &plan).await.text().contains("complete"));
}

#[tokio::test]
async fn pasted_rows_are_a_table_and_their_errors_have_lines() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let rows = "email,group\r\nada@example.com,ML Research\r\n";
    let plan = upload(&mut browser, &[("kind", "table"), ("pasted", rows)], &[("", "")]).await;
    assert!(plan.text().contains("+ ada@example.com"), "{}", plan.text());
    let rows = "email,group\r\nada@example.com,ML Research\r\nnobody,ML Research\r\n";
    let refused = upload(&mut browser, &[("kind", "table"), ("pasted", rows)], &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("pasted.csv:3"), "{}", refused.text());
}

#[tokio::test]
async fn uploaded_group_files_have_the_guards_of_the_command_line() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let plan = upload(&mut browser, &[("kind", "groups")], &[("groups.yaml", GROUP_FILE)]).await;
    assert!(plan.text().contains("+ ada@example.com"), "{}", plan.text());
    assert!(applied(&mut browser, &plan).await.text().contains("apply groups.yaml"));
    // The next file removes everyone but one: the limit blocks it until its number is typed.
    site.load(30).await;
    let everyone = "version: 1\ngroups:\n  - name: Everyone\n    members: [ada@example.com]\n";
    let plan = upload(&mut browser, &[("kind", "groups"), ("pasted", everyone)], &[]).await;
    assert!(plan.text().contains("type 30"), "{}", plan.text());
    let refused = browser.post(&plan.path.clone(), &[("token", &plan.token()), ("removals", "29")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
    let run = browser.post(&plan.path.clone(), &[("token", &plan.token()), ("removals", "30")]).await;
    assert!(run.text().contains("complete"), "{}", run.text());
}

#[tokio::test]
async fn a_group_file_finds_only_the_tables_that_were_uploaded_with_it() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let file = "version: 1\ngroups:\n  - name: ML Research\n    mode: add-only\n    members_from: { csv: people.csv }\n";
    let table = "email\nada@example.com\n";
    let files = [("groups.yaml", file), ("people.csv", table)];
    let plan = upload(&mut browser, &[("kind", "groups")], &files).await;
    assert!(plan.text().contains("+ ada@example.com"), "{}", plan.text());
    let refused = upload(&mut browser, &[("kind", "groups")], &files[..1]).await;
    assert!(refused.text().contains("it was not uploaded"), "{}", refused.text());
}

#[tokio::test]
async fn a_source_that_shrank_is_refused_until_its_number_is_accepted() {
    let site = Site::new().await;
    site.load(20).await;
    let mut browser = site.unlocked().await;
    let file = |number: usize| {
        let members: Vec<String> = (0..number).map(|at| format!("p{at}@example.com")).collect();
        format!("version: 1\ngroups:\n  - name: Everyone\n    members: [{}]\n", members.join(", "))
    };
    let fields = [("kind", "groups")];
    let plan = upload(&mut browser, &fields, &[("groups.yaml", &file(19))]).await;
    assert!(applied(&mut browser, &plan).await.text().contains("complete"));
    let refused = upload(&mut browser, &fields, &[("groups.yaml", &file(9))]).await;
    assert!(
        refused.text().contains("had 19 entries in the last applied run and has 9 now"),
        "{}",
        refused.text()
    );
    let fields = [("kind", "groups"), ("accept", "groups.yaml=9")];
    let plan = upload(&mut browser, &fields, &[("groups.yaml", &file(9))]).await;
    assert!(plan.path.starts_with("/console/plans/"), "{}", plan.text());
}

#[tokio::test]
async fn an_upload_needs_an_unlocked_session_and_its_token() {
    let site = Site::new().await;
    let mut locked = site.signed_in().await;
    let token = locked.get("/console/groups").await.token();
    let fields = [("kind", "table"), ("token", &*token)];
    let refused = locked.upload("/console/plans", &fields, &[("a.csv", TABLE)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    assert!(refused.text().contains("read-only"), "{}", refused.text());
    let mut browser = site.unlocked().await;
    let refused =
        browser.upload("/console/plans", &[("kind", "table"), ("token", "x")], &[("a.csv", TABLE)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    assert!(refused.text().contains("not of this session"), "{}", refused.text());
    let large = "x".repeat(17 * 1024 * 1024);
    let refused = upload(&mut browser, &[("kind", "table")], &[("a.csv", &large)]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    let refused = browser.post("/console/plans", &[("kind", "table")]).await;
    assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// The body of a form that never arrives in full. It reports when it is read.
struct Stalled(Arc<Semaphore>);

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.add_permits(1);
        Poll::Pending
    }
}

#[tokio::test]
async fn two_uploads_are_read_at_once_and_the_next_one_is_refused() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let is_read = Arc::new(Semaphore::new(0));
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let stalled: Vec<_> = (0..2)
        .map(|_| {
            let request = Request::builder()
                .method("POST")
                .uri("/console/plans")
                .header("host", "localhost:8080")
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "multipart/form-data; boundary=limit")
                .header("cookie", cookies.join("; "))
                .body(Body::new(Stalled(Arc::clone(&is_read))))
                .expect("a request");
            tokio::spawn(browser.router.clone().oneshot(request))
        })
        .collect();
    is_read.acquire_many(2).await.expect("both are read").forget();
    let refused = upload(&mut browser, &[("kind", "table")], &[("a.csv", TABLE)]).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text());
    assert!(refused.text().contains("Nothing was changed. Try again."), "{}", refused.text());
    for one in stalled {
        one.abort();
        assert!(one.await.expect_err("it was ended").is_cancelled());
    }
    let plan = upload(&mut browser, &[("kind", "table")], &[("a.csv", TABLE)]).await;
    assert!(plan.path.starts_with("/console/plans/"), "{}", plan.text());
}
