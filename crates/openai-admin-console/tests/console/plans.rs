use axum::http::StatusCode;
use openai_admin::Timestamp;
use openai_admin_server::api_keys;

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

#[tokio::test]
async fn all_members_that_match_are_selected_and_their_number_is_said() {
    let site = Site::new().await;
    site.load(250).await;
    let mut browser = site.unlocked().await;
    let page = browser.get("/console/groups/group_all?q=person%201").await;
    assert!(page.text().contains("Remove all that match"), "{}", page.text());
    let fields =
        [("token", page.token()), ("action", "remove_matching".to_owned()), ("q", "Person 1".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let plan = browser.post("/console/groups/group_all/plan", &fields).await;
    // 1, 10 to 19, 100 to 199.
    let text = plan.text();
    assert!(text.contains("selected: all 111 members that start with &#34;Person 1&#34;"), "{text}");
    assert!(text.contains("type 111"), "{text}");
}

#[tokio::test]
async fn people_are_added_to_all_groups_that_match() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let token = browser.get("/console/groups").await.token();
    for number in 0..3 {
        let name = format!("Team {number}");
        browser.post("/console/groups", &[("token", &token), ("name", &name)]).await;
    }
    let fields = [("token", token.as_str()), ("action", "add"), ("addresses", "ada@example.com")];
    let send = async |browser: &mut Browser, more: &[(&str, &str)]| {
        let fields: Vec<(&str, &str)> = fields.iter().chain(more).copied().collect();
        browser.post("/console/groups/plan", &fields).await
    };
    let plan = send(&mut browser, &[("scope", "matching"), ("q", "team")]).await;
    let text = plan.text();
    assert!(text.contains("selected: all 3 groups that start with &#34;team&#34;"), "{text}");
    assert_eq!(text.matches("+ ada@example.com").count(), 3, "{text}");
    let run = browser.post(&plan.path.clone(), &[("token", &plan.token())]).await;
    assert!(run.text().contains("3 of 3 changes in place"), "{}", run.text());
    let plan = send(&mut browser, &[("scope", "selected"), ("group", "group_ml")]).await;
    assert!(plan.text().contains("selected: 1 group"), "{}", plan.text());
    let refused = send(&mut browser, &[("scope", "selected")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_key_that_ends_during_a_run_stops_the_run() {
    const PEOPLE: usize = 600;
    let site = Site::new().await;
    site.load(PEOPLE).await;
    let ends_at = Timestamp::from_unix_seconds(site.minter.now().unix_seconds() + 600);
    let (secret, new) = api_keys::mint(&site.minter, "short", api_keys::all_scopes(), Some(ends_at));
    site.store.create_api_key(site.organization.org, site.minter.stamp("test"), new).await.expect("a key");
    let mut browser = site.browser();
    browser.sign_in(&secret).await;
    let form = browser.get("/console/unlock").await;
    browser.post("/console/unlock", &[("token", &form.token()), ("key", &secret)]).await;
    let addresses: Vec<String> = (0..PEOPLE).map(|at| format!("p{at}@example.com")).collect();
    let page = plan(&mut browser, &[("action", "add"), ("addresses", &addresses.join("\n"))]).await;
    assert!(page.path.starts_with("/console/plans/"), "{}", page.text());
    // The clock advances by 1 ms whenever it is read. Each change reads it several times.
    site.pass_until(ends_at, PEOPLE as u64);
    let ended = browser.post(&page.path.clone(), &[("token", &page.token())]).await;
    assert!(ended.path.starts_with("/console/sign-in"), "the session ends with its key: {}", ended.path);
    let mut other = site.signed_in().await;
    let runs = other.get("/console/runs").await;
    assert!(runs.text().contains("partial"), "{}", runs.text());
    let run = other
        .get(
            runs.html
                .split("/console/runs/")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .map(|name| format!("/console/runs/{name}"))
                .expect("a run")
                .as_str(),
        )
        .await;
    let text = run.text();
    assert!(
        text.contains("done") && text.contains("changes in place") && !text.contains(" 0 of 600"),
        "{text}"
    );
    assert!(text.contains("was revoked or has expired"), "{text}");
}

#[tokio::test]
async fn a_run_that_a_wrong_approval_would_begin_keeps_the_plan() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let page = plan(&mut browser, &[("action", "remove"), ("user", "user_bob")]).await;
    let path = page.path.clone();
    browser.post(&path, &[("token", &page.token()), ("removals", "7")]).await;
    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
}
