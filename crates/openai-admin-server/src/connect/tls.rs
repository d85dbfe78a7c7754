//! TLS: reads a certificate and its key from files, and reloads them while the server runs.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use openai_admin::Timestamp;
use rustls::{
    CertificateError, Error as RustlsError, InconsistentKeys, RootCertStore, ServerConfig,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// The maximum size of a certificate or key file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The end of the year 9999, in Unix seconds: the expiry of certificates that never expire.
const NEVER_SECONDS: u64 = 253_402_300_799;
const DAY_SECONDS: i64 = 24 * 3600;

/// The ALPN name of HTTP/2.
pub(crate) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// A server's certificate and key. Cheap to clone: [`reload`](Self::reload) updates all clones.
///
/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1. Early data is off, so requests cannot be replayed.
#[derive(Clone)]
pub struct Tls {
    files: Arc<Files>,
    identity: Arc<Identity>,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads a chain of certificates, the server's first, and its private key, both in PEM format.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, has the wrong content or does not match the other, or if the certificate is not valid
    /// at `now`.
    pub fn open(certificate: &Path, key: &Path, now: Timestamp) -> Result<Self, TlsError> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let provider = Arc::new(ring::default_provider());
        let identity = Arc::new(Identity(RwLock::new(files.read(&provider, now)?)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| TlsError::unusable(&files.key, &error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&identity) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        // Session tickets: clients store the state for resumption, so it uses no memory here.
        config.ticketer = ring::Ticketer::new().map_err(|error| TlsError::unusable(&files.key, &error))?;
        Ok(Self { files: Arc::new(files), identity, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Reads both files again. New connections use the new certificate; open ones keep the old one.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open). The server then keeps the old certificate.
    pub fn reload(&self, now: Timestamp) -> Result<(), TlsError> {
        self.read_again(now).map(|renewed| self.renew(renewed))
    }

    /// The first half of [`reload`](Self::reload): reads the files, but changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn read_again(&self, now: Timestamp) -> Result<RenewedTls, TlsError> {
        self.files.read(self.acceptor.config().crypto_provider(), now).map(RenewedTls)
    }

    /// The second half of [`reload`](Self::reload): new connections use the certificate that was read.
    pub fn renew(&self, renewed: RenewedTls) {
        *self.identity.0.write().unwrap_or_else(PoisonError::into_inner) = renewed.0;
    }

    /// The expiry of the certificate, if it has one.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let certified = self.identity.current();
        let certificate = certified.cert.first()?;
        validity(certificate).ok()?.1
    }

    /// The server's side of the handshake.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// A certificate and its key that were read again and are valid.
#[derive(Debug)]
pub struct RenewedTls(Arc<CertifiedKey>);

/// Why a certificate and its key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    message: String,
    next_step: &'static str,
}

impl TlsError {
    fn new(message: String, next_step: &'static str) -> Self {
        Self { message, next_step }
    }

    fn unusable(file: &Path, error: &RustlsError) -> Self {
        Self::new(format!("'{}' cannot be used: {error}", file.display()), "make a new certificate and key")
    }

    /// The next step, in words.
    pub fn next_step(&self) -> &str {
        self.next_step
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TlsError {}

/// The certificate and key of the next handshake.
#[derive(Debug)]
struct Identity(RwLock<Arc<CertifiedKey>>);

impl Identity {
    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn read(&self, provider: &CryptoProvider, now: Timestamp) -> Result<Arc<CertifiedKey>, TlsError> {
        let chain = read_chain(&self.certificate)?;
        if let Some(own) = chain.first() {
            self.check_time(own, now)?;
        }
        let key = read_key(&self.key)?;
        let certified = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            RustlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::new(
                format!(
                    "the key in '{}' does not belong to the first certificate in '{}'",
                    self.key.display(),
                    self.certificate.display()
                ),
                "put the server's certificate first, then those of its issuers, and pass the key of the server's \
                 certificate",
            ),
            error => TlsError::unusable(&self.key, &error),
        })?;
        Ok(Arc::new(certified))
    }

    /// Clients refuse a certificate that is expired or not yet valid.
    fn check_time(&self, certificate: &CertificateDer<'_>, now: Timestamp) -> Result<(), TlsError> {
        let file = self.certificate.display();
        let (begins, ends) = validity(certificate).map_err(|error| {
            let message = format!("'{file}' contains an invalid certificate: {error}");
            TlsError::new(message, "pass a file with an X.509 certificate for servers")
        })?;
        let days =
            |from: Timestamp, to: Timestamp| match (to.unix_seconds() - from.unix_seconds()) / DAY_SECONDS {
                0 => "less than a day".to_owned(),
                1 => "1 day".to_owned(),
                days => format!("{days} days"),
            };
        if begins > now {
            let message = format!("the certificate in '{file}' becomes valid in {}", days(now, begins));
            return Err(TlsError::new(message, "wait, or check the clock of this machine"));
        }
        match ends {
            Some(ends) if ends < now => {
                let message = format!("the certificate in '{file}' expired {} ago", days(ends, now));
                Err(TlsError::new(message, "renew it"))
            }
            _ => Ok(()),
        }
    }
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(file, "certificate")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ if PrivateKeyDer::from_pem_slice(&text).is_ok() => Err(TlsError::new(
            format!("'{}' contains a private key instead of a certificate", file.display()),
            "check whether the certificate and key files are swapped",
        )),
        _ => Err(TlsError::new(
            format!("'{}' contains no certificate", file.display()),
            "pass a PEM file (-----BEGIN CERTIFICATE-----): the server's certificate first, then those of its issuers",
        )),
    }
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    const ENCRYPTED: &[u8] = b"ENCRYPTED";
    let text = read(file, "key")?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let is_encrypted = text.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
        let (problem, next_step) = if is_encrypted {
            (
                "an encrypted key",
                "remove the password (openssl pkey -in OLD -out NEW) and let only the server read the file",
            )
        } else if CertificateDer::from_pem_slice(&text).is_ok() {
            (
                "a certificate instead of a private key",
                "check whether the certificate and key files are swapped",
            )
        } else {
            ("no private key", "pass a PEM file (-----BEGIN PRIVATE KEY-----)")
        };
        TlsError::new(format!("'{}' contains {problem}", file.display()), next_step)
    })
}

fn read(file: &Path, what: &str) -> Result<Vec<u8>, TlsError> {
    let mut text = Vec::new();
    let read = open_regular(file).and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut text));
    let unreadable = |why: &dyn fmt::Display| {
        TlsError::new(
            format!("the {what} file '{}' cannot be read: {why}", file.display()),
            "pass a PEM file that the server's user can read",
        )
    };
    read.map_err(|error| unreadable(&error))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable(&format_args!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// Opens a regular file. Opening a pipe may block, and reading a device may never end.
fn open_regular(file: &Path) -> io::Result<fs::File> {
    let not_regular = || io::Error::other("it is not a regular file");
    if !fs::metadata(file)?.is_file() {
        return Err(not_regular());
    }
    let opened = fs::File::open(file)?;
    // The file may have been replaced between the two calls.
    if opened.metadata()?.is_file() { Ok(opened) } else { Err(not_regular()) }
}

/// The validity period of a certificate, from the errors of the library that will check it: at the earliest time, and
/// at the latest.
fn validity(certificate: &CertificateDer<'_>) -> Result<(Timestamp, Option<Timestamp>), RustlsError> {
    let begins = match refusal_at(certificate, 0)? {
        Some(CertificateError::NotValidYetContext { not_before, .. }) => timestamp(not_before),
        _ => Timestamp::default(),
    };
    let ends = match refusal_at(certificate, NEVER_SECONDS)? {
        Some(CertificateError::ExpiredContext { not_after, .. }) => Some(timestamp(not_after)),
        _ => None,
    };
    Ok((begins, ends))
}

/// Why a client without trust anchors would refuse a certificate. The library checks the validity period first.
fn refusal_at(
    certificate: &CertificateDer<'_>,
    unix_seconds: u64,
) -> Result<Option<CertificateError>, RustlsError> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(unix_seconds));
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    match verify_server_cert_signed_by_trust_anchor(&parsed, &RootCertStore::empty(), &[], at, algorithms) {
        Err(RustlsError::InvalidCertificate(refusal)) => Ok(Some(refusal)),
        _ => Ok(None),
    }
}

fn timestamp(time: UnixTime) -> Timestamp {
    Timestamp::from_unix_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}
