//! The default transport over real sockets and real TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use hyper_util::rt::{TokioExecutor, TokioIo};
use openai_admin::{Client, ErrorKind};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

const GROUP: &str = r#"{"id":"group_1","name":"Support","created_at":0}"#;

/// A certificate authority that signs certificates, in PEM format.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect()
}

type ServerBuilder = rustls::ConfigBuilder<rustls::ServerConfig, rustls::WantsVerifier>;

fn server_builder() -> ServerBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

/// The TLS settings of a server with a certificate and without client authentication.
fn with_certificate(builder: ServerBuilder, certificate: &str, key: &str) -> Arc<rustls::ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain(certificate), key).unwrap())
}

/// The TLS settings of a server for `localhost`, optionally with client authentication.
fn server_config(authority: &Authority, clients: Option<&Authority>) -> Arc<rustls::ServerConfig> {
    let (certificate, key) = authority.sign("localhost");
    let Some(clients) = clients else { return with_certificate(server_builder(), &certificate, &key) };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain(&clients.pem()).remove(0)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = server_builder().with_client_cert_verifier(verifier.build().unwrap());
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    Arc::new(builder.with_single_cert(chain(&certificate), key).unwrap())
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Answers one request with a group, and returns the head of the request.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    let head = read_head(&mut stream).await;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{GROUP}", GROUP.len());
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    head
}

/// Starts a TLS server that answers each connection once, and returns its port.
async fn tls_server(config: Arc<rustls::ServerConfig>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = TlsAcceptor::from(Arc::clone(&config)).accept(stream).await {
                answer(stream).await;
            }
        }
    });
    port
}

fn builder(port: u16) -> openai_admin::client::ClientBuilder {
    Client::builder().key("sk-admin-1").retries(0).base_url(format!("https://localhost:{port}/v1"))
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_if_configured() {
    let authority = Authority::new();
    let port = tls_server(server_config(&authority, None)).await;
    let client = builder(port).root_certificates_pem(authority.pem()).build().unwrap();
    assert_eq!(client.groups().retrieve_group("g").await.unwrap().name, "Support");

    for stranger in [
        builder(port).build().unwrap(),
        builder(port).root_certificates_pem(Authority::new().pem()).build().unwrap(),
    ] {
        let error = stranger.groups().retrieve_group("g").await.unwrap_err();
        assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Transport, false));
    }
}

#[tokio::test]
async fn a_refused_certificate_is_reported_and_not_retried() {
    let authority = Authority::new();
    let port = tls_server(server_config(&authority, None)).await;
    // A default certificate of `openssl req -x509`: a CA certificate used as a server's.
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = parameters.self_signed(&key).unwrap().pem();
    let own_port = tls_server(with_certificate(server_builder(), &own, &key.serialize_pem())).await;
    let unknown = "the certificate of the service is not accepted: its issuer is unknown";
    let authority = "it is a CA certificate, not a server's (basicConstraints is CA:TRUE)";
    for (builder, told) in
        [(builder(port), unknown), (builder(own_port).root_certificates_pem(own), authority)]
    {
        let client = builder.retries(2).build().unwrap();
        let error = client.groups().list_groups().await.unwrap_err();
        assert!(error.is_untrusted_certificate() && error.message().ends_with(told), "{error}");
        assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Transport, false, 1));
    }
}

#[tokio::test]
async fn a_client_certificate_is_sent_on_request() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let port = tls_server(server_config(&authority, Some(&clients))).await;
    let trusting = || builder(port).root_certificates_pem(authority.pem());
    let (certificate, key) = clients.sign("client");
    let client = trusting().identity_pem(certificate, key).build().unwrap();
    assert_eq!(client.groups().retrieve_group("g").await.unwrap().name, "Support");
    let error = trusting().build().unwrap().groups().retrieve_group("g").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[tokio::test]
async fn invalid_certificates_are_refused_by_name() {
    let error = builder(1).root_certificates_pem("no certificate").build().unwrap_err();
    assert!(error.to_string().starts_with("the root certificates cannot be read"), "{error}");
    let error = builder(1).identity_pem("", "").build().unwrap_err();
    assert!(error.to_string().starts_with("the client certificate cannot be read"), "{error}");
}

#[tokio::test]
async fn a_proxy_gets_its_password_but_never_the_key() {
    let authority = Authority::new();
    let port = tls_server(server_config(&authority, None)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://ada:secret@{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (mut inbound, _) = listener.accept().await.unwrap();
        let head = read_head(&mut inbound).await;
        inbound.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        let mut outbound = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut inbound, &mut outbound).await;
        head
    });
    let client = builder(port).root_certificates_pem(authority.pem()).proxy(proxy.clone()).build().unwrap();
    assert_eq!(client.groups().retrieve_group("g").await.unwrap().name, "Support");
    drop(client);
    let head = seen.await.unwrap();
    assert!(head.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")), "{head}");
    assert!(head.contains("Basic YWRhOnNlY3JldA=="), "{head}");
    assert!(!head.contains("sk-admin"), "{head}");

    let direct = builder(port).root_certificates_pem(authority.pem()).proxy(proxy).no_proxy("localhost");
    assert_eq!(direct.build().unwrap().groups().retrieve_group("g").await.unwrap().name, "Support");
}

#[tokio::test]
async fn an_invalid_proxy_is_refused_and_not_bypassed() {
    for bad in ["not a url", "htp://proxy:1", "://", "http://", "https://proxy:1", "proxy:3128"] {
        let error = builder(1).proxy(bad).build().unwrap_err();
        assert_eq!(error.to_string(), "invalid proxy: use http://HOST:PORT", "{bad}");
    }
}

#[tokio::test]
async fn a_handshake_without_an_answer_ends_with_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = builder(port).connect_timeout(Duration::from_millis(200)).build().unwrap();
    let error = client.groups().retrieve_group("g").await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Transport, false));
}

#[tokio::test]
async fn http_2_is_spoken_where_both_sides_want_it() {
    let authority = Authority::new();
    let mut config = Arc::unwrap_or_clone(server_config(&authority, None));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
            let answer = |request: http::Request<_>| async move {
                let _: &http::Request<hyper::body::Incoming> = &request;
                let group = format!(r#"{{"id":"g","name":"{:?}","created_at":0}}"#, request.version());
                Ok::<_, std::convert::Infallible>(http::Response::new(group))
            };
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                let _ = server.serve_connection(stream, hyper::service::service_fn(answer)).await;
            });
        }
    });
    let one = builder(port).root_certificates_pem(authority.pem()).build().unwrap();
    assert_eq!(one.groups().retrieve_group("g").await.unwrap().name, "HTTP/1.1");
    let two = builder(port).root_certificates_pem(authority.pem()).http2().build().unwrap();
    assert_eq!(two.groups().retrieve_group("g").await.unwrap().name, "HTTP/2.0");
}

#[tokio::test]
async fn a_refused_connection_differs_from_a_broken_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let client = Client::builder().key("sk-admin-1").retries(0).base_url(url).build().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
        // Stream and listener close here.
    });
    let error = client.groups().retrieve_group("g").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.was_sent(), error.status().map(|status| status.as_u16())),
        (ErrorKind::Transport, true, Some(200))
    );
    server.await.unwrap();
    let error = client.groups().retrieve_group("g").await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent(), error.status()), (ErrorKind::Transport, false, None));
}

#[tokio::test]
async fn a_server_without_an_answer_costs_one_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let client = Client::builder()
        .retries(0)
        .base_url(url)
        .attempt_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = client.groups().retrieve_group("g").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Timeout, "retrieve-group: no answer within 0.2 s")
    );
}

/// Needs the feature `native-roots`: only .ci/run runs it.
#[cfg(feature = "native-roots")]
mod native_roots {
    use super::*;

    /// The variable with the server's address, for the child process.
    const PORT: &str = "OPENAI_ADMIN_TEST_NATIVE_ROOTS_PORT";

    #[tokio::test]
    async fn only_the_roots_of_the_system_are_trusted() {
        let (system, other) = (Authority::new(), Authority::new());
        // A file of this process alone; `SSL_CERT_FILE` names the system's roots, and only a child may get another one.
        let file = std::env::temp_dir().join(format!("openai-admin-roots-{}.pem", std::process::id()));
        std::fs::write(&file, system.pem()).unwrap();
        for (authority, is_trusted) in [(&system, true), (&other, false)] {
            let port = tls_server(server_config(authority, None)).await;
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            child
                .args(["--exact", "native_roots::asks_a_server", "--ignored"])
                .env("SSL_CERT_FILE", &file)
                .env_remove("SSL_CERT_DIR")
                .env(PORT, port.to_string());
            // Apart, since the server answers on this thread.
            let child = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
            let said = String::from_utf8_lossy(&child.stdout).into_owned();
            assert!(said.contains("running 1 test"), "{said}");
            assert_eq!(child.status.success(), is_trusted, "{said}");
        }
        std::fs::remove_file(file).unwrap();
    }

    #[tokio::test]
    #[ignore = "a child of the test above"]
    async fn asks_a_server() {
        #[expect(clippy::disallowed_methods, reason = "how the parent says where the server is")]
        let port = std::env::var(PORT).unwrap().parse().unwrap();
        builder(port).build().unwrap().groups().retrieve_group("group_1").await.unwrap();
    }
}
