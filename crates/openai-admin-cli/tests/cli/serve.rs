//! A real server on a real port, called by a second process.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    mem,
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    desk::{Answer, BINARY, Desk, freeze},
    running::Running,
};

fn ask(desk: &Desk, address: &str, key: &str, arguments: &str) -> Answer {
    let mut command = desk.command(arguments);
    command.env("OPENAI_ADMIN_KEY", key).env("OPENAI_BASE_URL", format!("{address}/v1"));
    Answer::from(command.output().expect("the binary runs"))
}

#[test]
fn another_process_can_use_the_first_key() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db");
    let key = server.minted_key();
    freeze!(&server.greeting);

    let added = ask(&desk, &server.address, &key, "groups users add \"Support Team\" mei@example.com");
    assert_eq!(added.status, 0, "{}", added.stderr);
    let listed = ask(&desk, &server.address, &key, "groups users list \"Support Team\" -o json");
    assert_eq!(listed.json()[0]["id"], "user_mei");

    let mut refused = String::new();
    for (key, arguments) in [("sk-admin-wrong", "groups list"), (&*key, "groups get \"Suport Team\"")] {
        refused += &ask(&desk, &server.address, key, arguments).text();
    }
    freeze!(refused);

    let (status, log) = server.stop();
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
    assert!(!log.contains(&key) && !log.contains("@example.com"), "{log}");
}

#[test]
fn a_given_key_is_stored_and_no_first_key_is_created() {
    let desk = Desk::empty();
    desk.write("admin.key", "any text will do\n".replace(' ', "-"));
    let server = Running::start(&desk, "--key-file admin.key --log error");
    assert_eq!(server.greeting, "");
    let created = ask(&desk, &server.address, "any-text-will-do", "groups create A");
    assert_eq!(created.status, 0, "{}", created.stderr);
    // A key that is created while the server runs is valid at once, with its scopes only.
    let minted = desk.run("keys create --name reader --scope api.groups.read -o json").json();
    let reader = minted["key"].as_str().unwrap();
    assert_eq!(ask(&desk, &server.address, reader, "groups list").status, 0);
    freeze!(ask(&desk, &server.address, reader, "groups create B").text());
    let invalid_url = format!("--base-url {}/v2 groups list", server.address);
    freeze!(ask(&desk, &server.address, reader, &invalid_url).text());
    assert_eq!(server.stop(), (Some(0), String::new()));

    let server = Running::start(&desk, "--log error");
    let greeting =
        format!("clients need one of its 2 keys; `{BINARY} keys create --name NAME` creates another\n");
    assert_eq!(server.greeting, greeting);
    assert_eq!(ask(&desk, &server.address, reader, "groups list -q").status, 0);
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_missing_scope_is_named() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --log error");
    let minted = |scope: &str| {
        let created =
            desk.run(&format!("--local acme.db keys create --name {scope} --scope {scope} -o json"));
        created.json()["key"].as_str().expect("a key").to_owned()
    };
    let writer = minted("api.groups.write");
    let mut transcript = String::new();
    let add = "groups users add group_support jonas@example.com";
    let dry_run = "groups users add group_support user_jonas user_x --dry-run";
    for (key, address, arguments) in [
        (&*minted("api.groups.read"), &server.address, add),
        (&*minted("api.groups.read"), &server.address, dry_run),
        (&*writer, &server.address, "groups list"),
        ("sk-admin-and-then-something-else", &server.address, "groups list"),
        (&*writer, &server.address.replace("http:", "https:"), "groups list"),
    ] {
        transcript += &ask(&desk, address, key, arguments).text();
    }
    freeze!(transcript);
}

#[test]
fn the_groups_of_a_user_are_found_without_the_operation() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --log error");
    let key = server.minted_key();
    let published = published_api_of(&server);
    let mut transcript = String::new();
    for arguments in [
        "users groups jonas@example.com",
        "users groups user_jonas --order desc --limit 2",
        "users groups user_jonas --after group_staff",
        "users groups user_mei",
        "users groups user_nobody",
    ] {
        let output = ask(&desk, &published, &key, arguments).text();
        transcript += &format!("$ openai-admin {arguments}\n{output}\n");
    }
    freeze!(transcript);
}

/// The address of a proxy that refuses unpublished operations like OpenAI does.
fn published_api_of(server: &Running) -> String {
    let own = server.address.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let own = own.clone();
            thread::spawn(move || pass_on(&mut client, &own));
        }
    });
    address
}

/// Handles one request.
fn pass_on(client: &mut TcpStream, own: &str) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        head += &mem::take(&mut line);
    }
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    if path.contains("/users/") && path.ends_with("/groups") {
        let body =
            format!(r#"{{"error":{{"message":"Invalid URL ({path})","type":"invalid_request_error"}}}}"#);
        let length = body.len();
        return write!(
            client,
            "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
    }
    let mut service = TcpStream::connect(own)?;
    write!(service, "{head}connection: close\r\n\r\n")?;
    io::copy(&mut service, client).map(drop)
}

#[test]
fn a_stored_key_keeps_its_scopes() {
    let desk = Desk::empty();
    let minted = desk.run("keys create --name ci --scope api.groups.read -o json").json();
    desk.write("ci.key", minted["key"].as_str().unwrap());
    let server = Running::start(&desk, "--key-file ci.key --log error");
    freeze!(&server.greeting);
    let created = ask(&desk, &server.address, minted["key"].as_str().unwrap(), "groups create A");
    assert_eq!(created.status, 4, "{}", created.stderr);
    assert_eq!(server.stop().0, Some(0));
    desk.run("keys revoke ci --yes");
    freeze!(desk.transcript(&["serve --listen 127.0.0.1:0 --key-file ci.key"]));
}

#[test]
fn a_rate_limited_client_gets_a_hint() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --requests-per-minute 2 --log error");
    let key = server.minted_key();
    let users = "user_ada user_bjorn user_hiroshi user_ines user_jonas user_kavya user_mei";
    let answer = ask(
        &desk,
        &server.address,
        &key,
        &format!("groups users add group_support {users} -o json --retries 0"),
    );
    assert_eq!(answer.status, 7, "{}", answer.stderr);
    let answer = ask(&desk, &server.address, &key, "groups list --retries 0");
    assert_eq!(answer.status, 7, "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: retry in"), "{}", answer.stderr);
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn unsafe_or_invalid_options_are_refused() {
    let desk = Desk::empty();
    desk.write("short.key", "x".repeat(23));
    freeze!(desk.transcript(&[
        "serve --listen 0.0.0.0:0",
        "serve --listen [::]:0 --tls-cert cert.pem",
        "serve --tls-key key.pem",
        "serve --tls-cert cert.pem --tls-key key.pem",
        "--key-file short.key serve --listen 0.0.0.0:0 --behind-proxy",
        "serve --listen nowhere",
        "serve --listen 8080",
        "serve --database .",
        "serve --log inof",
        "serve --requests-per-minute 0",
        "serve --base-url http://127.0.0.1:8080/v1",
        "serve --organization org-unknown",
    ]));
    let server = Running::start_on("0.0.0.0:0", &desk, "--behind-proxy");
    assert_eq!(server.stop().0, Some(0));
    let server = Running::start_on("localhost:0", &desk, "");
    assert_eq!(server.stop().0, Some(0));
}

/// The message is retried once the queue has space.
#[cfg(target_os = "linux")]
#[test]
fn a_service_manager_that_does_not_read_blocks_neither_start_nor_stop() {
    use std::os::unix::net::UnixDatagram;
    let desk = Desk::empty();
    let socket = desk.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    let fill = || while other.send_to(b"WATCHDOG=1", &socket).is_ok() {};
    let desk = desk.with_variable("NOTIFY_SOCKET", socket.display().to_string());

    fill();
    let server = Running::start(&desk, "--log warn");
    let key = server.minted_key();
    assert_eq!(ask(&desk, &server.address, &key, "groups list").status, 0);
    let mut state = [0; 64];
    while !state.starts_with(b"READY=1") {
        let _ = manager.recv(&mut state).expect("READY=1 arrives in time");
    }

    fill();
    let (status, log) = server.stop();
    assert!(status == Some(0) && log.contains("cannot notify the service manager of STOPPING=1"), "{log}");
}

/// The protocol of systemd's `Type=notify`.
#[cfg(target_os = "linux")]
#[test]
fn a_service_manager_is_notified_of_start_and_stop() {
    let desk = Desk::empty();
    let socket = desk.path().join("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let received = || {
        let mut state = [0; 64];
        let length = manager.recv(&mut state).unwrap();
        String::from_utf8(state[..length].to_vec()).unwrap()
    };
    let desk = desk.with_variable("NOTIFY_SOCKET", socket.display().to_string());
    let server = Running::start(&desk, "--log error");
    assert_eq!(received(), "READY=1");
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(received(), "STOPPING=1");
}

#[test]
fn a_json_log_is_json_from_its_first_line_and_has_request_ids() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --log-format json --admin-listen 127.0.0.1:0");
    let key = server.minted_key();
    let greeting = format!("{}{}", server.greeting, server.listening);
    assert!(greeting.lines().count() == 3 && !greeting.contains(&key), "{greeting}");
    let failed = ask(&desk, &server.address, &key, "groups get group_unknown");
    let (status, log) = server.stop();
    assert_eq!(status, Some(0), "{log}");
    let from_the_first = format!("{greeting}{log}");
    let lines: Vec<serde_json::Value> =
        from_the_first.lines().map(|line| serde_json::from_str(line).expect("a JSON document")).collect();
    let answered = |operation: &str| {
        let line = lines.iter().find(|line| line["operation"] == operation);
        line.unwrap_or_else(|| panic!("no {operation} in {log}"))
    };
    let request_id = answered("retrieve-group")["request_id"].as_str().unwrap();
    assert!(failed.stderr.contains(request_id) || request_id.starts_with("req_"), "{}", failed.stderr);
    assert_eq!(answered("retrieve-group")["status"], 404);
    assert!(answered("retrieve-group")["key"].as_str().unwrap().starts_with("key_"));
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
    assert!(!log.contains(&key), "{log}");
}

#[test]
fn admin_ready_is_a_health_check() {
    let desk = Desk::empty();
    let server = Running::start(&desk, "--admin-listen 127.0.0.1:0 --log error");
    let ready = desk.run(&format!("admin ready {}", server.admin_address()));
    assert_eq!((ready.status, ready.stderr.as_str()), (0, "ready\n"));
    let address = server.admin_address().to_owned();
    let desk = desk.with_variable("OPENAI_ADMIN_ADMIN_LISTEN", &address);
    assert_eq!(desk.run("admin ready").status, 0);
    assert_eq!(server.stop().0, Some(0));
    for wait in ["", " --wait 1ms"] {
        let gone = desk.run(&format!("admin ready{wait}"));
        assert!(gone.status == 1 && gone.stderr.contains("cannot connect to"), "{}", gone.stderr);
    }
}

#[test]
fn admin_ready_waits_until_the_server_is_ready() {
    let desk = Desk::empty();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = std::thread::spawn(move || {
        for answer in
            ["503 Service Unavailable\r\n\r\ndraining\n"; 3].iter().chain(&["200 OK\r\n\r\nready\n"])
        {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                std::io::Read::read_exact(&mut stream, &mut byte).unwrap();
                request.push(byte[0]);
            }
            std::io::Write::write_all(&mut stream, format!("HTTP/1.1 {answer}").as_bytes()).unwrap();
        }
    });
    let failed = desk.run(&format!("admin ready {address}"));
    let told = format!("error: {address} is not ready: draining\n");
    assert_eq!((failed.status, failed.stderr), (1, told));
    let ready = desk.run(&format!("admin ready {address} --wait 10m"));
    assert_eq!((ready.status, ready.stderr.as_str()), (0, "ready\n"));
    answers.join().unwrap();
}

#[test]
fn a_start_waits_for_a_database_only_as_long_as_it_may() {
    let desk = Desk::empty();
    // Nothing listens on the discard port.
    let start = "serve --listen 127.0.0.1:0 --database postgres://admin@127.0.0.1:9/none";
    let failed = desk.run(&format!("{start} --wait-for-database 1ms"));
    assert!(failed.status != 0 && failed.stderr.contains("the database is unavailable"), "{}", failed.stderr);
    let mut waiting = desk.command(&format!("{start} --wait-for-database 10m"));
    let mut waiting = waiting.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut log = std::io::BufReader::new(waiting.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("waiting for it for at most 600 s") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut log, &mut line).unwrap() > 0, "it ended");
    }
    // A signal ends the wait.
    let sent = std::process::Command::new("kill").arg(waiting.id().to_string()).status();
    assert!(sent.unwrap().success());
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
}

#[test]
fn a_short_key_is_refused_outside_loopback() {
    let desk = Desk::empty();
    desk.write("short.key", "x".repeat(23));
    desk.write("long.key", "x".repeat(24));
    let server = Running::start(&desk, "--key-file short.key");
    assert_eq!(server.stop().0, Some(0));
    // The short key is stored now, and stays stored without the option.
    freeze!(desk.transcript(&["serve --listen 0.0.0.0:0 --behind-proxy", "serve --behind-proxy"]));
    let server = Running::start_on("0.0.0.0:0", &desk, "--behind-proxy --key-file long.key");
    assert_eq!(server.stop().0, Some(0));
    let server = Running::start_on("0.0.0.0:0", &desk, "--behind-proxy");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_failed_start_is_logged_as_json() {
    let desk = Desk::empty();
    let answer = desk.run("serve --log-format json --listen 0.0.0.0:0");
    assert_eq!((answer.status, answer.stderr.lines().count()), (64, 1), "{}", answer.stderr);
    let line: serde_json::Value = serde_json::from_str(&answer.stderr).expect("a JSON document");
    assert!(
        line["message"].as_str().is_some_and(|message| message.contains("other machines can reach")),
        "{line}"
    );
    assert!(line["hint"].as_str().is_some_and(|hint| hint.contains("--behind-proxy")), "{line}");
}

#[cfg(unix)]
#[test]
fn the_first_key_is_in_a_private_file_and_not_in_the_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::empty();
    // A link in its place is replaced, not followed.
    desk.write("victim.txt", "untouched");
    std::os::unix::fs::symlink("victim.txt", desk.path().join("openai-admin.db.first-key")).expect("a link");
    let server = Running::start(&desk, "");
    let (file, key) = (server.key_file(), server.minted_key());
    let metadata = fs::symlink_metadata(&file).expect("a file");
    assert!(metadata.is_file(), "no link");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert!(key.starts_with("sk-admin-oadm-") && !server.greeting.contains(&key), "{}", server.greeting);
    let listed = desk
        .run(&format!("--base-url {}/v1 --key-file openai-admin.db.first-key groups list", server.address));
    assert_eq!(listed.status, 0, "{}", listed.stderr);
    let (status, log) = server.stop();
    assert!(status == Some(0) && !log.contains(&key), "{log}");
    assert_eq!(fs::read_to_string(desk.path().join("victim.txt")).expect("a file"), "untouched");
}

#[cfg(unix)]
#[test]
fn a_hangup_does_not_end_a_server() {
    let desk = Desk::empty();
    let mut server = Running::start(&desk, "");
    server.signal("HUP");
    let line = server.next_line_with("SIGHUP");
    assert!(line.contains("nothing to reload"), "{line}");
    let (status, log) = server.stop();
    assert!(status == Some(0) && log.contains("stopped"), "{log}");
}

/// A server with a limit of open files.
#[cfg(unix)]
fn with_open_files(desk: &Desk, open_files: u32) -> Command {
    let serve = desk.command("serve --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --log error");
    let mut command = Command::new("sh");
    command.current_dir(desk.path()).env_clear().stdin(Stdio::null());
    command.arg("-c").arg(format!("ulimit -n {open_files}; exec \"$@\"")).arg("sh").arg(serve.get_program());
    command.args(serve.get_args());
    command
}

#[cfg(unix)]
#[test]
fn health_checks_work_when_all_connections_are_in_use() {
    let desk = Desk::empty();
    let server = Running::spawn(with_open_files(&desk, 64), &desk);
    let address = server.address.trim_start_matches("http://");
    let silent: Vec<TcpStream> =
        (0..60).map(|_| TcpStream::connect(address).expect("a place in the queue")).collect();
    for _ in 0..3 {
        let ready = desk.run(&format!("admin ready {}", server.admin_address()));
        assert_eq!((ready.status, ready.stderr.as_str()), (0, "ready\n"));
    }
    drop(silent);
    assert_eq!(server.stop(), (Some(0), String::new()), "no warnings");

    let refused = Answer::from(with_open_files(&desk, 40).output().expect("the shell runs"));
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("can open 40 files, and the server needs 48"), "{}", refused.stderr);
}

/// How much memory is enough for the program but not for a thread depends on the size of the program.
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_for_a_thread_is_an_error_and_not_a_panic() {
    let desk = Desk::empty();
    let mut stderrs = String::new();
    for kibibytes in (20_000..120_000).step_by(3_000) {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {kibibytes}; exec \"$@\"");
        command.current_dir(desk.path()).env_clear().stdin(Stdio::null()).arg("-c").arg(limited);
        // The command always ends, because a directory cannot be opened as a database.
        let ended = command.args(["sh", BINARY, "serve", "--local", "."]).output().expect("the shell runs");
        let stderr = String::from_utf8_lossy(&ended.stderr);
        // Between the two sizes, Rust's runtime aborts before it calls `main` or the code of a thread.
        if stderr.contains("failed to allocate an alternative stack") {
            continue;
        }
        assert!(
            ended.status.code() != Some(101) && !stderr.contains("panicked"),
            "{kibibytes} KiB: {stderr}"
        );
        stderrs += &stderr;
    }
    assert!(stderrs.contains("more memory (ulimit -v"), "{stderrs}");
}

/// Waits until a time, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the server uses the same clock")]
fn wait_until(unix_seconds: u64) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    while now() < unix_seconds {
        thread::sleep(Duration::from_millis(20));
    }
}

/// `keys rotate` warns that the server's key file must change; the next start names the file with the old key.
#[test]
fn a_start_with_an_expired_key_names_its_file() {
    let desk = Desk::empty();
    desk.write("k2", "a-key-that-somebody-chose");
    let server = Running::start(&desk, "--key-file k2 --log error");
    assert_eq!(server.stop().0, Some(0));
    let rotated = desk.run("keys rotate bootstrap --overlap 1s -o json");
    assert_eq!(rotated.status, 0, "{}", rotated.stderr);
    assert!(
        rotated.stderr.contains("put the new one in its --key-file or OPENAI_ADMIN_KEY"),
        "{}",
        rotated.stderr
    );
    let keys = desk.run("keys list -o json").json();
    let end = keys.as_array().expect("keys").iter().find_map(|key| key["expires_at"].as_u64());
    wait_until(end.expect("the expiry of the old key"));
    let in_variable = desk
        .command("serve --listen 127.0.0.1:0")
        .env("OPENAI_ADMIN_KEY", "a-key-that-somebody-chose")
        .output()
        .expect("the binary runs");
    freeze!(format!(
        "{}{}",
        desk.run("serve --listen 127.0.0.1:0 --key-file k2").text(),
        Answer::from(in_variable).text()
    ));
    desk.write("k2", rotated.json()["key"].as_str().expect("a key"));
    let server = Running::start(&desk, "--key-file k2 --log error");
    assert_eq!(server.stop().0, Some(0));
}
