//! What `load` does with the users of projects.

use openai_admin::models::Project;

use super::{Load, place};
use crate::{
    base::error::{Error, Result},
    keeping::directory::DirectoryProjectUser,
    nouns::{project_access, projects},
    shapes::thing::Stored,
};

/// The role of a new user of a project for which the directory has none.
const DEFAULT_ROLE: &str = "member";

impl Load<'_> {
    pub(super) fn load_project_users(&mut self) -> Result<()> {
        let directory = self.directory;
        for (index, entry) in directory.projects.iter().enumerate() {
            let project = projects::with_seq(&mut self.change, self.projects[index])?;
            for (number, user) in entry.users.iter().enumerate() {
                let within =
                    |error: Error| error.within(&place("users", number)).within(&place("projects", index));
                self.load_project_user(&project, user).map_err(within)?;
            }
        }
        Ok(())
    }

    fn load_project_user(&mut self, project: &Stored<Project>, entry: &DirectoryProjectUser) -> Result<()> {
        let user_seq = self.find_member(&entry.user).map_err(|error| error.within("user"))?;
        let role = entry.role.as_deref().unwrap_or(DEFAULT_ROLE);
        let role = project_access::find_role(&mut self.change, project, role)?;
        let added_at = entry.added_at.unwrap_or(self.change.stamp().at());
        if project_access::add_user(&mut self.change, project, user_seq, &role, added_at)? {
            self.summary.project_users_added += 1;
        } else if entry.role.is_some()
            && project_access::set_user_role(&mut self.change, project, user_seq, &role)?
        {
            self.summary.roles_assigned += 1;
        }
        Ok(())
    }
}
