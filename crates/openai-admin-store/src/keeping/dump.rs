//! Writes an organization as a document.

use std::collections::HashMap;

use openai_admin::{
    GroupType, Timestamp, UserType,
    models::{GroupResponse, Project, Role},
    operations::{groups::GroupName, projects::ProjectName, roles::RoleName},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        time_limit::TimeLimit,
        value::values,
    },
    engines::transaction::Transaction,
    keeping::{
        directory::{
            Directory, DirectoryGroup, DirectoryOrganization, DirectoryProject, DirectoryProjectGroup,
            DirectoryProjectUser, DirectoryRateLimit, DirectoryRole, DirectorySetting, DirectoryUser,
        },
        tables::TABLES,
    },
    nouns::{
        organizations::Organization,
        projects, rate_limits,
        roles::{self, RoleResource, StoredRole},
        users::StoredUser,
    },
    operation::tx::Tx,
    shapes::{
        assignment::{self, Principal, Resource},
        edges::{EDGES, EdgeKind},
        setting,
        thing::{self, Stored},
    },
    store::Store,
};

impl Store {
    /// The whole organization as a document that [`load`](Self::load) reads.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn dump(&self, organization: Organization) -> Result<Directory> {
        self.read_everything(move |transaction| dump(transaction, &organization)).await
    }
}

/// The place of the default project in the list of projects.
const DEFAULT_PLACE: usize = 0;

/// The document so far, and the indices that edges need.
struct Dump<'a> {
    tx: Tx<'a>,
    directory: Directory,
    /// The indices of users, groups and projects in the directory, by their numbers.
    users: HashMap<i64, usize>,
    groups: HashMap<i64, usize>,
    projects: HashMap<i64, usize>,
    /// The names of roles by their numbers.
    roles: HashMap<i64, String>,
    /// The ids of projects by their numbers.
    project_ids: HashMap<i64, String>,
    /// The custom roles of projects, which are dumped with them.
    project_roles: Vec<StoredRole>,
}

fn dump(transaction: &mut Transaction<'_>, organization: &Organization) -> Result<Directory> {
    transaction.allow_long_statements(TimeLimit::Everything)?;
    let entry =
        DirectoryOrganization { id: organization.id.clone(), title: Some(organization.title.clone()) };
    let mut dump = Dump {
        tx: Tx::new(transaction, organization.org),
        directory: Directory { organization: Some(entry), ..Directory::default() },
        users: HashMap::new(),
        groups: HashMap::new(),
        projects: HashMap::new(),
        roles: HashMap::new(),
        project_ids: HashMap::new(),
        project_roles: Vec::new(),
    };
    for table in TABLES {
        dump.add_things(table.kind)?;
    }
    for edge in &EDGES {
        dump.add_edges(edge.kind)?;
    }
    dump.add_settings()?;
    dump.add_rate_limits()?;
    dump.remove_empty_default_project();
    Ok(dump.directory)
}

impl Dump<'_> {
    fn add_things(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::User => self.add_users(),
            Kind::Group => self.add_groups(),
            Kind::Role => self.add_roles(),
            Kind::Project => self.add_projects(),
            // An invite is a message that this organization sent, and expires within days. Another organization sends
            // its own.
            Kind::Invite => Ok(()),
            // An alert notifies people about this organization's costs. Another organization has its own recipients.
            Kind::SpendAlert => Ok(()),
            // Another cloud trusts the id of this organization. Another organization registers its own keys.
            Kind::ExternalKey => Ok(()),
            // The organization has its own field. A key is a secret, and its hash is useless elsewhere. A service
            // account is dumped as a user with its groups and roles; without its key, it is no more than that.
            Kind::Organization | Kind::ApiKey | Kind::ServiceAccount | Kind::Certificate => Ok(()),
        }
    }

    fn add_edges(&mut self, kind: EdgeKind) -> Result<()> {
        match kind {
            EdgeKind::Membership => self.add_memberships(),
            EdgeKind::RoleAssignment => self.add_role_assignments(),
            // Certificates are not dumped.
            EdgeKind::CertificateActivation => Ok(()),
            EdgeKind::ProjectUser => self.add_project_users(),
            EdgeKind::ProjectGroup => self.add_project_groups(),
        }
    }

    fn add_users(&mut self) -> Result<()> {
        let users = thing::all::<StoredUser>(&mut self.tx)?;
        self.users = places(&users);
        self.directory.users = users.into_iter().map(|found| found.thing.into()).collect();
        Ok(())
    }

    fn add_groups(&mut self) -> Result<()> {
        let groups = thing::all::<GroupResponse>(&mut self.tx)?;
        self.groups = places(&groups);
        self.directory.groups = groups.into_iter().map(|found| found.thing.into()).collect();
        Ok(())
    }

    fn add_roles(&mut self) -> Result<()> {
        let custom = thing::all::<StoredRole>(&mut self.tx)?;
        let all = roles::predefined(&mut self.tx, RoleResource::Organization)?.into_iter().chain(custom);
        for Stored { seq, thing } in all {
            self.roles.insert(seq, thing.role.name.clone());
            if thing.project_seq != 0 {
                self.project_roles.push(thing);
            } else if !thing.role.predefined_role {
                self.directory.roles.push(thing.try_into()?);
            }
        }
        Ok(())
    }

    fn add_projects(&mut self) -> Result<()> {
        let default = projects::with_seq(&mut self.tx, projects::DEFAULT_SEQ)?;
        let mut projects = thing::all::<Project>(&mut self.tx)?;
        projects.insert(DEFAULT_PLACE, default);
        self.projects = places(&projects);
        for found in projects {
            self.project_ids.insert(found.seq, found.thing.id.to_string());
            self.directory.projects.push(found.thing.try_into()?);
        }
        // It is that of the organization.
        self.directory.projects[DEFAULT_PLACE].created_at = None;
        for role in std::mem::take(&mut self.project_roles) {
            if let Some(project) = self.projects.get(&role.project_seq) {
                self.directory.projects[*project].roles.push(role.try_into()?);
            }
        }
        Ok(())
    }

    /// Every organization has the default project, so it is left out unless it has roles, users or groups.
    fn remove_empty_default_project(&mut self) {
        let default = &self.directory.projects[DEFAULT_PLACE];
        if default.roles.is_empty() && default.users.is_empty() && default.groups.is_empty() {
            self.directory.projects.remove(DEFAULT_PLACE);
        }
    }

    /// Settings of archived projects are left out, as the projects are.
    fn add_settings(&mut self) -> Result<()> {
        for (project_seq, setting, value) in setting::all(&mut self.tx)? {
            let project = self.project_ids.get(&project_seq).cloned();
            if project_seq != 0 && project.is_none() {
                continue;
            }
            let value = serde_json::from_str(&value).map_err(Error::internal)?;
            self.directory.settings.push(DirectorySetting { setting, project, value });
        }
        Ok(())
    }

    /// Rate limits of archived projects are left out, as the projects are.
    fn add_rate_limits(&mut self) -> Result<()> {
        for set in rate_limits::all(&mut self.tx)? {
            let project = self.project_ids.get(&set.project_seq).cloned();
            if set.project_seq != 0 && project.is_none() {
                continue;
            }
            let limits = set.body()?;
            self.directory.rate_limits.push(DirectoryRateLimit { model: set.model, project, limits });
        }
        Ok(())
    }

    fn add_memberships(&mut self) -> Result<()> {
        let org = self.tx.org();
        let memberships = self.tx.query(
            "select group_seq, user_seq from group_users where org = $1 order by group_seq, user_seq",
            values![org],
            |row| Ok((row.integer(0)?, row.integer(1)?)),
        )?;
        let Directory { users, groups, .. } = &mut self.directory;
        for (group_seq, user_seq) in memberships {
            if let (Some(group), Some(user)) = (self.groups.get(&group_seq), self.users.get(&user_seq)) {
                groups[*group].members.extend(users[*user].id.as_ref().map(|id| id.as_str().into()));
            }
        }
        Ok(())
    }

    fn add_role_assignments(&mut self) -> Result<()> {
        let org = self.tx.org();
        let assignments = self.tx.query(
            "select user_seq, group_seq, role_seq from role_assignments where org = $1 and project_seq = 0
             order by user_seq, group_seq, role_seq",
            values![org],
            |row| Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?)),
        )?;
        for (user_seq, group_seq, role_seq) in assignments {
            let Some(role) = self.roles.get(&role_seq) else { continue };
            if let Some(user) = self.users.get(&user_seq) {
                self.directory.users[*user].roles.push(role.clone());
            }
            if let Some(group) = self.groups.get(&group_seq) {
                self.directory.groups[*group].roles.push(role.clone());
            }
        }
        Ok(())
    }

    fn add_project_users(&mut self) -> Result<()> {
        let org = self.tx.org();
        let project_users = self.tx.query(
            "select m.project_seq, m.user_seq, m.added_at, a.role_seq
             from project_users m
             join role_assignments a on a.org = m.org and a.user_seq = m.user_seq and a.group_seq = 0
                                    and a.project_seq = m.project_seq and a.role_seq < 0
             where m.org = $1 order by m.project_seq, m.user_seq",
            values![org],
            |row| Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?, row.integer(3)?)),
        )?;
        for (project_seq, user_seq, added_at, role_seq) in project_users {
            let project = self.projects.get(&project_seq).copied();
            let user = self.users.get(&user_seq).copied();
            let (Some(project), Some(user)) = (project, user) else { continue };
            let Some(id) = self.directory.users[user].id.as_ref().map(ToString::to_string) else { continue };
            let mut roles = self.roles_in_project(Principal::User(user_seq), project_seq)?;
            let role = roles::predefined_project_name(role_seq).map(str::to_owned);
            roles.retain(|name| Some(name) != role.as_ref());
            self.directory.projects[project].users.push(DirectoryProjectUser {
                user: id.as_str().into(),
                role,
                added_at: Some(Timestamp::from_unix_seconds(added_at)),
                roles,
            });
        }
        Ok(())
    }

    fn add_project_groups(&mut self) -> Result<()> {
        let org = self.tx.org();
        let project_groups = self.tx.query(
            "select project_seq, group_seq, created_at from project_groups where org = $1
             order by project_seq, group_seq",
            values![org],
            |row| Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?)),
        )?;
        for (project_seq, group_seq, created_at) in project_groups {
            let project = self.projects.get(&project_seq).copied();
            let group = self.groups.get(&group_seq).copied();
            let (Some(project), Some(group)) = (project, group) else { continue };
            let Some(id) = self.directory.groups[group].id.as_ref().map(ToString::to_string) else {
                continue;
            };
            let roles = self.roles_in_project(Principal::Group(group_seq), project_seq)?;
            self.directory.projects[project].groups.push(DirectoryProjectGroup {
                group: id,
                created_at: Some(Timestamp::from_unix_seconds(created_at)),
                roles,
            });
        }
        Ok(())
    }

    /// The names of the roles of a user or group in a project.
    fn roles_in_project(&mut self, principal: Principal, project_seq: i64) -> Result<Vec<String>> {
        let seqs = assignment::direct(&mut self.tx, principal, Resource::Project(project_seq))?;
        let predefined = |seq| roles::predefined_project_name(seq).map(str::to_owned);
        Ok(seqs
            .into_iter()
            .filter_map(|seq| self.roles.get(&seq).cloned().or_else(|| predefined(seq)))
            .collect())
    }
}

/// The index of each resource in its list, by its number.
fn places<T>(things: &[Stored<T>]) -> HashMap<i64, usize> {
    things.iter().enumerate().map(|(place, found)| (found.seq, place)).collect()
}

impl From<StoredUser> for DirectoryUser {
    fn from(found: StoredUser) -> Self {
        let user = found.user;
        Self {
            id: Some(user.id),
            email: user.email,
            name: user.name,
            role: user.role,
            is_service_account: user.is_service_account.filter(|flag| *flag),
            picture: found.picture,
            user_type: Some(found.user_type).filter(|user_type| *user_type != UserType::User),
            technical_level: user.technical_level,
            developer_persona: user.developer_persona,
            added_at: Some(user.added_at),
            roles: Vec::new(),
        }
    }
}

impl From<GroupResponse> for DirectoryGroup {
    fn from(group: GroupResponse) -> Self {
        let GroupResponse { id, name, created_at, is_scim_managed, group_type, .. } = group;
        let name = GroupName::new(&name).unwrap_or_else(|_| {
            GroupName::new("(unnamed)").expect("a name of nine characters is within the bounds")
        });
        Self {
            id: Some(id),
            name,
            is_scim_managed: Some(is_scim_managed).filter(|flag| *flag),
            group_type: Some(group_type).filter(|group_type| *group_type != GroupType::Group),
            created_at: Some(created_at),
            members: Vec::new(),
            roles: Vec::new(),
        }
    }
}

impl TryFrom<StoredRole> for DirectoryRole {
    type Error = Error;

    fn try_from(found: StoredRole) -> Result<Self> {
        let Role { id, name, description, permissions, .. } = found.role;
        let name = RoleName::new(&name).map_err(Error::internal)?;
        let (created_at, updated_at) = found.times.unzip();
        let id = Some(id);
        Ok(Self { id, name, description, permissions: Some(permissions), created_at, updated_at })
    }
}

impl TryFrom<Project> for DirectoryProject {
    type Error = Error;
    fn try_from(project: Project) -> Result<Self> {
        let Project { id, name, residency, external_key_id, created_at, .. } = project;
        let name = ProjectName::new(name.unwrap_or_default()).map_err(Error::internal)?;
        let created_at = Some(created_at);
        Ok(Self {
            id: Some(id),
            name,
            residency,
            external_key_id,
            created_at,
            roles: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
        })
    }
}
