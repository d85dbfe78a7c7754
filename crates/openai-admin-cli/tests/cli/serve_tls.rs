//! HTTPS of a real server: certificates from files, and reloads at SIGHUP.

use std::{fs, process::Command};

use openai_admin::Client;

use crate::{desk::Desk, running::Running};

/// Writes a new certificate and key for localhost, and returns the certificate.
fn issue(desk: &Desk) -> String {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    desk.write("cert.pem", own.cert.pem());
    desk.write("key.pem", own.signing_key.serialize_pem());
    own.cert.pem()
}

/// Whether a client that trusts only this certificate can connect.
fn is_answered(server: &Running, key: &str, certificate: &str) -> bool {
    let (_, port) = server.address.rsplit_once(':').expect("a port");
    let client = Client::builder()
        .base_url(format!("https://localhost:{port}/v1"))
        .key(key)
        .retries(0)
        .root_certificates_pem(certificate)
        .build()
        .expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(async { client.groups().list_groups().await });
    let status = answer.as_ref().err().and_then(openai_admin::Error::status);
    assert_eq!(status, None, "it is answered, or cannot connect");
    answer.is_ok()
}

/// Makes the server reload its files, and returns its log line about that.
fn hang_up(server: &mut Running) -> String {
    server.signal("HUP");
    server.next_line_with("certificate")
}

#[test]
fn a_certificate_is_reloaded_and_an_invalid_one_is_not_used() {
    let desk = Desk::empty();
    let first = issue(&desk);
    let mut server = Running::start_on("0.0.0.0:0", &desk, "--tls-cert cert.pem --tls-key key.pem");
    assert!(server.address.starts_with("https://0.0.0.0:"), "{}", server.address);
    let key = server.minted_key();
    assert!(is_answered(&server, &key, &first));

    let second = issue(&desk);
    let line = hang_up(&mut server);
    assert!(line.contains("INFO") && line.contains("certificate reloaded"), "{line}");
    assert!(is_answered(&server, &key, &second) && !is_answered(&server, &key, &first));

    desk.write("cert.pem", "");
    let line = hang_up(&mut server);
    assert!(line.contains("ERROR") && line.contains("'cert.pem' contains no certificate"), "{line}");
    assert!(is_answered(&server, &key, &second), "the old one stays");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_client_trusts_the_given_ca_file() {
    let desk = Desk::empty();
    issue(&desk);
    let server = Running::start_on("localhost:0", &desk, "--tls-cert cert.pem --tls-key key.pem --log error");
    let (_, port) = server.address.rsplit_once(':').expect("a port");
    let list = format!("--base-url https://localhost:{port}/v1 --retries 0 groups list");
    let desk = desk.with_variable("OPENAI_ADMIN_KEY", server.minted_key());
    let untrusted = desk.run(&list);
    assert!(untrusted.status == 1 && untrusted.stderr.contains("certificate"), "{}", untrusted.stderr);
    let trusted = desk.run(&format!("--ca-file cert.pem {list}"));
    assert_eq!(trusted.status, 0, "{}", trusted.stderr);
    let missing = desk.run(&format!("--ca-file missing.pem {list}"));
    assert!(missing.stderr.contains("cannot read certificates from missing.pem"), "{}", missing.stderr);
    let desk = desk.with_variable("OPENAI_ADMIN_CA_FILE", "cert.pem");
    assert_eq!(desk.run(&list).status, 0);
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_pipe_as_certificate_is_refused_and_does_not_block() {
    let desk = Desk::empty();
    issue(&desk);
    let mut server = Running::start_on("0.0.0.0:0", &desk, "--tls-cert cert.pem --tls-key key.pem");
    let key = server.minted_key();
    fs::remove_file(desk.path().join("cert.pem")).expect("it was there");
    assert!(
        Command::new("mkfifo").arg(desk.path().join("cert.pem")).status().expect("mkfifo runs").success()
    );
    let line = hang_up(&mut server);
    assert!(line.contains("ERROR") && line.contains("it is not a regular file"), "{line}");
    fs::remove_file(desk.path().join("cert.pem")).expect("it was there");
    let next = issue(&desk);
    let line = hang_up(&mut server);
    assert!(line.contains("certificate reloaded") && is_answered(&server, &key, &next), "{line}");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn unknown_keys_are_limited_to_sixty_a_minute_per_address() {
    let desk = Desk::empty();
    let certificate = issue(&desk);
    let server = Running::start_on("0.0.0.0:0", &desk, "--tls-cert cert.pem --tls-key key.pem --log error");
    let (_, port) = server.address.rsplit_once(':').expect("a port");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut statuses = (0..600).map(|number| {
        let client = Client::builder()
            .base_url(format!("https://localhost:{port}/v1"))
            .key(format!("no-such-key-{number}"))
            .retries(0)
            .root_certificates_pem(&certificate)
            .build()
            .expect("a client");
        let refused =
            runtime.block_on(async { client.groups().list_groups().await }).expect_err("a wrong key");
        refused.status().expect("an answer").as_u16()
    });
    let first: Vec<u16> = statuses.by_ref().take(60).collect();
    assert_eq!(first, [401; 60]);
    // Each second allows one more, and this machine may be slow.
    assert!(statuses.any(|status| status == 429), "no guess of 600 was refused");
    assert_eq!(server.stop().0, Some(0));
}
