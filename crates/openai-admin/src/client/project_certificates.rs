use super::api::api;
use crate::{ProjectId, models::ToggleCertificatesRequest};

api! {
    /// Certificates of the organization in a project: list, activate, deactivate.
    ProjectCertificatesApi = project_certificates;
    /// Lists all certificates of the organization, newest first. A page has 20 by default.
    list list_project_certificates(project_id: ProjectId) -> ListProjectCertificates {
        /// let listed = client.project_certificates().list_project_certificates("proj_1").await?;
        /// assert!(listed.data.iter().all(|certificate| !certificate.active));
    }
    /// Activates certificates in a project.
    call activate_project_certificates(project_id: ProjectId; body: ToggleCertificatesRequest) -> ActivateProjectCertificates {
        /// use openai_admin::models::{ToggleCertificatesRequest, UploadCertificateRequest};
        /// let body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// let uploaded = client.certificates().upload_certificate(body).await?;
        /// let body = ToggleCertificatesRequest::new(vec![uploaded.id.clone()]);
        /// let activated = client.project_certificates().activate_project_certificates("proj_1", body).await?;
        /// assert!(activated.data[0].active);
    }
    /// Deactivates certificates in a project.
    call deactivate_project_certificates(project_id: ProjectId; body: ToggleCertificatesRequest) -> DeactivateProjectCertificates {
        /// use openai_admin::models::{ToggleCertificatesRequest, UploadCertificateRequest};
        /// let body = UploadCertificateRequest::new(openai_admin_server::testing::CERTIFICATE.to_owned());
        /// let uploaded = client.certificates().upload_certificate(body).await?;
        /// let body = ToggleCertificatesRequest::new(vec![uploaded.id.clone()]);
        /// let answer = client.project_certificates().deactivate_project_certificates("proj_1", body).await?;
        /// assert!(!answer.data[0].active);
    }
}
