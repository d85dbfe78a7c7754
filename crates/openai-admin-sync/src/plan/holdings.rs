//! Reads what people have besides memberships of groups, with published operations only.

use std::collections::{HashMap, HashSet};

use futures_util::stream::{self, StreamExt as _};
use openai_admin::{
    ApiKeyId, AuditLogEventType, InviteStatus, ProjectId, UserId, UserRole,
    models::{AuditLog, Project, ProjectApiKey, User},
};

use crate::{
    input::email::EmailKey,
    plan::{
        operation::{Operation, Why},
        right::{Kept, KeptReason, Key, ProjectName, Right},
        source::Origin,
    },
    service::{read_error::ReadError, reader::Reader},
};

/// The most pages of the audit log that are searched for created service accounts: 1,000 events.
const EVENT_PAGES_MAX: usize = 10;

/// The key that sends the requests of a plan, so that the plan keeps it.
#[derive(Clone, Default)]
pub enum OwnKey {
    /// None, or it is not known.
    #[default]
    Unknown,
    /// The key with this id.
    Id(ApiKeyId),
    /// The key with this value.
    Value(String),
}

// Debug output hides the value.
impl std::fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnKey(…)")
    }
}

impl OwnKey {
    /// Whether it is the key with this id, shown as `redacted`: its beginning and end, with dots or stars between.
    fn is(&self, id: &ApiKeyId, redacted: &str) -> bool {
        match self {
            Self::Unknown => false,
            Self::Id(own) => own == id,
            Self::Value(value) => {
                let is_mark = |c: char| matches!(c, '.' | '*' | '…');
                let (first, last) = (redacted.split(is_mark).next(), redacted.rsplit(is_mark).next());
                let (Some(first), Some(last)) = (first, last) else { return false };
                redacted.contains(is_mark)
                    && value.starts_with(first)
                    && value.ends_with(last)
                    && !last.is_empty()
            }
        }
    }
}

/// What people have.
#[derive(Debug, Default)]
pub struct Holdings {
    /// The ends of their rights, in a safe order for each person.
    pub ends: Vec<Operation>,
    /// What stays.
    pub kept: Vec<Kept>,
}

/// Reads the rights of users, except those in projects: the projects are listed, and [`Reading::finish`] reads them.
///
/// A family that the key may not read is left out and reported in [`Holdings::kept`].
///
/// # Errors
///
/// If the organization cannot be read.
pub async fn begin<'a>(
    reader: &'a Reader,
    users: &[UserId],
    own_key: OwnKey,
    concurrency: usize,
) -> Result<Reading<'a>, ReadError> {
    let (people, projects) = (Vec::new(), Vec::new());
    let actors = users.iter().map(ToString::to_string).collect();
    let mut reading = Reading { reader, own_key, concurrency, people, actors, projects, kept: Vec::new() };
    for user_id in users {
        let user = reader.find_user(user_id.clone()).await.map_err(ReadError::from);
        let user = reading.family("the users", user)?.flatten();
        reading.people.push(Person { id: user_id.clone(), user, rights: Vec::new() });
    }
    if !users.is_empty() {
        reading.invites().await?;
        reading.admin_keys().await?;
        reading.owner().await?;
        reading.roles().await?;
        let projects = reader.list_projects().await;
        let projects = reading.family("the projects, with their users and keys", projects)?;
        reading.projects = projects.unwrap_or_default();
    }
    Ok(reading)
}

struct Person {
    id: UserId,
    /// `None` if the key may not read users.
    user: Option<User>,
    rights: Vec<Right>,
}

impl Person {
    fn email(&self) -> Option<String> {
        self.user.as_ref().and_then(|user| user.email.as_deref()).map(str::to_owned)
    }

    fn who(&self) -> String {
        self.email().unwrap_or_else(|| self.id.to_string())
    }
}

/// The rights of people, while they are read.
pub struct Reading<'a> {
    reader: &'a Reader,
    own_key: OwnKey,
    concurrency: usize,
    people: Vec<Person>,
    /// The names of the people and of their keys in the audit log.
    actors: Vec<String>,
    projects: Vec<Project>,
    kept: Vec<Kept>,
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("projects", &self.projects.len()).finish_non_exhaustive()
    }
}

impl Reading<'_> {
    /// The number of requests that [`finish`](Self::finish) sends at least: each project is asked for each person and for
    /// its keys.
    pub fn requests_left(&self) -> usize {
        self.projects.len() * (self.people.len() + 1)
    }

    /// Reads the projects.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub async fn finish(mut self) -> Result<Holdings, ReadError> {
        if !self.projects.is_empty() {
            self.in_projects().await?;
            self.service_accounts().await?;
        }
        Ok(self.holdings())
    }

    /// The result of reading a family; `None` if the key may not read it, or the service does not have it.
    fn family<T>(&mut self, what: &str, result: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
        match result {
            Ok(read) => Ok(Some(read)),
            Err(ReadError::Api(error)) if error.is_permission_denied() || error.is_unknown_url() => {
                let kept = Kept { who: None, what: what.to_owned(), reason: KeptReason::NotRead };
                if !self.kept.contains(&kept) {
                    self.kept.push(kept);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn keep(&mut self, person: usize, what: String, reason: KeptReason) {
        let who = Some(self.people[person].who());
        self.kept.push(Kept { who, what, reason });
    }

    fn person(&self, user_id: &UserId) -> Option<usize> {
        self.people.iter().position(|person| person.id == *user_id)
    }

    async fn invites(&mut self) -> Result<(), ReadError> {
        let invites = self.reader.list_invites().await;
        for invite in self.family("the invites", invites)?.unwrap_or_default() {
            let key = EmailKey::new(&invite.email);
            let is_theirs =
                |person: &Person| person.email().is_some_and(|email| EmailKey::new(&email) == key);
            let person = self.people.iter_mut().find(|person| is_theirs(person));
            if let Some(person) = person.filter(|_| invite.status == InviteStatus::Pending) {
                let right = Right::Invite { invite_id: Some(invite.id), role: invite.role.to_string() };
                person.rights.push(right);
            }
        }
        Ok(())
    }

    async fn admin_keys(&mut self) -> Result<(), ReadError> {
        let keys = self.reader.list_admin_api_keys().await;
        for key in self.family("the admin keys", keys)?.unwrap_or_default() {
            let Some(person) = key.owner.id.as_ref().and_then(|owner| self.person(owner)) else { continue };
            self.actors.push(key.id.to_string());
            let is_own = self.own_key.is(&key.id, &key.redacted_value);
            let last_used_at = key.last_used_at.map(|at| at.unix_seconds());
            let right = Right::AdminKey(Key { id: key.id, name: key.name, last_used_at });
            match is_own {
                true => self.keep(person, right.to_string(), KeptReason::OwnKey),
                false => self.people[person].rights.push(right),
            }
        }
        Ok(())
    }

    /// Ends the role `owner`, unless no one else has it.
    async fn owner(&mut self) -> Result<(), ReadError> {
        let is_owner = |user: &User| user.role == Some(UserRole::Owner);
        let owners: Vec<usize> = (0..self.people.len())
            .filter(|person| self.people[*person].user.as_ref().is_some_and(is_owner))
            .collect();
        if owners.is_empty() {
            return Ok(());
        }
        let leavers: HashSet<&UserId> = self.people.iter().map(|person| &person.id).collect();
        let read = self.reader.has_other_owner(&leavers).await;
        let Some(has_other) = self.family("the users", read)? else { return Ok(()) };
        for (index, person) in owners.into_iter().enumerate() {
            // Of several leavers, the first stays owner.
            match has_other || index > 0 {
                true => self.people[person].rights.push(Right::Owner),
                false => self.keep(person, Right::Owner.to_string(), KeptReason::LastOwner),
            }
        }
        Ok(())
    }

    async fn roles(&mut self) -> Result<(), ReadError> {
        for person in 0..self.people.len() {
            let roles = self.reader.list_own_roles(&self.people[person].id).await;
            let roles = self.family("the roles", roles)?.unwrap_or_default().into_iter();
            let roles = roles.map(|role| Right::Role { role_id: role.id, name: role.name });
            self.people[person].rights.extend(roles);
        }
        Ok(())
    }

    async fn in_projects(&mut self) -> Result<(), ReadError> {
        let (reader, people) = (self.reader, &self.people);
        let mut reads = Vec::with_capacity(self.projects.len());
        for project in &self.projects {
            let name = ProjectName { id: project.id.clone(), name: project.name.clone() };
            reads.push(async move { (of_project(reader, people, &name).await, name) });
        }
        let mut reads = stream::iter(reads).buffered(self.concurrency.max(1));
        let mut found = Vec::new();
        while let Some(read) = reads.next().await {
            found.push(read);
        }
        drop(reads);
        for (read, name) in found {
            for (person, right) in read.rights {
                self.people[person].rights.push(right);
            }
            if let Some(keys) = self.family("the keys of projects", read.keys)? {
                self.project_keys(&name, keys);
            }
            self.family("the users of projects", read.users)?;
            self.family("the roles in projects", read.roles)?;
        }
        Ok(())
    }

    fn project_keys(&mut self, project: &ProjectName, keys: Vec<ProjectApiKey>) {
        for key in keys {
            let owner = key.owner.user.as_ref().and_then(|user| self.person(&user.id));
            let Some(person) = owner else { continue };
            let last_used_at = key.last_used_at.map(|at| at.unix_seconds());
            let key = Key { id: key.id, name: Some(key.name), last_used_at };
            self.people[person].rights.push(Right::ProjectKey { project: project.clone(), key });
        }
    }

    /// Reports the service accounts that the people created, according to the latest events of the audit log. No
    /// published operation names the creator.
    async fn service_accounts(&mut self) -> Result<(), ReadError> {
        let created_account = AuditLogEventType::ServiceAccountCreated;
        let events = self.reader.list_events_of(created_account, &self.actors, EVENT_PAGES_MAX).await;
        let events = self.family("the creators of service accounts", events)?.unwrap_or_default();
        let projects = std::mem::take(&mut self.projects);
        let active: HashMap<&str, &Project> =
            projects.iter().map(|project| (project.id.as_str(), project)).collect();
        let mut seen = HashSet::new();
        for event in events {
            let Some((project_id, account)) = created(&event).filter(|(_, id)| seen.insert(id.clone()))
            else {
                continue;
            };
            let Some(project) = active.get(project_id.as_str()) else { continue };
            let found = self.reader.find_service_account(project_id, &account).await;
            let found = self.family("the service accounts", found.map_err(ReadError::from))?;
            if let Some(name) = found.flatten() {
                let project = ProjectName { id: project.id.clone(), name: project.name.clone() };
                let what = format!("service account '{name}' ({account}) of project {project}");
                // The actor is a person or a key of theirs: with several people, it is not said which.
                let who = (self.people.len() == 1).then(|| self.people[0].who());
                self.kept.push(Kept { who, what, reason: KeptReason::SharedUse });
            }
        }
        Ok(())
    }

    fn holdings(self) -> Holdings {
        let mut ends = Vec::new();
        for person in self.people {
            let email = person.email();
            let mut rights = person.rights;
            rights.sort_by_key(Right::place);
            ends.extend(rights.into_iter().map(|right| {
                let origin = Origin { reason: Some("offboarding".to_owned()), ..Origin::default() };
                Operation::end_right(person.id.clone(), email.clone(), right, Why::Listed, origin)
            }));
        }
        Holdings { ends, kept: self.kept }
    }
}

/// The project and the id of the service account of an event.
fn created(event: &AuditLog) -> Option<(ProjectId, String)> {
    let project = event.project.as_ref()?.id.as_ref()?.parse().ok()?;
    Some((project, event.detail.as_ref()?.id.clone()?))
}

/// The rights of people in one project.
struct OfProject {
    rights: Vec<(usize, Right)>,
    keys: Result<Vec<ProjectApiKey>, ReadError>,
    /// Whether the users could be read.
    users: Result<(), ReadError>,
    /// Whether the custom roles could be read.
    roles: Result<(), ReadError>,
}

async fn of_project(reader: &Reader, people: &[Person], project: &ProjectName) -> OfProject {
    let keys = reader.list_project_api_keys(&project.id).await;
    let mut of_project = OfProject { rights: Vec::new(), keys, users: Ok(()), roles: Ok(()) };
    for (index, person) in people.iter().enumerate() {
        let user = match reader.find_project_user(project.id.clone(), person.id.clone()).await {
            Ok(Some(user)) => user,
            Ok(None) => continue,
            Err(error) => {
                of_project.users = Err(error.into());
                break;
            }
        };
        match reader.list_own_project_roles(&project.id, &person.id).await {
            Ok(roles) => of_project.rights.extend(roles.into_iter().map(|role| {
                let (role_id, name) = (role.id, role.name);
                (index, Right::ProjectRole { project: project.clone(), role_id, name })
            })),
            Err(error) => of_project.roles = Err(error),
        }
        of_project.rights.push((index, Right::Project { project: project.clone(), role: user.role }));
    }
    of_project
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_key_is_known_by_its_id_or_by_its_redacted_value() {
        let (id, other) = ("key_1".parse().expect("an id"), "key_2".parse().expect("an id"));
        assert!(OwnKey::Id(id).is(&"key_1".parse().expect("an id"), ""));
        let own = OwnKey::Value("sk-admin-abc-xyz".to_owned());
        assert!(own.is(&other, "sk-admin...xyz"));
        assert!(own.is(&other, "sk-admin-****xyz"));
        assert!(!own.is(&other, "sk-admin...xyw"));
        assert!(!own.is(&other, "sk-admin-abc-xyz-1"));
        assert!(!own.is(&other, ""));
    }
}
