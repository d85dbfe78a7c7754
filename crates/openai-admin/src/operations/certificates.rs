//! Certificates of the organization: `/organization/certificates`.

use serde::{Deserialize, Serialize};

use super::record::record;
use crate::{
    BoundedText, CertificateId, CertificateInclude, Cursor, IdPage, Limit, ListItem, Order, Timestamp,
    endpoint::endpoint, page::list_endpoint,
};

const TAG: &str = "Certificates";

/// A certificate's name: 1 to 255 characters, not blank (assumed).
pub type CertificateName = BoundedText<1, 255>;

record! {
    /// Lists the certificates of the organization, and whether each is active there.
    #[derive(Default)]
    ListOrganizationCertificates {}
    query {
        /// How many certificates to return.
        limit: Limit<1, 100, 20>,
        /// Return certificates after this one: the `last_id` of the previous page.
        after: Cursor,
        /// The order of the certificates; `desc` by default.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "desc")))]
        order: Order,
    }
}

endpoint!(ListOrganizationCertificates, "listOrganizationCertificates", GET "/organization/certificates", MANAGEMENT_READ -> ListCertificatesResponse);

list_endpoint!(ListOrganizationCertificates, ordered);

record! {
    /// Uploads a certificate to the organization. It is not active anywhere. An organization has at most 50 certificates.
    UploadCertificate {
        /// The certificate to upload.
        body: UploadCertificateRequest,
    }
}

endpoint!(UploadCertificate, "uploadCertificate", POST ListOrganizationCertificates::PATH, MANAGEMENT_WRITE -> Certificate);

/// Retrieves a certificate of the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct GetCertificate {
    /// The ID of the certificate.
    pub certificate_id: CertificateId,
    /// Additional fields of the answer: `content` for the certificate in PEM format.
    #[serde(default)]
    pub include: Vec<CertificateInclude>,
}

impl GetCertificate {
    /// A request for the certificate without its content.
    pub fn new(certificate_id: CertificateId) -> Self {
        Self { certificate_id, include: Vec::new() }
    }
}

endpoint!(GetCertificate, "getCertificate", GET "/organization/certificates/{certificate_id}", MANAGEMENT_READ -> Certificate);

record! {
    /// Changes the name of a certificate.
    ModifyCertificate {
        /// The ID of the certificate.
        certificate_id: CertificateId,
        /// The changes. Absent fields stay unchanged.
        body: ModifyCertificateRequest,
    }
}

endpoint!(ModifyCertificate, "modifyCertificate", POST GetCertificate::PATH, MANAGEMENT_WRITE -> Certificate, idempotent);

record! {
    /// Deletes a certificate, which must be inactive in the organization and in all its projects.
    DeleteCertificate {
        /// The ID of the certificate.
        certificate_id: CertificateId,
    }
}

endpoint!(DeleteCertificate, "deleteCertificate", DELETE GetCertificate::PATH, MANAGEMENT_WRITE -> DeleteCertificateResponse);

record! {
    /// Activates up to ten certificates in the organization, all or none. Repeating it changes nothing.
    ActivateOrganizationCertificates {
        /// The certificates to activate.
        body: ToggleCertificatesRequest,
    }
}

endpoint!(ActivateOrganizationCertificates, "activateOrganizationCertificates", POST "/organization/certificates/activate", MANAGEMENT_WRITE -> OrganizationCertificateActivationResponse, idempotent);

record! {
    /// Deactivates up to ten certificates in the organization, all or none. Repeating it changes nothing.
    DeactivateOrganizationCertificates {
        /// The certificates to deactivate.
        body: ToggleCertificatesRequest,
    }
}

endpoint!(DeactivateOrganizationCertificates, "deactivateOrganizationCertificates", POST "/organization/certificates/deactivate", MANAGEMENT_WRITE -> OrganizationCertificateDeactivationResponse, idempotent);

record! {
    /// Request payload for uploading a certificate.
    UploadCertificateRequest {
        /// One X.509 certificate in PEM format, at most 16 kilobytes.
        certificate: String,
    }
    optional {
        /// A name for the certificate.
        name: CertificateName,
    }
}

record! {
    /// Request payload for changing a certificate.
    #[derive(Default)]
    ModifyCertificateRequest {}
    optional {
        /// The updated name of the certificate.
        name: CertificateName,
    }
}

record! {
    /// Request payload for activating or deactivating certificates.
    ToggleCertificatesRequest {
        /// The IDs of the certificates: 1 to 10.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 10)))]
        certificate_ids: Vec<CertificateId>,
    }
}

record! {
    /// The validity period of a certificate.
    #[derive(Default)]
    CertificateValidity {}
    optional {
        /// The Unix timestamp (in seconds) of when the certificate becomes valid.
        valid_at: Timestamp,
        /// The Unix timestamp (in seconds) of when the certificate expires.
        expires_at: Timestamp,
    }
}

record! {
    /// The validity period of a certificate, and its content.
    #[derive(Default)]
    CertificateDetails {}
    optional {
        /// The Unix timestamp (in seconds) of when the certificate becomes valid.
        valid_at: Timestamp,
        /// The Unix timestamp (in seconds) of when the certificate expires.
        expires_at: Timestamp,
        /// The certificate in PEM format, if the request includes it.
        content: String,
    }
}

record! {
    /// A certificate that was uploaded to the organization.
    Certificate object CertificateObject = "certificate" {
        /// The identifier, which can be referenced in API endpoints.
        id: CertificateId,
        /// The Unix timestamp (in seconds) of when the certificate was uploaded.
        created_at: Timestamp,
        /// The validity period and the content.
        certificate_details: CertificateDetails,
    }
    nullable {
        /// The name of the certificate.
        name: String,
    }
}

/// Paginated list of the organization's certificates.
pub type ListCertificatesResponse = IdPage<OrganizationCertificate>;

record! {
    /// A certificate and its state in the organization.
    OrganizationCertificate object OrganizationCertificateObject = "organization.certificate" {
        /// The identifier, which can be referenced in API endpoints.
        id: CertificateId,
        /// The Unix timestamp (in seconds) of when the certificate was uploaded.
        created_at: Timestamp,
        /// The validity period.
        certificate_details: CertificateValidity,
        /// Whether the certificate is active in the organization.
        active: bool,
    }
    nullable {
        /// The name of the certificate.
        name: String,
    }
}

impl ListItem for OrganizationCertificate {
    const LIST_SCHEMA: &'static str = "ListCertificatesResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

record! {
    /// The certificates that were activated in the organization, in the order of the request.
    OrganizationCertificateActivationResponse object CertificateActivationObject = "organization.certificate.activation" {
        /// The certificates.
        data: Vec<OrganizationCertificate>,
    }
}

record! {
    /// The certificates that were deactivated in the organization, in the order of the request.
    OrganizationCertificateDeactivationResponse object CertificateDeactivationObject = "organization.certificate.deactivation" {
        /// The certificates.
        data: Vec<OrganizationCertificate>,
    }
}

record! {
    /// Confirms the deletion of a certificate.
    DeleteCertificateResponse object CertificateDeletedObject = "certificate.deleted" {
        /// The ID of the deleted certificate.
        id: CertificateId,
    }
}
