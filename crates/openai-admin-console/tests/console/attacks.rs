use axum::http::StatusCode;

use crate::browser::Site;

#[tokio::test]
async fn a_wrong_key_is_refused_with_the_message_of_the_api_and_not_repeated() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.sign_in("sk-admin-wrong-0123456789abcdef0123456789").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.text().contains("Incorrect API key provided"), "{}", page.text());
    assert!(!page.html.contains("0123456789abcdef"), "{}", page.html);
    assert_eq!(browser.get("/console").await.path, "/console/sign-in?back=%2Fconsole");
}

#[tokio::test]
async fn the_cookie_of_a_session_is_hidden_and_strict() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let form = browser.get("/console/sign-in").await;
    let fields = [("token", form.token()), ("key", site.key.clone())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = browser.send("POST", "/console/sign-in", &[("sec-fetch-site", "same-origin")], &fields).await;
    let cookie = page.headers["set-cookie"].to_str().expect("a cookie");
    assert!(cookie.starts_with("openai-admin-8080="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(&site.key));
}

#[tokio::test]
async fn two_consoles_on_one_host_keep_separate_sessions() {
    let (one, other) = (Site::new().await, Site::new().await);
    let mut browser = one.signed_in().await;
    let signed_in = browser.cookies.clone();
    browser.router = other.router.clone();
    let at_other = [("host", "localhost:8081"), ("sec-fetch-site", "same-origin")];
    let form = browser.send("GET", "/console/sign-in", &at_other, &[]).await;
    let fields = [("token", form.token()), ("key", other.key.clone())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = browser.send("POST", "/console/sign-in", &at_other, &fields).await;
    assert!(page.status.is_redirection(), "{}", page.html);
    assert!(browser.cookies.contains_key("openai-admin-8081"));
    for (name, value) in signed_in {
        assert_eq!(browser.cookies.get(&name), Some(&value));
    }
    browser.router = one.router.clone();
    assert_eq!(browser.get("/console").await.path, "/console");
}

#[tokio::test]
async fn the_api_reads_no_cookie_and_the_console_no_authorization() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let api = browser.send("GET", "/v1/organization/groups", &[], &[]).await;
    assert_eq!(api.status, StatusCode::UNAUTHORIZED);
    assert!(api.headers.get("set-cookie").is_none());
    let mut stranger = site.browser();
    let bearer = format!("Bearer {}", site.key);
    let page = stranger.send("GET", "/console", &[("authorization", &bearer)], &[]).await;
    assert_eq!(page.headers["location"], "/console/sign-in?back=%2Fconsole");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let token = browser.get("/console/groups").await.token();
    let fields = [("token", token.as_str()), ("name", "New")];
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://evil.example")],
        &[("origin", "http://localhost:9090")],
        &[("origin", "null")],
    ] {
        let page = browser.send("POST", "/console/groups", headers, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert!(!browser.get("/console/groups").await.text().contains("New "));
    let own = [("origin", "http://localhost:8080")];
    assert_eq!(browser.send("POST", "/console/groups", &own, &fields).await.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/console/groups").await.text().contains("New "));
}

#[tokio::test]
async fn a_token_belongs_to_one_session_and_differs_in_each_answer() {
    let site = Site::new().await;
    let (mut one, mut other) = (site.unlocked().await, site.unlocked().await);
    let (first, second) =
        (one.get("/console/groups").await.token(), one.get("/console/groups").await.token());
    assert_ne!(first, second);
    assert_eq!(first.len(), 64);
    let foreign = other.get("/console/groups").await.token();
    for token in ["", "x", &foreign, &first[1..]] {
        let page = one.post("/console/groups", &[("token", token), ("name", "New")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{token}");
    }
    for token in [&first, &second] {
        let page = one.post("/console/groups", &[("token", token), ("name", "New")]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    }
}

#[tokio::test]
async fn a_foreign_host_is_misdirected() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1"] {
        for path in ["/console", "/console/sign-in"] {
            let page = browser.send("GET", path, &[("host", host)], &[]).await;
            assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST, "{host} {path}");
        }
    }
    assert_eq!(browser.send("GET", "/console", &[("host", "[::1]:8080")], &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_read_only_session_changes_nothing() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let token = browser.get("/console").await.token();
    for path in [
        "/console/groups",
        "/console/groups/group_ml/delete",
        "/console/groups/group_ml/plan",
        "/console/users/user_bob/offboard",
        "/console/keys",
        "/console/invites",
    ] {
        let page = browser.post(path, &[("token", &token), ("name", "New"), ("typed", "ML Research")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.text().contains("read-only"), "{}", page.text());
    }
    assert_eq!(browser.get("/console/groups/group_ml").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_unlocks_with_its_own_key_only() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let token = browser.get("/console/unlock").await.token();
    for key in ["", "sk-admin-x", &site.narrow_key] {
        let page = browser.post("/console/unlock", &[("token", &token), ("key", key)]).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{key}");
        assert!(page.html.contains("Read-only"));
    }
    let page = browser.post("/console/unlock", &[("token", &token), ("key", &site.key)]).await;
    assert!(page.html.contains("Unlocked until"), "{}", page.text());
    let page = browser.post("/console/lock", &[("token", &token)]).await;
    assert!(page.html.contains("Read-only"), "{}", page.text());
}

#[tokio::test]
async fn a_revoked_key_ends_its_sessions_and_the_visitor_returns_after_sign_in() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let stamp = site.minter.stamp("test");
    site.store.revoke_api_key(site.organization.org, stamp, site.key_id.clone()).await.expect("revoked");
    let page = browser.get("/console/groups?q=ml").await;
    assert_eq!(page.path, "/console/sign-in?back=%2Fconsole%2Fgroups%3Fq%3Dml");
    let fields = [
        ("token", page.token()),
        ("key", site.narrow_key.clone()),
        ("back", "/console/groups?q=ml".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post("/console/sign-in", &fields).await.path, "/console/groups?q=ml");
}

#[tokio::test]
async fn a_session_ends_at_sign_out_on_the_server_too() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let cookies = browser.cookies.clone();
    let token = browser.get("/console").await.token();
    assert_eq!(browser.post("/console/sign-out", &[("token", &token)]).await.path, "/console/sign-in");
    browser.cookies = cookies;
    assert!(browser.get("/console").await.path.starts_with("/console/sign-in"));
}

#[tokio::test]
async fn a_sign_in_link_works_once_and_only_when_its_form_is_sent() {
    let site = Site::new().await;
    let link = site.console.sign_in_link(site.operator()).expect("a link");
    let mut browser = site.browser();
    browser.get(&link.path).await;
    let form = browser.get(&link.path).await;
    let secret = link.path.split_once('=').expect("a secret").1;
    let page = browser.post("/console/sign-in", &[("token", &form.token()), ("link", secret)]).await;
    assert_eq!((page.status, page.path.as_str()), (StatusCode::OK, "/console"));
    let mut other = site.browser();
    let form = other.get(&link.path).await;
    let page = other.post("/console/sign-in", &[("token", &form.token()), ("link", secret)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    // The operator of this machine has no key to repeat.
    let token = browser.get("/console/unlock").await.token();
    let page = browser.post("/console/unlock", &[("token", &token)]).await;
    assert!(page.html.contains("Unlocked until"), "{}", page.text());
}

#[tokio::test]
async fn a_session_does_not_revoke_its_own_key() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let token = browser.get("/console/keys").await.token();
    let path = format!("/console/keys/{}/revoke", site.key_id);
    let page = browser.post(&path, &[("token", &token)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.text());
    assert_eq!(browser.get("/console/keys").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_of_another_site_leads_to_a_page_that_continues() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.send("GET", "/console/groups?q=ml", &[("sec-fetch-site", "cross-site")], &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.contains("href=\"/console/groups?q=ml\""), "{}", page.html);
    assert!(page.headers.get("set-cookie").is_none());
    let page = browser.send("GET", "/console/sign-in", &[("sec-fetch-site", "cross-site")], &[]).await;
    assert_eq!(page.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_after_30_minutes_without_use_and_after_12_hours() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    site.pass(29);
    assert_eq!(browser.get("/console").await.path, "/console");
    site.pass(31);
    assert!(browser.get("/console").await.path.starts_with("/console/sign-in"));
    let mut browser = site.signed_in().await;
    for _ in 0..35 {
        site.pass(20);
        assert_eq!(browser.get("/console").await.path, "/console");
    }
    site.pass(21);
    assert!(browser.get("/console").await.path.starts_with("/console/sign-in"));
}

#[tokio::test]
async fn a_session_is_unlocked_for_15_minutes() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    site.pass(14);
    let page = browser.get("/console/groups").await;
    assert!(page.html.contains("Unlocked until 15:20 UTC"), "{}", page.text());
    site.pass(2);
    let page = browser.post("/console/groups", &[("token", &page.token()), ("name", "New")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(browser.get("/console/groups").await.html.contains("Read-only"));
}
