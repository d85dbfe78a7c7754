//! HTTPS over real sockets.

use std::{fmt::Write as _, fs, path::PathBuf, sync::Arc, time::Duration};

use openai_admin::{Client, Timestamp};
use openai_admin_server::{Config, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    admin::{ask, value},
    running::{Running, exchange, get, limits, read_to_end},
    support::KEY,
};

const SHORT: Duration = Duration::from_millis(100);
/// The time of the tests. The default certificates are valid at it.
const NOW: i64 = 1_750_000_000;
const DAY: i64 = 24 * 3600;
/// The start of an HTTP/2 connection: the preface and empty settings.
const HTTP_2_BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A certificate authority, and the files of a server with a certificate of it.
struct Office {
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Office {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        Self { authority, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A certificate for localhost and its key.
    fn sign(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        change(&mut parameters);
        (parameters.signed_by(&key, &self.authority).unwrap().pem(), key.serialize_pem())
    }

    /// Writes a new certificate and key to the server's files.
    fn issue(&self) -> CertificateDer<'static> {
        let (certificate, key) = self.sign(|_| {});
        self.write("server.pem", &certificate);
        self.write("server.key", key);
        CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()
    }

    fn open(&self) -> Tls {
        Tls::open(&self.path("server.pem"), &self.path("server.key"), now()).unwrap()
    }

    fn client(&self, running: &Running) -> openai_admin::client::ClientBuilder {
        let url = format!("https://localhost:{}/v1", running.address.port());
        Client::builder().base_url(url).key(KEY).retries(0).root_certificates_pem(self.authority.pem())
    }

    /// Connects with only these protocols.
    async fn connect(
        &self,
        running: &Running,
        version: &'static SupportedProtocolVersion,
        protocol: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, running.connect().await).await
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(NOW)
}

fn certificate_of(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn the_client_works_over_both_protocols() {
    let office = Office::new();
    office.issue();
    let running = Running::start_with(Config::default(), Some(office.open())).await;
    for (client, name) in [(office.client(&running), "One"), (office.client(&running).http2(), "Two")] {
        let client = client.build().unwrap();
        let created = client
            .groups()
            .create_group(openai_admin::models::CreateGroupBody::new(name.try_into().unwrap()))
            .await
            .unwrap();
        assert_eq!(client.groups().retrieve_group(created.id.clone()).await.unwrap().name, name);
    }
    running.stop.send(()).unwrap();
    running.done.await.unwrap().unwrap();
}

#[tokio::test]
async fn tls_1_2_and_1_3_work_with_http_1_1_and_2() {
    let office = Office::new();
    office.issue();
    let running = Running::start_with(Config::default(), Some(office.open())).await;
    for version in [&TLS12, &TLS13] {
        let mut stream = office.connect(&running, version, "http/1.1").await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert!(exchange(&mut stream, &get("")).await.starts_with("HTTP/1.1 200"));
        let stream = office.connect(&running, version, "h2").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    }
    let refused = office.connect(&running, &TLS13, "spdy/3").await;
    assert!(refused.is_err(), "no protocol in common");
}

#[tokio::test]
async fn a_connection_with_an_incomplete_handshake_is_closed() {
    let office = Office::new();
    office.issue();
    let limits = limits(|limits| limits.handshake_timeout = SHORT);
    let running = Running::start_with(Config::default().with_limits(limits), Some(office.open())).await;
    let mut silent = running.connect().await;
    assert_eq!(read_to_end(&mut silent).await, b"");
    let mut slow = running.connect().await;
    slow.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    assert_eq!(read_to_end(&mut slow).await, b"");
}

#[tokio::test]
async fn plain_http_requests_are_refused_with_a_hint() {
    let office = Office::new();
    office.issue();
    let running = Running::start_with(Config::default(), Some(office.open())).await;
    let mut plain = running.connect().await;
    let answer = exchange(&mut plain, &get("")).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https_required"), "{answer}");
    assert!(answer.contains("connection: close") && !answer.contains(KEY), "{answer}");
    assert_eq!(read_to_end(&mut plain).await, b"");
}

#[tokio::test]
async fn new_connections_get_a_new_certificate_and_open_ones_stay_open() {
    let office = Office::new();
    let first = office.issue();
    let tls = office.open();
    let running = Running::start_with(Config::default(), Some(tls.clone())).await;
    let mut open = office.connect(&running, &TLS13, "http/1.1").await.unwrap();
    assert_eq!(certificate_of(&open), first);

    let second = office.issue();
    tls.reload(now()).unwrap();
    let mut new = office.connect(&running, &TLS13, "http/1.1").await.unwrap();
    assert_eq!(certificate_of(&new), second);
    for stream in [&mut open, &mut new] {
        assert!(exchange(stream, &get("")).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn the_end_of_the_certificate_in_use_is_measured() {
    const NAME: &str = "openai_admin_certificate_expiry_timestamp_seconds";
    let office = Office::new();
    let ends_on = |day: u8| {
        let (certificate, key) =
            office.sign(|parameters| parameters.not_after = rcgen::date_time_ymd(3000, 1, day));
        office.write("server.pem", certificate);
        office.write("server.key", key);
    };
    ends_on(1);
    let tls = office.open();
    let running = Running::start_with(Config::default(), Some(tls.clone())).await;
    // It serves after a connection.
    office.connect(&running, &TLS13, "http/1.1").await.unwrap();
    let admin = running.server.server.admin_router();
    assert_eq!(value(&ask(&admin, "/metrics").await.1, NAME), 32_503_680_000.0);
    ends_on(2);
    tls.reload(now()).unwrap();
    assert_eq!(value(&ask(&admin, "/metrics").await.1, NAME), (32_503_680_000 + DAY) as f64);
    let without = Running::start().await;
    exchange(&mut without.connect().await, &get("")).await;
    let text = ask(&without.server.server.admin_router(), "/metrics").await.1;
    assert!(!text.contains(NAME));
}

#[tokio::test]
async fn an_invalid_new_certificate_does_not_replace_the_old_one() {
    let office = Office::new();
    let first = office.issue();
    let tls = office.open();
    let running = Running::start_with(Config::default(), Some(tls.clone())).await;
    office.write("server.pem", office.sign(|_| {}).0);
    let refused = tls.reload(now()).unwrap_err();
    assert!(refused.to_string().contains("does not belong"), "{refused}");
    fs::remove_file(office.path("server.pem")).unwrap();
    tls.reload(now()).unwrap_err();
    let stream = office.connect(&running, &TLS13, "http/1.1").await.unwrap();
    assert_eq!(certificate_of(&stream), first);
}

#[test]
fn errors_about_certificates_and_keys() {
    let office = Office::new();
    let (certificate, key) = office.sign(|_| {});
    let (old, old_key) = office.sign(|parameters| {
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2025, 6, 1);
    });
    let (future, future_key) =
        office.sign(|parameters| parameters.not_before = rcgen::date_time_ymd(2026, 1, 1));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGb\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let mut said = String::new();
    for (case, certificate, key) in [
        ("none of both", None, None),
        ("no key", Some(&*certificate), None),
        ("something else", Some("hello"), Some(&*key)),
        ("something else as a key", Some(&certificate), Some("hello")),
        ("exchanged", Some(&key), Some(&certificate)),
        ("a certificate as a key", Some(&certificate), Some(&certificate)),
        ("an encrypted key", Some(&certificate), Some(encrypted)),
        ("the key of another", Some(&certificate), Some(&old_key)),
        ("expired", Some(&old), Some(&old_key)),
        ("of the future", Some(&future), Some(&future_key)),
        ("broken", Some("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), Some(&key)),
        ("huge", Some(&"x".repeat(1024 * 1024 + 1)), Some(&key)),
    ] {
        for (name, text) in [("server.pem", certificate), ("server.key", key)] {
            let _ = fs::remove_file(office.path(name));
            if let Some(text) = text {
                office.write(name, text);
            }
        }
        let refused = Tls::open(&office.path("server.pem"), &office.path("server.key"), now()).unwrap_err();
        writeln!(said, "{case}:\n  {refused}\n  hint: {}", refused.next_step()).unwrap();
    }
    let said = said.replace(&*office.folder.path().to_string_lossy(), "");
    insta::assert_snapshot!(said);
}

/// Opening a pipe would block, and reading a device would not end.
#[cfg(unix)]
#[test]
fn a_certificate_is_read_from_a_regular_file_only() {
    let office = Office::new();
    let (certificate, key) = office.sign(|_| {});
    office.write("server.pem", certificate);
    office.write("server.key", key);
    let tls = Tls::open(&office.path("server.pem"), &office.path("server.key"), now()).unwrap();
    fs::remove_file(office.path("server.pem")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(office.path("server.pem")).status().unwrap().success());
    let refused = tls.reload(now()).unwrap_err().to_string();
    assert!(refused.ends_with("server.pem' cannot be read: it is not a regular file"), "{refused}");
    fs::remove_file(office.path("server.pem")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", office.path("server.pem")).unwrap();
    let refused = tls.reload(now()).unwrap_err().to_string();
    assert!(refused.ends_with("it is not a regular file"), "{refused}");
}

#[test]
fn a_certificate_is_valid_to_the_second() {
    let office = Office::new();
    let (certificate, key) = office.sign(|parameters| {
        parameters.not_before = rcgen::date_time_ymd(2025, 6, 1);
        parameters.not_after = rcgen::date_time_ymd(2025, 7, 1);
    });
    let (certificate, key) = (office.write("server.pem", certificate), office.write("server.key", key));
    let (begins, ends) = (1_748_736_000, 1_751_328_000);
    let at = |seconds| Tls::open(&certificate, &key, Timestamp::from_unix_seconds(seconds));
    assert!(at(begins - 1).is_err() && at(begins).is_ok());
    assert!(at(ends).is_ok() && at(ends + 1).is_err());
    assert_eq!(at(begins + DAY).unwrap().expires_at(), Some(Timestamp::from_unix_seconds(ends)));
    office.issue();
    assert!(office.open().expires_at().unwrap().unix_seconds() > 4_000_000_000);
}

#[tokio::test]
async fn an_http_2_connection_announces_its_limits() {
    let office = Office::new();
    office.issue();
    let running = Running::start_with(Config::default(), Some(office.open())).await;
    let mut stream = office.connect(&running, &TLS13, "h2").await.unwrap();
    stream.write_all(HTTP_2_BEGINNING).await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "the first frame is that of the settings");
    let mut settings = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut settings).await.unwrap();
    let settings: Vec<(u8, u32)> = settings
        .chunks(6)
        .map(|setting| (setting[1], u32::from_be_bytes(setting[2..].try_into().unwrap())))
        .collect();
    let (streams, window, head_bytes) = (3, 4, 6);
    for bound in [(streams, 100), (window, 64 * 1024), (head_bytes, 64 * 1024)] {
        assert!(settings.contains(&bound), "{bound:?} in {settings:?}");
    }
}

#[tokio::test]
async fn an_idle_http_2_connection_is_closed() {
    let office = Office::new();
    office.issue();
    let limits = limits(|limits| limits.idle_timeout = SHORT);
    let running = Running::start_with(Config::default().with_limits(limits), Some(office.open())).await;
    let mut silent = office.connect(&running, &TLS13, "h2").await.unwrap();
    let mut polite = office.connect(&running, &TLS13, "h2").await.unwrap();
    polite.write_all(HTTP_2_BEGINNING).await.unwrap();
    read_to_end(&mut silent).await;
    let last = read_to_end(&mut polite).await;
    let is_goodbye = |frame: &[u8]| frame[0..4] == [0, 0, 8, 7];
    assert!(
        last.windows(9).any(is_goodbye),
        "the server announces the end before it closes the connection: {last:?}"
    );
}

#[tokio::test]
async fn a_stop_ends_connections_of_both_protocols() {
    let office = Office::new();
    office.issue();
    let running = Running::start_with(Config::default(), Some(office.open())).await;
    let mut one = office.connect(&running, &TLS13, "http/1.1").await.unwrap();
    exchange(&mut one, &get("")).await;
    let mut two = office.connect(&running, &TLS13, "h2").await.unwrap();
    two.write_all(HTTP_2_BEGINNING).await.unwrap();
    two.read_u8().await.unwrap();
    let mut unfinished = running.connect().await;
    unfinished.write_all(&[0x16]).await.unwrap();
    running.stop.send(()).unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(10), running.done).await;
    stopped.expect("stopped in time").unwrap().unwrap();
    for stream in [&mut one, &mut two] {
        read_to_end(stream).await;
    }
    read_to_end(&mut unfinished).await;
}
