use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread,
};

use crate::desk::{Desk, freeze};

#[test]
fn lists_and_shows_users() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db users list --limit 3",
        "--local acme.db users list --email ADA@example.com --email user@nowhere -o json",
        "--local acme.db users list --email user@nowhere",
        "--local acme.db users get nightly-eval@example.com",
        "--local acme.db users get user_ada -o json",
        "--local acme.db users groups ada@example.com",
        "--local acme.db users groups user_mei",
        "--local acme.db users groups user_mei -o json",
    ]));
}

#[test]
fn creates_updates_and_removes_a_user() {
    freeze!(Desk::empty().transcript(&[
        "--local new.db users create kay@example.com --name \"Kay McNulty\" --id user_kay",
        "--local new.db users create --service-account --name Nightly -o json",
        "--local new.db users update kay@example.com --role owner",
        "--local new.db users update user_kay --technical-level expert -o json",
        "--local new.db users remove kay@example.com",
        "--local new.db users remove kay@example.com --yes",
        "--local new.db users create joan@example.com --name Joan --id user_joan",
        "--local new.db users update joan@example.com --role owner",
        "--local new.db users remove kay@example.com --yes",
        "--local new.db users get user_kay",
    ]));
}

#[test]
fn an_id_may_look_like_an_address() {
    let desk = Desk::empty();
    desk.write(
        "corp.yaml",
        "users:\n  - { id: ada@corp, email: ada@example.com }\n  - { id: b, email: bob@corp }\n  - { id: bob@corp }\n\
         groups: [{ id: group_a, name: A }]\n",
    );
    desk.run("--local corp.db load corp.yaml");
    for (named, id) in [("ada@corp", "ada@corp"), ("ADA@example.com", "ada@corp"), ("bob@corp", "b")] {
        let found = desk.run(&format!("--local corp.db users get {named} -o json"));
        assert_eq!(found.status, 0, "{}", found.stderr);
        assert_eq!(found.json()["id"], id, "an address takes precedence over an id");
    }
    let added = desk.run("--local corp.db groups users add group_a ada@corp nobody@corp");
    assert_eq!(added.status, 3, "{}", added.stderr);
}

#[test]
fn an_invalid_user_command_is_explained() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db users get ada@exampel.com",
        "--local acme.db users get ada",
        "--local acme.db users get user_kavia",
        "--local acme.db users groups user_nobody",
        "--local acme.db users get ..",
        "--local acme.db users create ada@example.com --name Ada",
        "--local acme.db users create nobody --name Nobody",
        "--local acme.db users create --name Nobody",
        "--local acme.db users update user_ada",
        "--local acme.db users update user_ada --role boss",
        "--local acme.db users update user_ada --role-id role_x",
    ]));
}

/// A service with one page that announces more, and then an error.
fn service_of_one_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let user = r#"{"object":"organization.user","id":"user_1","name":"Ada","email":"ada@example.com","role":"reader","added_at":1}"#;
        let page = format!(
            r#"{{"object":"list","data":[{user}],"first_id":"user_1","last_id":"user_1","has_more":true}}"#
        );
        for (status, body) in [("200 OK", page.as_str()), ("400 Bad Request", "{}")] {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut head = BufReader::new(stream.try_clone().expect("the same connection"));
            let mut line = String::new();
            while head.read_line(&mut line).expect("text") > 2 {
                line.clear();
            }
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
            write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("an answer");
        }
    });
    format!("http://{address}/v1")
}

#[test]
fn a_line_based_format_is_written_page_by_page() {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_KEY", "sk-admin-0123456789abcdef0123456789");
    let list =
        |format: &str| desk.run(&format!("--base-url {} users list -o {format}", service_of_one_page()));
    let lines = list("jsonl");
    assert_eq!((lines.status, lines.stdout.lines().count()), (1, 1), "{}", lines.stderr);
    let rows = list("csv");
    assert_eq!((rows.status, rows.stdout.lines().count()), (1, 2), "{}", rows.stderr);
    // A single document is complete or absent.
    let document = list("json");
    assert_eq!((document.status, document.stdout.as_str()), (1, ""), "{}", document.stderr);
}

#[test]
fn users_are_found_by_the_beginning_of_a_word() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db users search whit",
        "--local acme.db users search EMRE@",
        "--local acme.db users search example.com --limit 1 -o csv",
        "--local acme.db users search nobody",
        "--local acme.db users search nobody -o json",
        "--local acme.db users search \"\"",
    ]));
}

#[test]
fn a_dry_run_of_a_removal_says_what_it_would_do() {
    let desk = Desk::with_acme();
    desk.run("--local acme.db keys create --name ci");
    desk.run("--local acme.db projects create --name Atlas");
    let before = desk.run("--local acme.db audit-logs list -o json").stdout;
    freeze!(desk.transcript(&[
        "--local acme.db users remove ada@example.com --dry-run",
        "--local acme.db users remove ada@example.com --dry-run -o json",
        "--local acme.db users remove user_nobody --dry-run",
        "--local acme.db groups delete \"ML Research\" --dry-run",
        "--local acme.db keys revoke ci --dry-run",
        "--local acme.db keys revoke other --dry-run",
        "--local acme.db roles delete role_nothing --dry-run",
        "--local acme.db projects archive proj_nothing --dry-run",
    ]));
    assert_eq!(desk.run("--local acme.db audit-logs list -o json").stdout, before);
}
