//! Loads a directory into an organization.

mod project_members;
mod rate_limits;
mod settings;

use std::collections::HashSet;

use openai_admin::{
    Cursor, PersonalText, RoleId, UserId, UserRole,
    models::{AuditLogPayload, GroupResponse, Project, User},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        stamp::Stamp,
        text,
    },
    engines::transaction::Transaction,
    keeping::{
        directory::{
            Directory, DirectoryGroup, DirectoryOrganization, DirectoryProject, DirectoryRole, DirectoryUser,
        },
        tables::TABLES,
    },
    nouns::{
        group_users, groups,
        organizations::{self, Organization},
        projects,
        roles::{self, RoleResource, StoredRole},
        users::{self, StoredUser},
    },
    operation::{audit_order, change::Change, tx::Tx},
    shapes::{
        assignment::{self, Principal},
        edges::{EDGES, EdgeKind},
        thing::{self, Stored, Thing},
    },
    store::Store,
};

/// The result of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadSummary {
    /// The organization.
    pub organization: Organization,
    /// Whether the title of an existing organization changed.
    pub organization_updated: bool,
    /// Users created.
    pub users_created: usize,
    /// Users whose attributes changed.
    pub users_updated: usize,
    /// Groups created.
    pub groups_created: usize,
    /// Groups whose attributes changed.
    pub groups_updated: usize,
    /// Roles created.
    pub roles_created: usize,
    /// Roles whose attributes changed.
    pub roles_updated: usize,
    /// Projects created.
    pub projects_created: usize,
    /// Projects whose attributes changed.
    pub projects_updated: usize,
    /// Memberships added.
    pub members_added: usize,
    /// Users added to projects.
    pub project_users_added: usize,
    /// Groups added to projects.
    pub project_groups_added: usize,
    /// Roles assigned to users and groups.
    pub roles_assigned: usize,
    /// Settings whose values changed.
    pub settings_changed: usize,
    /// Rate limits that changed, one for each model of a project or of the organization.
    pub rate_limits_changed: usize,
}

impl Store {
    /// Loads a directory: creates missing resources and updates those that differ. It deletes nothing, and keeps what
    /// the directory does not mention. After an error, nothing has changed. Loading the same directory again changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`], with the position in the directory.
    pub async fn load(&self, stamp: Stamp, directory: Directory) -> Result<LoadSummary> {
        self.transact_everything(move |transaction| Load::new(transaction, &stamp, &directory)?.run()).await
    }
}

struct Load<'a> {
    directory: &'a Directory,
    change: Change<'a>,
    summary: LoadSummary,
    /// The numbers of the users, groups and projects of the directory, in its order.
    users: Vec<i64>,
    groups: Vec<i64>,
    projects: Vec<i64>,
    /// What was loaded. Each thing has one entry: the second would undo what the first says, and so would every load of
    /// the same again.
    loaded: HashSet<(Kind, i64)>,
}

impl<'a> Load<'a> {
    fn new(transaction: &'a mut Transaction<'_>, stamp: &'a Stamp, directory: &'a Directory) -> Result<Self> {
        let organization = open_organization(transaction, stamp, directory.organization.as_ref())?;
        let org = organization.org;
        audit_order::announce(transaction, org)?;
        let summary = LoadSummary {
            organization,
            organization_updated: false,
            users_created: 0,
            users_updated: 0,
            groups_created: 0,
            groups_updated: 0,
            roles_created: 0,
            roles_updated: 0,
            projects_created: 0,
            projects_updated: 0,
            members_added: 0,
            project_users_added: 0,
            project_groups_added: 0,
            roles_assigned: 0,
            settings_changed: 0,
            rate_limits_changed: 0,
        };
        Ok(Self {
            directory,
            change: Change::after_creation(Tx::new(transaction, org), stamp),
            summary,
            users: Vec::new(),
            groups: Vec::new(),
            projects: Vec::new(),
            loaded: HashSet::new(),
        })
    }

    fn run(mut self) -> Result<LoadSummary> {
        self.load_title()?;
        for table in TABLES {
            self.load_things(table.kind)?;
        }
        for edge in &EDGES {
            self.load_edges(edge.kind)?;
        }
        self.load_settings()?;
        self.load_rate_limits()?;
        Ok(self.summary)
    }

    fn load_things(&mut self, kind: Kind) -> Result<()> {
        let Directory { users, groups, roles, projects, .. } = self.directory;
        match kind {
            Kind::User => self.users = self.load_all(kind, "users", users, Self::load_user)?,
            Kind::Group => self.groups = self.load_all(kind, "groups", groups, Self::load_group)?,
            Kind::Role => {
                let load = |load: &mut Self, entry: &_| load.load_role(RoleResource::Organization, entry);
                self.load_all(kind, "roles", roles, load)?;
            }
            Kind::Project => {
                self.projects = self.load_all(kind, "projects", projects, Self::load_project)?;
                self.load_project_roles()?;
            }
            // No list of the directory: the organization is there already, invites, alerts, external keys and API keys
            // are not loaded, and a service account is loaded as a user.
            Kind::SpendAlert | Kind::ExternalKey => {}
            Kind::Organization | Kind::Invite | Kind::ApiKey | Kind::ServiceAccount | Kind::Certificate => {}
        }
        Ok(())
    }

    fn load_edges(&mut self, kind: EdgeKind) -> Result<()> {
        match kind {
            EdgeKind::Membership => self.load_memberships(),
            EdgeKind::RoleAssignment => self.load_role_assignments(),
            // Certificates are not loaded.
            EdgeKind::CertificateActivation => Ok(()),
            EdgeKind::ProjectUser => self.load_project_users(),
            EdgeKind::ProjectGroup => self.load_project_groups(),
        }
    }

    /// Loads each entry of a list, and returns the numbers of the resources.
    fn load_all<E>(
        &mut self,
        kind: Kind,
        list: &str,
        entries: &[E],
        load: impl Fn(&mut Self, &E) -> Result<i64>,
    ) -> Result<Vec<i64>> {
        let mut seqs = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let seq = load(self, entry).and_then(|seq| match self.loaded.insert((kind, seq)) {
                true => Ok(seq),
                false => {
                    let expected =
                        format!("one entry for each {}: merge this with the one before", kind.as_str());
                    Err(Error::invalid_value("", expected))
                }
            });
            seqs.push(seq.map_err(|error| error.within(&place(list, index)))?);
        }
        Ok(seqs)
    }

    fn load_title(&mut self) -> Result<()> {
        let wanted =
            self.directory.organization.as_ref().and_then(|organization| organization.title.as_ref());
        let Some(title) = wanted.filter(|title| **title != self.summary.organization.title) else {
            return Ok(());
        };
        organizations::rename(&mut self.change, &mut self.summary.organization, title)?;
        self.summary.organization_updated = true;
        Ok(())
    }

    fn load_user(&mut self, entry: &DirectoryUser) -> Result<i64> {
        let existing = match (&entry.id, &entry.email) {
            (Some(id), _) => thing::look_up::<StoredUser>(&mut self.change, id.as_str())?,
            (None, Some(email)) => users::find_by_email(&mut self.change, email)?,
            (None, None) => return Err(Error::invalid_value("id", "an id or an email address")),
        };
        let id = match (&existing, &entry.id) {
            (Some(found), _) => found.thing.user.id.clone(),
            (None, Some(id)) => id.clone(),
            (None, None) => self.change.mint("user-")?,
        };
        let mut new = match &existing {
            Some(found) => found.thing.clone(),
            None => new_user(id, self.change.stamp()),
        };
        update_user(&mut new, entry);
        users::check(&mut self.change, &new, existing.as_ref().map(|existing| &existing.thing))?;
        match existing {
            None => {
                self.summary.users_created += 1;
                users::insert(&mut self.change, &new)
            }
            Some(old) if old.thing == new => Ok(old.seq),
            Some(old) => {
                users::update(&mut self.change, old.seq, &new, &AuditLogPayload::role(entry.role.clone()))?;
                users::reassign_email_key(&mut self.change, &old.thing.user, new.user.email.as_deref())?;
                self.summary.users_updated += 1;
                Ok(old.seq)
            }
        }
    }

    fn load_group(&mut self, entry: &DirectoryGroup) -> Result<i64> {
        let existing = self.find_group(entry)?;
        let id = match (&existing, &entry.id) {
            (Some(found), _) => found.thing.id.clone(),
            (None, Some(id)) => id.clone(),
            (None, None) => self.change.mint("group_")?,
        };
        let mut group = match &existing {
            Some(found) => found.thing.clone(),
            None => GroupResponse::new(id, &*entry.name, self.change.stamp().at()),
        };
        update_group(&mut group, entry);
        match existing {
            None => {
                self.summary.groups_created += 1;
                groups::insert(&mut self.change, &group)
            }
            Some(old) if old.thing == group => Ok(old.seq),
            Some(old) => {
                groups::update(&mut self.change, old.seq, &group)?;
                self.summary.groups_updated += 1;
                Ok(old.seq)
            }
        }
    }

    fn load_role(&mut self, resource: RoleResource<'_>, entry: &DirectoryRole) -> Result<i64> {
        let existing = self.find_role(resource, entry)?;
        let now = self.change.stamp().at();
        let mut role = match (&existing, &entry.id) {
            (Some(found), _) => found.thing.clone(),
            (None, Some(id)) => StoredRole::new(resource, id.clone(), &entry.name, now),
            (None, None) => StoredRole::new(resource, self.change.mint("role_")?, &entry.name, now),
        };
        update_role(&mut role, entry);
        roles::check(&mut self.change, resource, &role.role, "name")?;
        match existing {
            None => {
                self.summary.roles_created += 1;
                thing::insert(&mut self.change, &role)
            }
            Some(old) if old.thing == role => Ok(old.seq),
            Some(old) => {
                role.times = role.times.map(|(created_at, _)| (created_at, entry.updated_at.unwrap_or(now)));
                roles::update(&mut self.change, old.seq, &old.thing.role, &role)?;
                self.summary.roles_updated += 1;
                Ok(old.seq)
            }
        }
    }

    fn load_project(&mut self, entry: &DirectoryProject) -> Result<i64> {
        let existing = self.find_project(entry)?;
        let mut project = match (&existing, &entry.id) {
            (Some(found), _) => found.thing.clone(),
            (None, Some(id)) => projects::project(id.clone(), &entry.name, self.change.stamp().at(), None),
            (None, None) => {
                projects::project(self.change.mint("proj_")?, &entry.name, self.change.stamp().at(), None)
            }
        };
        project.name = Some(entry.name.to_string());
        replace(&mut project.residency, entry.residency.clone().map(Some));
        replace(&mut project.external_key_id, entry.external_key_id.clone().map(Some));
        replace(&mut project.created_at, entry.created_at);
        projects::check(&project)?;
        match existing {
            None => {
                self.summary.projects_created += 1;
                thing::insert(&mut self.change, &project)
            }
            Some(old) if old.thing == project => Ok(old.seq),
            Some(old) if old.seq == projects::DEFAULT_SEQ => {
                let name = old.thing.name.unwrap_or_default();
                let expected =
                    format!("'{name}', and no other attribute, because the default project has its own");
                Err(Error::invalid_value("name", expected))
            }
            Some(old) => {
                projects::update(&mut self.change, old.seq, &old.thing, &project)?;
                self.summary.projects_updated += 1;
                Ok(old.seq)
            }
        }
    }

    fn find_project(&mut self, entry: &DirectoryProject) -> Result<Option<Stored<Project>>> {
        let Some(id) = &entry.id else {
            text::check_text("name", &entry.name)?;
            let mut found = projects::find_by_name(&mut self.change, &entry.name)?;
            return match found.len() {
                0 | 1 => Ok(found.pop()),
                several => Err(Error::invalid_value(
                    "id",
                    format!("an id, because {several} projects have this name"),
                )),
            };
        };
        // The default project of another organization stands for that of this one.
        if projects::is_default_id(id) {
            return projects::with_seq(&mut self.change, projects::DEFAULT_SEQ).map(Some);
        }
        self.find_by_id::<Project>(id.as_str())
    }

    fn load_memberships(&mut self) -> Result<()> {
        for (index, group) in self.directory.groups.iter().enumerate() {
            for (number, member) in group.members.iter().enumerate() {
                let within =
                    |error: Error| error.within(&place("members", number)).within(&place("groups", index));
                let user_seq = self.find_member(member).map_err(within)?;
                if group_users::insert(&mut self.change, self.groups[index], user_seq)? {
                    self.summary.members_added += 1;
                }
            }
        }
        Ok(())
    }

    fn load_role_assignments(&mut self) -> Result<()> {
        for (index, user) in self.directory.users.iter().enumerate() {
            self.assign(RoleResource::Organization, Principal::User(self.users[index]), &user.roles)
                .map_err(|error| error.within(&place("users", index)))?;
        }
        for (index, group) in self.directory.groups.iter().enumerate() {
            self.assign(RoleResource::Organization, Principal::Group(self.groups[index]), &group.roles)
                .map_err(|error| error.within(&place("groups", index)))?;
        }
        Ok(())
    }

    fn assign(&mut self, resource: RoleResource<'_>, principal: Principal, roles: &[String]) -> Result<()> {
        for (index, role) in roles.iter().enumerate() {
            let within = |error: Error| error.within(&place("roles", index));
            let role = self.find_assigned(resource, principal, role).map_err(within)?;
            let (seq, id) = (role.seq, role.thing.id());
            if assignment::assign(&mut self.change, principal, resource.resource(), seq, id)? {
                self.summary.roles_assigned += 1;
            }
        }
        Ok(())
    }

    fn find_group(&mut self, entry: &DirectoryGroup) -> Result<Option<Stored<GroupResponse>>> {
        match &entry.id {
            Some(id) => self.find_by_id::<GroupResponse>(id.as_str()),
            None => self.find_group_by_name(&entry.name),
        }
    }

    fn find_group_by_name(&mut self, name: &str) -> Result<Option<Stored<GroupResponse>>> {
        text::check_text("name", name)?;
        let mut found = groups::find_by_name(&mut self.change, name)?;
        match found.len() {
            0 | 1 => Ok(found.pop()),
            several => {
                Err(Error::invalid_value("id", format!("an id, because {several} groups have this name")))
            }
        }
    }

    fn find_role(
        &mut self,
        resource: RoleResource<'_>,
        entry: &DirectoryRole,
    ) -> Result<Option<Stored<StoredRole>>> {
        let Some(id) = &entry.id else {
            let found = roles::find_by_name(&mut self.change, resource, &entry.name)?;
            return Ok(found.filter(|found| !found.thing.role.predefined_role));
        };
        if roles::is_predefined_id(id) {
            let expected = "the id of a custom role: remove this entry, because every organization has the predefined roles";
            return Err(Error::invalid_value("id", expected));
        }
        // Two resources may have roles with one id.
        let found = roles::look_up(&mut self.change, resource, id)?;
        if found.is_none() && roles::cursor(&mut self.change, resource, Some(&Cursor::from(id))).is_ok() {
            return Err(Error::invalid_value("id", "the id of no deleted role"));
        }
        Ok(found)
    }

    /// Finds a resource by id. The id of a deleted resource cannot be reused.
    fn find_by_id<T: Thing>(&mut self, id: &str) -> Result<Option<Stored<T>>> {
        let found = thing::look_up::<T>(&mut self.change, id)?;
        if found.is_none() && thing::position::<T>(&mut self.change, id)?.is_some() {
            let expected = format!("an id other than that of a deleted {}", T::TABLE.kind.as_str());
            return Err(Error::invalid_value("id", expected));
        }
        Ok(found)
    }

    /// A role by its name or id. The name comes first, since a dump names roles so.
    fn find_assigned(
        &mut self,
        resource: RoleResource<'_>,
        principal: Principal,
        role: &str,
    ) -> Result<Stored<StoredRole>> {
        let found = match (roles::find_by_name(&mut self.change, resource, role)?, RoleId::new(role)) {
            (None, Ok(id)) => roles::look_up(&mut self.change, resource, &id)?,
            (found, _) => found,
        };
        let Some(found) = found else {
            let expected = format!(
                "the name or id of a role, but got '{role}': correct it, or list the role under the roles of the \
                 organization"
            );
            return Err(Error::invalid_value("", expected));
        };
        match principal {
            Principal::User(_) if found.thing.role.predefined_role => {
                let expected =
                    format!("a custom role, but got '{role}': give a predefined one as the user's role");
                Err(Error::invalid_value("", expected))
            }
            _ => Ok(found),
        }
    }

    fn find_member(&mut self, member: &PersonalText) -> Result<i64> {
        if let Ok(id) = UserId::new(member)
            && let Some(found) = thing::look_up::<StoredUser>(&mut self.change, id.as_str())?
        {
            return Ok(found.seq);
        }
        match users::find_by_email(&mut self.change, member)? {
            Some(found) => Ok(found.seq),
            None => Err(Error::invalid_value(
                "",
                format!("the id or email address of a user, but got '{member}'"),
            )),
        }
    }
}

/// A user with nothing but an id.
fn new_user(id: UserId, stamp: &Stamp) -> StoredUser {
    let mut user = User::new(id, stamp.at());
    user.name = Some(PersonalText::default());
    user.role = Some(UserRole::Reader);
    StoredUser::new(user)
}

fn update_user(found: &mut StoredUser, entry: &DirectoryUser) {
    let user = &mut found.user;
    replace(&mut user.name, entry.name.clone().map(Some));
    replace(&mut user.email, entry.email.as_deref().map(|email| Some(email.trim().into())));
    replace(&mut user.role, entry.role.clone().map(Some));
    // False is stored as absent, as the API does.
    replace(&mut user.is_service_account, entry.is_service_account.map(|flag| flag.then_some(true)));
    replace(&mut user.technical_level, entry.technical_level.clone().map(Some));
    replace(&mut user.developer_persona, entry.developer_persona.clone().map(Some));
    replace(&mut user.added_at, entry.added_at);
    replace(&mut found.picture, entry.picture.clone().map(Some));
    replace(&mut found.user_type, entry.user_type.clone());
}

fn update_group(group: &mut GroupResponse, entry: &DirectoryGroup) {
    group.name = entry.name.to_string();
    replace(&mut group.is_scim_managed, entry.is_scim_managed);
    replace(&mut group.group_type, entry.group_type.clone());
    replace(&mut group.created_at, entry.created_at);
}

fn update_role(found: &mut StoredRole, entry: &DirectoryRole) {
    let role = &mut found.role;
    role.name = entry.name.to_string();
    replace(&mut role.description, entry.description.clone().map(Some));
    replace(&mut role.permissions, entry.permissions.clone());
    found.times = found.times.map(|(created_at, updated_at)| {
        (entry.created_at.unwrap_or(created_at), entry.updated_at.unwrap_or(updated_at))
    });
}

/// Keeps the value if the directory does not mention the field.
fn replace<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

/// The position of an entry in a list of the directory.
fn place(list: &str, index: usize) -> String {
    format!("{list}[{index}]")
}

impl Error {
    /// Prefixes the field with the position in the directory.
    fn within(self, place: &str) -> Self {
        let join = |field: &str| match field {
            "" => place.to_owned(),
            field => format!("{place}.{field}"),
        };
        match self {
            Self::InvalidValue { field, expected } => Self::InvalidValue { field: join(&field), expected },
            Self::AlreadyExists { kind, field, value } => Self::InvalidValue {
                field: join(field),
                expected: format!("another {field}, because another {} has '{value}'", kind.as_str()),
            },
            other => other,
        }
    }
}

fn open_organization(
    transaction: &mut Transaction<'_>,
    stamp: &Stamp,
    wanted: Option<&DirectoryOrganization>,
) -> Result<Organization> {
    let Some(wanted) = wanted else { return organizations::open(transaction, stamp, None) };
    let existing = organizations::list(transaction)?;
    if let Some(organization) = existing.into_iter().find(|organization| organization.id == wanted.id) {
        return Ok(organization);
    }
    let title = wanted.title.as_deref().unwrap_or_default();
    match organizations::adopt(transaction, stamp, &wanted.id, title)? {
        Some(organization) => Ok(organization),
        None => organizations::create(transaction, stamp, &wanted.id, title),
    }
}
