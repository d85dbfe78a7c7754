//! `openai-admin load`: loads an organization from a file into a database, completely or not at all.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Read as _},
    path::Path,
};

use openai_admin_server::Minter;
use openai_admin_store::{
    Directory, DirectoryGroup, DirectoryUser, Error as StoreError, LoadSummary, Organization, Store,
};
use openai_admin_sync::{render::shell_word, text};
use serde::Serialize;

use crate::{
    arguments::LoadArguments,
    config::{Database, Environment},
    database, directory_file,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, Record, count, file_name, visible},
};

/// Limits for people: the members of at most 20 groups and 40 memberships are shown; above that only counts.
const GROUPS_SHOWN_MAX: usize = 20;
const MEMBERSHIPS_SHOWN_MAX: usize = 40;

pub(super) async fn run(
    arguments: &LoadArguments,
    database: &Database,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let name = file_name(&arguments.file);
    let text = read(&arguments.file).doing(|| format!("read {name}"))?;
    let directory = directory_file::parse(&text, &name)?;
    check_organization(&directory, database, &name)?;

    let new_file = database.missing_file().map(Path::to_owned);
    let store = database::open_store(database, true).await?;
    let actor = environment.actor("load");
    let done = load(&store, directory, database, &actor, (&text, &name)).await;
    let shown = match &done {
        Ok(summary) => store.dump(summary.organization.clone()).await.map_err(Failure::from),
        Err(_) => Ok(Directory::default()),
    };
    let held = store.organizations().await.unwrap_or_default();
    // Another process may have found the new file meanwhile and written to it.
    let is_empty = done.is_err() && store.organizations().await.is_ok_and(|held| held.is_empty());
    store.close().await;
    if let (Some(file), true) = (new_file, is_empty) {
        remove_database(&file);
    }
    let (summary, directory) = (done?, shown?);
    show(&summary.organization, &directory, output)?;
    output.note(&changes(&summary, &name, database));
    let chosen =
        (held.len() > 1).then(|| format!("--organization {}", shell_word(summary.organization.id.as_str())));
    if let Some(chosen) = &chosen {
        let number = count(held.len(), "organization");
        output.note(&format!("{} now has {number}: pass {chosen} or another", database.url));
    }
    suggest_commands(&directory, chosen.as_deref(), database, environment, output);
    Ok(())
}

/// Removes the database file that this command created, and SQLite's files next to it.
fn remove_database(file: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        // The file may not exist, and an empty database does no harm.
        let _ = std::fs::remove_file(name);
    }
}

pub(super) fn read(file: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    read.map_err(|error| Failure { status: ExitStatus::BadInput, ..error.into() })?;
    Ok(text::read(&bytes, "it")?.to_owned())
}

/// Checks that `--organization` and the file name the same organization.
fn check_organization(directory: &Directory, database: &Database, name: &str) -> Result<()> {
    match (&directory.organization, &database.organization) {
        (Some(described), Some(wanted)) if described.id != *wanted => Err(Failure::bad_input(format!(
            "{name} describes organization {}, but --organization says {wanted}",
            described.id
        ))),
        _ => Ok(()),
    }
}

async fn load(
    store: &Store,
    mut directory: Directory,
    database: &Database,
    actor: &str,
    (text, name): (&str, &str),
) -> Result<LoadSummary> {
    let minter = Minter::system();
    if let (None, Some(id)) = (&directory.organization, &database.organization) {
        directory.organization = serde_json::from_value(serde_json::json!({ "id": id })).ok();
    }
    match store.load(minter.stamp(actor), directory).await {
        Ok(summary) => Ok(summary),
        Err(StoreError::InvalidValue { field, expected }) => {
            Err(directory_file::error_at(text, name, &field, &expected))
        }
        Err(error) => Err(error).doing(|| format!("load {name}")),
    }
}

/// A group and its members.
#[derive(Serialize)]
struct GroupListing {
    id: String,
    name: String,
    member_count: usize,
    members: Vec<String>,
}

impl Record for GroupListing {
    const FIELDS: &'static [&'static str] = &["id", "name", "member_count", "members"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("GROUP", "name"), ("USERS", "member_count"), ("MEMBERS", "members")];
}

/// A group of an organization that is too large to list.
#[derive(Serialize)]
struct GroupCount {
    id: String,
    name: String,
    member_count: usize,
}

impl Record for GroupCount {
    const FIELDS: &'static [&'static str] = &["id", "name", "member_count"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("GROUP", "name"), ("ID", "id"), ("USERS", "member_count")];
}

/// Shows the groups and members: everything to programs, a readable part to people.
fn show(organization: &Organization, directory: &Directory, output: &Output) -> Result<()> {
    let people = output.is_for_people();
    let groups = &directory.groups;
    let memberships: usize = groups.iter().map(|group| group.members.len()).sum();
    if people {
        let title = if organization.title.is_empty() { "the organization" } else { &organization.title };
        output.data(&format!(
            "{} ({}): {}, {}, {}\n\n",
            visible(title),
            visible(organization.id.as_str()),
            count(directory.users.len(), "user"),
            count(groups.len(), "group"),
            count(memberships, "membership")
        ))?;
    }
    let is_large = groups.len() > GROUPS_SHOWN_MAX || memberships > MEMBERSHIPS_SHOWN_MAX;
    if people && is_large {
        let first = &groups[..groups.len().min(GROUPS_SHOWN_MAX)];
        let counts: Vec<GroupCount> = first.iter().map(GroupCount::from).collect();
        output.items(&counts, "")?;
        if first.len() < groups.len() {
            output.data(&format!("… and {} more groups\n", groups.len() - first.len()))?;
        }
        return Ok(());
    }
    let users: HashMap<&str, &DirectoryUser> =
        directory.users.iter().filter_map(|user| Some((user.id.as_ref()?.as_str(), user))).collect();
    let listings: Vec<GroupListing> = groups.iter().map(|group| listing(group, &users, people)).collect();
    output.wrapped_items(&listings, "no groups")
}

impl From<&DirectoryGroup> for GroupCount {
    fn from(group: &DirectoryGroup) -> Self {
        let id = group.id.as_ref().map(ToString::to_string).unwrap_or_default();
        Self { id, name: group.name.to_string(), member_count: group.members.len() }
    }
}

/// Names for people, ids for programs.
fn listing(group: &DirectoryGroup, users: &HashMap<&str, &DirectoryUser>, people: bool) -> GroupListing {
    let shown = |id: &str| {
        let user = users.get(id).filter(|_| people);
        let name = user.and_then(|user| user.name.as_deref()).filter(|name| !name.trim().is_empty());
        let email = user.and_then(|user| user.email.as_deref());
        name.or(email).unwrap_or(id).to_owned()
    };
    let GroupCount { id, name, member_count } = group.into();
    GroupListing { id, name, member_count, members: group.members.iter().map(|id| shown(id)).collect() }
}

fn changes(summary: &LoadSummary, name: &str, database: &Database) -> String {
    let title = summary.organization_updated.then(|| "organization updated".to_owned());
    let counts = [
        (summary.users_created, "user", "created"),
        (summary.users_updated, "user", "updated"),
        (summary.groups_created, "group", "created"),
        (summary.groups_updated, "group", "updated"),
        (summary.roles_created, "role", "created"),
        (summary.roles_updated, "role", "updated"),
        (summary.projects_created, "project", "created"),
        (summary.projects_updated, "project", "updated"),
        (summary.members_added, "membership", "added"),
        (summary.project_users_added, "project user", "added"),
        (summary.project_groups_added, "project group", "added"),
        (summary.roles_assigned, "role assignment", "added"),
        (summary.settings_changed, "setting", "changed"),
        (summary.rate_limits_changed, "rate limit", "changed"),
    ];
    let counts = counts.into_iter().filter(|(number, _, _)| *number > 0);
    let counts = counts.map(|(number, noun, verb)| format!("{} {verb}", count(number, noun)));
    let parts: Vec<String> = title.into_iter().chain(counts).collect();
    if parts.is_empty() {
        format!("\nno changes: {} already has everything in {name}", database.url)
    } else {
        format!("\nloaded {name} into {}: {}", database.url, parts.join(", "))
    }
}

/// Suggests next commands, ready to run on the loaded data.
fn suggest_commands(
    directory: &Directory,
    chosen: Option<&str>,
    database: &Database,
    environment: &Environment,
    output: &Output,
) {
    if output.is_quiet() {
        return;
    }
    let program = shell_word(&environment.program);
    let words = [&*program, &*database.as_argument, chosen.unwrap_or_default()];
    let command = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut lines = vec!["\nnext steps:".to_owned()];
    // Only a file has --local and the commands that need no server.
    if database.as_argument.starts_with("--local") {
        let group = directory.groups.iter().find(|group| group.is_scim_managed != Some(true));
        let name = group.and_then(|group| Some(group_argument(&group.name, group.id.as_ref()?.as_str())));
        if let Some(name) = &name {
            lines.push(format!("  {command} groups users list {name}"));
        }
        if let (Some(name), Some(email)) = (&name, group.and_then(|group| non_member_email(directory, group)))
        {
            let email = shell_word(email);
            lines.push(format!("  {command} groups users add {name} {email}"));
            lines.push(format!("  {command} users groups {email}"));
        }
    }
    lines.push(format!("  {command} serve"));
    output.note(&lines.join("\n"));
}

/// The address of a user who is not in the group, for an example that adds them.
fn non_member_email<'a>(directory: &'a Directory, group: &DirectoryGroup) -> Option<&'a str> {
    let members: HashSet<&str> = group.members.iter().map(|member| &**member).collect();
    let is_outside = |user: &&DirectoryUser| user.id.as_ref().is_none_or(|id| !members.contains(id.as_str()));
    directory.users.iter().filter(is_outside).find_map(|user| user.email.as_deref())
}

/// A group's name as a shell word, or its id if the name is hard to type.
fn group_argument(name: &str, id: &str) -> String {
    if visible(name) == name && name.is_ascii() { shell_word(name) } else { shell_word(id) }
}
