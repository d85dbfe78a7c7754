//! Encrypted connections. A server has to show a certificate for its name from an authority that is known: whoever does
//! not look at that encrypts for anybody.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::base::error::{Error, Result};

/// What servers of PostgreSQL 17 want to hear of those who begin with TLS at once.
const ALPN: &[u8] = b"postgresql";

/// That a connection is encrypted, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encryption {
    /// The file with the authorities that are trusted, in PEM; those of browsers where none is named.
    pub(super) authorities: Option<PathBuf>,
}

impl Encryption {
    /// What encrypts a new connection. The file is read for each, so that it may be replaced while the server runs.
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
        if roots.is_empty() { Err(unusable(&"there is none in it")) } else { Ok(roots) }
    }
}
