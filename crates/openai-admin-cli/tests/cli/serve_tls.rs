//! HTTPS of the real server: certificates from files, and again at SIGHUP.

use std::{fs, process::Command};

use openai_admin::Client;

use crate::{desk::Desk, running::Running};

/// Puts a new certificate and key for localhost where the server finds them, and returns the certificate.
fn issue(desk: &Desk) -> String {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    desk.write("cert.pem", own.cert.pem());
    desk.write("key.pem", own.signing_key.serialize_pem());
    own.cert.pem()
}

/// Whether a client that trusts this certificate alone is answered, over a connection of its own.
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
    assert_eq!(status, None, "it answers 200, or it is not asked");
    answer.is_ok()
}

/// Tells the server to read its files again, and returns what it says to that.
fn hang_up(server: &mut Running) -> String {
    server.signal("HUP");
    server.next_line_with("certificate")
}

#[test]
fn a_certificate_is_renewed_without_a_restart_and_a_bad_one_is_not_taken() {
    let desk = Desk::empty();
    let first = issue(&desk);
    let mut server = Running::start_on("0.0.0.0:0", &desk, "--tls-cert cert.pem --tls-key key.pem");
    assert!(server.address.starts_with("https://0.0.0.0:"), "{}", server.address);
    let key = server.minted_key();
    assert!(is_answered(&server, &key, &first));

    let second = issue(&desk);
    let said = hang_up(&mut server);
    assert!(said.contains("INFO") && said.contains("was read again"), "{said}");
    assert!(is_answered(&server, &key, &second) && !is_answered(&server, &key, &first));

    desk.write("cert.pem", "");
    let said = hang_up(&mut server);
    assert!(said.contains("ERROR") && said.contains("'cert.pem' contains no certificate"), "{said}");
    assert!(is_answered(&server, &key, &second), "the one before stays");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn the_command_line_trusts_the_certificate_that_it_is_given() {
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
fn a_certificate_that_would_block_is_refused_and_holds_up_neither_the_next_nor_the_end() {
    let desk = Desk::empty();
    issue(&desk);
    let mut server = Running::start_on("0.0.0.0:0", &desk, "--tls-cert cert.pem --tls-key key.pem");
    let key = server.minted_key();
    fs::remove_file(desk.path().join("cert.pem")).expect("it was there");
    assert!(
        Command::new("mkfifo").arg(desk.path().join("cert.pem")).status().expect("mkfifo runs").success()
    );
    let said = hang_up(&mut server);
    assert!(said.contains("ERROR") && said.contains("it is not a regular file"), "{said}");
    fs::remove_file(desk.path().join("cert.pem")).expect("it was there");
    let next = issue(&desk);
    let said = hang_up(&mut server);
    assert!(said.contains("was read again") && is_answered(&server, &key, &next), "{said}");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_server_that_other_machines_reach_takes_sixty_guesses_a_minute_from_each_and_no_more() {
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
