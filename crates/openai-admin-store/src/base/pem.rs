//! X.509 certificates in PEM format.

use openai_admin::{Timestamp, models::CertificateDetails};
use rustls_pki_types::pem::{PemObject, SectionKind};
use x509_cert::{
    Certificate,
    der::Decode,
    time::{Time, Validity},
};

use crate::base::{
    error::{Error, Result},
    refusal::Refusal,
};

/// The maximum size of a certificate in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// Reads a text that must be exactly one certificate which has not expired at `now`.
pub(crate) fn read(text: &str, now: Timestamp) -> Result<CertificateDetails> {
    if text.len() > BYTES_MAX {
        return Err(refused("it is larger than 16 kilobytes"));
    }
    let validity =
        validity(text).ok_or_else(|| refused("it is not exactly one certificate in PEM format"))?;
    let mut details = CertificateDetails::new();
    details.valid_at = Some(timestamp(validity.not_before));
    details.expires_at = Some(timestamp(validity.not_after));
    details.content = Some(text.to_owned());
    match details.expires_at <= Some(now) {
        true => Err(refused("it has expired")),
        false => Ok(details),
    }
}

fn refused(problem: &str) -> Error {
    Error::refused(Refusal::InvalidCertificate, &problem)
}

/// The validity of the certificate, or `None` if the text is not exactly one certificate.
fn validity(text: &str) -> Option<Validity> {
    if text.contains('\0') {
        return None;
    }
    let sections: Vec<(SectionKind, Vec<u8>)> =
        PemObject::pem_slice_iter(text.as_bytes()).collect::<std::result::Result<_, _>>().ok()?;
    let [(SectionKind::Certificate, der)] = sections.as_slice() else { return None };
    Some(Certificate::from_der(der).ok()?.tbs_certificate.validity)
}

fn timestamp(time: Time) -> Timestamp {
    let seconds = time.to_unix_duration().as_secs();
    Timestamp::from_unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}
