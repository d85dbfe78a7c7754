use axum::http::StatusCode;

use crate::browser::{Browser, Page, Site};

/// Sends the form of a plan, and returns the page of the plan.
async fn plan(browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    let token = browser.get("/console/groups/group_ml").await.token();
    let fields: Vec<(&str, &str)> = [("token", token.as_str())].iter().chain(fields).copied().collect();
    browser.post("/console/groups/group_ml/plan", &fields).await
}

async fn members(browser: &mut Browser) -> String {
    browser.get("/console/groups/group_ml").await.text()
}

#[tokio::test]
async fn pasted_addresses_become_a_plan_then_a_run_and_an_undo() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let page =
        plan(&mut browser, &[("action", "add"), ("addresses", "ada@example.com\r\nBOB@example.com\r\n")])
            .await;
    assert!(page.path.starts_with("/console/plans/"), "{}", page.text());
    assert!(page.text().contains("+ ada@example.com"), "{}", page.text());
    assert!(!members(&mut browser).await.contains("Ada King"), "a plan changes nothing");

    let path = page.path.clone();
    let run = browser.post(&path, &[("token", &page.token())]).await;
    assert!(run.path.starts_with("/console/runs/"), "{}", run.text());
    assert!(run.text().contains("complete"), "{}", run.text());
    assert!(members(&mut browser).await.contains("Ada King"));
    let again = browser.post(&path, &[("token", &page.token())]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "a plan is applied once");

    let undo = format!("{}/undo", run.path.split('?').next().expect("a path"));
    let page = browser.post(&undo, &[("token", &run.token())]).await;
    assert!(page.text().contains("− ada@example.com"), "{}", page.text());
    let undone = browser.post(&page.path.clone(), &[("token", &page.token())]).await;
    assert!(undone.path.starts_with("/console/runs/"), "{}", undone.text());
    assert!(!members(&mut browser).await.contains("Ada King"));
    assert!(browser.get(run.path.split('?').next().expect("a path")).await.text().contains("Undone by"));
}

#[tokio::test]
async fn an_unknown_address_is_shown_and_not_applied() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let page = plan(&mut browser, &[("action", "add"), ("addresses", "zoe@example.com")]).await;
    assert!(page.text().contains("? zoe@example.com"), "{}", page.text());
    let page = plan(&mut browser, &[("action", "add"), ("addresses", "no address")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
}

#[tokio::test]
async fn a_removal_over_the_limit_needs_its_number() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let page = plan(&mut browser, &[("action", "remove"), ("user", "user_bob")]).await;
    assert!(page.text().contains("Blocked"), "{}", page.text());
    let path = page.path.clone();
    for (number, status) in [("2", 422), ("x", 422)] {
        let refused = browser.post(&path, &[("token", &page.token()), ("removals", number)]).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text());
    }
    assert!(members(&mut browser).await.contains("Bob Stone"));
    let run = browser.post(&path, &[("token", &page.token()), ("removals", "1")]).await;
    assert!(run.text().contains("complete"), "{}", run.text());
    assert!(!members(&mut browser).await.contains("Bob Stone"));
}

#[tokio::test]
async fn a_plan_is_refused_if_the_group_is_gone() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let page = plan(&mut browser, &[("action", "add"), ("addresses", "ada@example.com")]).await;
    let fields = [("token", page.token()), ("typed", "ML Research".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let deleted = browser.post("/console/groups/group_ml/delete", &fields).await;
    assert!(deleted.path.starts_with("/console/groups?"), "{}", deleted.text());
    let stale = browser.post(&page.path.clone(), &[("token", &page.token())]).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", stale.text());
    assert!(stale.text().contains("the plan is stale, and nothing was changed"), "{}", stale.text());
}

#[tokio::test]
async fn a_plan_belongs_to_its_session() {
    let site = Site::new().await;
    let (mut browser, mut other) = (site.unlocked().await, site.unlocked().await);
    let page = plan(&mut browser, &[("action", "add"), ("addresses", "ada@example.com")]).await;
    assert_eq!(other.get(&page.path).await.status, StatusCode::NOT_FOUND);
}
