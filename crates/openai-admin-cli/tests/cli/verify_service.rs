//! The trials of `verify-service`: at the server, at the emulator with other rules, and killed between requests.

use std::{
    io::{BufRead, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use serde_json::Value;

use crate::{
    desk::{Answer, Desk, freeze},
    emulate::Emulating,
    running::Running,
};

/// Ten rules that the trials can find.
const TEN: [&str; 10] = [
    "already_in_project",
    "already_invited",
    "certificate_active",
    "invalid_certificate",
    "invalid_email",
    "missing_user",
    "not_a_member",
    "not_in_project",
    "unknown_permission",
    "unpublished_event",
];
const KEY: &str = "sk-admin-any-key";

fn desk() -> Desk {
    let desk = Desk::empty().with_variable("OPENAI_ADMIN_STATE", "state");
    desk.copy_example("organization.yaml");
    desk
}

/// The names of the rules with one of these results.
fn rules(rows: &Value, results: &[&str]) -> Vec<String> {
    let is_meant = |row: &&Value| results.contains(&row["result"].as_str().expect("a result"));
    let rows = rows.as_array().expect("a list").iter().filter(is_meant);
    let mut rules: Vec<String> = rows.map(|row| row["rule"].as_str().expect("a name").to_owned()).collect();
    rules.sort();
    rules
}

/// Everything that a verification could leave, as names, and the journals of the desk.
fn left(desk: &Desk, emulating: &Emulating) -> Vec<String> {
    let mut left = Vec::new();
    for list in ["groups list", "roles list", "projects list", "certificates list", "invites list"] {
        let listed = emulating.ask(desk, KEY, &format!("{list} -o json"));
        assert_eq!(listed.status, 0, "{list}: {}", listed.stderr);
        let names = listed.stdout.matches("openai-admin-verify").count();
        left.extend((0..names).map(|_| list.to_owned()));
    }
    let files = std::fs::read_dir(desk.path().join("state")).into_iter().flatten();
    for service in files {
        let journals = std::fs::read_dir(service.expect("a folder").path().join("verify")).expect("a folder");
        let names = journals.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
        left.extend(names.filter(|name| name != "lock"));
    }
    left
}

#[test]
fn the_server_keeps_every_rule() {
    let desk = desk();
    assert_eq!(desk.run("--local acme.db load organization.yaml").status, 0);
    let server = Running::start(&desk, "--local acme.db --log error");
    let key = server.minted_key();
    let desk = desk
        .with_variable("OPENAI_ADMIN_KEY", key.clone())
        .with_variable("OPENAI_BASE_URL", format!("{}/v1", server.address));
    let verified = desk.run("verify-service --yes");
    assert_eq!(verified.status, 0, "{}", verified.text());
    assert!(!verified.text().contains(&key) && !verified.text().contains("@acme"), "{}", verified.text());
    freeze!(verified.text());
}

#[test]
fn switched_rules_are_found_and_no_others() {
    let desk = desk();
    let switches: String = TEN.iter().map(|rule| format!(" --rule {rule}=off")).collect();
    let emulating = Emulating::start(&desk, &format!("--fixtures organization.yaml{switches}"));
    let verified = emulating.ask(&desk, KEY, "verify-service --yes -o json");
    assert_eq!(verified.status, 2, "{}", verified.text());
    let rows = verified.json();
    assert_eq!(rules(&rows, &["different", "other_answer", "unclear"]), TEN);
    assert_eq!(rules(&rows, &["different"]), TEN);
    assert_eq!(left(&desk, &emulating), Vec::<String>::new());

    let requests = emulating.ask(&desk, KEY, "verify-service --yes --markdown");
    assert!(requests.stdout.starts_with("# Rules of the service"), "{}", requests.text());
    assert!(requests.stdout.contains("| different | `not_a_member` |"), "{}", requests.text());
}

#[test]
fn the_number_of_requests_is_at_most_the_announced_one() {
    for switches in [String::new(), TEN.iter().map(|rule| format!(" --rule {rule}=off")).collect()] {
        let desk = desk();
        let emulating = Emulating::start(&desk, &format!("--fixtures organization.yaml{switches}"));
        let text = emulating.ask(&desk, KEY, "verify-service --yes").stderr;
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        let numbers = words.windows(2).filter(|pair| pair[1] == "requests");
        let numbers: Vec<usize> = numbers.map(|pair| pair[0].parse().expect("a number")).collect();
        let [announced, sent] = numbers[..] else { panic!("two numbers of requests: {text}") };
        assert!(sent <= announced, "{text}");
    }
}

/// The number of kills, spread over all requests.
const KILLS: usize = 10;

#[test]
fn a_verification_killed_anywhere_is_cleaned_up() {
    let desk = desk();
    let emulating = Emulating::start(&desk, "--fixtures organization.yaml");
    let proxy = Proxy::start(emulating.address(), usize::MAX);
    assert_eq!(proxy.run(&desk, "verify-service --yes -q").status, 0);
    let requests = proxy.count.load(Ordering::SeqCst);
    for kill in 1..=KILLS {
        let number = requests * kill / KILLS;
        let proxy = Proxy::start(emulating.address(), number);
        let mut child = proxy.command(&desk, "verify-service --yes -q").spawn().expect("it starts");
        proxy.reached.recv().expect("the request");
        child.kill().expect("SIGKILL");
        child.wait().expect("an end");
        let cleaned = proxy.run(&desk, "verify-service --clean-up --yes");
        assert_eq!(cleaned.status, 0, "request {number}: {}", cleaned.text());
        assert_eq!(left(&desk, &emulating), Vec::<String>::new(), "request {number}");
    }
}

#[test]
fn the_next_start_cleans_up_first() {
    let desk = desk();
    let emulating = Emulating::start(&desk, "--fixtures organization.yaml");
    let proxy = Proxy::start(emulating.address(), 3);
    let mut child = proxy.command(&desk, "verify-service --yes -q").spawn().expect("it starts");
    proxy.reached.recv().expect("the request");
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
    assert_ne!(left(&desk, &emulating), Vec::<String>::new());
    let next = proxy.run(&desk, "verify-service --yes -o json");
    assert_eq!(next.status, 0, "{}", next.text());
    assert!(next.stderr.contains("First removes what 1 earlier verification left."), "{}", next.stderr);
    assert_eq!(left(&desk, &emulating), Vec::<String>::new());
}

#[test]
fn a_stopped_verification_removes_everything() {
    let desk = desk();
    let emulating = Emulating::start(&desk, "--fixtures organization.yaml");
    let proxy = Proxy::start(emulating.address(), 3);
    let child =
        proxy.command(&desk, "verify-service --yes -q").stderr(Stdio::piped()).spawn().expect("it starts");
    proxy.reached.recv().expect("the request");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    let stopped = Answer::from(child.wait_with_output().expect("an end"));
    assert_eq!((stopped.status, &*stopped.stderr), (130, "error: stopped; everything was removed\n"));
    assert_eq!(left(&desk, &emulating), Vec::<String>::new());
}

#[test]
fn nothing_is_sent_without_consent() {
    let desk = desk();
    let emulating = Emulating::start(&desk, "--fixtures organization.yaml");
    let proxy = Proxy::start(emulating.address(), usize::MAX);
    let refused = proxy.run(&desk, "verify-service");
    assert_eq!((refused.status, proxy.count.load(Ordering::SeqCst)), (64, 0), "{}", refused.text());
}

/// A proxy that counts requests. It withholds the response of one request, and reports that it has arrived.
struct Proxy {
    address: String,
    reached: Receiver<()>,
    count: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(service: String, number: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (sender, reached) = channel();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (service, sender, count) = (service.clone(), sender.clone(), Arc::clone(&count));
                thread::spawn(move || {
                    forward(client.expect("a connection"), &service, number, &sender, &count)
                });
            }
        });
        Self { address, reached, count: counted }
    }

    /// A command at the address of the proxy, because journals belong to a base URL.
    fn command(&self, desk: &Desk, arguments: &str) -> Command {
        let mut command = desk.command(arguments);
        command.env("OPENAI_ADMIN_KEY", KEY).env("OPENAI_BASE_URL", format!("http://{}/v1", self.address));
        command
    }

    fn run(&self, desk: &Desk, arguments: &str) -> Answer {
        Answer::from(self.command(desk, arguments).output().expect("the binary runs"))
    }
}

/// Forwards the requests of a connection, one at a time.
fn forward(client: TcpStream, service: &str, number: usize, reached: &Sender<()>, count: &AtomicUsize) {
    let server = TcpStream::connect(service).expect("the service listens");
    let (mut requests, mut responses) = (BufReader::new(&client), BufReader::new(&server));
    while let Some(request) = message(&mut requests) {
        (&server).write_all(&request).expect("sent");
        let response = message(&mut responses).expect("a response");
        if count.fetch_add(1, Ordering::SeqCst) + 1 == number {
            // The client is killed and needs no response.
            let _ = reached.send(());
            let _ = client.peek(&mut [0]);
            return;
        }
        if (&client).write_all(&response).is_err() {
            return;
        }
    }
}

/// A message of HTTP/1.1 with a length. None at the end of the connection.
fn message(stream: &mut impl BufRead) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        bytes.extend_from_slice(line.as_bytes());
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(bytes)
}
