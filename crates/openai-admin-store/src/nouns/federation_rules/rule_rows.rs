//! The rows of federation rules. Each ends with its service account, and keeps its provider from being deleted.

use openai_admin::{
    Cursor, FederationRuleId, Order, Timestamp,
    models::{AuditLogPayload, FederationRule, OtherFields},
};
use serde_json::{Map, json};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        value::{Row, Value, values},
    },
    operation::{change::Change, tx::Tx},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing, stored},
    },
};

/// The field of an event's payload with the id of the provider.
pub(crate) const PROVIDER_ID: &str = "identity_provider_id";

table! {
    $ federation_rules of FederationRule;
    columns: provider_seq project_seq account_seq name description enabled attribute_matchers permissions created_at updated_at;
    erased: name = "null" description = "null" attribute_matchers = "''" permissions = "''";
    recorded: name = "name";
    numbers: Numbers::Sequence;
    events: "workload_identity_provider_mapping.created", "workload_identity_provider_mapping.updated", "workload_identity_provider_mapping.deleted";
}

/// A federation rule, with the numbers of the resources that it joins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredRule {
    pub(crate) rule: FederationRule,
    pub(crate) provider_seq: i64,
    pub(crate) project_seq: i64,
    pub(crate) account_seq: i64,
}

/// Builds a query for the columns of rules `r`, and after them the ids of the provider, the project and the service
/// account, from the condition after the organization.
macro_rules! select_rules {
    ($condition:literal) => {
        concat!(
            "select r.seq, r.id, r.provider_seq, r.project_seq, r.account_seq, r.name, r.description, r.enabled,
                    r.attribute_matchers, r.permissions, r.created_at, r.updated_at, w.id, p.id, a.id
             from federation_rules r
             join workload_identity_providers w on w.org = r.org and w.seq = r.provider_seq
             join projects p on p.org = r.org and p.seq = r.project_seq
             join service_accounts a on a.org = r.org and a.seq = r.account_seq
             where r.org = $1 and r.removed_at is null and ",
            $condition
        )
    };
}

impl Thing for StoredRule {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.rule.id.as_str()
    }

    fn project_seq(&self) -> Option<i64> {
        Some(self.project_seq)
    }

    /// Reads a row of `select_rules!`.
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let time = |column| row.integer(column).map(Timestamp::from_unix_seconds);
        let mut rule = FederationRule::new(
            row.parsed(1)?,
            row.parsed(12)?,
            row.parsed(13)?,
            row.parsed(14)?,
            row.flag(7)?,
            serde_json::from_str(row.text(8)?).map_err(Error::internal)?,
            serde_json::from_str(row.text(9)?).map_err(Error::internal)?,
            time(10)?,
            time(11)?,
        );
        rule.name = row.optional_text(5)?.map(str::to_owned);
        rule.description = row.optional_text(6)?.map(str::to_owned);
        let [provider_seq, project_seq, account_seq] = [row.integer(2)?, row.integer(3)?, row.integer(4)?];
        Ok(Self { rule, provider_seq, project_seq, account_seq })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let rule = &self.rule;
        let matchers = serde_json::to_string(&rule.attribute_matchers).unwrap_or_default();
        let permissions = serde_json::to_string(&rule.permissions).unwrap_or_default();
        write(values![
            rule.id.as_str(),
            self.provider_seq,
            self.project_seq,
            self.account_seq,
            rule.name.as_deref(),
            rule.description.as_deref(),
            rule.enabled,
            matchers.as_str(),
            permissions.as_str(),
            rule.created_at.unix_seconds(),
            rule.updated_at.unix_seconds()
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        let mut payload = AuditLogPayload::name(self.rule.name.clone());
        payload.other = OtherFields(Map::from_iter([
            (PROVIDER_ID.to_owned(), json!(self.rule.workload_identity_provider_id)),
            ("service_account_id".to_owned(), json!(self.rule.service_account_id)),
            ("enabled".to_owned(), json!(self.rule.enabled)),
        ]));
        payload
    }
}

/// Finds a rule of the provider.
pub(crate) fn find(tx: &mut Tx<'_>, provider_seq: i64, id: &FederationRuleId) -> Result<Stored<StoredRule>> {
    let org = tx.org();
    tx.query_one(
        select_rules!("r.provider_seq = $2 and r.id = $3"),
        values![org, provider_seq, id.as_str()],
        stored,
    )?
    .ok_or_else(|| Error::not_found(Kind::FederationRule, id))
}

/// The number of a cursor, which is a rule of the provider. It can be deleted.
pub(crate) fn cursor(tx: &mut Tx<'_>, provider_seq: i64, after: Option<&Cursor>) -> Result<Option<i64>> {
    let Some(after) = after else { return Ok(None) };
    let org = tx.org();
    let seq = tx.query_one(
        "select seq from federation_rules where org = $1 and provider_seq = $2 and id = $3",
        values![org, provider_seq, after.as_str()],
        |row| row.integer(0),
    )?;
    seq.map(Some).ok_or_else(|| Error::UnknownCursor(after.clone()))
}

/// A page of the rules of the provider.
pub(crate) fn page(tx: &mut Tx<'_>, provider_seq: i64, range: Range) -> Result<(Vec<StoredRule>, bool)> {
    let org = tx.org();
    let sql = range.choose(
        select_rules!("r.provider_seq = $2 and r.seq > $3 order by r.seq limit $4"),
        select_rules!("r.provider_seq = $2 and r.seq < $3 order by r.seq desc limit $4"),
    );
    let rules = tx.query(sql, values![org, provider_seq, range.after, range.rows()], StoredRule::from_row)?;
    Ok(range.cut(rules))
}

/// A page of the rules of the provider for the service account.
pub(crate) fn page_of_account(
    tx: &mut Tx<'_>,
    provider_seq: i64,
    account_seq: i64,
    range: Range,
) -> Result<(Vec<StoredRule>, bool)> {
    let org = tx.org();
    let sql = range.choose(
        select_rules!("r.account_seq = $2 and r.provider_seq = $3 and r.seq > $4 order by r.seq limit $5"),
        select_rules!(
            "r.account_seq = $2 and r.provider_seq = $3 and r.seq < $4 order by r.seq desc limit $5"
        ),
    );
    let values = values![org, account_seq, provider_seq, range.after, range.rows()];
    let rules = tx.query(sql, values, StoredRule::from_row)?;
    Ok(range.cut(rules))
}

/// Whether the provider has a rule.
pub(crate) fn has_any(tx: &mut Tx<'_>, provider_seq: i64) -> Result<bool> {
    let (rules, _) = page(tx, provider_seq, Range::new(Order::Asc, None, 1))?;
    Ok(!rules.is_empty())
}

/// Deletes the rules of a provider.
pub(crate) fn bury_all_of_provider(change: &mut Change<'_>, provider_seq: i64) -> Result<()> {
    bury_all(change, select_rules!("r.provider_seq = $2 and r.seq > $3 order by r.seq"), provider_seq)
}

/// Deletes the rules for a service account.
pub(crate) fn bury_all_of_account(change: &mut Change<'_>, account_seq: i64) -> Result<()> {
    bury_all(change, select_rules!("r.account_seq = $2 and r.seq > $3 order by r.seq"), account_seq)
}

fn bury_all(change: &mut Change<'_>, sql: &'static str, end_seq: i64) -> Result<()> {
    let org = change.org();
    // With a lower bound for the number, SQLite uses the index of the provider or the account.
    let rules: Vec<Stored<StoredRule>> = change.query(sql, values![org, end_seq, 0], stored)?;
    rules.iter().try_for_each(|rule| thing::bury(change, rule))
}
