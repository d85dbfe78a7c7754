//! Rate limits of projects: the limits of the organization's models, with the values that were set for a project.

mod models;

use std::collections::BTreeMap;

use openai_admin::{
    Cursor, RateLimitId,
    models::{
        AuditLogPayload, OtherFields, ProjectRateLimit, ProjectRateLimitListResponse,
        ProjectRateLimitUpdateRequest,
    },
    operations::{ListProjectRateLimits, UpdateProjectRateLimit},
};
use serde_json::{Map, Value as Json};

use self::models::{Limits, MODELS, UNLIMITED};
use crate::{
    base::{
        error::{Error, Result},
        events::RATE_LIMIT_UPDATED,
        refusal::Refusal,
        value::{Row, values},
    },
    nouns::projects,
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::assignment::Resource,
};

/// The fields with the limits of a model, in the order of [`Limits`].
const FIELDS: [&str; 6] = [
    "max_requests_per_1_minute",
    "max_tokens_per_1_minute",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    "max_requests_per_1_day",
    "batch_1_day_max_input_tokens",
];
/// The prefix of an id, before the name of the model.
const ID_PREFIX: &str = "rl-";

/// Limits that were set in a resource for a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SetLimits {
    pub(crate) project_seq: i64,
    pub(crate) model: String,
    limits: Limits,
}

impl SetLimits {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let fields: Map<String, Json> = serde_json::from_str(row.text(2)?).map_err(Error::internal)?;
        let limits = FIELDS.map(|field| fields.get(field).and_then(Json::as_i64));
        Ok(Self { project_seq: row.integer(0)?, model: row.text(1)?.to_owned(), limits })
    }

    /// The limits as the body of a request that sets them.
    pub(crate) fn body(&self) -> Result<ProjectRateLimitUpdateRequest> {
        serde_json::from_value(Json::Object(fields(&self.limits))).map_err(Error::internal)
    }
}

impl Reads for ListProjectRateLimits {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectRateLimitListResponse> {
        let project = projects::resource(tx, &self.project_id)?;
        let limits = in_resource(tx, project)?;
        let limits =
            limits.into_iter().map(|(model, limits)| shown(&model, limits)).collect::<Result<_>>()?;
        let (page, has_more) = page(limits, self)?;
        Ok(ProjectRateLimitListResponse::new(page, has_more))
    }
}

impl Changes for UpdateProjectRateLimit {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectRateLimit> {
        let project = projects::active_resource(change, &self.project_id)?;
        // Some clients send the name of the model (assumed to be accepted).
        let id = self.rate_limit_id.as_str();
        let model = id.strip_prefix(ID_PREFIX).unwrap_or(id);
        set(change, project, model, &self.body)?;
        match in_resource(change, project)?.remove(model) {
            Some(limits) => shown(model, limits),
            None => Err(Error::refused(Refusal::RateLimitNotSet, &model)),
        }
    }
}

/// Sets limits of a model that the organization has, and says whether they changed.
pub(crate) fn set(
    change: &mut Change<'_>,
    resource: Resource,
    model: &str,
    body: &ProjectRateLimitUpdateRequest,
) -> Result<bool> {
    let given = given(body);
    if let Resource::Project(_) = resource {
        check(change, model, given)?;
    }
    write(change, resource, model, given)
}

/// All limits that were set in the organization and its projects. Those of the organization come first.
pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<SetLimits>> {
    let org = tx.org();
    tx.query(
        "select project_seq, model, value from rate_limits where org = $1
         order by case project_seq when 0 then 0 else 1 end, project_seq, model",
        values![org],
        SetLimits::from_row,
    )
}

/// The limits of each model, by its name.
fn in_resource(tx: &mut Tx<'_>, resource: Resource) -> Result<BTreeMap<String, Limits>> {
    let defaults = MODELS.into_iter().map(|(model, limits)| (model.to_owned(), limits));
    let mut limits: BTreeMap<String, Limits> = defaults.collect();
    for resource in [Resource::Organization, resource] {
        for SetLimits { model, limits: set, .. } in set_in(tx, resource)? {
            let unlimited = [Some(UNLIMITED), Some(UNLIMITED), None, None, None, None];
            let known = limits.entry(model).or_insert(unlimited);
            *known = overlay(*known, set);
        }
    }
    Ok(limits)
}

fn set_in(tx: &mut Tx<'_>, resource: Resource) -> Result<Vec<SetLimits>> {
    let (org, project_seq) = (tx.org(), resource.project_seq());
    tx.query(
        "select project_seq, model, value from rate_limits where org = $1 and project_seq = $2 order by model",
        values![org, project_seq],
        SetLimits::from_row,
    )
}

/// The default limits, with the stored values in their place.
fn overlay(limits: Limits, set: Limits) -> Limits {
    std::array::from_fn(|field| set[field].or(limits[field]))
}

/// Refuses limits that the organization does not allow, the first field only (recorded).
fn check(tx: &mut Tx<'_>, model: &str, given: Limits) -> Result<()> {
    let organization = in_resource(tx, Resource::Organization)?;
    let Some(ceilings) = organization.get(model) else {
        return Err(Error::refused(Refusal::RateLimitNotSet, &model));
    };
    if model.starts_with("ft:") || model.ends_with("-shared") {
        return Err(Error::refused(Refusal::RateLimitNotUpdatable, &model));
    }
    for ((field, given), ceiling) in FIELDS.into_iter().zip(given).zip(ceilings) {
        let Some(given) = given else { continue };
        match ceiling {
            Some(ceiling) if !refuses(model, field) && given <= *ceiling => {}
            Some(ceiling) if !refuses(model, field) => {
                let exceeded = format!(
                    "the {field} for {ID_PREFIX}{model} cannot exceed the organization rate limit of {ceiling}"
                );
                return Err(Error::refused(Refusal::OrganizationRateLimitExceeded, &exceeded));
            }
            _ => {
                let unknown = format!("{field} for {ID_PREFIX}{model}");
                return Err(Error::refused(Refusal::InvalidRateLimitType, &unknown));
            }
        }
    }
    Ok(())
}

/// Whether a model lists a limit that cannot be set (recorded).
fn refuses(model: &str, field: &str) -> bool {
    model.starts_with("sora-") && field == "max_tokens_per_1_minute"
}

/// Writes limits that were checked, records the fields that were given, and says whether one of them changed.
fn write(change: &mut Change<'_>, resource: Resource, model: &str, given: Limits) -> Result<bool> {
    let (org, project_seq) = (change.org(), resource.project_seq());
    let before = change.query_one(
        "select project_seq, model, value from rate_limits where org = $1 and project_seq = $2 and model = $3",
        values![org, project_seq, model],
        SetLimits::from_row,
    )?;
    let before = before.map(|before| before.limits).unwrap_or_default();
    let after = overlay(before, given);
    if after == before {
        return Ok(false);
    }
    let value = Json::Object(fields(&after)).to_string();
    change.execute(
        "insert into rate_limits (org, project_seq, model, value) values ($1, $2, $3, $4)
         on conflict (org, project_seq, model) do update set value = excluded.value",
        values![org, project_seq, model, value.as_str()],
    )?;
    let mut payload = AuditLogPayload::default();
    payload.other = OtherFields(fields(&given));
    let id = format!("{ID_PREFIX}{model}");
    let project_seq = (project_seq != 0).then_some(project_seq);
    let places = Places { project_seq, detail: Some(&id), ..Places::default() };
    change.record(RATE_LIMIT_UPDATED, places.with(Some(&payload)))?;
    Ok(true)
}

fn given(body: &ProjectRateLimitUpdateRequest) -> Limits {
    [
        body.max_requests_per_1_minute,
        body.max_tokens_per_1_minute,
        body.max_images_per_1_minute,
        body.max_audio_megabytes_per_1_minute,
        body.max_requests_per_1_day,
        body.batch_1_day_max_input_tokens,
    ]
    .map(|value| value.map(|value| value.get()))
}

fn fields(limits: &Limits) -> Map<String, Json> {
    let fields = FIELDS.into_iter().zip(limits);
    fields.filter_map(|(field, limit)| Some((field.to_owned(), Json::from((*limit)?)))).collect()
}

fn shown(model: &str, limits: Limits) -> Result<ProjectRateLimit> {
    let id = RateLimitId::new(format!("{ID_PREFIX}{model}")).map_err(Error::internal)?;
    let [requests, tokens, images, audio_megabytes, requests_per_day, batch_tokens] = limits;
    let (requests, tokens) = (requests.unwrap_or(UNLIMITED), tokens.unwrap_or(UNLIMITED));
    let mut shown = ProjectRateLimit::new(id, model.to_owned(), requests, tokens);
    shown.max_images_per_1_minute = images;
    shown.max_audio_megabytes_per_1_minute = audio_megabytes;
    shown.max_requests_per_1_day = requests_per_day;
    shown.batch_1_day_max_input_tokens = batch_tokens;
    Ok(shown)
}

/// The requested page of all limits, and whether there are more in its direction.
fn page(
    mut limits: Vec<ProjectRateLimit>,
    request: &ListProjectRateLimits,
) -> Result<(Vec<ProjectRateLimit>, bool)> {
    let limit = usize::from(request.limit.unwrap_or_default().get());
    if limit == 0 {
        return Ok((Vec::new(), false));
    }
    let place = |cursor: &Cursor| {
        let place = limits.iter().position(|limit| limit.id.as_str() == cursor.as_str());
        place.ok_or_else(|| Error::UnknownCursor(cursor.clone()))
    };
    let start = request.after.as_ref().map(place).transpose()?.map_or(0, |place| place + 1);
    let end = request.before.as_ref().map(place).transpose()?.unwrap_or(limits.len());
    limits.truncate(end);
    drop(limits.drain(..start.min(end)));
    let excess = limits.len().saturating_sub(limit);
    match request.after.is_none() && request.before.is_some() {
        true => drop(limits.drain(..excess)),
        false => limits.truncate(limit),
    }
    Ok((limits, excess > 0))
}
