//! Hard spend limits of the organization and of its projects.

use openai_admin::{
    SpendLimitCurrency, SpendLimitEnforcementStatus, SpendLimitInterval,
    models::{
        OrganizationSpendLimitDeletedResource, OrganizationSpendLimitResource,
        ProjectSpendLimitDeletedResource, ProjectSpendLimitResource, SpendLimitEnforcement,
        UpdateOrganizationSpendLimitBody as SpendLimit,
    },
    operations::{
        DeleteOrganizationSpendLimit, DeleteProjectSpendLimit, GetOrganizationSpendLimit,
        GetProjectSpendLimit, UpdateOrganizationSpendLimit, UpdateProjectSpendLimit,
    },
};

use crate::{
    base::{
        error::{Error, Result},
        refusal::Refusal,
        text::check_known,
    },
    nouns::projects,
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Resource,
        setting::{self, Setting, SettingValue},
    },
};

pub(crate) static SETTING: Setting = Setting {
    name: "spend_limit",
    set: "spend_limit.updated",
    cleared: Some("spend_limit.deleted"),
    read: |value, _| setting::read::<SpendLimit>(value),
};

impl SettingValue for SpendLimit {
    const SETTING: &'static Setting = &SETTING;

    fn checked(self) -> Result<Self> {
        check_known("currency", self.currency.as_str(), SpendLimitCurrency::KNOWN)?;
        check_known("interval", self.interval.as_str(), SpendLimitInterval::KNOWN)?;
        Ok(self)
    }
}

fn find(tx: &mut Tx<'_>, resource: Resource) -> Result<SpendLimit> {
    setting::get(tx, resource)?.ok_or_else(not_set)
}

fn clear(change: &mut Change<'_>, resource: Resource) -> Result<()> {
    match setting::clear::<SpendLimit>(change, resource)? {
        true => Ok(()),
        false => Err(not_set()),
    }
}

fn not_set() -> Error {
    Error::refused(Refusal::SpendLimitNotSet, &"")
}

/// Costs are not counted yet, so no spend reaches a limit, which is at least one cent.
fn enforcement() -> SpendLimitEnforcement {
    SpendLimitEnforcement::new(SpendLimitEnforcementStatus::Inactive)
}

fn of_organization(limit: SpendLimit) -> OrganizationSpendLimitResource {
    let SpendLimit { threshold_amount, currency, interval, .. } = limit;
    OrganizationSpendLimitResource::new(threshold_amount, currency, interval, enforcement())
}

fn of_project(limit: SpendLimit) -> ProjectSpendLimitResource {
    let SpendLimit { threshold_amount, currency, interval, .. } = limit;
    ProjectSpendLimitResource::new(threshold_amount, currency, interval, enforcement())
}

impl Reads for GetOrganizationSpendLimit {
    fn read(&self, tx: &mut Reading<'_>) -> Result<OrganizationSpendLimitResource> {
        find(tx, Resource::Organization).map(of_organization)
    }
}

impl Changes for UpdateOrganizationSpendLimit {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationSpendLimitResource> {
        setting::set(change, Resource::Organization, self.body.clone()).map(of_organization)
    }
}

impl Changes for DeleteOrganizationSpendLimit {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationSpendLimitDeletedResource> {
        clear(change, Resource::Organization)?;
        Ok(OrganizationSpendLimitDeletedResource::new())
    }
}

impl Reads for GetProjectSpendLimit {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectSpendLimitResource> {
        let project = projects::resource(tx, &self.project_id)?;
        find(tx, project).map(of_project)
    }
}

impl Changes for UpdateProjectSpendLimit {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectSpendLimitResource> {
        let project = projects::active_resource(change, &self.project_id)?;
        setting::set(change, project, self.body.clone()).map(of_project)
    }
}

impl Changes for DeleteProjectSpendLimit {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectSpendLimitDeletedResource> {
        let project = projects::active_resource(change, &self.project_id)?;
        clear(change, project)?;
        Ok(ProjectSpendLimitDeletedResource::new())
    }
}
