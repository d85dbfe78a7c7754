//! Users of a project, each with a role in it.
//!
//! The role is a row in `role_assignments`, so it is listed among the user's roles in the project. Lists are in the order
//! in which the users joined the organization (assumed): a cursor stays valid after the user was removed.

use openai_admin::{
    Order, Timestamp,
    models::{
        Project, ProjectUser, ProjectUserCreateRequest, ProjectUserDeleteResponse, ProjectUserListResponse,
    },
    operations::{
        CreateProjectUser, DeleteProjectUser, ListProjectUsers, ModifyProjectUser, RetrieveProjectUser,
    },
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        refusal::Refusal,
        rule::Rule,
        value::{Row, values},
    },
    nouns::{
        project_access, projects, roles,
        users::{self, StoredUser},
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Principal,
        thing::{self, Stored},
    },
};

/// Some rows of `project_users` as `m`, with their users and predefined roles, in the order that [`from_row`] reads.
macro_rules! select_users {
    ($rows:literal, $users:literal) => {
        concat!(
            "select u.id, u.name, u.email, m.added_at,
                    (select a.role_seq from role_assignments a
                     where a.org = $1 and a.user_seq = m.user_seq and a.group_seq = 0 and a.project_seq = $2
                       and a.role_seq < 0 limit 1)
             from (select user_seq, added_at from project_users where org = $1 and project_seq = $2 and ",
            $rows,
            ") m cross join ",
            $users,
            " order by m.user_seq"
        )
    };
}

/// PostgreSQL would otherwise read every user to join them.
macro_rules! select_users_on {
    ($tx:ident, $rows:literal) => {
        $tx.choose(
            select_users!($rows, "users u where u.org = $1 and u.seq = m.user_seq"),
            select_users!(
                $rows,
                "lateral (select id, name, email from users where org = $1 and seq = m.user_seq limit 1) u"
            ),
        )
    };
}

impl Reads for ListProjectUsers {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectUserListResponse> {
        let project = projects::find_active(tx, &self.project_id)?;
        let after = thing::cursor::<StoredUser>(tx, self.after.as_ref())?;
        let range = Range::new(Order::Asc, after, self.limit.unwrap_or_default().get());
        let org = tx.org();
        let sql = select_users_on!(tx, "user_seq > $3 order by user_seq limit $4");
        let users = tx.query(sql, values![org, project.seq, range.after, range.rows()], from_row)?;
        let (users, has_more) = range.cut(users);
        Ok(ProjectUserListResponse::new(users, has_more))
    }
}

impl Reads for RetrieveProjectUser {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectUser> {
        let project = projects::find_active(tx, &self.project_id)?;
        let user = users::find(tx, &self.user_id)?;
        find(tx, &project, &user)
    }
}

/// The default project takes no users but through invites.
impl Changes for CreateProjectUser {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectUser> {
        let project = projects::find_changeable(change, &self.project_id)?;
        let user = find_user(change, &self.body)?;
        let role = project_access::find_role(change, &project, &self.body.role)?;
        let now = change.stamp().at();
        // The answer has the user's name and address: it is kept no longer than the user.
        change.creates(Kind::User, user.seq);
        match project_access::add_user(change, &project, user.seq, &role, now)? {
            false if change.rules().has(Rule::AlreadyInProject) => {
                Err(Error::refused(Refusal::AlreadyInProject, &user.thing.user.id))
            }
            _ => find(change, &project, &user),
        }
    }
}

/// The user of a request, by id or address. Where it has both, they must be of one user (assumed).
fn find_user(tx: &mut Tx<'_>, body: &ProjectUserCreateRequest) -> Result<Stored<StoredUser>> {
    let by_id = body.user_id.as_ref().map(|id| users::find(tx, id)).transpose()?;
    let by_email = match body.email.as_deref().map(str::trim) {
        Some(email) => {
            let found = users::find_by_email(tx, email)?;
            match found {
                None if tx.rules().has(Rule::MismatchedEmail) || by_id.is_none() => {
                    return Err(Error::not_found(Kind::User, &email));
                }
                found => found,
            }
        }
        None => None,
    };
    match (by_id, by_email) {
        (Some(user), Some(other)) if user.seq != other.seq && tx.rules().has(Rule::MismatchedEmail) => {
            Err(Error::invalid_value("email", format!("the address of user '{}'", user.thing.user.id)))
        }
        (Some(user), _) | (None, Some(user)) => Ok(user),
        (None, None) if !tx.rules().has(Rule::MissingUser) => users::oldest(tx),
        (None, None) => Err(Error::invalid_value("user_id", "the ID of a user, or an email address")),
    }
}

impl Changes for ModifyProjectUser {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectUser> {
        let project = projects::find_active(change, &self.project_id)?;
        let user = users::find(change, &self.user_id)?;
        let found = find(change, &project, &user)?;
        let Some(role) = &self.body.role else { return Ok(found) };
        let role = project_access::find_role(change, &project, role)?;
        project_access::set_user_role(change, &project, user.seq, &role)?;
        find(change, &project, &user)
    }
}

/// The user's roles in the project end too.
impl Changes for DeleteProjectUser {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectUserDeleteResponse> {
        let project = projects::find_active(change, &self.project_id)?;
        let user = users::find(change, &self.user_id)?;
        match project_access::remove(change, &project, Principal::User(user.seq))? {
            false if change.rules().has(Rule::NotInProject) => Err(not_in_project(&project, &user)),
            _ => Ok(ProjectUserDeleteResponse::new(user.thing.user.id)),
        }
    }
}

fn find(tx: &mut Tx<'_>, project: &Stored<Project>, user: &Stored<StoredUser>) -> Result<ProjectUser> {
    let org = tx.org();
    let sql = select_users_on!(tx, "user_seq = $3");
    tx.query_one(sql, values![org, project.seq, user.seq], from_row)?
        .ok_or_else(|| not_in_project(project, user))
}

fn not_in_project(project: &Stored<Project>, user: &Stored<StoredUser>) -> Error {
    let principal = Principal::User(user.seq);
    project_access::not_in_project(&project.thing.id, principal, user.thing.user.id.as_str())
}

fn from_row(row: &Row<'_>) -> Result<ProjectUser> {
    let role = roles::predefined_project_name(row.integer(4)?)
        .ok_or_else(|| Error::internal("a user of a project has no role there"))?;
    let added_at = Timestamp::from_unix_seconds(row.integer(3)?);
    let mut user = ProjectUser::new(row.parsed(0)?, role.to_owned(), added_at);
    user.name = Some(row.text(1)?.into());
    user.email = row.optional_text(2)?.map(Into::into);
    Ok(user)
}
