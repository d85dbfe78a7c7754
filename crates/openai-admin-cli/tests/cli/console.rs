use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Stdio},
};

use crate::desk::Desk;

/// A console of the acme organization.
struct Console {
    process: Child,
    /// The address and the path of the link.
    address: String,
    path: String,
}

impl Drop for Console {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Console {
    fn start(desk: &Desk) -> Self {
        let mut command = desk.command("--local acme.db console --no-browser");
        let mut process = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut line = String::new();
        let stderr = process.stderr.take().expect("standard error");
        BufReader::new(stderr).read_line(&mut line).expect("a line");
        let url = line.trim().split_once("http://").expect("a URL").1;
        let (address, path) = url.split_once('/').expect("a path");
        Self { process, address: address.to_owned(), path: format!("/{path}") }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

#[test]
fn the_console_of_a_file_prints_a_link_that_signs_in_by_a_form() {
    let desk = Desk::with_acme();
    let console = Console::start(&desk);
    assert!(console.path.starts_with("/console/sign-in/link?secret="), "{}", console.path);
    let page = console.get(&console.path);
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("Continue"), "{page}");
    assert!(console.get("/console").starts_with("HTTP/1.1 303 See Other"));
    assert!(console.get("/v1/organization/groups").starts_with("HTTP/1.1 401"));
}

#[test]
fn the_console_of_a_file_is_for_this_machine_only() {
    let answer = Desk::with_acme().run("--local acme.db console --listen 0.0.0.0:0");
    assert_eq!(answer.status, 64, "{}", answer.stderr);
    assert!(answer.stderr.contains("other machines can reach 0.0.0.0:0"), "{}", answer.stderr);
}

#[test]
fn a_missing_file_is_not_created() {
    let desk = Desk::empty();
    let answer = desk.run("--local missing.db console --no-browser");
    assert_eq!(answer.status, 6, "{}", answer.stderr);
    assert!(answer.stderr.contains("missing.db does not exist"), "{}", answer.stderr);
    assert!(!desk.path().join("missing.db").exists());
}

/// The commands in the templates of the console, with `x` instead of values.
fn shown_commands() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../openai-admin-console/templates");
    let mut commands = Vec::new();
    for file in std::fs::read_dir(folder).expect("the templates") {
        let mut html = std::fs::read_to_string(file.expect("a file").path()).expect("a template");
        while let Some((start, rest)) = html.split_once("{{") {
            html = format!("{start}x{}", rest.split_once("}}").expect("the end of a value").1);
        }
        let shown = html.split("<code").filter_map(|code| code.split_once("openai-admin "));
        commands.extend(shown.map(|(_, rest)| rest.split('<').next().unwrap_or_default().to_owned()));
    }
    commands
}

#[test]
fn every_command_that_a_page_shows_exists() {
    let desk = Desk::empty();
    let commands = shown_commands();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let help = desk.run(&format!("{command} --help"));
        assert_eq!(help.status, 0, "{command}: {}", help.stderr);
    }
}
