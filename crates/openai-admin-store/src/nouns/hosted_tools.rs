//! Hosted tools that projects may use: all of them until a project is updated (assumed).

use openai_admin::{
    models::{HostedToolPermission, ProjectHostedToolPermissions},
    operations::{RetrieveProjectHostedToolPermissions, UpdateProjectHostedToolPermissions},
};

use crate::{
    base::error::Result,
    nouns::projects,
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Resource,
        setting::{self, Setting, SettingValue},
    },
};

pub(crate) static SETTING: Setting = Setting {
    name: "hosted_tool_permissions",
    set: "hosted_tool_permissions.updated",
    cleared: None,
    read: setting::of_project::<ProjectHostedToolPermissions>,
};

impl SettingValue for ProjectHostedToolPermissions {
    const SETTING: &'static Setting = &SETTING;

    fn checked(self) -> Result<Self> {
        Ok(self)
    }
}

fn find(tx: &mut Tx<'_>, project: Resource) -> Result<ProjectHostedToolPermissions> {
    let enabled = HostedToolPermission::new(true);
    let initial = ProjectHostedToolPermissions::new(enabled, enabled, enabled, enabled, enabled);
    Ok(setting::get(tx, project)?.unwrap_or(initial))
}

impl Reads for RetrieveProjectHostedToolPermissions {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectHostedToolPermissions> {
        let project = projects::resource(tx, &self.project_id)?;
        find(tx, project)
    }
}

impl Changes for UpdateProjectHostedToolPermissions {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectHostedToolPermissions> {
        let project = projects::active_resource(change, &self.project_id)?;
        let (body, mut tools) = (&self.body, find(change, project)?);
        for (tool, given) in [
            (&mut tools.file_search, body.file_search),
            (&mut tools.web_search, body.web_search),
            (&mut tools.image_generation, body.image_generation),
            (&mut tools.mcp, body.mcp),
            (&mut tools.code_interpreter, body.code_interpreter),
        ] {
            *tool = given.unwrap_or(*tool);
        }
        setting::set(change, project, tools)
    }
}
