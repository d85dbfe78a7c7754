//! What `load` does with a directory.

use std::collections::HashSet;

use openai_admin::{
    PersonalText, UserId, UserRole,
    models::{AuditLogPayload, GroupResponse, User},
};

use crate::{
    base::{
        error::{Error, Result},
        stamp::Stamp,
        text,
    },
    engines::transaction::Transaction,
    keeping::directory::{Directory, DirectoryGroup, DirectoryOrganization, DirectoryUser},
    nouns::{
        group_users, groups,
        organizations::{self, Organization},
        users::{self, StoredUser},
    },
    operation::{audit_order, change::Change, tx::Tx},
    shapes::thing::{self, Stored},
    store::Store,
};

/// What a load has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadSummary {
    /// Into which organization.
    pub organization: Organization,
    /// Whether the title of an organization that was there already changed.
    pub organization_updated: bool,
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
    /// Loads a directory: creates what is missing, updates what differs, removes nothing and keeps what it does not
    /// mention. All of it or, when any of it is refused, none. Loading the same directory again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`], which names the place in the directory.
    pub async fn load(&self, stamp: Stamp, directory: Directory) -> Result<LoadSummary> {
        self.transact_everything(move |transaction| Load::new(transaction, &stamp, &directory)?.run()).await
    }
}

struct Load<'a> {
    directory: &'a Directory,
    change: Change<'a>,
    summary: LoadSummary,
    /// The numbers of the users and groups that were loaded, each of which is listed once.
    users: HashSet<i64>,
    groups: HashSet<i64>,
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
            members_added: 0,
        };
        Ok(Self {
            directory,
            change: Change::after_creation(Tx::new(transaction, org), stamp),
            summary,
            users: HashSet::new(),
            groups: HashSet::new(),
        })
    }

    fn run(mut self) -> Result<LoadSummary> {
        self.load_title()?;
        for (index, user) in self.directory.users.iter().enumerate() {
            self.load_user(user).map_err(|error| error.within(&format!("users[{index}]")))?;
        }
        for (index, group) in self.directory.groups.iter().enumerate() {
            self.load_group(group).map_err(|error| error.within(&format!("groups[{index}]")))?;
        }
        Ok(self.summary)
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

    fn load_user(&mut self, entry: &DirectoryUser) -> Result<()> {
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
        let seq = match existing {
            None => {
                self.summary.users_created += 1;
                users::insert(&mut self.change, &new)?
            }
            Some(old) if old.thing == new => old.seq,
            Some(old) => {
                users::update(&mut self.change, old.seq, &new, &AuditLogPayload::role(entry.role.clone()))?;
                users::hand_on_email_key(&mut self.change, &old.thing.user, new.user.email.as_deref())?;
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
            (Some(found), _) => found.thing.id.clone(),
            (None, Some(id)) => id.clone(),
            (None, None) => self.change.mint("group_")?,
        };
        let mut group = match &existing {
            Some(found) => found.thing.clone(),
            None => GroupResponse::new(id, &*entry.name, self.change.stamp().at()),
        };
        update_group(&mut group, entry);
        let group_seq = match existing {
            None => {
                self.summary.groups_created += 1;
                groups::insert(&mut self.change, &group)?
            }
            Some(old) if old.thing == group => old.seq,
            Some(old) => {
                groups::update(&mut self.change, old.seq, &group)?;
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
            if group_users::insert(&mut self.change, group_seq, user_seq)? {
                self.summary.members_added += 1;
            }
        }
        Ok(())
    }

    fn find_group(&mut self, entry: &DirectoryGroup) -> Result<Option<Stored<GroupResponse>>> {
        let Some(id) = &entry.id else {
            text::check_text("name", &entry.name)?;
            let mut found = groups::find_by_name(&mut self.change, &entry.name)?;
            return match found.len() {
                0 | 1 => Ok(found.pop()),
                several => {
                    Err(Error::invalid_value("id", format!("an id, since {several} groups have this name")))
                }
            };
        };
        let found = thing::look_up::<GroupResponse>(&mut self.change, id.as_str())?;
        if found.is_none() && thing::position::<GroupResponse>(&mut self.change, id.as_str())?.is_some() {
            return Err(Error::invalid_value("id", "the id of no deleted group"));
        }
        Ok(found)
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

/// A user of whom nothing is known but the id.
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
    // Written only where it says something, as the API does.
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

/// What a directory does not mention is kept.
fn replace<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
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
    if let Some(organization) = existing.into_iter().find(|organization| organization.id == wanted.id) {
        return Ok(organization);
    }
    let title = wanted.title.as_deref().unwrap_or_default();
    match organizations::adopt(transaction, stamp, &wanted.id, title)? {
        Some(organization) => Ok(organization),
        None => organizations::create(transaction, stamp, &wanted.id, title),
    }
}
