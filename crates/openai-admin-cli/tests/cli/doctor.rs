//! The checks of `doctor`: of a real server, of a closed port, and of a file.

use crate::{
    desk::{Answer, Desk, freeze},
    running::Running,
};

fn examine(desk: &Desk, address: &str, key: &str, arguments: &str) -> Answer {
    let mut command = desk.command(&format!("doctor {arguments}"));
    command.env("OPENAI_ADMIN_KEY", key).env("OPENAI_BASE_URL", format!("{address}/v1"));
    command.env("HTTPS_PROXY", "http://ada:s3cret@127.0.0.1:9");
    Answer::from(command.output().expect("the binary runs"))
}

fn frozen_latency(text: &str) -> String {
    let Some((before, after)) = text.split_once("answers in ") else { return text.to_owned() };
    let (_, after) = after.split_once(" ms").expect("a latency");
    // The width of the columns depends on the latency, so jsonl is used.
    format!("{before}answers in N ms{after}")
}

#[test]
fn a_service_is_examined_with_one_read_of_each_kind() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --log error");
    let key = server.minted_key();
    let created = desk.run("--local acme.db keys create --name x --scope api.groups.read -o json");
    let reader = created.json()["key"].as_str().expect("a key").to_owned();
    let created = desk.run("--local acme.db keys create --name y --scope api.groups.write -o json");
    let writer = created.json()["key"].as_str().expect("a key").to_owned();
    let mut transcript = String::new();
    for key in [&*key, &*reader, &*writer, "sk-admin-wrong-key"] {
        let answer = examine(&desk, &server.address, key, "-o jsonl");
        let text = frozen_latency(&answer.text());
        assert!(!text.contains(key) && !text.contains("s3cret"), "{text}");
        transcript += &format!("{text}\n");
    }
    freeze!(transcript);
    let checks = examine(&desk, &server.address, &key, "-o json").json();
    assert!(checks.as_array().expect("a list").iter().all(|check| check["status"] == "ok"), "{checks}");
}

#[test]
fn an_unreachable_service_is_explained() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --log error");
    let mut transcript = String::new();
    for address in [
        // The port of the discard service is closed.
        "http://127.0.0.1:9",
        "http://example.com",
        "https://ada:s3cret@example.com",
        // This server uses http.
        &server.address.replace("http:", "https:"),
        &format!("{}/wrong", server.address),
    ] {
        let mut command = desk.command("doctor -o jsonl");
        command.env("OPENAI_ADMIN_KEY", "sk-admin-x").env("OPENAI_BASE_URL", format!("{address}/v1"));
        let text = Answer::from(command.output().expect("the binary runs")).text();
        assert!(!text.contains("s3cret"), "{text}");
        transcript += &format!("{}\n", frozen_latency(&text));
    }
    freeze!(transcript);
}

#[test]
fn no_request_is_sent_without_a_key_or_with_a_file() {
    let desk = Desk::with_acme();
    desk.write("junk.db", "no database at all");
    freeze!(desk.transcript(&[
        "doctor",
        "doctor --key-file missing.key -o jsonl",
        "--local acme.db doctor",
        "--local acme.db doctor -o csv",
        "--local acme.db --organization org-other doctor",
        "--local junk.db doctor",
        "--local missing.db doctor -o yaml",
        "--local acme.db --base-url http://127.0.0.1:9 doctor",
    ]));
}
