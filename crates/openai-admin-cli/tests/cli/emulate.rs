//! The emulator as a process: its first line, its options and its errors.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::desk::{Answer, Desk, freeze};

pub(crate) struct Emulating {
    child: Child,
    url: String,
}

impl Emulating {
    pub(crate) fn start(desk: &Desk, arguments: &str) -> Self {
        Self::spawn(desk.command(&format!("emulate --listen 127.0.0.1:0 {arguments}")))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the emulator starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let started: Value = serde_json::from_str(&line).expect("one line of JSON");
        let url = started["url"].as_str().expect("a URL").to_owned();
        assert_eq!(started["controls"].as_str(), Some(&*url.replace("/v1", "/_emulator")));
        Self { child, url }
    }

    /// The host and the port.
    pub(crate) fn address(&self) -> String {
        self.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned()
    }

    /// Sends a signal and waits for the end. Returns the exit code.
    fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill runs").success());
        self.child.wait().expect("an end").code()
    }

    /// Runs a command against the emulator with this key.
    pub(crate) fn ask(&self, desk: &Desk, key: &str, arguments: &str) -> Answer {
        let mut command = desk.command(arguments);
        command.env("OPENAI_ADMIN_KEY", key).env("OPENAI_BASE_URL", &self.url);
        Answer::from(command.output().expect("the binary runs"))
    }
}

impl Drop for Emulating {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn acme() -> Desk {
    let desk = Desk::empty();
    desk.copy_example("organization.yaml");
    desk
}

#[test]
fn any_key_works_with_the_fixtures() {
    let desk = acme();
    let mut emulating = Emulating::start(&desk, "--fixtures organization.yaml");
    let listed = emulating.ask(&desk, "any-key", "groups users list \"Support Team\" -o json");
    assert_eq!(listed.status, 0, "{}", listed.stderr);
    assert_eq!(listed.json()[0]["id"].as_str().map(|id| id.starts_with("user_")), Some(true));

    assert_eq!(emulating.end("-TERM"), Some(0));
}

#[test]
fn a_hangup_ends_the_emulator_except_under_nohup() {
    let desk = acme();
    assert_eq!(Emulating::start(&desk, "").end("-HUP"), Some(0));

    let plain = desk.command("emulate --listen 127.0.0.1:0");
    let mut nohup = Command::new("nohup");
    nohup.arg(plain.get_program()).args(plain.get_args()).stderr(Stdio::null());
    if let Some(folder) = plain.get_current_dir() {
        nohup.current_dir(folder);
    }
    let mut emulating = Emulating::spawn(nohup);
    let id = emulating.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().expect("kill runs").success());
    assert_eq!(emulating.ask(&desk, "k", "groups list").status, 0);
    assert_eq!(emulating.end("-TERM"), Some(0));
}

#[test]
fn a_port_is_enough() {
    let desk = acme();
    for arguments in ["--port 0", "--listen 0"] {
        let emulating = Emulating::spawn(desk.command(&format!("emulate {arguments}")));
        assert!(emulating.url.starts_with("http://127.0.0.1:"), "{}", emulating.url);
        assert_eq!(emulating.ask(&desk, "k", "groups list").status, 0);
    }
}

#[test]
fn the_emulator_listens_on_other_addresses_if_allowed() {
    let desk = acme();
    let listening = desk.command("emulate --listen 0.0.0.0:0 --allow-remote --allow-host emulator.example");
    let emulating = Emulating::spawn(listening);
    assert!(emulating.url.starts_with("http://127.0.0.1:"), "{}", emulating.url);
    assert_eq!(emulating.ask(&desk, "k", "groups list").status, 0);
}

#[test]
fn isolated_keys_have_separate_organizations() {
    let desk = acme();
    let emulating = Emulating::start(&desk, "--fixtures organization.yaml --isolate-by-key");
    let deleted = emulating.ask(&desk, "one", "groups delete \"Support Team\" --yes");
    assert_eq!(deleted.status, 0, "{}", deleted.stderr);
    assert_eq!(emulating.ask(&desk, "one", "groups get \"Support Team\"").status, 6);
    assert_eq!(emulating.ask(&desk, "two", "groups get \"Support Team\"").status, 0);
}

#[test]
fn only_required_keys_are_valid() {
    let desk = acme();
    desk.write("keys", "sk-one\nsk-two\n");
    let mut by_environment = desk.command("emulate --listen 127.0.0.1:0");
    by_environment.env("OPENAI_ADMIN_REQUIRE_KEYS", "sk-one sk-two");
    for emulating in [Emulating::start(&desk, "--require-key-file keys"), Emulating::spawn(by_environment)] {
        let statuses =
            ["sk-one", "sk-two", "sk-three"].map(|key| emulating.ask(&desk, key, "groups list").status);
        assert_eq!(statuses, [0, 0, 4]);
    }
}

#[test]
fn a_key_is_never_an_argument() {
    let desk = acme();
    let refused = desk.run("emulate --listen 127.0.0.1:0 --require-key sk-secret");
    assert_eq!(refused.status, 64);
    assert!(refused.stderr.contains("--require-key-file FILE"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("sk-secret"), "{}", refused.stderr);
}

#[test]
fn an_invalid_fault_file_is_reported_with_its_line() {
    let desk = acme();
    desk.write("faults.yaml", "rules:\n  - fault: { kind: status }\n  - operatoin: x\n");
    let refused = desk.run("emulate --listen 127.0.0.1:0 --faults faults.yaml");
    let first = refused.stderr.lines().next().unwrap_or_default();
    assert_eq!(first, "error: faults.yaml:2:5: missing field `status`", "{}", refused.stderr);
    desk.write("faults.yaml", "rules:\n  - operatoin: x\n");
    let refused = desk.run("emulate --listen 127.0.0.1:0 --faults faults.yaml");
    assert!(refused.stderr.contains("faults.yaml:2:"), "{}", refused.stderr);
    assert!(refused.stderr.contains("did you mean `operation`?"), "{}", refused.stderr);
}

#[test]
fn faults_come_from_a_file_and_from_a_profile() {
    let desk = acme();
    desk.write(
        "faults.yaml",
        "rules: [{ operation: list-groups, count: 1, fault: { kind: status, status: 500 } }]",
    );
    let emulating = Emulating::start(&desk, "--faults faults.yaml --seed 1");
    let statuses = [1, 2].map(|_| emulating.ask(&desk, "k", "groups list --retries 0").status);
    assert_eq!(statuses, [1, 0]);
    let limited = Emulating::start(&desk, "--profile production-like --seed 1");
    let statuses: Vec<i32> =
        (0..8).map(|_| limited.ask(&desk, "k", "groups list --retries 0").status).collect();
    assert_eq!(statuses, [0, 0, 0, 0, 0, 0, 0, 7]);
}

#[test]
fn a_file_keeps_the_organization() {
    let desk = acme();
    let emulating = Emulating::start(&desk, "--local kept.db --fixtures organization.yaml");
    let created = emulating.ask(&desk, "k", "groups create \"New Team\"");
    assert_eq!(created.status, 0, "{}", created.stderr);
    drop(emulating);
    assert_eq!(desk.run("--local kept.db groups get \"New Team\"").status, 0);
}

#[test]
fn refused_options_have_a_hint() {
    let desk = acme();
    desk.write("wrong.yaml", "groups:\n  - name: Support\n    members: [nobody@example.com]\n");
    desk.write("faults.yaml", "rules: [{ operation: add-group-usr, fault: { kind: truncated } }]");
    let mut refused = String::new();
    for arguments in [
        "--listen 0.0.0.0:8080",
        "--listen nowhere",
        "--require-key sk-one",
        "--require-key-file missing",
        "--allow-host emulator:8080",
        "--fixtures missing.yaml",
        "--fixtures wrong.yaml",
        "--faults faults.yaml",
        "--clock tomorrow",
        "--profile nice",
        "--database postgres://localhost/x",
    ] {
        let listen = if arguments.contains("--listen") { "" } else { "--listen 127.0.0.1:0 " };
        refused += &desk.run(&format!("emulate {listen}{arguments}")).text();
    }
    freeze!(refused);
}
