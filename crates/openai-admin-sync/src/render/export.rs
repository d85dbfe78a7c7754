//! Writes the current state as a group file. A plan of that file has no changes.

use std::collections::{HashMap, HashSet};

use openai_admin::{OrganizationId, identity::is_email};
use serde::Serialize;

use crate::{
    input::email::EmailKey,
    service::current::{CurrentGroup, Members, Snapshot},
};

/// The current state, in the format that [`file::parse`](crate::input::file::parse) reads.
#[derive(Debug, Serialize)]
pub struct ExportedFile {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<OrganizationId>,
    groups: Vec<ExportedGroup>,
}

#[derive(Debug, Serialize)]
struct ExportedGroup {
    name: String,
    id: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_empty: bool,
    members: Vec<ExportedMember>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ExportedMember {
    Email(String),
    Id { id: String },
}

/// A membership as a row of a table.
#[derive(Debug, Serialize)]
pub struct MembershipRow {
    /// The group's id.
    pub group_id: String,
    /// The group's name.
    pub group: String,
    /// The user's id.
    pub user_id: String,
    /// The user's address.
    pub email: Option<String>,
    /// The user's name.
    pub name: String,
}

/// Exports the groups whose members were read. It omits groups that are managed elsewhere: the API cannot change them.
pub fn export(snapshot: &Snapshot) -> ExportedFile {
    // An address that two users share identifies neither: both are written by id.
    let mut users: HashMap<EmailKey, &str> = HashMap::new();
    let mut shared: HashSet<EmailKey> = HashSet::new();
    for user in snapshot.groups.iter().flat_map(CurrentGroup::members) {
        if let Some(email) = user.email.as_deref().map(EmailKey::new)
            && *users.entry(email.clone()).or_insert(user.id.as_str()) != user.id.as_str()
        {
            shared.insert(email);
        }
    }
    let groups = snapshot.groups.iter().filter(|group| matches!(group.members, Members::Read(_)));
    let groups = groups.map(|group| {
        let mut members: Vec<ExportedMember> = group
            .members()
            .iter()
            .map(|user| match user.email.as_deref() {
                Some(address) if is_email(address).is_ok() && !shared.contains(&EmailKey::new(address)) => {
                    ExportedMember::Email(EmailKey::new(address).as_str().to_owned())
                }
                _ => ExportedMember::Id { id: user.id.to_string() },
            })
            .collect();
        // Sorted, so that two exports of one state are the same text.
        members.sort_by(|a, b| a.text().cmp(b.text()));
        ExportedGroup {
            name: group.name.clone(),
            id: group.id.to_string(),
            allow_empty: members.is_empty(),
            members,
        }
    });
    ExportedFile { version: 1, organization: snapshot.organization.clone(), groups: groups.collect() }
}

impl ExportedMember {
    fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::Id { id: text } => text,
        }
    }
}

impl ExportedFile {
    /// The file as YAML.
    ///
    /// # Errors
    ///
    /// Only if the YAML library fails.
    pub fn to_yaml(&self) -> Result<String, String> {
        serde_saphyr::to_string(self).map_err(|error| error.to_string())
    }
}

/// The memberships as rows of a table.
pub fn rows(snapshot: &Snapshot) -> Vec<MembershipRow> {
    let row = |group: &CurrentGroup, user: &openai_admin::models::GroupUser| MembershipRow {
        group_id: group.id.to_string(),
        group: group.name.clone(),
        user_id: user.id.to_string(),
        email: user.email.as_deref().map(str::to_owned),
        name: user.name.as_str().to_owned(),
    };
    let groups = snapshot.groups.iter();
    groups.flat_map(|group| group.members().iter().map(move |user| row(group, user))).collect()
}
