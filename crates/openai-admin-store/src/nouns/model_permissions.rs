//! Models that projects may use. Their ids are kept as they are: this server knows no models.

use openai_admin::{
    ModelPermissionsMode,
    models::{
        ProjectModelPermissions, ProjectModelPermissionsDeleteResponse,
        ProjectModelPermissionsUpdateRequest as ModelPermissions,
    },
    operations::{
        DeleteProjectModelPermissions, RetrieveProjectModelPermissions, UpdateProjectModelPermissions,
    },
};

use crate::{
    base::{
        error::{Error, Result},
        refusal::Refusal,
        text::{check_known, check_text},
    },
    nouns::projects,
    operation::{Changes, Reads, change::Change, reading::Reading},
    shapes::setting::{self, Setting, SettingValue},
};

pub(crate) static SETTING: Setting = Setting {
    name: "model_permissions",
    set: "model_permissions.updated",
    cleared: Some("model_permissions.deleted"),
    read: setting::of_project::<ModelPermissions>,
};

impl SettingValue for ModelPermissions {
    const SETTING: &'static Setting = &SETTING;

    /// An id that is given twice counts once (assumed).
    fn checked(mut self) -> Result<Self> {
        check_known("mode", self.mode.as_str(), ModelPermissionsMode::KNOWN)?;
        let mut distinct = Vec::with_capacity(self.model_ids.len());
        for (index, id) in self.model_ids.into_iter().enumerate() {
            check_text(&format!("model_ids[{index}]"), &id)?;
            if !distinct.contains(&id) {
                distinct.push(id);
            }
        }
        self.model_ids = distinct;
        Ok(self)
    }
}

fn not_set() -> Error {
    Error::refused(Refusal::ModelPermissionsNotSet, &"")
}

fn shown(permissions: ModelPermissions) -> ProjectModelPermissions {
    ProjectModelPermissions::new(permissions.mode, permissions.model_ids)
}

impl Reads for RetrieveProjectModelPermissions {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectModelPermissions> {
        let project = projects::resource(tx, &self.project_id)?;
        setting::get(tx, project)?.map(shown).ok_or_else(not_set)
    }
}

impl Changes for UpdateProjectModelPermissions {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectModelPermissions> {
        let project = projects::active_resource(change, &self.project_id)?;
        setting::set(change, project, self.body.clone()).map(shown)
    }
}

impl Changes for DeleteProjectModelPermissions {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectModelPermissionsDeleteResponse> {
        let project = projects::active_resource(change, &self.project_id)?;
        match setting::clear::<ModelPermissions>(change, project)? {
            true => Ok(ProjectModelPermissionsDeleteResponse::new()),
            false => Err(not_set()),
        }
    }
}
