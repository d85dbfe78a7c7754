//! Projects of an organization: the default project, which has no row, and created ones.

use openai_admin::{
    Cursor, Order, ProjectId, ProjectResidency, ProjectStatus, Timestamp,
    models::{AuditLogPayload, Project, ProjectListResponse},
    operations::{CreateProject, ListProjects, ModifyProject, RetrieveProject},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        refusal::Refusal,
        text::{check_bounded_text, check_text},
        value::{Row, Value, values},
    },
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::Resource,
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing, stored},
    },
};

/// The maximum length of an external key's id in characters (assumed).
const EXTERNAL_KEY_ID_LENGTH_MAX: usize = 255;

table! {
    $ projects of Project;
    columns: name residency external_key_id created_at removed_at;
    erased: ;
    recorded: name = "title";
    numbers: Numbers::Sequence;
    events: "project.created", "project.updated", "project.archived";
}

impl Thing for Project {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let time =
            |column| -> Result<_> { Ok(row.optional_integer(column)?.map(Timestamp::from_unix_seconds)) };
        let created_at = Timestamp::from_unix_seconds(row.integer(5)?);
        let mut project = project(row.parsed(1)?, row.text(2)?, created_at, time(6)?);
        project.residency = row.optional_text(3)?.map(ProjectResidency::from);
        project.external_key_id = row.optional_text(4)?.map(str::to_owned);
        Ok(project)
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        write(values![
            self.id.as_str(),
            self.name.as_deref().unwrap_or_default(),
            self.residency.as_ref().map(ProjectResidency::as_str),
            self.external_key_id.as_deref(),
            self.created_at.unix_seconds(),
            self.archived_at.map(Timestamp::unix_seconds)
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        AuditLogPayload::project_created(self.name.as_deref().unwrap_or_default())
    }
}

/// A project with only its name and times.
pub(crate) fn project(
    id: ProjectId,
    name: &str,
    created_at: Timestamp,
    archived_at: Option<Timestamp>,
) -> Project {
    let mut project = Project::new(id, created_at);
    project.name = Some(name.to_owned());
    project.archived_at = archived_at;
    project.status =
        Some(if archived_at.is_some() { ProjectStatus::Archived } else { ProjectStatus::Active });
    project
}

impl Reads for ListProjects {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectListResponse> {
        let range = Range::new(
            Order::Asc,
            Some(cursor(tx, self.after.as_ref())?.unwrap_or(i64::MIN)),
            self.limit.unwrap_or_default().get(),
        );
        let org = tx.org();
        let sql = match self.include_archived.unwrap_or_default() {
            true => select!("projects where org = $1 and seq > $2 order by seq limit $3"),
            false => {
                select!("projects where org = $1 and seq > $2 and removed_at is null order by seq limit $3")
            }
        };
        let mut projects = tx.query(sql, values![org, range.after, range.rows()], Project::from_row)?;
        if range.after < DEFAULT_SEQ {
            projects.insert(0, default_project(tx)?);
        }
        let (projects, has_more) = range.cut(projects);
        Ok(ProjectListResponse::new(projects, has_more))
    }
}

impl Reads for RetrieveProject {
    fn read(&self, tx: &mut Reading<'_>) -> Result<Project> {
        Ok(find(tx, &self.project_id)?.thing)
    }
}

impl Changes for CreateProject {
    fn change(&self, change: &mut Change<'_>) -> Result<Project> {
        let (body, id) = (&self.body, change.mint("proj_")?);
        let mut new = project(id, &body.name, change.stamp().at(), None);
        new.residency.clone_from(&body.residency);
        new.external_key_id.clone_from(&body.external_key_id);
        check(&new)?;
        thing::insert(change, &new)?;
        Ok(new)
    }
}

impl Changes for ModifyProject {
    fn change(&self, change: &mut Change<'_>) -> Result<Project> {
        let Stored { seq, thing: before } = find_changeable(change, &self.project_id)?;
        let mut new = before.clone();
        if let Some(name) = &self.body.name {
            new.name = Some(name.to_string());
        }
        if let Some(external_key_id) = &self.body.external_key_id {
            new.external_key_id.clone_from(external_key_id);
        }
        if new == before {
            return Ok(before);
        }
        check(&new)?;
        update(change, seq, &before, &new)?;
        Ok(new)
    }
}

/// The number of the default project. It sorts before all others.
pub(crate) const DEFAULT_SEQ: i64 = -1;
/// Its name (recorded).
const DEFAULT_NAME: &str = "Default project";
/// The prefix of its id (assumed). The organization's id follows.
const DEFAULT_ID: &str = "proj_default_";

/// The default project, which every organization has from the start.
pub(crate) fn default_project(tx: &mut Tx<'_>) -> Result<Project> {
    let org = tx.org();
    tx.query_one("select id, created_at from organizations where org = $1", values![org], |row| {
        let id = ProjectId::new(format!("{DEFAULT_ID}{}", row.text(0)?)).map_err(Error::internal)?;
        Ok(project(id, DEFAULT_NAME, Timestamp::from_unix_seconds(row.integer(1)?), None))
    })?
    .ok_or_else(|| Error::internal("the organization is missing"))
}

/// Finds a project by its id, archived or not.
pub(crate) fn find(tx: &mut Tx<'_>, id: &ProjectId) -> Result<Stored<Project>> {
    if is_default_id(id) {
        let thing = default_project(tx)?;
        return match thing.id == *id {
            true => Ok(Stored { seq: DEFAULT_SEQ, thing }),
            false => Err(Error::not_found(Kind::Project, id)),
        };
    }
    let org = tx.org();
    tx.query_one(select!("projects where org = $1 and id = $2"), values![org, id.as_str()], stored)?
        .ok_or_else(|| Error::not_found(Kind::Project, id))
}

/// A project by its number.
pub(crate) fn with_seq(tx: &mut Tx<'_>, seq: i64) -> Result<Stored<Project>> {
    if seq == DEFAULT_SEQ {
        return Ok(Stored { seq, thing: default_project(tx)? });
    }
    let org = tx.org();
    tx.query_one(select!("projects where org = $1 and seq = $2"), values![org, seq], stored)?
        .ok_or_else(|| Error::internal("the project is gone"))
}

/// A project that is in use.
pub(crate) fn find_active(tx: &mut Tx<'_>, id: &ProjectId) -> Result<Stored<Project>> {
    let found = find(tx, id)?;
    match found.thing.archived_at {
        Some(_) => Err(Error::refused(Refusal::ProjectArchived, id)),
        None => Ok(found),
    }
}

/// The project, archived or not, as the owner of a setting.
pub(crate) fn resource(tx: &mut Tx<'_>, id: &ProjectId) -> Result<Resource> {
    Ok(Resource::Project(find(tx, id)?.seq))
}

/// An active project as the owner of a setting.
pub(crate) fn active_resource(tx: &mut Tx<'_>, id: &ProjectId) -> Result<Resource> {
    Ok(Resource::Project(find_active(tx, id)?.seq))
}

/// Finds a project that is neither archived nor the default project.
pub(crate) fn find_changeable(tx: &mut Tx<'_>, id: &ProjectId) -> Result<Stored<Project>> {
    refuse_default(find_active(tx, id)?)
}

pub(crate) fn refuse_default(found: Stored<Project>) -> Result<Stored<Project>> {
    match found.seq == DEFAULT_SEQ {
        true => Err(Error::refused(Refusal::DefaultProject, &found.thing.id)),
        false => Ok(found),
    }
}

/// Whether an id has the form of a default project's id.
pub(crate) fn is_default_id(id: &ProjectId) -> bool {
    id.as_str().starts_with(DEFAULT_ID)
}

/// All active projects with this name.
pub(crate) fn find_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Vec<Stored<Project>>> {
    let org = tx.org();
    tx.query(
        select!("projects where org = $1 and name = $2 and removed_at is null"),
        values![org, name],
        stored,
    )
}

/// Writes a changed project and records the change.
pub(crate) fn update(change: &mut Change<'_>, seq: i64, before: &Project, new: &Project) -> Result<()> {
    thing::update(change, seq, new)?;
    let payload = new.name.clone().filter(|_| new.name != before.name).map(AuditLogPayload::title);
    change.record(TABLE.updated, Places::of(Kind::Project, seq, new.id()).with(payload.as_ref()))
}

/// The number of a cursor.
fn cursor(tx: &mut Tx<'_>, after: Option<&Cursor>) -> Result<Option<i64>> {
    let Some(after) = after else { return Ok(None) };
    let unknown = || Error::UnknownCursor(after.clone());
    let id = ProjectId::new(after.as_str()).map_err(|_| unknown())?;
    Ok(Some(find(tx, &id).map_err(|_| unknown())?.seq))
}

/// Checks a project before it is written.
pub(crate) fn check(project: &Project) -> Result<()> {
    check_text("name", project.name.as_deref().unwrap_or_default())?;
    let external_key_id = project.external_key_id.as_deref().unwrap_or_default();
    check_bounded_text("external_key_id", external_key_id, EXTERNAL_KEY_ID_LENGTH_MAX)
}
