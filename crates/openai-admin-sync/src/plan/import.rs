//! Turns a table of memberships into a desired state: each row names a user and a group.
//!
//! Pure.

use std::collections::BTreeMap;

use openai_admin::operations::groups::GroupName;

use crate::{
    input::{
        csv::{self, Mapping},
        file::Mode,
        input_error::{InputError, InputErrors, Position},
        member::UserRef,
        visible::excerpt,
    },
    plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers},
        document::Purpose,
        source::{Origin, Source},
    },
};

/// How to apply the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportMode {
    /// Add the users.
    #[default]
    Add,
    /// Remove the users.
    Remove,
    /// Add the users, and remove all others from the groups that the table names.
    Exact,
}

/// The desired state of a table of memberships. Its groups must exist.
///
/// # Errors
///
/// All invalid rows, with their line numbers.
pub fn desired(
    bytes: &[u8],
    name: &str,
    mapping: &Mapping,
    mode: ImportMode,
) -> Result<Desired, InputErrors> {
    let (table, groups) = csv::parse(bytes, name, mapping)?;
    let mut members: BTreeMap<u32, DesiredMembers> = BTreeMap::new();
    let entries = table.rows.len();
    let named =
        |messages: Vec<String>| messages.into_iter().map(|message| format!("{name}: {message}")).collect();
    for row in table.rows {
        let group = members.entry(row.group).or_default();
        group.mode = match mode {
            ImportMode::Add | ImportMode::Remove => Mode::AddOnly,
            ImportMode::Exact => Mode::Exact,
        };
        let origin = Origin { position: Some(Position::line(name, row.line)), ..Origin::default() };
        let member = DesiredMember { who: UserRef::Email(row.email), origin };
        match mode {
            ImportMode::Remove => group.absent.push(member),
            ImportMode::Add | ImportMode::Exact => group.present.push(member),
        }
    }
    let groups = groups.into_iter().zip(members.into_values()).map(|(group, members)| {
        let first = members.present.first().or(members.absent.first());
        DesiredGroup {
            position: first.and_then(|member| member.origin.position.clone()),
            members: Some(members),
            ..DesiredGroup::existing(group)
        }
    });
    Ok(Desired {
        groups: groups.collect(),
        purpose: Purpose::Import,
        sources: vec![Source::named(name, entries)],
        left_out: named(table.left_out),
        notes: named(table.notes),
        skipped_rows: table.skipped,
        names: table.names,
        matching: mapping.matching,
        ..Desired::default()
    })
}

/// Creates the groups that do not exist, instead of reporting them.
///
/// # Errors
///
/// If a name is not valid for a group.
pub fn create_missing_groups(desired: &mut Desired) -> Result<(), InputErrors> {
    let mut errors = InputErrors::default();
    for group in &mut desired.groups {
        group.creates = true;
        if let Err(violation) = GroupName::new(&group.name) {
            let message = format!("invalid group name '{}': {violation}", excerpt(&group.name));
            errors.0.push(InputError { position: group.position.clone(), message, hint: None });
        }
    }
    errors.or(())
}
