//! Workload identity providers of an organization. They are stored, and never used: this server exchanges no tokens.

use openai_admin::{
    Order, Timestamp, WorkloadIdentityProviderType, WorkloadIdentityVerificationType,
    models::{
        AuditLogPayload, OtherFields, UpdateWorkloadIdentityProviderBody,
        WorkloadIdentityAttributeTransformation, WorkloadIdentityProvider,
        WorkloadIdentityProviderDeletedResource, WorkloadIdentityProviderListResource,
        WorkloadIdentityVerification,
    },
    operations::{
        CreateWorkloadIdentityProvider, DeleteWorkloadIdentityProvider, ListWorkloadIdentityProviders,
        RetrieveWorkloadIdentityProvider, UpdateWorkloadIdentityProvider,
    },
};
use serde_json::{Map, json};

use crate::{
    base::{
        error::{Error, Result},
        replace::replace,
        text::{check_known, check_text},
        value::{Row, Value, values},
    },
    operation::{Changes, Reads, change::Change, reading::Reading},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing},
    },
};

/// The maximum number of computed attributes of a provider.
const TRANSFORMATIONS_MAX: usize = 20;

table! {
    $ workload_identity_providers of WorkloadIdentityProvider;
    columns: name description issuer audience enabled attribute_transformations verification created_at updated_at;
    erased: name = "''" description = "null" issuer = "''" audience = "''" attribute_transformations = "''" verification = "''";
    recorded: name = "name";
    numbers: Numbers::Sequence;
    events: "workload_identity_provider.created", "workload_identity_provider.updated", "workload_identity_provider.deleted";
}

impl Thing for WorkloadIdentityProvider {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let time = |column| row.integer(column).map(Timestamp::from_unix_seconds);
        let mut provider = Self::new(
            row.parsed(1)?,
            WorkloadIdentityProviderType::Oidc,
            row.text(2)?.to_owned(),
            row.text(4)?.to_owned(),
            row.text(5)?.to_owned(),
            row.flag(6)?,
            serde_json::from_str(row.text(7)?).map_err(Error::internal)?,
            serde_json::from_str(row.text(8)?).map_err(Error::internal)?,
            time(9)?,
            time(10)?,
        );
        provider.description = row.optional_text(3)?.map(str::to_owned);
        Ok(provider)
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let transformations = serde_json::to_string(&self.attribute_transformations).unwrap_or_default();
        let verification = serde_json::to_string(&self.verification).unwrap_or_default();
        write(values![
            self.id.as_str(),
            self.name.as_str(),
            self.description.as_deref(),
            self.issuer.as_str(),
            self.audience.as_str(),
            self.enabled,
            transformations.as_str(),
            verification.as_str(),
            self.created_at.unix_seconds(),
            self.updated_at.unix_seconds()
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        let mut payload = AuditLogPayload::name(Some(self.name.clone()));
        payload.other = OtherFields(Map::from_iter([
            ("issuer".to_owned(), json!(self.issuer)),
            ("audience".to_owned(), json!(self.audience)),
            ("enabled".to_owned(), json!(self.enabled)),
        ]));
        payload
    }
}

fn check(provider: &WorkloadIdentityProvider) -> Result<()> {
    check_known("type", provider.r#type.as_str(), WorkloadIdentityProviderType::KNOWN)?;
    check_text("name", &provider.name)?;
    check_text("description", provider.description.as_deref().unwrap_or_default())?;
    check_text("issuer", &provider.issuer)?;
    check_text("audience", &provider.audience)?;
    check_transformations(&provider.attribute_transformations)?;
    check_verification(&provider.verification)
}

fn check_transformations(transformations: &[WorkloadIdentityAttributeTransformation]) -> Result<()> {
    let field = "attribute_transformations";
    if transformations.len() > TRANSFORMATIONS_MAX {
        let expected = format!("at most {TRANSFORMATIONS_MAX} attributes, but got {}", transformations.len());
        return Err(Error::invalid_value(field, expected));
    }
    for (index, transformation) in transformations.iter().enumerate() {
        check_text(&format!("{field}[{index}].attribute"), &transformation.attribute)?;
        check_text(&format!("{field}[{index}].expression"), &transformation.expression)?;
    }
    Ok(())
}

/// Each type has its own field, which is required, and no field of the other type.
fn check_verification(verification: &WorkloadIdentityVerification) -> Result<()> {
    let r#type = verification.r#type.as_str();
    check_known("verification.type", r#type, WorkloadIdentityVerificationType::KNOWN)?;
    let is_discovery = verification.r#type == WorkloadIdentityVerificationType::Discovery;
    for (field, is_given, is_required) in [
        ("verification.discovery_url", verification.discovery_url.is_some(), is_discovery),
        ("verification.jwks", verification.jwks.is_some(), !is_discovery),
    ] {
        if is_given != is_required {
            let expected = if is_required { "a value" } else { "no value" };
            return Err(Error::invalid_value(field, format!("{expected}, since the type is '{type}'")));
        }
    }
    let url = verification.discovery_url.as_ref().and_then(Option::as_deref);
    check_text("verification.discovery_url", url.unwrap_or_default())
}

/// Discovery from the issuer.
fn default_verification() -> WorkloadIdentityVerification {
    let mut verification = WorkloadIdentityVerification::new(WorkloadIdentityVerificationType::Discovery);
    verification.discovery_url = Some(None);
    verification
}

impl Reads for ListWorkloadIdentityProviders {
    fn read(&self, tx: &mut Reading<'_>) -> Result<WorkloadIdentityProviderListResource> {
        let (order, limit) = (self.order.unwrap_or(Order::Asc), self.limit.unwrap_or_default().get());
        let (providers, has_more) = thing::page(tx, order, self.after.as_ref(), limit)?;
        Ok(WorkloadIdentityProviderListResource::new(providers, has_more))
    }
}

impl Changes for CreateWorkloadIdentityProvider {
    fn change(&self, change: &mut Change<'_>) -> Result<WorkloadIdentityProvider> {
        let (body, now) = (&self.body, change.stamp().at());
        let mut new = WorkloadIdentityProvider::new(
            change.mint("wip_")?,
            body.r#type.clone(),
            body.name.to_string(),
            body.issuer.to_string(),
            body.audience.to_string(),
            body.enabled.unwrap_or(true),
            body.attribute_transformations.clone().unwrap_or_default(),
            body.verification.clone().unwrap_or_else(default_verification),
            now,
            now,
        );
        new.description = body.description.as_ref().map(ToString::to_string);
        check(&new)?;
        thing::insert(change, &new)?;
        Ok(new)
    }
}

impl Reads for RetrieveWorkloadIdentityProvider {
    fn read(&self, tx: &mut Reading<'_>) -> Result<WorkloadIdentityProvider> {
        Ok(thing::find(tx, self.workload_identity_provider_id.as_str())?.thing)
    }
}

/// An update that changes nothing keeps the time of the last change (assumed).
impl Changes for UpdateWorkloadIdentityProvider {
    fn change(&self, change: &mut Change<'_>) -> Result<WorkloadIdentityProvider> {
        let Stored { seq, thing: before } =
            thing::find::<WorkloadIdentityProvider>(change, self.workload_identity_provider_id.as_str())?;
        let mut new = updated(before.clone(), &self.body);
        check(&new)?;
        if new == before {
            return Ok(before);
        }
        new.updated_at = change.stamp().at();
        thing::update(change, seq, &new)?;
        let payload = new.payload();
        change.record(TABLE.updated, thing::places(seq, &new).with(Some(&payload)))?;
        Ok(new)
    }
}

/// The provider after an update. An absent field keeps its value.
fn updated(
    mut provider: WorkloadIdentityProvider,
    body: &UpdateWorkloadIdentityProviderBody,
) -> WorkloadIdentityProvider {
    replace(&mut provider.name, body.name.as_deref().map(str::to_owned));
    replace(&mut provider.issuer, body.issuer.as_deref().map(str::to_owned));
    replace(&mut provider.audience, body.audience.as_deref().map(str::to_owned));
    let description = body.description.as_ref().map(|text| text.as_deref().map(str::to_owned));
    replace(&mut provider.description, description);
    replace(&mut provider.enabled, body.enabled);
    replace(&mut provider.attribute_transformations, body.attribute_transformations.clone());
    replace(&mut provider.verification, body.verification.clone());
    provider
}

impl Changes for DeleteWorkloadIdentityProvider {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<WorkloadIdentityProviderDeletedResource> {
        let found =
            thing::find::<WorkloadIdentityProvider>(change, self.workload_identity_provider_id.as_str())?;
        thing::bury(change, &found)?;
        Ok(WorkloadIdentityProviderDeletedResource::new(found.thing.id))
    }
}
