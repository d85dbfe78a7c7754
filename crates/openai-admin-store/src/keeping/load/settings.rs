//! Loads the settings of the organization and of projects.

use std::collections::HashSet;

use openai_admin::{ProjectId, models::Project};

use super::{Load, place};
use crate::{
    base::error::{Error, Result},
    keeping::{directory::DirectorySetting, tables::SETTINGS},
    nouns::projects,
    shapes::{assignment::Resource, setting, thing},
};

impl Load<'_> {
    pub(super) fn load_settings(&mut self) -> Result<()> {
        let mut loaded = HashSet::new();
        for (index, entry) in self.directory.settings.iter().enumerate() {
            let key = self.load_setting(entry).map_err(|error| error.within(&place("settings", index)))?;
            if !loaded.insert(key) {
                let expected = "one entry for each setting of the organization or a project".to_owned();
                return Err(Error::invalid_value(place("settings", index), expected));
            }
        }
        Ok(())
    }

    fn load_setting(&mut self, entry: &DirectorySetting) -> Result<(&'static str, i64)> {
        let Some(setting) = SETTINGS.into_iter().find(|setting| setting.name == entry.setting) else {
            let names: Vec<String> = SETTINGS.iter().map(|setting| format!("'{}'", setting.name)).collect();
            let expected = format!("one of {}, but got '{}'", names.join(", "), entry.setting);
            return Err(Error::invalid_value("setting", expected));
        };
        let resource = self.find_resource(entry.project.as_deref())?;
        let payload = (setting.read)(entry.value.clone(), resource)?;
        if setting::write(&mut self.change, setting, resource, &payload)? {
            self.summary.settings_changed += 1;
        }
        Ok((setting.name, resource.project_seq()))
    }

    /// The project with this id or name, or the organization.
    pub(super) fn find_resource(&mut self, project: Option<&str>) -> Result<Resource> {
        match project {
            None => Ok(Resource::Organization),
            Some(project) => Ok(Resource::Project(self.find_project_in_use(project)?)),
        }
    }

    /// The number of a project, by its id or name.
    fn find_project_in_use(&mut self, project: &str) -> Result<i64> {
        if let Ok(id) = ProjectId::new(project) {
            // The default project of another organization stands for that of this one.
            if projects::is_default_id(&id) {
                return Ok(projects::DEFAULT_SEQ);
            }
            if let Some(found) = thing::look_up::<Project>(&mut self.change, id.as_str())? {
                return Ok(found.seq);
            }
        }
        match projects::find_by_name(&mut self.change, project)?.as_slice() {
            [found] => Ok(found.seq),
            _ => Err(Error::invalid_value(
                "project",
                format!("the id of a project in use, or the name of exactly one, but got '{project}'"),
            )),
        }
    }
}
