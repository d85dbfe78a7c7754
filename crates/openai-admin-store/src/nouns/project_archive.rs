//! Archiving a project, which deletes its contents.

use openai_admin::{models::Project, operations::ArchiveProject};

use crate::{
    base::error::Result,
    nouns::{projects, service_accounts},
    operation::{Changes, change::Change},
    shapes::thing,
};

/// Archiving a project again changes nothing.
impl Changes for ArchiveProject {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<Project> {
        let found = projects::find(change, &self.project_id)?;
        if found.thing.archived_at.is_some() {
            return Ok(found.thing);
        }
        let found = projects::refuse_default(found)?;
        service_accounts::bury_all(change, found.seq)?;
        thing::bury(change, &found)?;
        Ok(projects::find(change, &self.project_id)?.thing)
    }
}
