//! Encrypted connections. The server must present a certificate for its name from a trusted authority: without this
//! check, a connection could be encrypted to an attacker.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::base::error::{Error, Result};

/// The ALPN protocol that PostgreSQL 17 requires from clients that start with TLS directly.
const ALPN: &[u8] = b"postgresql";

/// The encryption of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encryption {
    /// A PEM file with the trusted authorities. If `None`: the authorities that browsers trust.
    pub(super) authorities: Option<PathBuf>,
}

impl Encryption {
    /// The TLS connector for a new connection. It reads the file each time, so that the file can be replaced while the
    /// server runs.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect> {
        let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?;
        let mut config = versions.with_root_certificates(self.roots()?).with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(MakeRustlsConnect::new(config))
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let Some(file) = &self.authorities else {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            return Ok(roots);
        };
        let unusable = |problem: &dyn std::fmt::Display| {
            let expected =
                format!("sslrootcert to name a PEM file of certificates, but {}: {problem}", file.display());
            Error::invalid_value("database", expected)
        };
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        if roots.is_empty() { Err(unusable(&"it contains none")) } else { Ok(roots) }
    }
}
