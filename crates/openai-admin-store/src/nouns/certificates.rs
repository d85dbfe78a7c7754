//! Certificates of an organization, and their activation in the organization and in each project.

use openai_admin::{
    CertificateId, CertificateInclude, Cursor, Order, Timestamp,
    models::{
        AuditLogPayload, Certificate, CertificateDetails, CertificateValidity, DeleteCertificateResponse,
        ListCertificatesResponse, ListProjectCertificatesResponse, OrganizationCertificate,
        OrganizationCertificateActivationResponse, OrganizationCertificateDeactivationResponse,
        OrganizationProjectCertificate, OrganizationProjectCertificateActivationResponse,
        OrganizationProjectCertificateDeactivationResponse,
    },
    operations::{
        ActivateOrganizationCertificates, ActivateProjectCertificates, DeactivateOrganizationCertificates,
        DeactivateProjectCertificates, DeleteCertificate, GetCertificate, ListOrganizationCertificates,
        ListProjectCertificates, ModifyCertificate, UploadCertificate,
    },
};

use crate::{
    base::{
        error::{Error, Result},
        events::{CERTIFICATE_ACTIVATED, CERTIFICATE_DEACTIVATED},
        kind::Kind,
        page::Range,
        pem,
        refusal::Refusal,
        rule::Rule,
        text::check_text,
        value::{Row, Value, values},
    },
    nouns::projects,
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Resource,
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing},
    },
};

/// The maximum number of certificates of an organization.
const CERTIFICATES_MAX: i64 = 50;
/// The validity of a text that is not a certificate, in seconds.
const YEAR_SECONDS: i64 = 365 * 24 * 60 * 60;
/// The maximum number of certificates in one request to activate or deactivate.
const TOGGLED_MAX: usize = 10;

table! {
    $ certificates of Certificate;
    columns: name content valid_at expires_at created_at;
    erased: name = "null" content = "''";
    recorded: name = "name";
    numbers: Numbers::Sequence;
    events: "certificate.created", "certificate.updated", "certificate.deleted";
}

/// The certificate with its content.
impl Thing for Certificate {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let time = |column| row.integer(column).map(Timestamp::from_unix_seconds);
        let mut details = CertificateDetails::new();
        details.content = Some(row.text(3)?.to_owned());
        (details.valid_at, details.expires_at) = (Some(time(4)?), Some(time(5)?));
        let mut certificate = Self::new(row.parsed(1)?, time(6)?, details);
        certificate.name = row.optional_text(2)?.map(str::to_owned);
        Ok(certificate)
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let details = &self.certificate_details;
        write(values![
            self.id.as_str(),
            self.name.as_deref(),
            details.content.as_deref(),
            details.valid_at.map(Timestamp::unix_seconds),
            details.expires_at.map(Timestamp::unix_seconds),
            self.created_at.unix_seconds()
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        AuditLogPayload::name(self.name.clone())
    }
}

fn without_content(mut certificate: Certificate) -> Certificate {
    certificate.certificate_details.content = None;
    certificate
}

impl Changes for UploadCertificate {
    fn change(&self, change: &mut Change<'_>) -> Result<Certificate> {
        let body = &self.body;
        check_text("name", body.name.as_deref().unwrap_or_default())?;
        let now = change.stamp().at();
        let details = match pem::read(&body.certificate, now) {
            Err(_) if !change.rules().has(Rule::InvalidCertificate) => {
                details_of_text(&body.certificate, now)
            }
            read => read?,
        };
        let mut new = Certificate::new(change.mint("cert_")?, change.stamp().at(), details);
        new.name = body.name.as_ref().map(ToString::to_string);
        thing::insert(change, &new)?;
        // Counted after the number was assigned, so that concurrent uploads count each other.
        if change.rules().has(Rule::CertificateLimit) && count(change)? > CERTIFICATES_MAX {
            return Err(Error::refused(Refusal::CertificateLimit, &new.id));
        }
        Ok(without_content(new))
    }
}

/// The details of a text that is not a valid certificate.
fn details_of_text(text: &str, now: Timestamp) -> CertificateDetails {
    let mut details = CertificateDetails::new();
    details.valid_at = Some(now);
    details.expires_at = Some(Timestamp::from_unix_seconds(now.unix_seconds() + YEAR_SECONDS));
    details.content = Some(text.to_owned());
    details
}

fn count(tx: &mut Tx<'_>) -> Result<i64> {
    let org = tx.org();
    let counted = tx.query_one(
        "select count(*) from certificates where org = $1 and removed_at is null",
        values![org],
        |row| row.integer(0),
    )?;
    Ok(counted.unwrap_or(0))
}

impl Reads for GetCertificate {
    fn read(&self, tx: &mut Reading<'_>) -> Result<Certificate> {
        let certificate = thing::find::<Certificate>(tx, self.certificate_id.as_str())?.thing;
        match self.include.contains(&CertificateInclude::Content) {
            true => Ok(certificate),
            false => Ok(without_content(certificate)),
        }
    }
}

impl Changes for ModifyCertificate {
    fn change(&self, change: &mut Change<'_>) -> Result<Certificate> {
        let Stored { seq, thing: mut certificate } =
            thing::find::<Certificate>(change, self.certificate_id.as_str())?;
        let name = self.body.name.as_ref().map(ToString::to_string);
        if name.is_some() && name != certificate.name {
            check_text("name", name.as_deref().unwrap_or_default())?;
            certificate.name = name;
            thing::update(change, seq, &certificate)?;
            let payload = certificate.payload();
            let places = Places::of(Kind::Certificate, seq, self.certificate_id.as_str());
            change.record(TABLE.updated, places.with(Some(&payload)))?;
        }
        Ok(without_content(certificate))
    }
}

impl Changes for DeleteCertificate {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<DeleteCertificateResponse> {
        let found = thing::find::<Certificate>(change, self.certificate_id.as_str())?;
        if change.rules().has(Rule::CertificateActive) && is_active_anywhere(change, found.seq)? {
            return Err(Error::refused(Refusal::CertificateActive, &self.certificate_id));
        }
        thing::bury(change, &found)?;
        Ok(DeleteCertificateResponse::new(found.thing.id))
    }
}

fn is_active_anywhere(tx: &mut Tx<'_>, seq: i64) -> Result<bool> {
    let org = tx.org();
    let active = tx.query_one(
        "select 1 from certificate_activations where org = $1 and certificate_seq = $2 limit 1",
        values![org, seq],
        |_| Ok(()),
    )?;
    Ok(active.is_some())
}

impl Reads for ListOrganizationCertificates {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ListCertificatesResponse> {
        let limit = self.limit.unwrap_or_default().get();
        let (page, has_more) = page(tx, Resource::Organization, self.order, self.after.as_ref(), limit)?;
        let page = page.into_iter().map(|(certificate, active)| in_organization(certificate, active));
        Ok(ListCertificatesResponse::new(page.collect(), has_more))
    }
}

impl Reads for ListProjectCertificates {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ListProjectCertificatesResponse> {
        let project = Resource::Project(projects::find(tx, &self.project_id)?.seq);
        let limit = self.limit.unwrap_or_default().get();
        let (page, has_more) = page(tx, project, self.order, self.after.as_ref(), limit)?;
        let page = page.into_iter().map(|(certificate, active)| in_project(certificate, active));
        Ok(ListProjectCertificatesResponse::new(page.collect(), has_more))
    }
}

/// A page of all certificates, each with its state in the resource.
fn page(
    tx: &mut Tx<'_>,
    resource: Resource,
    order: Option<Order>,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<(Vec<(Certificate, bool)>, bool)> {
    macro_rules! select_states {
        ($rest:literal) => {
            concat!(
                "select c.seq, c.id, c.name, c.content, c.valid_at, c.expires_at, c.created_at,
                        (select count(*) from certificate_activations a
                         where a.org = $1 and a.project_seq = $2 and a.certificate_seq = c.seq)
                 from certificates c where c.org = $1 and ",
                $rest
            )
        };
    }
    let after = thing::cursor::<Certificate>(tx, after)?;
    let range = Range::new(order.unwrap_or(Order::Desc), after, limit);
    let sql = range.choose(
        select_states!("c.seq > $3 and c.removed_at is null order by c.seq limit $4"),
        select_states!("c.seq < $3 and c.removed_at is null order by c.seq desc limit $4"),
    );
    let org = tx.org();
    let rows = tx.query(sql, values![org, resource.project_seq(), range.after, range.rows()], |row| {
        Ok((Certificate::from_row(row)?, row.flag(7)?))
    })?;
    Ok(range.cut(rows))
}

fn validity(details: &CertificateDetails) -> CertificateValidity {
    let mut validity = CertificateValidity::new();
    (validity.valid_at, validity.expires_at) = (details.valid_at, details.expires_at);
    validity
}

fn in_organization(certificate: Certificate, active: bool) -> OrganizationCertificate {
    let Certificate { id, created_at, name, certificate_details, .. } = certificate;
    let mut shown = OrganizationCertificate::new(id, created_at, validity(&certificate_details), active);
    shown.name = name;
    shown
}

fn in_project(certificate: Certificate, active: bool) -> OrganizationProjectCertificate {
    let Certificate { id, created_at, name, certificate_details, .. } = certificate;
    let mut shown =
        OrganizationProjectCertificate::new(id, created_at, validity(&certificate_details), active);
    shown.name = name;
    shown
}

impl Changes for ActivateOrganizationCertificates {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationCertificateActivationResponse> {
        let changed = set(change, Resource::Organization, &self.body.certificate_ids, true)?;
        let shown = changed.into_iter().map(|certificate| in_organization(certificate, true));
        Ok(OrganizationCertificateActivationResponse::new(shown.collect()))
    }
}

impl Changes for DeactivateOrganizationCertificates {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationCertificateDeactivationResponse> {
        let changed = set(change, Resource::Organization, &self.body.certificate_ids, false)?;
        let shown = changed.into_iter().map(|certificate| in_organization(certificate, false));
        Ok(OrganizationCertificateDeactivationResponse::new(shown.collect()))
    }
}

impl Changes for ActivateProjectCertificates {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationProjectCertificateActivationResponse> {
        let project = Resource::Project(projects::find_active(change, &self.project_id)?.seq);
        let changed = set(change, project, &self.body.certificate_ids, true)?;
        let shown = changed.into_iter().map(|certificate| in_project(certificate, true));
        Ok(OrganizationProjectCertificateActivationResponse::new(shown.collect()))
    }
}

impl Changes for DeactivateProjectCertificates {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationProjectCertificateDeactivationResponse> {
        let project = Resource::Project(projects::find_active(change, &self.project_id)?.seq);
        let changed = set(change, project, &self.body.certificate_ids, false)?;
        let shown = changed.into_iter().map(|certificate| in_project(certificate, false));
        Ok(OrganizationProjectCertificateDeactivationResponse::new(shown.collect()))
    }
}

/// Activates or deactivates certificates in the resource, and returns them in the order of the ids. A repeated id
/// counts once (assumed).
fn set(
    change: &mut Change<'_>,
    resource: Resource,
    ids: &[CertificateId],
    active: bool,
) -> Result<Vec<Certificate>> {
    if !(1..=TOGGLED_MAX).contains(&ids.len()) {
        let expected = format!("1 to {TOGGLED_MAX} ids, but got {}", ids.len());
        return Err(Error::invalid_value("certificate_ids", expected));
    }
    let mut certificates: Vec<Stored<Certificate>> = Vec::new();
    for id in ids {
        if certificates.iter().all(|found| found.thing.id != *id) {
            certificates.push(thing::find(change, id.as_str())?);
        }
    }
    for certificate in &certificates {
        set_one(change, resource, certificate, active)?;
    }
    Ok(certificates.into_iter().map(|found| found.thing).collect())
}

fn set_one(
    change: &mut Change<'_>,
    resource: Resource,
    certificate: &Stored<Certificate>,
    active: bool,
) -> Result<()> {
    let (sql, event) = match active {
        true => (
            "insert into certificate_activations (org, project_seq, certificate_seq) values ($1, $2, $3)
             on conflict do nothing",
            CERTIFICATE_ACTIVATED,
        ),
        false => (
            "delete from certificate_activations where org = $1 and project_seq = $2 and certificate_seq = $3",
            CERTIFICATE_DEACTIVATED,
        ),
    };
    let project_seq = resource.project_seq();
    let org = change.org();
    if change.execute(sql, values![org, project_seq, certificate.seq])? == 0 {
        return Ok(());
    }
    let payload = certificate.thing.payload();
    let places = Places::of(Kind::Certificate, certificate.seq, certificate.thing.id.as_str());
    let project_seq = (project_seq != 0).then_some(project_seq);
    change.record(event, Places { project_seq, payload: Some(&payload), ..places })
}
