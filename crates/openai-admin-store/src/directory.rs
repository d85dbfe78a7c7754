//! A whole organization as one document: what `load` reads and `dump` writes.

use std::collections::{HashMap, HashSet};

use openai_admin::{
    Cursor, GroupId, GroupType, OrganizationId, PersonalText, Timestamp, UserId, UserRole, UserType,
    models::{GroupResponse, User},
    operations::groups::GroupName,
};
use serde::{Deserialize, Serialize};

use crate::{
    audit_events::{Audit, Event, Subject},
    error::{Error, Result},
    group_users, groups,
    organizations::{self, Org, Organization},
    stamp::Stamp,
    store::Store,
    text,
    transaction::{Transaction, values},
    users,
};

/// An organization with its users and groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Directory {
    /// Which organization; when absent, the only one of the database, or a new one in an empty database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<DirectoryOrganization>,
    /// Its users.
    #[serde(default)]
    pub users: Vec<DirectoryUser>,
    /// Its groups, each with its members.
    #[serde(default)]
    pub groups: Vec<DirectoryGroup>,
}

/// The organization of a [`Directory`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryOrganization {
    /// Its id; created when the database has none with it.
    pub id: OrganizationId,
    /// Its title.
    #[serde(default)]
    pub title: String,
}

/// A user of a [`Directory`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryUser {
    /// Their id; minted when absent and no user has the email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// Their email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<PersonalText>,
    /// Their name.
    #[serde(default)]
    pub name: PersonalText,
    /// Their role; `reader` when absent.
    #[serde(default = "DirectoryUser::default_role")]
    pub role: UserRole,
    /// Whether it is a service account.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_service_account: bool,
    /// Their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PersonalText>,
    /// `user`, or `tenant_user` for the user of a tenant.
    #[serde(default = "DirectoryUser::default_type", skip_serializing_if = "DirectoryUser::is_default_type")]
    pub user_type: UserType,
    /// Metadata of the published API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technical_level: Option<String>,
    /// Metadata of the published API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer_persona: Option<String>,
    /// When they were added, in unix seconds; the time of loading when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
}

/// A group of a [`Directory`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryGroup {
    /// Its id; minted when absent and no group has the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<GroupId>,
    /// Its name.
    pub name: GroupName,
    /// Whether an identity provider manages it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_scim_managed: bool,
    /// `group`, or `tenant_group` for the group of a tenant.
    #[serde(
        default = "DirectoryGroup::default_type",
        skip_serializing_if = "DirectoryGroup::is_default_type"
    )]
    pub group_type: GroupType,
    /// When it was created, in unix seconds; the time of loading when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Its members, by id or email address.
    #[serde(default)]
    pub members: Vec<PersonalText>,
}

impl DirectoryUser {
    fn default_role() -> UserRole {
        UserRole::Reader
    }
    fn default_type() -> UserType {
        UserType::User
    }
    fn is_default_type(user_type: &UserType) -> bool {
        *user_type == UserType::User
    }
}

impl DirectoryGroup {
    fn default_type() -> GroupType {
        GroupType::Group
    }
    fn is_default_type(group_type: &GroupType) -> bool {
        *group_type == GroupType::Group
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What a load has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadSummary {
    /// Into which organization.
    pub organization: Organization,
    /// Users created.
    pub users_created: usize,
    /// Users whose attributes changed.
    pub users_updated: usize,
    /// Groups created.
    pub groups_created: usize,
    /// Groups whose attributes changed.
    pub groups_updated: usize,
    /// Memberships added.
    pub members_added: usize,
}

impl Store {
    /// Loads a directory: creates what is missing, updates what differs, removes nothing. All of it or, when any of
    /// it is refused, none. Loading the same directory again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`], which names the place in the directory.
    pub async fn load(&self, stamp: Stamp, directory: Directory) -> Result<LoadSummary> {
        self.write(move |transaction| Load::new(transaction, &stamp, &directory)?.run()).await
    }

    /// The whole organization, as [`load`](Self::load) reads it.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn dump(&self, organization: Organization) -> Result<Directory> {
        self.read(move |transaction| dump(transaction, &organization)).await
    }
}

struct Load<'a, 't> {
    transaction: &'a mut Transaction<'t>,
    directory: &'a Directory,
    stamp: &'a Stamp,
    org: Org,
    audit: Audit<'a>,
    summary: LoadSummary,
    /// Counts what is minted, so that each gets an id of its own.
    minted: u128,
    /// The places of the users and groups that were loaded, each of which is listed once.
    users: HashSet<i64>,
    groups: HashSet<i64>,
}

impl<'a, 't> Load<'a, 't> {
    fn new(transaction: &'a mut Transaction<'t>, stamp: &'a Stamp, directory: &'a Directory) -> Result<Self> {
        let organization = open_organization(transaction, stamp, directory.organization.as_ref())?;
        let org = organization.org;
        let summary = LoadSummary {
            organization,
            users_created: 0,
            users_updated: 0,
            groups_created: 0,
            groups_updated: 0,
            members_added: 0,
        };
        Ok(Self {
            transaction,
            directory,
            stamp,
            org,
            audit: Audit::after_creation(org, stamp),
            summary,
            minted: 1,
            users: HashSet::new(),
            groups: HashSet::new(),
        })
    }

    fn run(mut self) -> Result<LoadSummary> {
        for (index, user) in self.directory.users.iter().enumerate() {
            self.load_user(user).map_err(|error| error.within(&format!("users[{index}]")))?;
        }
        for (index, group) in self.directory.groups.iter().enumerate() {
            self.load_group(group).map_err(|error| error.within(&format!("groups[{index}]")))?;
        }
        Ok(self.summary)
    }

    fn mint(&mut self, prefix: &str) -> String {
        self.minted += 1;
        self.stamp.mint(prefix, self.minted)
    }

    fn load_user(&mut self, entry: &DirectoryUser) -> Result<()> {
        let existing = match (&entry.id, &entry.email) {
            (Some(id), _) => match users::find(self.transaction, self.org, id) {
                Ok(found) => Some(found),
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error),
            },
            (None, Some(email)) => users::find_by_email(self.transaction, self.org, email)?,
            (None, None) => return Err(Error::invalid_value("id", "an id or an email address")),
        };
        let id = match (&existing, &entry.id) {
            (Some(found), _) => found.user.id.clone(),
            (None, Some(id)) => id.clone(),
            (None, None) => UserId::new(self.mint("user-")).map_err(Error::internal)?,
        };
        let added_at = entry.added_at.or(existing.as_ref().map(|found| found.user.added_at));
        let mut user = User::new(id, added_at.unwrap_or(self.stamp.at()));
        user.name = Some(entry.name.clone());
        user.email = entry.email.as_deref().map(str::trim).map(Into::into);
        user.role = Some(entry.role.clone());
        user.is_service_account = if entry.is_service_account { Some(true) } else { None };
        user.technical_level = entry.technical_level.clone();
        user.developer_persona = entry.developer_persona.clone();
        let (picture, user_type) = (entry.picture.clone(), entry.user_type.clone());
        let seq = existing.as_ref().map_or(0, |found| found.seq);
        let new = users::Found { seq, user, picture, user_type };
        users::check(self.transaction, self.org, &new)?;
        let seq = match existing {
            None => {
                self.summary.users_created += 1;
                users::insert(self.transaction, self.org, &mut self.audit, &new)?
            }
            Some(old) if old == new => old.seq,
            Some(old) => {
                users::write(self.transaction, self.org, old.seq, &new)?;
                let of = Subject { user_seq: Some(old.seq), ..Subject::default() };
                self.audit.record(self.transaction, Event::UserUpdated, of)?;
                self.summary.users_updated += 1;
                old.seq
            }
        };
        // The second would undo what the first says, and so would every load of the same again.
        if self.users.insert(seq) {
            Ok(())
        } else {
            Err(Error::invalid_value("", "a user who is listed once"))
        }
    }

    fn load_group(&mut self, entry: &DirectoryGroup) -> Result<()> {
        let existing = self.find_group(entry)?;
        let id = match (&existing, &entry.id) {
            (Some(found), _) => found.group.id.clone(),
            (None, Some(id)) => id.clone(),
            (None, None) => GroupId::new(self.mint("group_")).map_err(Error::internal)?,
        };
        let created_at = entry.created_at.or(existing.as_ref().map(|found| found.group.created_at));
        let mut group = GroupResponse::new(id, &*entry.name, created_at.unwrap_or(self.stamp.at()));
        group.is_scim_managed = entry.is_scim_managed;
        group.group_type = entry.group_type.clone();
        let group_seq = match existing {
            None => {
                self.summary.groups_created += 1;
                groups::insert(self.transaction, self.org, &mut self.audit, &group)?
            }
            Some(old) if old.group == group => old.seq,
            Some(old) => {
                groups::write(self.transaction, self.org, &mut self.audit, old.seq, &group)?;
                self.summary.groups_updated += 1;
                old.seq
            }
        };
        if !self.groups.insert(group_seq) {
            return Err(Error::invalid_value("", "a group that is listed once"));
        }
        for (index, member) in entry.members.iter().enumerate() {
            let user_seq =
                self.find_member(member).map_err(|error| error.within(&format!("members[{index}]")))?;
            if group_users::insert(self.transaction, self.org, &mut self.audit, group_seq, user_seq)? {
                self.summary.members_added += 1;
            }
        }
        Ok(())
    }

    fn find_group(&mut self, entry: &DirectoryGroup) -> Result<Option<groups::Found>> {
        let Some(id) = &entry.id else {
            text::check_text("name", &entry.name)?;
            let mut found = groups::find_by_name(self.transaction, self.org, &entry.name)?;
            return match found.len() {
                0 | 1 => Ok(found.pop()),
                several => {
                    Err(Error::invalid_value("id", format!("an id, since {several} groups have this name")))
                }
            };
        };
        match groups::find(self.transaction, self.org, id) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => {
                match groups::place_of(self.transaction, self.org, Some(&Cursor::from(id))) {
                    Ok(_) => Err(Error::invalid_value("id", "the id of no deleted group")),
                    Err(Error::UnknownCursor(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn find_member(&mut self, member: &PersonalText) -> Result<i64> {
        if let Ok(id) = UserId::new(member) {
            match users::find(self.transaction, self.org, &id) {
                Ok(found) => return Ok(found.seq),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match users::find_by_email(self.transaction, self.org, member)? {
            Some(found) => Ok(found.seq),
            None => Err(Error::invalid_value(
                "",
                format!("the id or email address of a user, but got '{member}'"),
            )),
        }
    }
}

impl Error {
    /// Puts the place in the directory in front of the field.
    fn within(self, place: &str) -> Self {
        let join = |field: &str| match field {
            "" => place.to_owned(),
            field => format!("{place}.{field}"),
        };
        match self {
            Self::InvalidValue { field, expected } => Self::InvalidValue { field: join(&field), expected },
            Self::AlreadyExists { kind, field, value } => Self::InvalidValue {
                field: join(field),
                expected: format!("another {field}, since another {} has '{value}'", kind.as_str()),
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
    match existing.into_iter().find(|organization| organization.id == wanted.id) {
        Some(organization) => Ok(organization),
        None => organizations::create(transaction, stamp, &wanted.id, &wanted.title),
    }
}

fn dump(transaction: &mut Transaction<'_>, organization: &Organization) -> Result<Directory> {
    let org = organization.org;
    let users = users::all(transaction, org)?;
    let groups = groups::all(transaction, org)?;
    let places: HashMap<i64, usize> =
        groups.iter().enumerate().map(|(index, found)| (found.seq, index)).collect();
    let mut groups: Vec<_> = groups.into_iter().map(|found| DirectoryGroup::from(found.group)).collect();
    let ids: HashMap<i64, &UserId> = users.iter().map(|found| (found.seq, &found.user.id)).collect();
    let memberships = transaction.query(
        "select group_seq, user_seq from group_users where org = $1 order by group_seq, user_seq",
        values![org.seq()],
        |row| Ok((row.integer(0)?, row.integer(1)?)),
    )?;
    for (group_seq, user_seq) in memberships {
        if let (Some(place), Some(id)) = (places.get(&group_seq), ids.get(&user_seq)) {
            groups[*place].members.push(id.as_str().into());
        }
    }
    let entry = DirectoryOrganization { id: organization.id.clone(), title: organization.title.clone() };
    Ok(Directory {
        organization: Some(entry),
        groups,
        users: users.into_iter().map(DirectoryUser::from).collect(),
    })
}

impl From<users::Found> for DirectoryUser {
    fn from(found: users::Found) -> Self {
        let user = found.user;
        Self {
            id: Some(user.id),
            email: user.email,
            name: user.name.unwrap_or_default(),
            role: user.role.unwrap_or(UserRole::Reader),
            is_service_account: user.is_service_account.unwrap_or(false),
            picture: found.picture,
            user_type: found.user_type,
            technical_level: user.technical_level,
            developer_persona: user.developer_persona,
            added_at: Some(user.added_at),
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
            is_scim_managed,
            group_type,
            created_at: Some(created_at),
            members: Vec::new(),
        }
    }
}
