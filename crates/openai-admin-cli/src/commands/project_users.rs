//! `openai-admin projects users add`: adds several users to a project.

use openai_admin::models::ProjectUserCreateRequest;

use super::{
    several::{Changed, change_each},
    user_file,
};
use crate::{
    arguments::{AddProjectUsersArguments, ProjectUsersCommand, ProjectsCommand},
    failure::{Doing as _, Result},
    resolve::{self, ResolvedUser},
    session::Session,
};

pub(super) async fn run(command: ProjectsCommand, session: &Session<'_>) -> Result<()> {
    let ProjectsCommand::Users(ProjectUsersCommand::Add(arguments)) = command;
    let AddProjectUsersArguments { project, users, file, role } = arguments;
    let users = user_file::users(&users, file.as_deref())?;
    let client = &session.client;
    let project = resolve::project(client, &project).await?;
    let found = resolve::users(client, &users).await?;
    let (project, role) = (&project, &role);
    change_each(session, users.into_iter().zip(found).collect(), |user: ResolvedUser| async move {
        let mut body = ProjectUserCreateRequest::new(role.clone());
        body.user_id = Some(user.id.clone());
        let outcome = match client.project_users().create_project_user(project, body).await {
            Ok(_) => "added",
            Err(error) if error.is_conflict() || error.code() == Some("already_in_project") => {
                "already in the project"
            }
            Err(error) => {
                return Err(error).doing(|| format!("add user '{}' to project '{project}'", user.id));
            }
        };
        Ok(Changed { id: Some(user.id.to_string()), outcome })
    })
    .await
}
