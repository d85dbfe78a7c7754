//! Groups of a project. Their roles in it are listed by their role assignments alone.
//!
//! Lists are in the order in which the groups were created (assumed): a cursor stays valid after the group was removed.

use openai_admin::{
    GroupType, Order, ProjectId, RoleId, Timestamp,
    models::{GroupResponse, Project, ProjectGroup, ProjectGroupDeletedResource, ProjectGroupListResource},
    operations::{AddProjectGroup, ListProjectGroups, RemoveProjectGroup, RetrieveProjectGroup},
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
        project_access, projects, role_assignments,
        roles::{self, RoleResource, StoredRole},
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Principal,
        thing::{self, Stored},
    },
};

/// A project and some of its groups, in the order that [`from_row`] reads, each with its number.
macro_rules! select_page {
    ($rows:literal) => {
        concat!(
            "select id, name, group_type, added_at, seq
             from (select 1 from projects where org = $1 and id = $2) found
             left join (select org as member_org, group_seq, created_at as added_at from project_groups
                        where org = $1 and project_seq = (select seq from projects where org = $1 and id = $2) and ",
            $rows,
            ") m on true
             left join groups on org = member_org and seq = group_seq"
        )
    };
}

/// A group of a project.
macro_rules! select_group {
    ($groups:literal) => {
        concat!(
            "select g.id, g.name, g.group_type, m.created_at
             from (select group_seq, created_at from project_groups
                   where org = $1 and project_seq = $2 and group_seq = $3) m cross join ",
            $groups
        )
    };
}

impl Reads for ListProjectGroups {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectGroupListResource> {
        let limit = self.limit.unwrap_or_default().get();
        // The default project has no groups.
        if limit == 0 || projects::is_default_id(&self.project_id) {
            projects::find(tx, &self.project_id)?;
            return Ok(ProjectGroupListResource::new(Vec::new(), false));
        }
        let (org, after) = (tx.org(), thing::cursor::<GroupResponse>(tx, self.after.as_ref())?);
        let range = Range::new(self.order.unwrap_or(Order::Asc), after, limit);
        let sql = range.choose(
            select_page!("group_seq > $3 order by group_seq limit $4"),
            select_page!("group_seq < $3 order by group_seq desc limit $4"),
        );
        let values = values![org, self.project_id.as_str(), range.after, range.rows()];
        // A project without a group on this page is a row without a group.
        let rows = tx.query(sql, values, |row| match row.optional_integer(4)? {
            Some(seq) => Ok(Some((seq, from_row(row, &self.project_id)?))),
            None => Ok(None),
        })?;
        if rows.is_empty() {
            return Err(Error::not_found(Kind::Project, &self.project_id));
        }
        let mut groups: Vec<_> = rows.into_iter().flatten().collect();
        // PostgreSQL would sort for any number of groups.
        groups.sort_by_key(|(seq, _)| if range.order == Order::Asc { *seq } else { -seq });
        let (groups, has_more) = range.cut(groups.into_iter().map(|(_, group)| group).collect());
        Ok(ProjectGroupListResource::new(groups, has_more))
    }
}

impl Reads for RetrieveProjectGroup {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectGroup> {
        let project = projects::find(tx, &self.project_id)?;
        let group = thing::find::<GroupResponse>(tx, self.group_id.as_str())?;
        let group_type = self.group_type.clone().unwrap_or(GroupType::Group);
        let found = find(tx, &project, &group)?;
        match found.group_type == group_type {
            true => Ok(found),
            false => Err(Error::not_found(Kind::Group, &self.group_id)),
        }
    }
}

/// The default project takes no groups, as it takes no users (assumed).
impl Changes for AddProjectGroup {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectGroup> {
        let project = projects::find_changeable(change, &self.project_id)?;
        let group = thing::find::<GroupResponse>(change, self.body.group_id.as_str())?;
        let resource = RoleResource::Project(&project);
        let role = find_role(change, &project, &self.body.role)?;
        let (principal, now) = (Principal::Group(group.seq), change.stamp().at());
        change.creates(Kind::Group, group.seq);
        if project_access::add(change, &project, principal, now)? {
            role_assignments::assign(change, resource, principal, &role)?;
        } else if change.rules().has(Rule::GroupAlreadyInProject) {
            return Err(Error::refused(Refusal::GroupAlreadyInProject, &group.thing.id));
        }
        find(change, &project, &group)
    }
}

/// The group's roles in the project end too.
impl Changes for RemoveProjectGroup {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectGroupDeletedResource> {
        let project = projects::find_active(change, &self.project_id)?;
        let group = thing::find::<GroupResponse>(change, self.group_id.as_str())?;
        match project_access::remove(change, &project, Principal::Group(group.seq))? {
            false if change.rules().has(Rule::NotInProject) => Err(not_in_project(&project, &group)),
            _ => Ok(ProjectGroupDeletedResource::new()),
        }
    }
}

/// The role of a new group of a project.
fn find_role(tx: &mut Tx<'_>, project: &Stored<Project>, id: &RoleId) -> Result<Stored<StoredRole>> {
    match roles::look_up(tx, RoleResource::Project(project), id)? {
        None if tx.rules().has(Rule::UnknownRole) => Err(Error::not_found(Kind::Role, id)),
        None => project_access::find_role(tx, project, id.as_str()),
        Some(role) => Ok(role),
    }
}

fn find(tx: &mut Tx<'_>, project: &Stored<Project>, group: &Stored<GroupResponse>) -> Result<ProjectGroup> {
    let org = tx.org();
    // PostgreSQL would otherwise read every group to join them.
    let sql = tx.choose(
        select_group!("groups g where g.org = $1 and g.seq = m.group_seq"),
        select_group!(
            "lateral (select id, name, group_type from groups where org = $1 and seq = m.group_seq limit 1) g"
        ),
    );
    tx.query_one(sql, values![org, project.seq, group.seq], |row| from_row(row, &project.thing.id))?
        .ok_or_else(|| not_in_project(project, group))
}

fn not_in_project(project: &Stored<Project>, group: &Stored<GroupResponse>) -> Error {
    project_access::not_in_project(&project.thing.id, Principal::Group(group.seq), group.thing.id.as_str())
}

fn from_row(row: &Row<'_>, project_id: &ProjectId) -> Result<ProjectGroup> {
    let created_at = Timestamp::from_unix_seconds(row.integer(3)?);
    let (name, group_type) = (row.text(1)?.to_owned(), GroupType::from(row.text(2)?));
    Ok(ProjectGroup::new(project_id.clone(), row.parsed(0)?, name, group_type, created_at))
}
