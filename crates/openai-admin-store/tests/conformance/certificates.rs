//! Certificates and their activation.

use openai_admin::{
    CertificateId, CertificateInclude,
    models::{Certificate, ListProjectCertificatesResponse, ToggleCertificatesRequest},
    operations::{
        ActivateOrganizationCertificates, ActivateProjectCertificates, DeactivateOrganizationCertificates,
        DeactivateProjectCertificates, DeleteCertificate, GetCertificate, ListAuditLogs,
        ListOrganizationCertificates, ListProjectCertificates, ModifyCertificate, UploadCertificate,
    },
};
use openai_admin_store::{Error, Kind, Refusal, Result};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    a_certificate_is_parsed_when_it_is_uploaded,
    an_upload_must_be_one_valid_certificate,
    a_certificate_is_renamed_and_deleted_with_its_events,
    certificates_are_activated_separately_in_the_organization_and_each_project,
    all_certificates_are_activated_or_none,
    an_active_certificate_is_not_deleted,
    certificates_of_an_archived_project_are_inactive,
    an_organization_has_at_most_fifty_certificates,
}

const DEFAULT: &str = "proj_default_org-acme";

/// A certificate in PEM format that is valid from the year 2020 until this one.
pub(crate) fn pem(until: i32) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

async fn upload_text(acme: &Tenant, name: &str, certificate: &str) -> Result<Certificate> {
    let body = json!({ "name": name, "certificate": certificate });
    acme.change(UploadCertificate::new(serde_json::from_value(body).unwrap())).await
}

pub(crate) async fn upload(acme: &Tenant, name: &str) -> CertificateId {
    upload_text(acme, name, &pem(2100)).await.unwrap().id
}

pub(crate) async fn delete(acme: &Tenant, id: &str) -> Result<()> {
    acme.change(DeleteCertificate::new(id.parse().unwrap())).await.map(drop)
}

pub(crate) fn those(ids: &[&CertificateId]) -> ToggleCertificatesRequest {
    ToggleCertificatesRequest::new(ids.iter().copied().cloned().collect())
}

pub(crate) async fn activate(acme: &Tenant, project: &str, ids: &[&CertificateId]) -> Result<()> {
    acme.change(ActivateProjectCertificates::new(project.parse().unwrap(), those(ids))).await.map(drop)
}

pub(crate) async fn deactivate(acme: &Tenant, project: &str, ids: &[&CertificateId]) -> Result<()> {
    acme.change(DeactivateProjectCertificates::new(project.parse().unwrap(), those(ids))).await.map(drop)
}

async fn list(acme: &Tenant, project: &str) -> ListProjectCertificatesResponse {
    acme.read(ListProjectCertificates::new(project.parse().unwrap())).await.unwrap()
}

/// The names of all certificates, newest first, and whether they are active in the project.
async fn states(acme: &Tenant, project: &str) -> Vec<(String, bool)> {
    let listed = list(acme, project).await.data;
    listed.into_iter().map(|certificate| (certificate.name.unwrap(), certificate.active)).collect()
}

async fn states_of_organization(acme: &Tenant) -> Vec<(String, bool)> {
    let listed = acme.read(ListOrganizationCertificates::new()).await.unwrap().data;
    listed.into_iter().map(|certificate| (certificate.name.unwrap(), certificate.active)).collect()
}

fn named<const N: usize>(states: [(&str, bool); N]) -> Vec<(String, bool)> {
    states.into_iter().map(|(name, active)| (name.to_owned(), active)).collect()
}

/// The newest events, newest first: the type, the project and the detail.
async fn told(acme: &Tenant, count: usize) -> Vec<Json> {
    let logs = acme.store().list_audit_logs(acme.org(), ListAuditLogs::new()).await.unwrap();
    let told = logs.data.iter().take(count).map(|log| {
        let project = log.project.as_ref().and_then(|project| project.id.as_deref());
        json!([log.r#type.as_str(), project, log.detail])
    });
    told.collect()
}

async fn a_certificate_is_parsed_when_it_is_uploaded(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let content = pem(2100);
    let uploaded = upload_text(&acme, "Gateway", &content).await.unwrap();
    let details = &uploaded.certificate_details;
    assert_eq!(details.valid_at.map(|at| at.unix_seconds()), Some(1_577_836_800));
    assert_eq!(details.expires_at.map(|at| at.unix_seconds()), Some(4_102_444_800));
    assert_eq!(details.content, None);
    let mut get = GetCertificate::new(uploaded.id.clone());
    assert_eq!(acme.read(get.clone()).await.unwrap(), uploaded);
    get.include.push(CertificateInclude::Content);
    assert_eq!(acme.read(get).await.unwrap().certificate_details.content, Some(content));
    let unnamed = serde_json::from_value(json!({ "certificate": pem(2100) })).unwrap();
    assert_eq!(acme.change(UploadCertificate::new(unnamed)).await.unwrap().name, None);
}

async fn an_upload_must_be_one_valid_certificate(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let (valid, key) = (pem(2100), KeyPair::generate().unwrap().serialize_pem());
    for (text, reason) in [
        (String::new(), "it is not exactly one certificate in PEM format"),
        ("certificate".to_owned(), "it is not exactly one certificate in PEM format"),
        (format!("{valid}{valid}"), "it is not exactly one certificate in PEM format"),
        (format!("{valid}{key}"), "it is not exactly one certificate in PEM format"),
        (valid[..200].to_owned(), "it is not exactly one certificate in PEM format"),
        (format!("\0{valid}"), "it is not exactly one certificate in PEM format"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            "it is not exactly one certificate in PEM format",
        ),
        (pem(2021), "it has expired"),
        (format!("{valid}{}", " ".repeat(16 * 1024)), "it is larger than 16 kilobytes"),
    ] {
        let refused = upload_text(&acme, "Gateway", &text).await;
        assert_refused!(refused, Error::Refused { refusal: Refusal::InvalidCertificate, value } if value == reason);
    }
    assert_eq!(states_of_organization(&acme).await, []);
}

async fn a_certificate_is_renamed_and_deleted_with_its_events(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = upload(&acme, "Gateway").await;
    let rename = |body: Json| ModifyCertificate::new(id.clone(), serde_json::from_value(body).unwrap());
    let renamed = acme.change(rename(json!({ "name": "Edge" }))).await.unwrap();
    assert_eq!(renamed.name.as_deref(), Some("Edge"));
    assert_eq!(acme.change(rename(json!({}))).await.unwrap(), renamed);
    assert_eq!(acme.change(rename(json!({ "name": "Edge" }))).await.unwrap(), renamed);
    delete(&acme, id.as_str()).await.unwrap();
    assert_eq!(
        told(&acme, 3).await,
        [
            json!(["certificate.deleted", null, { "id": id }]),
            json!(["certificate.updated", null, { "id": id, "name": "Edge" }]),
            json!(["certificate.created", null, { "id": id, "name": "Gateway" }]),
        ]
    );
}

async fn certificates_are_activated_separately_in_the_organization_and_each_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let (one, two) = (upload(&acme, "One").await, upload(&acme, "Two").await);

    let body = those(&[&two, &one, &two]);
    let activated = acme.change(ActivateProjectCertificates::new(project.clone(), body)).await.unwrap();
    let order: Vec<_> = activated.data.iter().map(|shown| (&shown.id, shown.active)).collect();
    assert_eq!(order, [(&two, true), (&one, true)]);
    let activated_in_organization =
        acme.change(ActivateOrganizationCertificates::new(those(&[&one]))).await.unwrap();
    assert!(activated_in_organization.data[0].active);
    activate(&acme, DEFAULT, &[&two]).await.unwrap();
    assert_eq!(states(&acme, project.as_str()).await, named([("Two", true), ("One", true)]));
    assert_eq!(states(&acme, DEFAULT).await, named([("Two", true), ("One", false)]));
    assert_eq!(states_of_organization(&acme).await, named([("Two", false), ("One", true)]));

    // An unchanged state records no event.
    activate(&acme, project.as_str(), &[&one]).await.unwrap();
    let body = those(&[&one, &two]);
    let deactivated = acme.change(DeactivateProjectCertificates::new(project.clone(), body)).await.unwrap();
    assert!(deactivated.data.iter().all(|shown| !shown.active));
    deactivate(&acme, project.as_str(), &[&one]).await.unwrap();
    acme.change(DeactivateOrganizationCertificates::new(those(&[&one]))).await.unwrap();
    assert_eq!(states_of_organization(&acme).await, named([("Two", false), ("One", false)]));
    let event = |name, project, id, certificate: &str| json!([name, project, { "certificates": [{ "id": id, "name": certificate }] }]);
    let (on, off) = ("certificates.activated", "certificates.deactivated");
    let mut of_default = ListAuditLogs::new();
    of_default.project_ids = vec![DEFAULT.to_owned()];
    assert_eq!(acme.store().list_audit_logs(acme.org(), of_default).await.unwrap().data.len(), 1);
    assert_eq!(
        told(&acme, 7).await,
        [
            event(off, None, &one, "One"),
            event(off, Some(&project), &two, "Two"),
            event(off, Some(&project), &one, "One"),
            event(on, Some(&DEFAULT.parse().unwrap()), &two, "Two"),
            event(on, None, &one, "One"),
            event(on, Some(&project), &one, "One"),
            event(on, Some(&project), &two, "Two"),
        ]
    );
}

async fn all_certificates_are_activated_or_none(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let (id, theirs) = (upload(&acme, "Gateway").await, upload(&other, "Theirs").await);
    for unknown in ["cert_nope".parse().unwrap(), theirs] {
        assert_refused!(
            activate(&acme, DEFAULT, &[&id, &unknown]).await,
            Error::NotFound { kind: Kind::Certificate, id } if *id == *unknown.as_str()
        );
    }
    assert_refused!(activate(&acme, "proj_nope", &[&id]).await, Error::NotFound { kind: Kind::Project, .. });
    for count in [0, 11] {
        let ids = vec![&id; count];
        assert_refused!(
            activate(&acme, DEFAULT, &ids).await,
            Error::InvalidValue { field, .. } if field == "certificate_ids"
        );
    }
    assert_eq!(states(&acme, DEFAULT).await, named([("Gateway", false)]));
}

async fn an_active_certificate_is_not_deleted(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = upload(&acme, "Gateway").await;
    activate(&acme, DEFAULT, &[&id]).await.unwrap();
    assert_refused!(
        delete(&acme, id.as_str()).await,
        Error::Refused { refusal: Refusal::CertificateActive, value } if *value == *id.as_str()
    );
    deactivate(&acme, DEFAULT, &[&id]).await.unwrap();
    delete(&acme, id.as_str()).await.unwrap();
}

async fn certificates_of_an_archived_project_are_inactive(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let id = upload(&acme, "Gateway").await;
    activate(&acme, project.as_str(), &[&id]).await.unwrap();
    projects::archive(&acme, project.as_str()).await.unwrap();
    assert_eq!(states(&acme, project.as_str()).await, named([("Gateway", false)]));
    assert_refused!(
        activate(&acme, project.as_str(), &[&id]).await,
        Error::Refused { refusal: Refusal::ProjectArchived, .. }
    );
    delete(&acme, id.as_str()).await.unwrap();
}

async fn an_organization_has_at_most_fifty_certificates(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let content = pem(2100);
    for _ in 0..50 {
        upload_text(&acme, "Gateway", &content).await.unwrap();
    }
    assert_refused!(
        upload_text(&acme, "Gateway", &content).await,
        Error::Refused { refusal: Refusal::CertificateLimit, .. }
    );
}
