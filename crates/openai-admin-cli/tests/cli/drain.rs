//! A rolling restart behind a proxy: no request fails.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream as BlockingStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use openai_admin::{Client, models::CreateGroupUserBody};
use tokio::net::{TcpListener, TcpStream};

use crate::{desk::Desk, running::Running};

const KEY: &str = "sk-admin-drain-0123456789abcdef";
/// The interval of the proxy's health checks. The grace of the servers is a hundred times as long, so that on a busy machine
/// too each client has an answer during the grace, which asks it to reconnect.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
const SETTINGS: &str = "--key-file admin.key --log error --drain-grace 5s --database-file url";
/// The number of concurrent clients.
const CLIENTS: usize = 6;

/// A server behind the proxy.
struct Backend {
    address: SocketAddr,
    admin: SocketAddr,
    is_ready: AtomicBool,
    served: AtomicUsize,
}

impl Backend {
    /// The proxy's health check.
    fn check(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = BlockingStream::connect_timeout(&self.admin, CHECK_INTERVAL * 10)?;
            stream.set_read_timeout(Some(CHECK_INTERVAL * 40))?;
            stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let is_ready = ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"));
        self.is_ready.store(is_ready, SeqCst);
        is_ready
    }
}

/// Forwards each connection to a ready server, in turn.
async fn proxy(listener: TcpListener, backends: Arc<Vec<Backend>>) {
    let turn = AtomicUsize::new(0);
    loop {
        let (mut client, _) = listener.accept().await.expect("a connection");
        let ready: Vec<&Backend> = backends.iter().filter(|backend| backend.is_ready.load(SeqCst)).collect();
        let backend = ready[turn.fetch_add(1, SeqCst) % ready.len()];
        backend.served.fetch_add(1, SeqCst);
        let address = backend.address;
        tokio::spawn(async move {
            let mut server = TcpStream::connect(address).await.expect("a server that is ready");
            // Only the client matters if the connection breaks.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

/// Lists, adds and removes until `stop`. Returns the number of successful requests, or the first error.
async fn send_requests(
    base_url: String,
    number: usize,
    stop: Arc<AtomicBool>,
) -> Result<usize, openai_admin::Error> {
    let client = Client::builder().base_url(&base_url).key(KEY).retries(0).build()?;
    let (group, user) = ("group_support", format!("user_{number}"));
    let mut answered = 0;
    while !stop.load(SeqCst) {
        client
            .group_users()
            .add_group_user(group, CreateGroupUserBody::new(user.parse().expect("an id")))
            .await?;
        client.group_users().list_group_users(group).await?;
        client.group_users().remove_group_user(group, user.as_str()).await?;
        answered += 3;
    }
    Ok(answered)
}

/// A schema in the PostgreSQL of the tests, dropped with the value. The desk's file `url` has its URL.
pub(crate) fn postgres(desk: &Desk, name: &str) -> impl Drop + use<> {
    struct Schema(String, String);
    impl Schema {
        fn run(&self, sql: &str) {
            let psql = Command::new("psql").args(["-qX", &self.0, "-c", sql]).output().expect("psql runs");
            assert!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
        }
    }
    impl Drop for Schema {
        fn drop(&mut self) {
            self.run(&format!("set client_min_messages = error; drop schema if exists {} cascade", self.1));
        }
    }
    #[expect(clippy::disallowed_methods, reason = "the test command passes the address of the server")]
    let server = std::env::var("OPENAI_ADMIN_TEST_POSTGRES")
        .expect("set OPENAI_ADMIN_TEST_POSTGRES to the URL of a PostgreSQL server, or run scripts/with-postgres COMMAND");
    let schema = Schema(server.clone(), format!("{name}_{}", std::process::id()));
    schema.run(&format!("drop schema if exists {0} cascade; create schema {0}", schema.1));
    let mark = if server.contains('?') { '&' } else { '?' };
    desk.write("url", format!("{server}{mark}options=-csearch_path%3D{}", schema.1));
    schema
}

#[test]
fn no_request_fails_while_two_servers_are_restarted_in_turn() {
    let desk = Desk::empty();
    let _schema = postgres(&desk, "drain");
    desk.write("admin.key", KEY);
    let users: Vec<_> = (0..CLIENTS)
        .map(|n| serde_json::json!({ "id": format!("user_{n}"), "email": format!("u{n}@x.org") }))
        .collect();
    let group = serde_json::json!({ "id": "group_support", "name": "Support" });
    let file = serde_json::json!({ "organization": { "id": "org-x" }, "users": users, "groups": [group] });
    let url = std::fs::read_to_string(desk.path().join("url")).unwrap();
    let loaded = desk.run_with_input(&file.to_string(), &format!("--database {url} load -"));
    assert_eq!(loaded.status, 0, "{}", loaded.stderr);

    let mut servers: Vec<Running> =
        (0..2).map(|_| Running::start(&desk, &format!("--admin-listen 127.0.0.1:0 {SETTINGS}"))).collect();
    let backend = |server: &Running| Backend {
        address: server.address.trim_start_matches("http://").parse().unwrap(),
        admin: server.admin_address().parse().unwrap(),
        is_ready: AtomicBool::new(false),
        served: AtomicUsize::new(0),
    };
    let backends: Arc<Vec<Backend>> = Arc::new(servers.iter().map(backend).collect());
    assert!(backends.iter().all(Backend::check));
    let (stop, checked) = (Arc::new(AtomicBool::new(false)), Arc::clone(&backends));
    let stopped = Arc::clone(&stop);
    let checks = thread::spawn(move || {
        while !stopped.load(SeqCst) {
            for backend in checked.iter() {
                backend.check();
            }
            thread::sleep(CHECK_INTERVAL);
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    runtime.spawn(proxy(listener, Arc::clone(&backends)));
    let load: Vec<_> = (0..CLIENTS)
        .map(|number| runtime.spawn(send_requests(base_url.clone(), number, Arc::clone(&stop))))
        .collect();

    let mut moved = 0;
    for round in 0..2 {
        for (number, backend) in backends.iter().enumerate() {
            // Connections stay with their server until it stops, so at each restart all of them are at one server.
            let other = &backends[1 - number];
            let there = other.served.load(SeqCst);
            let (status, log) = servers.remove(number).stop();
            assert_eq!((status, log.as_str()), (Some(0), ""), "round {round}, server {number}");
            moved += other.served.load(SeqCst) - there;
            let again = format!("--admin-listen {} {SETTINGS}", backend.admin);
            servers.insert(number, Running::start_on(&backend.address.to_string(), &desk, &again));
            wait_until(|| backend.is_ready.load(SeqCst), "the proxy sees that it is back");
        }
    }
    // The first restart moves some of the clients, and each later one moves all of them.
    assert!(moved >= 3 * CLIENTS, "only {moved} moved");
    stop.store(true, SeqCst);
    checks.join().unwrap();
    for client in load {
        let answered = runtime.block_on(client).unwrap().expect("no request fails");
        assert!(answered > 10, "only {answered}");
    }
}

fn wait_until(mut holds: impl FnMut() -> bool, what: &str) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(holds(), "{what}");
}
