use super::api::api;
use crate::{
    CertificateId,
    models::{ModifyCertificateRequest, ToggleCertificatesRequest, UploadCertificateRequest},
};

api! {
    /// Certificates of the organization: list, upload, get, modify, delete, activate, deactivate.
    CertificatesApi = certificates;
    /// Lists the certificates, newest first. A page has 20 by default.
    list list_organization_certificates() -> ListOrganizationCertificates {
        /// let certificates = client.certificates().list_organization_certificates().items().try_collect().await?;
        /// assert!(certificates.is_empty());
    }
    /// Uploads a certificate.
    call upload_certificate(; body: UploadCertificateRequest) -> UploadCertificate {
        /// use openai_admin::models::UploadCertificateRequest;
        /// let mut body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// body.name = Some("Gateway".try_into()?);
        /// assert_eq!(client.certificates().upload_certificate(body).await?.name.as_deref(), Some("Gateway"));
    }
    /// Retrieves a certificate without its content. To include it, send a
    /// [`GetCertificate`](crate::operations::GetCertificate) with [`Client::send`](crate::Client::send).
    call get_certificate(certificate_id: CertificateId) -> GetCertificate {
        /// use openai_admin::models::UploadCertificateRequest;
        /// let body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// let uploaded = client.certificates().upload_certificate(body).await?;
        /// assert_eq!(*client.certificates().get_certificate(&uploaded.id).await?, *uploaded);
    }
    /// Changes the name of a certificate.
    call modify_certificate(certificate_id: CertificateId; body: ModifyCertificateRequest) -> ModifyCertificate {
        /// use openai_admin::models::{ModifyCertificateRequest, UploadCertificateRequest};
        /// let body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// let uploaded = client.certificates().upload_certificate(body).await?;
        /// let mut body = ModifyCertificateRequest::new();
        /// body.name = Some("Gateway".try_into()?);
        /// client.certificates().modify_certificate(&uploaded.id, body).await?;
    }
    /// Deletes a certificate that is not active anywhere.
    call delete_certificate(certificate_id: CertificateId) -> DeleteCertificate {
        /// use openai_admin::models::UploadCertificateRequest;
        /// let body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// let uploaded = client.certificates().upload_certificate(body).await?;
        /// client.certificates().delete_certificate(&uploaded.id).await?;
    }
    /// Activates certificates in the organization.
    call activate_organization_certificates(; body: ToggleCertificatesRequest) -> ActivateOrganizationCertificates {
        /// use openai_admin::models::{ToggleCertificatesRequest, UploadCertificateRequest};
        /// let body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// let uploaded = client.certificates().upload_certificate(body).await?;
        /// let body = ToggleCertificatesRequest::new(vec![uploaded.id.clone()]);
        /// assert!(client.certificates().activate_organization_certificates(body).await?.data[0].active);
    }
    /// Deactivates certificates in the organization.
    call deactivate_organization_certificates(; body: ToggleCertificatesRequest) -> DeactivateOrganizationCertificates {
        /// use openai_admin::models::{ToggleCertificatesRequest, UploadCertificateRequest};
        /// let body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// let uploaded = client.certificates().upload_certificate(body).await?;
        /// let body = ToggleCertificatesRequest::new(vec![uploaded.id.clone()]);
        /// assert!(!client.certificates().deactivate_organization_certificates(body).await?.data[0].active);
    }
}
