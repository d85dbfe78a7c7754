//! Federation rules of workload identity providers. They are stored, and never used: this server exchanges no tokens.

pub(crate) mod rule_rows;

use openai_admin::{
    FederationRulePermissionsType, Order, WorkloadIdentityProviderId,
    models::{
        FederationRule, FederationRuleDeletedResource, FederationRuleListResource, FederationRulePermissions,
        UpdateFederationRuleBody, WorkloadIdentityProvider,
    },
    operations::{
        CreateFederationRule, DeleteFederationRule, ListFederationRules, RetrieveFederationRule,
        UpdateFederationRule,
    },
};

use self::rule_rows::StoredRule;
use crate::{
    base::{
        error::{Error, Result},
        page::Range,
        replace::replace,
        text::{check_known, check_text},
    },
    nouns::{projects, service_accounts},
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::thing::{self, Stored, Thing as _},
};

fn provider_seq(tx: &mut Tx<'_>, id: &WorkloadIdentityProviderId) -> Result<i64> {
    thing::find_seq::<WorkloadIdentityProvider>(tx, id.as_str())
}

fn check(rule: &FederationRule) -> Result<()> {
    check_text("name", rule.name.as_deref().unwrap_or_default())?;
    check_text("description", rule.description.as_deref().unwrap_or_default())?;
    check_permissions(&rule.permissions)
}

fn check_permissions(permissions: &FederationRulePermissions) -> Result<()> {
    let r#type = permissions.r#type.as_str();
    check_known("permissions.type", r#type, FederationRulePermissionsType::KNOWN)?;
    let is_restricted = permissions.r#type == FederationRulePermissionsType::Restricted;
    let expected = match (is_restricted, permissions.scopes.as_deref()) {
        (true, None | Some([])) => "at least one scope",
        (false, Some(_)) => "no value",
        _ => return Ok(()),
    };
    Err(Error::invalid_value("permissions.scopes", format!("{expected}, since the type is '{type}'")))
}

impl Reads for ListFederationRules {
    fn read(&self, tx: &mut Reading<'_>) -> Result<FederationRuleListResource> {
        let provider_seq = provider_seq(tx, &self.workload_identity_provider_id)?;
        let after = rule_rows::cursor(tx, provider_seq, self.after.as_ref())?;
        let limit = self.limit.unwrap_or_default().get();
        let range = Range::new(self.order.unwrap_or(Order::Asc), after, limit);
        let (rules, has_more) = match &self.service_account_id {
            None => rule_rows::page(tx, provider_seq, range)?,
            // An unknown service account has no rules (assumed).
            Some(id) => match service_accounts::look_up_seq(tx, id)? {
                None => (Vec::new(), false),
                Some(account_seq) => rule_rows::page_of_account(tx, provider_seq, account_seq, range)?,
            },
        };
        let rules = rules.into_iter().map(|stored| stored.rule).collect();
        Ok(FederationRuleListResource::new(rules, has_more))
    }
}

impl Changes for CreateFederationRule {
    fn change(&self, change: &mut Change<'_>) -> Result<FederationRule> {
        let (body, now) = (&self.body, change.stamp().at());
        let provider_seq = provider_seq(change, &self.workload_identity_provider_id)?;
        let project_seq = projects::find_active(change, &body.project_id)?.seq;
        let account_seq = service_accounts::find_seq(change, project_seq, &body.service_account_id)?;
        let default = || FederationRulePermissions::new(FederationRulePermissionsType::ServiceAccountDefault);
        let mut rule = FederationRule::new(
            change.mint("wifr_")?,
            self.workload_identity_provider_id.clone(),
            body.project_id.clone(),
            body.service_account_id.clone(),
            body.enabled.unwrap_or(true),
            body.attribute_matchers.clone(),
            body.permissions.clone().unwrap_or_else(default),
            now,
            now,
        );
        rule.name = body.name.as_deref().map(str::to_owned);
        rule.description = body.description.as_deref().map(str::to_owned);
        check(&rule)?;
        let stored = StoredRule { rule, provider_seq, project_seq, account_seq };
        thing::insert(change, &stored)?;
        Ok(stored.rule)
    }
}

impl Reads for RetrieveFederationRule {
    fn read(&self, tx: &mut Reading<'_>) -> Result<FederationRule> {
        let provider_seq = provider_seq(tx, &self.workload_identity_provider_id)?;
        Ok(rule_rows::find(tx, provider_seq, &self.workload_identity_federation_rule_id)?.thing.rule)
    }
}

/// An update that changes nothing keeps the time of the last change (assumed).
impl Changes for UpdateFederationRule {
    fn change(&self, change: &mut Change<'_>) -> Result<FederationRule> {
        let provider_seq = provider_seq(change, &self.workload_identity_provider_id)?;
        let Stored { seq, thing: before } =
            rule_rows::find(change, provider_seq, &self.workload_identity_federation_rule_id)?;
        let mut new = before.clone();
        apply(&mut new.rule, &self.body);
        check(&new.rule)?;
        if new == before {
            return Ok(before.rule);
        }
        new.rule.updated_at = change.stamp().at();
        thing::update(change, seq, &new)?;
        let payload = new.payload();
        change.record(rule_rows::TABLE.updated, thing::places(seq, &new).with(Some(&payload)))?;
        Ok(new.rule)
    }
}

/// Applies an update. An absent field keeps its value.
fn apply(rule: &mut FederationRule, body: &UpdateFederationRuleBody) {
    replace(&mut rule.name, body.name.as_ref().map(|name| name.as_deref().map(str::to_owned)));
    let description = body.description.as_ref().map(|text| text.as_deref().map(str::to_owned));
    replace(&mut rule.description, description);
    replace(&mut rule.enabled, body.enabled);
    replace(&mut rule.attribute_matchers, body.attribute_matchers.clone());
    replace(&mut rule.permissions, body.permissions.clone());
}

impl Changes for DeleteFederationRule {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<FederationRuleDeletedResource> {
        let provider_seq = provider_seq(change, &self.workload_identity_provider_id)?;
        let found = rule_rows::find(change, provider_seq, &self.workload_identity_federation_rule_id)?;
        thing::bury(change, &found)?;
        Ok(FederationRuleDeletedResource::new(found.thing.rule.id))
    }
}
