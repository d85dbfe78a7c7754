//! Data retention of the organization and of its projects. Nothing else follows from it.

use openai_admin::{
    OrganizationDataRetentionType, ProjectDataRetentionType,
    models::{
        AuditLogPayload, OrganizationDataRetention, ProjectDataRetention,
        UpdateOrganizationDataRetentionBody, UpdateProjectDataRetentionBody,
    },
    operations::{
        RetrieveOrganizationDataRetention, RetrieveProjectDataRetention, UpdateOrganizationDataRetention,
        UpdateProjectDataRetention,
    },
};
use serde_json::Value as Json;

use crate::{
    base::{error::Result, text::check_known},
    nouns::projects,
    operation::{Changes, Reads, change::Change, reading::Reading},
    shapes::{
        assignment::Resource,
        setting::{self, Setting, SettingValue},
    },
};

pub(crate) static SETTING: Setting =
    Setting { name: "data_retention", set: "data_retention.updated", cleared: None, read };

fn read(value: Json, resource: Resource) -> Result<AuditLogPayload> {
    match resource {
        Resource::Organization => setting::read::<UpdateOrganizationDataRetentionBody>(value),
        Resource::Project(_) => setting::read::<UpdateProjectDataRetentionBody>(value),
    }
}

impl SettingValue for UpdateOrganizationDataRetentionBody {
    const SETTING: &'static Setting = &SETTING;

    fn checked(self) -> Result<Self> {
        let known = OrganizationDataRetentionType::KNOWN;
        check_known("retention_type", self.retention_type.as_str(), known)?;
        Ok(self)
    }
}

impl SettingValue for UpdateProjectDataRetentionBody {
    const SETTING: &'static Setting = &SETTING;

    fn checked(self) -> Result<Self> {
        check_known("retention_type", self.retention_type.as_str(), ProjectDataRetentionType::KNOWN)?;
        Ok(self)
    }
}

/// Until it is updated, abuse monitoring is modified (assumed).
impl Reads for RetrieveOrganizationDataRetention {
    fn read(&self, tx: &mut Reading<'_>) -> Result<OrganizationDataRetention> {
        let set = setting::get::<UpdateOrganizationDataRetentionBody>(tx, Resource::Organization)?;
        let initial = OrganizationDataRetentionType::ModifiedAbuseMonitoring;
        Ok(OrganizationDataRetention::new(set.map_or(initial, |set| set.retention_type)))
    }
}

impl Changes for UpdateOrganizationDataRetention {
    fn change(&self, change: &mut Change<'_>) -> Result<OrganizationDataRetention> {
        let set = setting::set(change, Resource::Organization, self.body.clone())?;
        Ok(OrganizationDataRetention::new(set.retention_type))
    }
}

/// Until it is updated, it is that of the organization (assumed).
impl Reads for RetrieveProjectDataRetention {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectDataRetention> {
        let project = projects::resource(tx, &self.project_id)?;
        let set = setting::get::<UpdateProjectDataRetentionBody>(tx, project)?;
        let initial = ProjectDataRetentionType::OrganizationDefault;
        Ok(ProjectDataRetention::new(set.map_or(initial, |set| set.retention_type)))
    }
}

impl Changes for UpdateProjectDataRetention {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectDataRetention> {
        let project = projects::active_resource(change, &self.project_id)?;
        let set = setting::set(change, project, self.body.clone())?;
        Ok(ProjectDataRetention::new(set.retention_type))
    }
}
