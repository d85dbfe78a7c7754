//! Service tiers of projects. They are stored, and nothing else follows from them: this server serves no models.

use openai_admin::{
    DefaultServiceTier, ProjectOptionalServiceTier,
    models::{
        EnabledServiceTiers, ProjectServiceTierSettings, UpdateProjectServiceTierSettingsBody as ServiceTiers,
    },
    operations::{RetrieveProjectServiceTierSettings, UpdateProjectServiceTierSettings},
};

use crate::{
    base::{
        error::{Error, Result},
        rule::Rule,
        text::check_known,
    },
    nouns::projects,
    operation::{Changes, Reads, change::Change, reading::Reading},
    shapes::setting::{self, Setting, SettingValue},
};

pub(crate) static SETTING: Setting = Setting {
    name: "service_tier_settings",
    set: "service_tier_settings.updated",
    cleared: None,
    read: setting::of_project::<ServiceTiers>,
};

impl SettingValue for ServiceTiers {
    const SETTING: &'static Setting = &SETTING;

    fn checked(self) -> Result<Self> {
        if let Some(default) = &self.default {
            check_known("default", default.as_str(), DefaultServiceTier::KNOWN)?;
        }
        if let Some(EnabledServiceTiers::Only(tiers)) = &self.enabled_tiers {
            for (index, tier) in tiers.iter().enumerate() {
                let field = format!("enabled_tiers[{index}]");
                check_known(&field, tier.as_str(), ProjectOptionalServiceTier::KNOWN)?;
            }
        }
        Ok(self)
    }
}

/// A value that is not set: the standard tier by default, and all tiers enabled (assumed).
fn shown(tiers: ServiceTiers) -> ProjectServiceTierSettings {
    ProjectServiceTierSettings::new(
        tiers.default.unwrap_or(DefaultServiceTier::Standard),
        tiers.enabled_tiers.unwrap_or(EnabledServiceTiers::All),
    )
}

fn check_default(tiers: &ServiceTiers) -> Result<()> {
    let has_fast = match &tiers.enabled_tiers {
        Some(EnabledServiceTiers::Only(tiers)) => tiers.contains(&ProjectOptionalServiceTier::Fast),
        _ => true,
    };
    match tiers.default == Some(DefaultServiceTier::Fast) && !has_fast {
        true => Err(Error::invalid_value("default", "an enabled tier, but 'fast' is not in `enabled_tiers`")),
        false => Ok(()),
    }
}

impl Reads for RetrieveProjectServiceTierSettings {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectServiceTierSettings> {
        let project = projects::resource(tx, &self.project_id)?;
        Ok(shown(setting::get(tx, project)?.unwrap_or_default()))
    }
}

impl Changes for UpdateProjectServiceTierSettings {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectServiceTierSettings> {
        let project = projects::active_resource(change, &self.project_id)?;
        let given = self.body.clone();
        if given == ServiceTiers::default() {
            return Err(Error::invalid_value("default", "a value, unless `enabled_tiers` has one"));
        }
        let mut tiers: ServiceTiers = setting::get(change, project)?.unwrap_or_default();
        tiers.default = given.default.or(tiers.default);
        tiers.enabled_tiers = given.enabled_tiers.or(tiers.enabled_tiers);
        if change.rules().has(Rule::DefaultTierDisabled) {
            check_default(&tiers)?;
        }
        setting::set(change, project, tiers).map(shown)
    }
}
