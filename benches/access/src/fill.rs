//! The organization. Rows are written directly and without audit events, because ten million changes take an hour.

use rusqlite::{Connection, params};

use crate::BoxError;

/// The time of everything.
pub(crate) const NOW: i64 = 1_750_000_000;
/// The permission of a role that a group of every user has.
pub(crate) const OF_EVERYONE: &str = "api.bench.everyone";
/// The permission of a role that a tenth of the groups have.
pub(crate) const OF_MANY_GROUPS: &str = "api.bench.many";

/// How many groups a user is in, besides the group of every user.
const GROUPS_OF_A_USER: u64 = 9;
/// The distance between the groups of a user.
const STRIDE: u64 = 10_007;
/// The number of users divided by the number of groups.
const USERS_FOR_EACH_GROUP: u64 = 10;
/// Custom roles of the organization, each with a different permission.
const ROLES: u64 = 100;
const ROLES_OF_A_PROJECT: u64 = 5;
const GROUPS_OF_A_PROJECT: u64 = 50;
const USERS_OF_A_PROJECT: u64 = 100;

/// The size of the organization.
pub(crate) struct Size {
    pub(crate) users: u64,
    pub(crate) projects: u64,
}

impl Size {
    pub(crate) fn of(scale: f64) -> Self {
        Self { users: 10 * ((100_000.0 * scale) as u64), projects: (1000.0 * scale).max(10.0) as u64 }
    }

    /// The groups, without the group of every user.
    pub(crate) fn groups(&self) -> u64 {
        self.users / USERS_FOR_EACH_GROUP
    }

    pub(crate) fn memberships(&self) -> u64 {
        self.users * (GROUPS_OF_A_USER + 1)
    }
}

pub(crate) fn user_id(number: u64) -> String {
    format!("user-{number:024}")
}

pub(crate) fn group_id(number: u64) -> String {
    format!("group_{number:026}")
}

pub(crate) fn project_id(number: u64) -> String {
    format!("proj_{number}")
}

/// Fills the first organization of a database.
pub(crate) fn fill(file: &str, size: &Size) -> Result<(), BoxError> {
    let connection = Connection::open(file)?;
    connection.execute_batch("pragma synchronous = off; pragma cache_size = -1000000; begin")?;
    users(&connection, size)?;
    groups(&connection, size)?;
    memberships(&connection, size)?;
    roles(&connection, size)?;
    assignments(&connection, size)?;
    projects(&connection, size)?;
    connection.execute_batch("commit; analyze")?;
    Ok(())
}

/// One user in ten thousand is an owner.
fn users(connection: &Connection, size: &Size) -> Result<(), BoxError> {
    let mut insert = connection.prepare(
        "insert into users (org, seq, id, email, email_key, name, role, user_type, is_service_account, added_at)
         values (1, ?1, ?2, ?3, ?3, 'Grace Hopper', ?4, 'user', 0, ?5)",
    )?;
    for number in 1..=size.users {
        let role = if number % 10_000 == 1 { "owner" } else { "reader" };
        let email = format!("m{number}@example.com");
        insert.execute(params![number as i64, user_id(number), email, role, NOW])?;
    }
    Ok(())
}

fn groups(connection: &Connection, size: &Size) -> Result<(), BoxError> {
    let mut insert = connection.prepare(
        "insert into groups (org, seq, id, name, group_type, is_scim_managed, created_at)
         values (1, ?1, ?2, ?3, 'group', 0, ?4)",
    )?;
    for number in 1..=size.groups() + 1 {
        insert.execute(params![
            number as i64,
            group_id(number),
            format!("Group {number}"),
            NOW
        ])?;
    }
    Ok(())
}

/// Each group has 90 users, spread over all of them, and the last group has every user.
fn memberships(connection: &Connection, size: &Size) -> Result<(), BoxError> {
    connection.execute_batch("drop index group_users_by_user")?;
    let mut insert =
        connection.prepare("insert into group_users (org, group_seq, user_seq) values (1, ?1, ?2)")?;
    let groups = size.groups();
    for group in 1..=groups {
        let mut users: Vec<u64> = (0..GROUPS_OF_A_USER)
            .flat_map(|step| {
                let first = 1 + (group + step * STRIDE) % groups;
                (0..USERS_FOR_EACH_GROUP).map(move |block| first + block * groups)
            })
            .collect();
        users.sort_unstable();
        for user in users {
            insert.execute(params![group as i64, user as i64])?;
        }
    }
    for user in 1..=size.users {
        insert.execute(params![groups as i64 + 1, user as i64])?;
    }
    connection
        .execute_batch("create unique index group_users_by_user on group_users (org, user_seq, group_seq)")?;
    Ok(())
}

/// The roles of the organization come first, then those of each project.
fn roles(connection: &Connection, size: &Size) -> Result<(), BoxError> {
    let mut insert = connection.prepare(
        "insert into roles (org, seq, project_seq, id, name, permissions, created_at, updated_at)
         values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?6)",
    )?;
    let mut seq = 0;
    let mut add = |project: u64, permission: &str| {
        seq += 1;
        let permissions = format!(r#"["{permission}","api.groups.read"]"#);
        insert.execute(params![
            seq,
            project as i64,
            format!("role_{seq}"),
            format!("Role {seq}"),
            permissions,
            NOW
        ])
    };
    add(0, OF_EVERYONE)?;
    add(0, OF_MANY_GROUPS)?;
    for role in 3..=ROLES {
        add(0, &format!("api.bench.{role}"))?;
    }
    for project in 1..=size.projects {
        for role in 1..=ROLES_OF_A_PROJECT {
            add(project, &format!("api.project.{role}"))?;
        }
    }
    Ok(())
}

/// Of the roles of the organization, the last group has the first, a tenth of the groups have the second, and 100 groups
/// and 100 users have each of the others.
fn assignments(connection: &Connection, size: &Size) -> Result<(), BoxError> {
    let groups = size.groups();
    assign(connection, 0, groups + 1, 0, 1)?;
    for group in (1..=groups).step_by(10) {
        assign(connection, 0, group, 0, 2)?;
    }
    for role in 3..=ROLES {
        for number in 0..100 {
            assign(connection, 0, 1 + (role * 31 + number * 977) % groups, 0, role as i64)?;
            assign(connection, 1 + (role * 31 + number * 9_973) % size.users, 0, 0, role as i64)?;
        }
    }
    Ok(())
}

fn assign(connection: &Connection, user: u64, group: u64, project: u64, role: i64) -> Result<(), BoxError> {
    let mut insert = connection.prepare_cached(
        "insert into role_assignments (org, user_seq, group_seq, project_seq, role_seq) values (1, ?1, ?2, ?3, ?4)
         on conflict do nothing",
    )?;
    insert.execute(params![user as i64, group as i64, project as i64, role])?;
    Ok(())
}

/// Each project has 50 groups, of which five have a custom role and the others are members, and 100 users, of which one
/// is an owner and the others are members.
fn projects(connection: &Connection, size: &Size) -> Result<(), BoxError> {
    for project in 1..=size.projects {
        connection
            .prepare_cached(
                "insert into projects (org, seq, id, name, created_at) values (1, ?1, ?2, ?3, ?4)",
            )?
            .execute(params![project as i64, project_id(project), format!("Project {project}"), NOW])?;
        for number in 0..GROUPS_OF_A_PROJECT {
            let group = 1 + (project * 101 + number * 1_999) % size.groups();
            connection
                .prepare_cached(
                    "insert into project_groups (org, project_seq, group_seq, created_at) values (1, ?1, ?2, ?3)
                     on conflict do nothing",
                )?
                .execute(params![project as i64, group as i64, NOW])?;
            let custom = (ROLES + (project - 1) * ROLES_OF_A_PROJECT + number + 1) as i64;
            let role = if number < ROLES_OF_A_PROJECT { custom } else { MEMBER };
            assign(connection, 0, group, project, role)?;
        }
        for number in 0..USERS_OF_A_PROJECT {
            let user = 1 + (project * 1_009 + number * 9_973) % size.users;
            connection
                .prepare_cached(
                    "insert into project_users (org, project_seq, user_seq, added_at) values (1, ?1, ?2, ?3)
                     on conflict do nothing",
                )?
                .execute(params![project as i64, user as i64, NOW])?;
            assign(connection, user, 0, project, if number == 0 { OWNER } else { MEMBER })?;
        }
    }
    Ok(())
}

/// The numbers of the predefined roles of projects.
const OWNER: i64 = -5;
const MEMBER: i64 = -4;
