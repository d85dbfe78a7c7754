//! What `load` does with the roles, users and groups of projects.

use openai_admin::models::{GroupResponse, Project};

use super::{Load, place};
use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
    },
    keeping::directory::{DirectoryProject, DirectoryProjectGroup, DirectoryProjectUser},
    nouns::{project_access, projects, roles::RoleResource},
    shapes::{
        assignment::Principal,
        thing::{self, Stored},
    },
};

/// The role of a new user of a project for which the directory has none.
const DEFAULT_ROLE: &str = "member";

impl Load<'_> {
    pub(super) fn load_project_roles(&mut self) -> Result<()> {
        let directory = self.directory;
        for (index, entry) in directory.projects.iter().enumerate() {
            let project = projects::with_seq(&mut self.change, self.projects[index])?;
            let load = |load: &mut Self, role: &_| load.load_role(RoleResource::Project(&project), role);
            self.load_all(Kind::Role, "roles", &entry.roles, load)
                .map_err(|error| error.within(&place("projects", index)))?;
        }
        Ok(())
    }

    pub(super) fn load_project_users(&mut self) -> Result<()> {
        self.load_members("users", |entry| &entry.users, Self::load_project_user)
    }

    pub(super) fn load_project_groups(&mut self) -> Result<()> {
        self.load_members("groups", |entry| &entry.groups, Self::load_project_group)
    }

    /// Loads each entry of a list of each project.
    fn load_members<E: 'static>(
        &mut self,
        list: &str,
        entries: impl Fn(&DirectoryProject) -> &[E],
        load: impl Fn(&mut Self, &Stored<Project>, &E) -> Result<()>,
    ) -> Result<()> {
        let directory = self.directory;
        for (index, entry) in directory.projects.iter().enumerate() {
            let project = projects::with_seq(&mut self.change, self.projects[index])?;
            for (number, member) in entries(entry).iter().enumerate() {
                let within =
                    |error: Error| error.within(&place(list, number)).within(&place("projects", index));
                load(self, &project, member).map_err(within)?;
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
        self.assign(RoleResource::Project(project), Principal::User(user_seq), &entry.roles)
    }

    fn load_project_group(&mut self, project: &Stored<Project>, entry: &DirectoryProjectGroup) -> Result<()> {
        let group = self.find_group_of_project(&entry.group).map_err(|error| error.within("group"))?;
        let principal = Principal::Group(group.seq);
        let created_at = entry.created_at.unwrap_or(self.change.stamp().at());
        if project_access::add(&mut self.change, project, principal, created_at)? {
            self.summary.project_groups_added += 1;
        }
        self.assign(RoleResource::Project(project), principal, &entry.roles)
    }

    fn find_group_of_project(&mut self, group: &str) -> Result<Stored<GroupResponse>> {
        if let Some(found) = thing::look_up::<GroupResponse>(&mut self.change, group)? {
            return Ok(found);
        }
        let found = self.find_group_by_name(group)?;
        found.ok_or_else(|| Error::invalid_value("", format!("the id or name of a group, but got '{group}'")))
    }
}
