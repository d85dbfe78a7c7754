use axum::http::StatusCode;

use crate::browser::{HOSTILE, Page, Site};

/// Pages that anyone with all scopes may open.
const PAGES: [&str; 30] = [
    "/console",
    "/console/groups",
    "/console/groups?q=ml",
    "/console/groups?q=nothing",
    "/console/groups/group_ml",
    "/console/groups/group_bad",
    "/console/groups/group_bad/delete",
    "/console/groups/group_bad/roles",
    "/console/groups/group_ml/roles",
    "/console/users",
    "/console/users?q=bob",
    "/console/users/user_bob",
    "/console/users/user_eve",
    "/console/projects",
    "/console/projects/proj_1",
    "/console/roles",
    "/console/roles/role_1",
    "/console/invites",
    "/console/keys",
    "/console/audit",
    "/console/audit?type=group.created&from=2020-01-01&to=2020-01-02",
    "/console/audit?live=yes",
    "/console/usage",
    "/console/plans/new",
    "/console/groups/group_ml?q=bo",
    "/console/runs",
    "/console/search",
    "/console/search?q=e",
    "/console/unlock",
    "/console/sign-in",
];

/// The rules of every page.
fn check(page: &Page) {
    let Page { path, html, .. } = page;
    assert!(page.headers["content-type"].to_str().expect("a type").starts_with("text/html"), "{path}");
    assert_eq!(html.matches("<h1>").count(), 1, "{path} has one h1");
    assert!(html.contains("<title>") && html.contains("<html lang=\"en\""), "{path} has a title");
    assert_eq!(html.matches("<main").count(), 1, "{path} has one main");
    let lower = html.to_lowercase();
    assert!(!lower.contains(" style="), "{path} has a style attribute");
    assert!(!lower.contains("<script>") && !lower.contains("javascript:"), "{path} has an inline script");
    assert!(!lower.contains("<i>") && !lower.contains("<img"), "{path} does not escape a name");
    for tag in lower.split('<').filter_map(|rest| rest.split('>').next()) {
        // Every second part is a quoted value.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains(" on"), "{path} has a handler: {tag}");
    }
    for field in lower.split('<').filter(|rest| rest.starts_with("input") || rest.starts_with("select")) {
        let is_named =
            field.contains("type=\"hidden\"") || field.contains("id=\"") || field.contains("aria-label");
        assert!(is_named, "{path} has a field without a label: {field}");
    }
    let headers = &page.headers;
    assert!(headers["content-security-policy"].to_str().expect("a policy").starts_with("default-src 'none'"));
    assert_eq!(headers["cache-control"], "no-store", "{path}");
    assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
    assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
}

#[tokio::test]
async fn every_page_is_well_formed_and_escapes_names() {
    let site = Site::new().await;
    for mut browser in [site.signed_in().await, site.unlocked().await] {
        for path in PAGES {
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
            check(&page);
        }
        let escaped = "&#60;i&#62;x&#60;/i&#62;";
        assert!(browser.get("/console/groups").await.html.contains(escaped), "{HOSTILE} is shown as text");
    }
}

#[tokio::test]
async fn a_failure_is_a_page_too() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    for (path, status, text) in [
        ("/console/groups/group_none", 404, "group_none"),
        ("/console/nothing", 404, "no such page"),
        ("/console/audit?from=soon", 422, "invalid day"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status.as_u16(), status, "{path}");
        assert!(page.text().contains(text), "{path}: {}", page.text());
        check(&page);
    }
}

#[tokio::test]
async fn a_key_without_a_scope_gets_the_reason() {
    let site = Site::new().await;
    let mut browser = site.browser();
    assert_eq!(browser.sign_in(&site.narrow_key).await.status, StatusCode::OK);
    assert_eq!(browser.get("/console/groups").await.status, StatusCode::OK);
    let page = browser.get("/console/users").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text().contains("api.management.read"), "{}", page.text());
    check(&page);
}

#[tokio::test]
async fn a_read_only_session_sees_no_forms_that_change_something() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    for path in PAGES {
        let page = browser.get(path).await;
        let actions =
            page.html.split("method=\"post\" action=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for action in actions {
            let is_session =
                ["/console/sign-out", "/console/sign-in", "/console/unlock", "/console/appearance"]
                    .contains(&action);
            assert!(is_session || action.ends_with("/plan"), "{path} has a form to {action}");
        }
        assert!(!page.html.contains("name=\"action\""), "{path} can be changed");
    }
}

#[tokio::test]
async fn effective_access_names_every_path() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let text = browser.get("/console/users/user_bob").await.text();
    assert!(text.contains("api.groups.read"), "{text}");
    assert!(text.contains("Reviewers of group ML Research"), "{text}");
    assert!(text.contains("Reviewers assigned directly"), "{text}");
}

#[tokio::test]
async fn the_audit_log_is_sentences_and_filters_by_type() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let text = browser.get("/console/audit").await.text();
    assert!(text.contains("test added Bob Stone to ML Research"), "{text}");
    assert!(text.contains("test assigned the role Reviewers to ML Research"), "{text}");
    assert!(text.contains("test created the API key ci"), "{text}");
    let text = browser.get("/console/audit?type=group.created").await.text();
    assert!(text.contains("created the group ML Research") && !text.contains("added Bob"), "{text}");
    let csv = browser.get("/console/audit.csv?type=group.created").await;
    assert!(csv.html.starts_with("id,effective_at,type,actor,detail\n"), "{}", csv.html);
    assert_eq!(csv.html.lines().count(), 3, "{}", csv.html);
    assert!(csv.headers["content-disposition"].to_str().expect("a name").starts_with("attachment"));
}

#[tokio::test]
async fn assets_have_names_with_their_hash_and_may_be_kept() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.get("/console/sign-in").await;
    let paths: Vec<&str> = page.html.split('"').filter(|text| text.starts_with("/console/assets/")).collect();
    assert_eq!(paths.len(), 2);
    for path in paths {
        let asset = browser.get(path).await;
        assert_eq!(asset.status, StatusCode::OK);
        assert!(asset.headers["cache-control"].to_str().expect("a header").contains("immutable"));
        assert!(asset.html.len() < 16 * 1024);
    }
    assert_eq!(browser.get("/console/assets/console.js").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_texts_of_pages_match_their_snapshots() {
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let mut texts = String::new();
    for path in [
        "/console/groups",
        "/console/groups/group_ml",
        "/console/groups/group_ml/roles",
        "/console/users/user_bob",
        "/console/roles/role_1",
    ] {
        let text = browser.get(path).await.text();
        let (_, content) = text.split_once("Usage and costs Runs ").expect("the content");
        texts += &format!("{path}\n{content}\n\n");
    }
    insta::assert_snapshot!(texts);
}

#[tokio::test]
async fn a_page_is_compressed_for_a_browser_that_accepts_gzip() {
    let site = Site::new().await;
    site.load(300).await;
    let mut browser = site.signed_in().await;
    let plain = browser.get("/console/users").await;
    assert!(!plain.headers.contains_key("content-encoding"));
    let gzip = [("accept-encoding", "gzip, br")];
    let page = browser.send("GET", "/console/users", &gzip, &[]).await;
    assert_eq!(page.headers["content-encoding"], "gzip");
    assert!(page.size * 3 < plain.size, "{} of {} bytes", page.size, plain.size);
    // A first page: the page, the style and the script.
    let asset = |kind: &str| {
        let path =
            plain.html.split('"').find(|part| part.starts_with("/console/assets/") && part.ends_with(kind));
        path.expect("an asset").to_owned()
    };
    let (style, script) = (asset(".css"), asset(".js"));
    let mut size = browser.send("GET", "/console", &gzip, &[]).await.size;
    for path in [style, script] {
        size += browser.send("GET", &path, &gzip, &[]).await.size;
    }
    assert!(size < 15_000, "the first page has {size} bytes");
}

#[tokio::test]
async fn a_chosen_colour_scheme_is_in_the_page_and_lasts() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let page = browser.get("/console/groups").await;
    assert!(page.html.contains("<html lang=\"en\">"), "the scheme of the system");
    let fields =
        [("token", page.token()), ("scheme", "dark".to_owned()), ("back", "/console/groups".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent =
        browser.send("POST", "/console/appearance", &[("sec-fetch-site", "same-origin")], &fields).await;
    assert!(sent.headers["set-cookie"].to_str().expect("a cookie").contains("Max-Age=31536000"));
    let page = browser.get("/console/groups").await;
    assert!(page.html.contains("<html lang=\"en\" class=\"dark\">"));
    let fields = [("token", page.token()), ("scheme", String::new())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post("/console/appearance", &fields).await;
    assert!(browser.get("/console/groups").await.html.contains("<html lang=\"en\">"));
}

#[tokio::test]
async fn pages_without_a_session_and_early_failures_have_the_chosen_scheme() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.cookies.insert("openai-admin-scheme-8080".to_owned(), "dark".to_owned());
    for (method, path, site_of_link, status) in [
        ("GET", "/console/sign-in", "none", StatusCode::OK),
        ("GET", "/console/sign-in/link?secret=x", "none", StatusCode::OK),
        ("GET", "/console/groups", "cross-site", StatusCode::OK),
        ("POST", "/console/sign-in", "same-origin", StatusCode::FORBIDDEN),
        ("POST", "/console/groups", "cross-site", StatusCode::FORBIDDEN),
    ] {
        let page = browser.send(method, path, &[("sec-fetch-site", site_of_link)], &[]).await;
        assert_eq!(page.status, status, "{method} {path}");
        assert!(page.html.contains("<html lang=\"en\" class=\"dark\">"), "{method} {path}: {}", page.html);
    }
    // The cookie of another port is another choice.
    let page = browser.send("GET", "/console", &[("host", "evil.example:8080")], &[]).await;
    assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(page.html.contains("class=\"dark\""), "{}", page.html);
}

#[tokio::test]
async fn every_form_returns_to_a_page_after_the_scheme_or_the_lock_is_chosen() {
    let routes = include_str!("../../src/console.rs");
    let forms: Vec<&str> = routes
        .split(".route(")
        .filter(|route| route.contains("post("))
        .filter_map(|route| route.split('"').nth(1))
        .filter(|path| !path.starts_with("/console/sign-") && *path != "/console/emulator")
        .collect();
    assert!(forms.len() > 12, "{forms:?}");
    let site = Site::new().await;
    let mut browser = site.unlocked().await;
    let token = browser.get("/console").await.token();
    for form in forms {
        let mut path = form.to_owned();
        for (name, id) in [
            ("{group_id}", "group_ml"),
            ("{user_id}", "user_bob"),
            ("{invite_id}", "invite_1"),
            ("{key_id}", site.key_id.as_str()),
            ("{digest}", "0"),
            ("{name}", "0"),
        ] {
            path = path.replace(name, id);
        }
        for (sent, back) in [("/console/appearance", path.clone()), ("/console/lock", format!("{path}?q=a"))]
        {
            let page = browser.post(sent, &[("token", &token), ("scheme", "dark"), ("back", &back)]).await;
            // No plan and no run has the name 0.
            let missing = path.starts_with("/console/plans/0") || path.starts_with("/console/runs/0");
            let expected = if missing { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(page.status, expected, "{sent} of {path}: {}", page.text());
            let says = page.text().contains("Locked: this session is read-only.");
            assert_eq!(says, sent == "/console/lock", "{sent} of {path} leads to {}", page.path);
        }
    }
    let page = browser.send("PUT", "/console/lock", &[("sec-fetch-site", "same-origin")], &[]).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.text().contains("PUT /console/lock is not served"), "{}", page.text());
}

#[tokio::test]
async fn the_audit_log_names_sign_ins_and_a_live_page_does_not_keep_a_session_alive() {
    let site = Site::new().await;
    let mut browser = site.signed_in().await;
    let text = browser.get("/console/audit?live=yes").await.text();
    assert!(text.contains("ci signed in to the web console"), "{text}");
    for minutes in [20, 9, 2] {
        site.pass(minutes);
        browser.send("GET", "/console/audit?live=yes", &[("x-console-poll", "1")], &[]).await;
    }
    let page = browser.get("/console/audit").await;
    assert!(page.path.starts_with("/console/sign-in"), "31 minutes without use: {}", page.path);
}
