//! How many statements a page runs: few, and no more in a large organization than in a small one.
//!
//! A separate program, because the count includes every store of the process.

#[path = "../console/browser.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod browser;

use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::browser::{Browser, Site};

/// The statements since the last page.
static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// The target of the event of each statement.
const TARGET: &str = "openai_admin_store::engines::transaction";

/// The largest number of statements of a page, of which one finds the session and its key.
const STATEMENTS_MAX: usize = 5;

/// Pages, each with the statements that it runs.
const PAGES: [(&str, usize); 40] = [
    ("/console", 5),
    ("/console/groups", 2),
    ("/console/groups?after=group_ml", 3),
    ("/console/groups/group_all", 5),
    ("/console/groups/group_all?after=user_7", 5),
    ("/console/groups/group_all?q=person", 4),
    ("/console/groups/group_ml", 5),
    ("/console/groups/group_bad", 5),
    ("/console/groups/group_all/delete", 5),
    ("/console/groups/group_all/roles", 4),
    ("/console/groups/group_all/roles?after=role_1", 5),
    ("/console/users/user_eve", 5),
    ("/console/users", 2),
    ("/console/users?after=user_7", 3),
    ("/console/users/user_7", 5),
    ("/console/users/user_ada", 5),
    ("/console/projects", 3),
    ("/console/roles", 3),
    ("/console/invites", 2),
    ("/console/keys", 2),
    ("/console/audit", 3),
    ("/console/audit?type=group.user.added", 4),
    ("/console/usage", 5),
    ("/console/plans/new", 1),
    ("/console/audit?actor=ada@example.com", 3),
    ("/console/audit?resource=group_ml", 4),
    ("/console/audit?from=2026-01-01&to=2026-12-01", 4),
    ("/console/search?q=person", 5),
    ("/console/search?q=nobody", 5),
    ("/console/search?q=eve@example.com", 5),
    ("/console/users?q=person", 3),
    ("/console/users?q=nobody", 3),
    ("/console/users?q=person&after=user_7", 3),
    ("/console/groups?q=all", 3),
    ("/console/groups?q=nothing", 3),
    ("/console/groups/group_all?q=nobody", 4),
    ("/console/projects/proj_1", 5),
    ("/console/roles/role_1", 2),
    ("/console/runs", 1),
    ("/console/unlock", 1),
];

/// Statements that a page runs once in a while: the key is read again after 5 seconds, and the use of the session is
/// recorded after 60.
const OCCASIONAL: [&str; 2] = ["select k.org, k.id, k.name,", "update console_sessions set seen_at"];
const ATTEMPTS_MAX: usize = 10;

struct Statements;

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && *metadata.level() == Level::TRACE
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Statement);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Statement;

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// The statements of a page. If an occasional one was due, as on a busy machine, the page is requested again.
async fn statements(browser: &mut Browser, path: &str) -> Vec<String> {
    let mut statements = Vec::new();
    for _ in 0..ATTEMPTS_MAX {
        browser.get(path).await;
        STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
        statements = std::mem::take(&mut *STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner));
        if !statements.iter().any(|sql| OCCASIONAL.iter().any(|start| sql.starts_with(start))) {
            break;
        }
    }
    statements
}

#[tokio::test]
async fn each_page_runs_a_fixed_number_of_statements_in_a_small_and_in_a_large_organization() {
    tracing::subscriber::set_global_default(Statements).expect("the only subscriber");
    let (small, large) = (Site::new().await, Site::new().await);
    small.load(120).await;
    large.load(1500).await;
    let (mut one, mut other) = (small.signed_in().await, large.signed_in().await);
    let mut problems = Vec::new();
    for (path, number) in PAGES {
        let (one, other) = (statements(&mut one, path).await, statements(&mut other, path).await);
        assert!(number <= STATEMENTS_MAX, "{path}");
        if one.len() != number || other.len() != number {
            let (small, large) = (one.len(), other.len());
            problems.push(format!("{path}: {large} statements, {small} in a small organization: {other:#?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
