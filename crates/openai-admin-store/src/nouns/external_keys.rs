//! External keys of an organization. They are stored, and never used: this server connects to no other cloud.

use std::collections::HashMap;

use openai_admin::{
    ExternalKeyId, ExternalKeyObject, ExternalKeyPurpose, ExternalKeyType, Order, ProjectId,
    models::{
        AuditLogPayload, CreateExternalKeyBody, ExternalKey, ExternalKeyListResource,
        ExternalKeyValidateResponse, OtherFields,
    },
    operations::{
        CreateExternalKey, DeleteExternalKey, ListExternalKeys, RetrieveExternalKey, ValidateExternalKey,
    },
};
use serde_json::{Map, Value as Json, json};

use crate::{
    base::{
        error::{Error, Result},
        page::Range,
        refusal::Refusal,
        rule::Rule,
        text::{check_known, check_text},
        value::{Row, Value, values},
    },
    nouns::projects,
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing},
    },
};

/// The result of a check when the rule that no key service can be reached is off (recorded).
const VALID: &str = "valid";

table! {
    $ external_keys of ExternalKey;
    columns: name purpose location created_at;
    erased: name = "''" location = "''";
    recorded: name = "name";
    numbers: Numbers::Sequence;
    events: "external_key.registered", "external_key.registered", "external_key.removed";
}

/// The fields of a type of key.
struct Location {
    required: &'static [&'static str],
    /// The field with the version of the key.
    version: &'static str,
    /// The field with the id of the organization or of a project.
    owner: Option<&'static str>,
}

const AWS: Location =
    Location { required: &["role_arn", "kms_arn", "external_id"], version: "", owner: Some("external_id") };
const GCP: Location = Location {
    required: &[
        "workload_identity_project_number",
        "workload_identity_pool_id",
        "workload_identity_provider_id",
        "kms_project_id",
        "kms_key_ring_name",
        "kms_key_name",
        "kms_key_location",
        "audience",
    ],
    version: "kms_key_version",
    owner: Some("audience"),
};
const AZURE: Location =
    Location { required: &["tenant_id", "vault_uri", "key_name"], version: "key_version", owner: None };
const OCI: Location =
    Location { required: &["region", "vault_ocid", "key_ocid"], version: "key_version_ocid", owner: None };

impl Location {
    fn of(r#type: &ExternalKeyType) -> Result<&'static Self> {
        check_known("type", r#type.as_str(), ExternalKeyType::KNOWN)?;
        Ok(match r#type {
            ExternalKeyType::Aws => &AWS,
            ExternalKeyType::Gcp => &GCP,
            ExternalKeyType::Azure => &AZURE,
            _ => &OCI,
        })
    }
}

/// An external key without the projects that use it.
#[derive(Clone, Debug, PartialEq)]
struct StoredKey {
    id: ExternalKeyId,
    name: String,
    purpose: ExternalKeyPurpose,
    /// The type and its fields.
    location: Map<String, Json>,
    created_at: i64,
}

impl Thing for StoredKey {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.parsed(1)?,
            name: row.text(2)?.to_owned(),
            purpose: row.text(3)?.into(),
            location: serde_json::from_str(row.text(4)?).map_err(Error::internal)?,
            created_at: row.integer(5)?,
        })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let location = serde_json::to_string(&self.location).unwrap_or_default();
        let (name, purpose) = (self.name.as_str(), self.purpose.as_str());
        write(values![self.id.as_str(), name, purpose, location.as_str(), self.created_at])
    }

    fn payload(&self) -> AuditLogPayload {
        let mut payload = AuditLogPayload::name(Some(self.name.clone()));
        let r#type = self.location.get("type").cloned().unwrap_or_default();
        let fields = [("type", r#type), ("purpose", self.purpose.as_str().into())];
        payload.other =
            OtherFields(fields.map(|(field, value)| (field.to_owned(), value)).into_iter().collect());
        payload
    }
}

impl StoredKey {
    fn shown(self, object: ExternalKeyObject, api_project_ids: Vec<String>) -> Result<ExternalKey> {
        let mut fields = self.location;
        let others = json!({
            "object": object, "id": self.id, "name": self.name, "purpose": self.purpose,
            "api_project_ids": api_project_ids, "workspace_id": "", "created_at": self.created_at,
        });
        if let Json::Object(others) = others {
            fields.extend(others);
        }
        serde_json::from_value(Json::Object(fields)).map_err(Error::internal)
    }
}

/// The type of a new key and the fields of that type, checked.
fn location(change: &mut Change<'_>, body: &CreateExternalKeyBody) -> Result<Map<String, Json>> {
    let expected = Location::of(&body.r#type)?;
    let Json::Object(given) = serde_json::to_value(body).map_err(Error::internal)? else {
        return Err(Error::internal("the body of a request is an object"));
    };
    let mut location = Map::from_iter([("type".to_owned(), json!(body.r#type))]);
    for field in expected.required.iter().chain([&expected.version]) {
        let Some(value) = given.get(*field) else { continue };
        check_text(field, value.as_str().unwrap_or_default())?;
        location.insert((*field).to_owned(), value.clone());
    }
    if let Some(missing) = expected.required.iter().find(|field| !location.contains_key(**field)) {
        let expected = format!("a value, since the type is '{}'", body.r#type);
        return Err(Error::invalid_value(*missing, expected));
    }
    if let Some(field) = expected.owner {
        check_owner(change, field, location[field].as_str().unwrap_or_default())?;
    }
    Ok(location)
}

fn check_owner(change: &mut Change<'_>, field: &str, id: &str) -> Result<()> {
    if !change.rules().has(Rule::UnknownExternalId) {
        return Ok(());
    }
    let org = change.org();
    let is_organization = change.query_one(
        "select 1 from organizations where org = $1 and id = $2",
        values![org, id],
        |_| Ok(()),
    )?;
    let is_project = |change: &mut Change<'_>| match ProjectId::new(id) {
        Ok(id) => projects::find(change, &id).is_ok(),
        Err(_) => false,
    };
    match is_organization.is_some() || is_project(change) {
        true => Ok(()),
        false => Err(Error::invalid_value(field, "the id of the organization or of one of its projects")),
    }
}

/// An exact version is required for `psp_decryption` and refused for `ekm`; of `oci` keys only the first is published.
fn check_version(
    change: &Change<'_>,
    body: &CreateExternalKeyBody,
    location: &Map<String, Json>,
) -> Result<()> {
    let version = Location::of(&body.r#type)?.version;
    if version.is_empty() || !change.rules().has(Rule::ExternalKeyVersion) {
        return Ok(());
    }
    let decrypts = body.purpose == Some(ExternalKeyPurpose::PspDecryption);
    match (decrypts, location.contains_key(version)) {
        (true, false) => {
            Err(Error::invalid_value(version, "a version, since the purpose is 'psp_decryption'"))
        }
        (false, true) if version != OCI.version => {
            Err(Error::invalid_value(version, "no version, since the purpose is 'ekm'"))
        }
        _ => Ok(()),
    }
}

/// The ids of the active projects that use the keys with these numbers, by number.
fn projects_of(tx: &mut Tx<'_>, seqs: [i64; 2]) -> Result<HashMap<i64, Vec<String>>> {
    let (org, [first, last]) = (tx.org(), seqs);
    let rows = tx.query(
        "select k.seq, p.id from external_keys k
         join projects p on p.org = k.org and p.external_key_id = k.id and p.removed_at is null
         where k.org = $1 and k.seq between $2 and $3 order by k.seq, p.seq",
        values![org, first, last],
        |row| Ok((row.integer(0)?, row.text(1)?.to_owned())),
    )?;
    let mut projects: HashMap<i64, Vec<String>> = HashMap::new();
    for (seq, project) in rows {
        projects.entry(seq).or_default().push(project);
    }
    Ok(projects)
}

fn projects_of_key(tx: &mut Tx<'_>, seq: i64) -> Result<Vec<String>> {
    Ok(projects_of(tx, [seq, seq])?.remove(&seq).unwrap_or_default())
}

/// A page of the keys with a purpose, or of all keys.
fn page(tx: &mut Tx<'_>, list: &ListExternalKeys) -> Result<(Vec<Stored<StoredKey>>, bool)> {
    let limit = list.limit.unwrap_or_default().get();
    if limit == 0 {
        return Ok((Vec::new(), false));
    }
    let (org, after) = (tx.org(), thing::cursor::<StoredKey>(tx, list.after.as_ref())?);
    let range = Range::new(list.order.unwrap_or(Order::Asc), after, limit);
    let keys = match &list.purpose {
        None => {
            let [upward, downward] = TABLE.sql.page;
            let values = values![org, range.after, range.rows()];
            tx.query(range.choose(upward, downward), values, thing::stored)?
        }
        Some(purpose) => {
            let sql = range.choose(
                select!(
                    "external_keys where org = $1 and seq > $2 and purpose = $3 and removed_at is null
                     order by seq limit $4"
                ),
                select!(
                    "external_keys where org = $1 and seq < $2 and purpose = $3 and removed_at is null
                     order by seq desc limit $4"
                ),
            );
            tx.query(sql, values![org, range.after, purpose.as_str(), range.rows()], thing::stored)?
        }
    };
    Ok(range.cut(keys))
}

impl Reads for ListExternalKeys {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ExternalKeyListResource> {
        if let Some(purpose) = &self.purpose {
            check_known("purpose", purpose.as_str(), ExternalKeyPurpose::KNOWN)?;
        }
        let (keys, has_more) = page(tx, self)?;
        let seqs = || keys.iter().map(|key| key.seq);
        let mut projects = projects_of(tx, [seqs().min().unwrap_or(0), seqs().max().unwrap_or(0)])?;
        let shown = keys.into_iter().map(|key| {
            let projects = projects.remove(&key.seq).unwrap_or_default();
            key.thing.shown(ExternalKeyObject::ExternalKey, projects)
        });
        Ok(ExternalKeyListResource::new(shown.collect::<Result<_>>()?, has_more))
    }
}

impl Changes for CreateExternalKey {
    fn change(&self, change: &mut Change<'_>) -> Result<ExternalKey> {
        let body = &self.body;
        check_text("name", &body.name)?;
        let purpose = body.purpose.clone().unwrap_or(ExternalKeyPurpose::Ekm);
        check_known("purpose", purpose.as_str(), ExternalKeyPurpose::KNOWN)?;
        let location = location(change, body)?;
        check_version(change, body, &location)?;
        let (id, name, created_at) =
            (change.mint("extkey_")?, body.name.to_string(), change.stamp().seconds());
        let key = StoredKey { id, name, purpose, location, created_at };
        let seq = thing::insert(change, &key)?;
        let projects = projects_of_key(change, seq)?;
        key.shown(ExternalKeyObject::ExternalKey, projects)
    }
}

impl Reads for RetrieveExternalKey {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ExternalKey> {
        let Stored { seq, thing } = thing::find::<StoredKey>(tx, self.external_key_id.as_str())?;
        let projects = projects_of_key(tx, seq)?;
        thing.shown(ExternalKeyObject::ExternalKey, projects)
    }
}

impl Changes for DeleteExternalKey {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<ExternalKey> {
        let found = thing::find::<StoredKey>(change, self.external_key_id.as_str())?;
        let projects = projects_of_key(change, found.seq)?;
        if change.rules().has(Rule::ExternalKeyInUse) && !projects.is_empty() {
            return Err(Error::refused(Refusal::ExternalKeyInUse, &self.external_key_id));
        }
        thing::bury(change, &found)?;
        found.thing.shown(ExternalKeyObject::Deleted, projects)
    }
}

/// Stores nothing: a key has no status.
impl Changes for ValidateExternalKey {
    fn change(&self, change: &mut Change<'_>) -> Result<ExternalKeyValidateResponse> {
        thing::find_seq::<StoredKey>(change, self.external_key_id.as_str())?;
        match change.rules().has(Rule::KeyServiceUnreachable) {
            true => Err(Error::refused(Refusal::KeyServiceUnreachable, &self.external_key_id)),
            false => Ok(ExternalKeyValidateResponse::new(VALID.to_owned())),
        }
    }
}
