//! The documentation page is complete, has no external resources, and its links work.

use std::collections::HashSet;

use openai_admin_server::operations;

use crate::support::TestServer;

/// The values of an attribute, as the page writes them.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let mark = format!(" {name}=\"");
    page.split(&mark).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn every_operation_is_on_the_page_and_every_link_has_a_target() {
    let page = TestServer::new().await.get("/docs").await;
    assert_eq!(page.status, 200);
    let page = page.text;
    let ids = attributes(&page, "id");
    let known: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len(), "an id is given twice");
    assert!(ids.iter().all(|id| !id.contains(char::is_whitespace)), "{ids:?}");
    for operation in operations() {
        assert!(known.contains(operation.id), "{} is missing", operation.id);
        assert!(page.contains(&format!("{} /v1{}</code>", operation.method.as_str(), operation.path)));
    }
    let links = attributes(&page, "href");
    assert!(links.len() > 2 * operations().len());
    for link in links {
        let place = link.strip_prefix('#');
        assert!(place.is_some_and(|place| known.contains(place)) || link == "openapi.json", "{link}");
    }
}

#[tokio::test]
async fn the_page_is_one_small_file_and_its_policy_forbids_scripts() {
    let server = TestServer::new().await;
    let page = server.get("/docs").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for loaded in
        ["<script", "<img", "<link", "<iframe", "@import", "url(", "http:", "https:", " style=", " on"]
    {
        let tags = page.text.split('<').filter_map(|part| part.split('>').next()).collect::<Vec<_>>();
        let found = match loaded {
            // Attributes are in tags; the same words may be in sentences.
            " style=" | " on" => tags.iter().any(|tag| tag.contains(loaded)),
            _ => page.text.contains(loaded),
        };
        assert!(!found, "{loaded}");
    }
    assert!(page.text.len() < 4_000 * openai_admin_server::operations().len(), "{} bytes", page.text.len());
    assert_eq!(server.call("HEAD", "/docs", "").await.text, "");
    server.call("POST", "/docs", "").await.assert_error(405, None, None);
}

#[tokio::test]
async fn the_page_is_accessible_to_screen_readers_and_keyboards() {
    let page = TestServer::new().await.get("/docs").await.text;
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
    for once in ["<h1>", "<main id=\"main\">", "<nav aria-label=", "<title>", "href=\"#main\""] {
        assert_eq!(page.matches(once).count(), 1, "{once}");
    }
    assert_eq!(page.matches("<table>").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<th>").count(), 0, "every heading cell has a scope");
    for tag in ["article", "table", "tr", "ul", "li", "div", "p", "pre", "code", "a", "h2", "h3"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "<{tag}>");
    }
}
