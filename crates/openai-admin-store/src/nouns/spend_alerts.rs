//! Spend alerts of the organization and of its projects. They are stored, and never sent.

use openai_admin::{
    Cursor, Order, PersonalText, SpendAlertChannelType, SpendAlertId, SpendLimitCurrency, SpendLimitInterval,
    identity::is_email,
    models::{
        AuditLogPayload, CreateSpendAlertBody, OrganizationSpendAlert, OrganizationSpendAlertDeletedResource,
        OrganizationSpendAlertListResource, OtherFields, ProjectSpendAlert, ProjectSpendAlertDeletedResource,
        ProjectSpendAlertListResource, SpendAlertNotificationChannel,
    },
    operations::{
        CreateOrganizationSpendAlert, CreateProjectSpendAlert, DeleteOrganizationSpendAlert,
        DeleteProjectSpendAlert, ListOrganizationSpendAlerts, ListProjectSpendAlerts,
        RetrieveOrganizationSpendAlert, RetrieveProjectSpendAlert, UpdateOrganizationSpendAlert,
        UpdateProjectSpendAlert,
    },
};
use serde_json::{Map, Value as Json};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        rule::{Rule, Rules},
        text::{check_bounded_text, check_known},
        value::{Row, Value, values},
    },
    nouns::projects,
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Resource,
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing},
    },
};

/// The maximum number of recipients of an alert (assumed).
const RECIPIENTS_MAX: usize = 100;
/// The maximum length of a subject prefix, in characters (assumed).
const SUBJECT_PREFIX_LENGTH_MAX: usize = 255;

table! {
    $ spend_alerts of SpendAlert;
    columns: project_seq threshold_amount currency period recipients subject_prefix created_at;
    erased: recipients = "''" subject_prefix = "null";
    recorded: threshold_amount = "threshold_amount";
    numbers: Numbers::Sequence;
    events: "spend_alert.created", "spend_alert.updated", "spend_alert.deleted";
}

/// An alert of the organization, whose `project_seq` is 0, or of a project.
#[derive(Clone, Debug, PartialEq)]
struct StoredAlert {
    id: SpendAlertId,
    project_seq: i64,
    body: CreateSpendAlertBody,
    created_at: i64,
}

impl Thing for StoredAlert {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn project_seq(&self) -> Option<i64> {
        (self.project_seq != 0).then_some(self.project_seq)
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let recipients: Vec<PersonalText> = serde_json::from_str(row.text(6)?).map_err(Error::internal)?;
        let mut channel = SpendAlertNotificationChannel::new(SpendAlertChannelType::Email, recipients);
        channel.subject_prefix = row.optional_text(7)?.map(str::to_owned);
        let threshold_amount = row.integer(3)?.try_into().map_err(Error::internal)?;
        let (currency, interval) = (row.text(4)?.into(), row.text(5)?.into());
        Ok(Self {
            id: row.parsed(1)?,
            project_seq: row.integer(2)?,
            body: CreateSpendAlertBody::new(threshold_amount, currency, interval, channel),
            created_at: row.integer(8)?,
        })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let CreateSpendAlertBody { threshold_amount, currency, interval, notification_channel, .. } =
            &self.body;
        let recipients = serde_json::to_string(&notification_channel.recipients).unwrap_or_default();
        write(values![
            self.id.as_str(),
            self.project_seq,
            threshold_amount.get(),
            currency.as_str(),
            interval.as_str(),
            recipients.as_str(),
            notification_channel.subject_prefix.as_deref(),
            self.created_at
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        let CreateSpendAlertBody { threshold_amount, currency, interval, .. } = &self.body;
        let fields = [
            ("threshold_amount", Json::from(threshold_amount.get())),
            ("currency", currency.as_str().into()),
            ("interval", interval.as_str().into()),
        ];
        let mut payload = AuditLogPayload::default();
        let fields: Map<String, Json> =
            fields.map(|(field, value)| (field.to_owned(), value)).into_iter().collect();
        payload.other = OtherFields(fields);
        payload
    }
}

fn of_organization(alert: StoredAlert) -> OrganizationSpendAlert {
    let CreateSpendAlertBody { threshold_amount, currency, interval, notification_channel, .. } = alert.body;
    OrganizationSpendAlert::new(alert.id, threshold_amount, currency, interval, notification_channel)
}

fn of_project(alert: StoredAlert) -> ProjectSpendAlert {
    let CreateSpendAlertBody { threshold_amount, currency, interval, notification_channel, .. } = alert.body;
    ProjectSpendAlert::new(alert.id, threshold_amount, currency, interval, notification_channel)
}

fn check(rules: Rules, body: &CreateSpendAlertBody) -> Result<()> {
    check_known("currency", body.currency.as_str(), SpendLimitCurrency::KNOWN)?;
    check_known("interval", body.interval.as_str(), SpendLimitInterval::KNOWN)?;
    let channel = &body.notification_channel;
    check_known("notification_channel.type", channel.r#type.as_str(), SpendAlertChannelType::KNOWN)?;
    let prefix = channel.subject_prefix.as_deref().unwrap_or_default();
    check_bounded_text("notification_channel.subject_prefix", prefix, SUBJECT_PREFIX_LENGTH_MAX)?;
    check_recipients(rules, &channel.recipients)
}

fn check_recipients(rules: Rules, recipients: &[PersonalText]) -> Result<()> {
    let field = "notification_channel.recipients";
    if !(1..=RECIPIENTS_MAX).contains(&recipients.len()) {
        let expected = format!("1 to {RECIPIENTS_MAX} email addresses, but got {}", recipients.len());
        return Err(Error::invalid_value(field, expected));
    }
    if !rules.has(Rule::InvalidEmail) {
        return Ok(());
    }
    for (index, recipient) in recipients.iter().enumerate() {
        is_email(recipient).map_err(|reason| {
            let expected = format!("an email address, such as ada@example.com, but {reason}");
            Error::invalid_value(format!("{field}[{index}]"), expected)
        })?;
    }
    Ok(())
}

/// Finds an alert of the resource.
fn find(tx: &mut Tx<'_>, resource: Resource, id: &SpendAlertId) -> Result<Stored<StoredAlert>> {
    let org = tx.org();
    let sql = select!("spend_alerts where org = $1 and project_seq = $2 and id = $3 and removed_at is null");
    tx.query_one(sql, values![org, resource.project_seq(), id.as_str()], thing::stored)?
        .ok_or_else(|| Error::not_found(Kind::SpendAlert, id))
}

/// The number of a cursor, which is an alert of the resource. It can be deleted.
fn cursor_seq(tx: &mut Tx<'_>, resource: Resource, cursor: Option<&Cursor>) -> Result<Option<i64>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let org = tx.org();
    let sql = "select seq from spend_alerts where org = $1 and project_seq = $2 and id = $3";
    let seq =
        tx.query_one(sql, values![org, resource.project_seq(), cursor.as_str()], |row| row.integer(0))?;
    seq.map(Some).ok_or_else(|| Error::UnknownCursor(cursor.clone()))
}

/// A page of the alerts of the resource, and whether there are more in its direction.
fn page(
    tx: &mut Tx<'_>,
    resource: Resource,
    order: Option<Order>,
    [after, before]: [Option<&Cursor>; 2],
    limit: u16,
) -> Result<(Vec<StoredAlert>, bool)> {
    if limit == 0 {
        return Ok((Vec::new(), false));
    }
    let (org, is_backwards) = (tx.org(), after.is_none() && before.is_some());
    let (after, before) = (cursor_seq(tx, resource, after)?, cursor_seq(tx, resource, before)?);
    let is_ascending = order != Some(Order::Desc);
    let (lower, upper) = if is_ascending { (after, before) } else { (before, after) };
    let direction = if is_ascending == is_backwards { Order::Desc } else { Order::Asc };
    let range = Range::new(direction, None, limit);
    let sql = range.choose(
        select!(
            "spend_alerts where org = $1 and project_seq = $2 and seq > $3 and seq < $4 and removed_at is null
             order by seq limit $5"
        ),
        select!(
            "spend_alerts where org = $1 and project_seq = $2 and seq > $3 and seq < $4 and removed_at is null
             order by seq desc limit $5"
        ),
    );
    let (lower, upper) = (lower.unwrap_or(0), upper.unwrap_or(i64::MAX));
    let alerts = tx.query(
        sql,
        values![org, resource.project_seq(), lower, upper, range.rows()],
        StoredAlert::from_row,
    )?;
    let (mut alerts, has_more) = range.cut(alerts);
    if is_backwards {
        alerts.reverse();
    }
    Ok((alerts, has_more))
}

fn create(change: &mut Change<'_>, resource: Resource, body: &CreateSpendAlertBody) -> Result<StoredAlert> {
    check(change.rules(), body)?;
    let alert = StoredAlert {
        id: change.mint("alert_")?,
        project_seq: resource.project_seq(),
        body: body.clone(),
        created_at: change.stamp().seconds(),
    };
    thing::insert(change, &alert)?;
    Ok(alert)
}

fn update(
    change: &mut Change<'_>,
    resource: Resource,
    id: &SpendAlertId,
    body: &CreateSpendAlertBody,
) -> Result<StoredAlert> {
    let Stored { seq, thing: mut alert } = find(change, resource, id)?;
    check(change.rules(), body)?;
    if alert.body != *body {
        alert.body = body.clone();
        thing::update(change, seq, &alert)?;
        let payload = alert.payload();
        change.record(TABLE.updated, thing::places(seq, &alert).with(Some(&payload)))?;
    }
    Ok(alert)
}

/// Also erases the recipients.
fn delete(change: &mut Change<'_>, resource: Resource, id: &SpendAlertId) -> Result<()> {
    let found = find(change, resource, id)?;
    thing::bury(change, &found)
}

impl Reads for ListOrganizationSpendAlerts {
    fn read(&self, tx: &mut Reading<'_>) -> Result<OrganizationSpendAlertListResource> {
        let (cursors, limit) = ([self.after.as_ref(), self.before.as_ref()], self.limit.unwrap_or_default());
        let (alerts, has_more) = page(tx, Resource::Organization, self.order, cursors, limit.get())?;
        let alerts = alerts.into_iter().map(of_organization).collect();
        Ok(OrganizationSpendAlertListResource::new(alerts, has_more))
    }
}

impl Changes for CreateOrganizationSpendAlert {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationSpendAlert> {
        create(change, Resource::Organization, &self.body).map(of_organization)
    }
}

impl Reads for RetrieveOrganizationSpendAlert {
    fn read(&self, tx: &mut Reading<'_>) -> Result<OrganizationSpendAlert> {
        Ok(of_organization(find(tx, Resource::Organization, &self.alert_id)?.thing))
    }
}

impl Changes for UpdateOrganizationSpendAlert {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationSpendAlert> {
        update(change, Resource::Organization, &self.alert_id, &self.body).map(of_organization)
    }
}

impl Changes for DeleteOrganizationSpendAlert {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationSpendAlertDeletedResource> {
        delete(change, Resource::Organization, &self.alert_id)?;
        Ok(OrganizationSpendAlertDeletedResource::new(self.alert_id.clone()))
    }
}

impl Reads for ListProjectSpendAlerts {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectSpendAlertListResource> {
        let project = projects::resource(tx, &self.project_id)?;
        let (cursors, limit) = ([self.after.as_ref(), self.before.as_ref()], self.limit.unwrap_or_default());
        let (alerts, has_more) = page(tx, project, self.order, cursors, limit.get())?;
        Ok(ProjectSpendAlertListResource::new(alerts.into_iter().map(of_project).collect(), has_more))
    }
}

impl Changes for CreateProjectSpendAlert {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectSpendAlert> {
        let project = projects::active_resource(change, &self.project_id)?;
        create(change, project, &self.body).map(of_project)
    }
}

impl Reads for RetrieveProjectSpendAlert {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectSpendAlert> {
        let project = projects::resource(tx, &self.project_id)?;
        Ok(of_project(find(tx, project, &self.alert_id)?.thing))
    }
}

impl Changes for UpdateProjectSpendAlert {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectSpendAlert> {
        let project = projects::active_resource(change, &self.project_id)?;
        update(change, project, &self.alert_id, &self.body).map(of_project)
    }
}

impl Changes for DeleteProjectSpendAlert {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<ProjectSpendAlertDeletedResource> {
        let project = projects::active_resource(change, &self.project_id)?;
        delete(change, project, &self.alert_id)?;
        Ok(ProjectSpendAlertDeletedResource::new(self.alert_id.clone()))
    }
}
