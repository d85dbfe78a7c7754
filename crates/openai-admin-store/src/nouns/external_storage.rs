//! External storage of an organization. It is stored, and never used: this server connects to no other cloud.

use std::collections::HashMap;

use openai_admin::{
    ExternalStorageId, ExternalStorageProviderType, ExternalStorageStatus, Order, ProjectId, Timestamp,
    models::{
        AuditLogPayload, ExternalStorage, ExternalStorageDeletedResource, ExternalStorageListResource,
        ExternalStorageProvider, ExternalStorageProviderParams, OtherFields,
    },
    operations::{
        CreateExternalStorage, DeleteExternalStorage, ListExternalStorage, RetrieveExternalStorage,
        ValidateExternalStorage,
    },
};
use serde_json::{Value as Json, json};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        refusal::Refusal,
        rule::Rule,
        text::check_known,
        value::{Row, Value, values},
    },
    nouns::{cloud_fields, projects},
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing},
    },
};

table! {
    $ external_storage of ExternalStorage;
    columns: project_seq provider geography status created_at;
    erased: provider = "''";
    recorded: geography = "geography";
    numbers: Numbers::Sequence;
    events: "external_storage.registered", "external_storage.registered", "external_storage.removed";
}

/// An external storage with the number of its project instead of the id.
#[derive(Clone, Debug, PartialEq)]
struct StoredStorage {
    id: ExternalStorageId,
    project_seq: i64,
    provider: ExternalStorageProvider,
    geography: String,
    status: ExternalStorageStatus,
    created_at: i64,
}

impl Thing for StoredStorage {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn project_seq(&self) -> Option<i64> {
        Some(self.project_seq)
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.parsed(1)?,
            project_seq: row.integer(2)?,
            provider: serde_json::from_str(row.text(3)?).map_err(Error::internal)?,
            geography: row.text(4)?.to_owned(),
            status: row.text(5)?.into(),
            created_at: row.integer(6)?,
        })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let provider = serde_json::to_string(&self.provider).unwrap_or_default();
        write(values![
            self.id.as_str(),
            self.project_seq,
            provider.as_str(),
            self.geography.as_str(),
            self.status.as_str(),
            self.created_at
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        let fields = [("geography", json!(self.geography)), ("provider", json!(self.provider))];
        let mut payload = AuditLogPayload::default();
        payload.other =
            OtherFields(fields.map(|(field, value)| (field.to_owned(), value)).into_iter().collect());
        payload
    }
}

impl StoredStorage {
    fn shown(self, project_id: ProjectId) -> ExternalStorage {
        let created_at = Timestamp::from_unix_seconds(self.created_at);
        let Self { id, provider, geography, status, .. } = self;
        ExternalStorage::new(id, project_id, provider, geography, status, created_at)
    }
}

fn shown(tx: &mut Tx<'_>, storage: StoredStorage) -> Result<ExternalStorage> {
    let project_id = projects::with_seq(tx, storage.project_seq)?.thing.id;
    Ok(storage.shown(project_id))
}

fn required_fields(r#type: &ExternalStorageProviderType) -> &'static [&'static str] {
    match r#type {
        ExternalStorageProviderType::Aws => &["bucket", "role_arn"],
        ExternalStorageProviderType::Azure => {
            &["tenant_id", "subscription_id", "resource_group", "account_name", "container"]
        }
        ExternalStorageProviderType::Gcp => &[
            "bucket",
            "workload_identity_project_number",
            "workload_identity_pool_id",
            "workload_identity_provider_id",
        ],
        _ => &["tenancy_ocid", "region", "bucket"],
    }
}

/// The location of a new storage, with the fields that the service adds. A region that only the cloud knows is empty.
fn provider(
    params: &ExternalStorageProviderParams,
    project_id: &ProjectId,
) -> Result<ExternalStorageProvider> {
    let r#type = &params.r#type;
    check_known("provider.type", r#type.as_str(), ExternalStorageProviderType::KNOWN)?;
    let fields = cloud_fields::of_type(params, r#type.as_str(), [required_fields(r#type), &[]], "provider.")?;
    let mut provider: ExternalStorageProvider =
        serde_json::from_value(Json::Object(fields)).map_err(Error::internal)?;
    provider.region.get_or_insert_default();
    match r#type {
        ExternalStorageProviderType::Aws => {
            provider.account_id = Some(account_id(provider.role_arn.as_deref().unwrap_or_default()));
            provider.external_id = Some(project_id.to_string());
        }
        ExternalStorageProviderType::Gcp => provider.audience = Some(project_id.to_string()),
        _ => {}
    }
    Ok(provider)
}

/// The account in the ARN of a role, such as `arn:aws:iam::123456789012:role/name`. Empty if it is not an ARN.
fn account_id(role_arn: &str) -> String {
    role_arn.split(':').nth(4).unwrap_or_default().to_owned()
}

/// The first part of a region, in upper case (assumed): `US` for `us-ashburn-1`.
fn geography(region: &str) -> String {
    region.split('-').next().unwrap_or_default().to_uppercase()
}

/// A page of the storages of a project, or of all.
fn page(tx: &mut Tx<'_>, list: &ListExternalStorage) -> Result<(Vec<StoredStorage>, bool)> {
    let (order, limit) = (list.order.unwrap_or(Order::Asc), list.limit.unwrap_or_default().get());
    let Some(project_id) = &list.project_id else {
        return thing::page(tx, order, list.after.as_ref(), limit);
    };
    let project_seq = projects::find(tx, project_id)?.seq;
    let (org, after) = (tx.org(), thing::cursor::<StoredStorage>(tx, list.after.as_ref())?);
    let range = Range::new(order, after, limit);
    let sql = range.choose(
        select!(
            "external_storage where org = $1 and seq > $2 and project_seq = $3 and removed_at is null
             order by seq limit $4"
        ),
        select!(
            "external_storage where org = $1 and seq < $2 and project_seq = $3 and removed_at is null
             order by seq desc limit $4"
        ),
    );
    let values = values![org, range.after, project_seq, range.rows()];
    Ok(range.cut(tx.query(sql, values, StoredStorage::from_row)?))
}

impl Reads for ListExternalStorage {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ExternalStorageListResource> {
        let (storages, has_more) = page(tx, self)?;
        let mut project_ids: HashMap<i64, ProjectId> = HashMap::new();
        let mut data = Vec::with_capacity(storages.len());
        for storage in storages {
            let project_id = match project_ids.get(&storage.project_seq) {
                Some(project_id) => project_id.clone(),
                None => projects::with_seq(tx, storage.project_seq)?.thing.id,
            };
            project_ids.insert(storage.project_seq, project_id.clone());
            data.push(storage.shown(project_id));
        }
        Ok(ExternalStorageListResource::new(data, has_more))
    }
}

impl Changes for CreateExternalStorage {
    fn change(&self, change: &mut Change<'_>) -> Result<ExternalStorage> {
        let project = projects::find_active(change, &self.body.project_id)?;
        let provider = provider(&self.body.provider, &project.thing.id)?;
        let storage = StoredStorage {
            id: change.mint("extstorage_")?,
            project_seq: project.seq,
            geography: geography(provider.region.as_deref().unwrap_or_default()),
            provider,
            status: ExternalStorageStatus::Pending,
            created_at: change.stamp().seconds(),
        };
        thing::insert(change, &storage)?;
        Ok(storage.shown(project.thing.id))
    }
}

impl Reads for RetrieveExternalStorage {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ExternalStorage> {
        let found = thing::find::<StoredStorage>(tx, self.external_storage_id.as_str())?;
        shown(tx, found.thing)
    }
}

/// Deleting a storage again changes nothing and succeeds.
impl Changes for DeleteExternalStorage {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<ExternalStorageDeletedResource> {
        let id = &self.external_storage_id;
        if let Some(found) = thing::look_up::<StoredStorage>(change, id.as_str())? {
            thing::bury(change, &found)?;
        } else if thing::position::<StoredStorage>(change, id.as_str())?.is_none() {
            return Err(Error::not_found(Kind::ExternalStorage, id));
        }
        Ok(ExternalStorageDeletedResource::new(id.clone()))
    }
}

/// Records no event: none is published.
impl Changes for ValidateExternalStorage {
    fn change(&self, change: &mut Change<'_>) -> Result<ExternalStorage> {
        let id = &self.external_storage_id;
        let Stored { seq, thing: mut storage } = thing::find::<StoredStorage>(change, id.as_str())?;
        if change.rules().has(Rule::StorageUnreachable) {
            return Err(Error::refused(Refusal::StorageUnreachable, id));
        }
        storage.status = ExternalStorageStatus::Validated;
        thing::update(change, seq, &storage)?;
        shown(change, storage)
    }
}
