//! Certificates of the organization in a project: `/organization/projects/{project_id}/certificates`.

use super::{
    certificates::{CertificateValidity, ToggleCertificatesRequest},
    record::record,
};
use crate::{
    CertificateId, Cursor, IdPage, Limit, ListItem, Order, ProjectId, Timestamp, endpoint::endpoint,
    page::list_endpoint,
};

const TAG: &str = "Certificates";

record! {
    /// Lists all certificates of the organization, and whether each is active in the project.
    ListProjectCertificates {
        /// The ID of the project.
        project_id: ProjectId,
    }
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

endpoint!(ListProjectCertificates, "listProjectCertificates", GET "/organization/projects/{project_id}/certificates", MANAGEMENT_READ -> ListProjectCertificatesResponse);

list_endpoint!(ListProjectCertificates, ordered);

record! {
    /// Activates up to ten certificates in a project, all or none. Repeating it changes nothing.
    ActivateProjectCertificates {
        /// The ID of the project.
        project_id: ProjectId,
        /// The certificates to activate.
        body: ToggleCertificatesRequest,
    }
}

endpoint!(ActivateProjectCertificates, "activateProjectCertificates", POST "/organization/projects/{project_id}/certificates/activate", MANAGEMENT_WRITE -> OrganizationProjectCertificateActivationResponse, idempotent);

record! {
    /// Deactivates up to ten certificates in a project, all or none. Repeating it changes nothing.
    DeactivateProjectCertificates {
        /// The ID of the project.
        project_id: ProjectId,
        /// The certificates to deactivate.
        body: ToggleCertificatesRequest,
    }
}

endpoint!(DeactivateProjectCertificates, "deactivateProjectCertificates", POST "/organization/projects/{project_id}/certificates/deactivate", MANAGEMENT_WRITE -> OrganizationProjectCertificateDeactivationResponse, idempotent);

/// Paginated list of the organization's certificates with their states in a project.
pub type ListProjectCertificatesResponse = IdPage<OrganizationProjectCertificate>;

record! {
    /// A certificate and its state in a project.
    OrganizationProjectCertificate object ProjectCertificateObject = "organization.project.certificate" {
        /// The identifier, which can be referenced in API endpoints.
        id: CertificateId,
        /// The Unix timestamp (in seconds) of when the certificate was uploaded.
        created_at: Timestamp,
        /// The validity period.
        certificate_details: CertificateValidity,
        /// Whether the certificate is active in the project.
        active: bool,
    }
    nullable {
        /// The name of the certificate.
        name: String,
    }
}

impl ListItem for OrganizationProjectCertificate {
    const LIST_SCHEMA: &'static str = "ListProjectCertificatesResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

record! {
    /// The certificates that were activated in a project, in the order of the request.
    OrganizationProjectCertificateActivationResponse object ProjectCertificateActivationObject = "organization.project.certificate.activation" {
        /// The certificates.
        data: Vec<OrganizationProjectCertificate>,
    }
}

record! {
    /// The certificates that were deactivated in a project, in the order of the request.
    OrganizationProjectCertificateDeactivationResponse object ProjectCertificateDeactivationObject = "organization.project.certificate.deactivation" {
        /// The certificates.
        data: Vec<OrganizationProjectCertificate>,
    }
}
