//! `openai-admin access`: the permissions of users, with every path to them.

mod permissions;

use openai_admin::{
    Client, Limit, PermissionName, ProjectId,
    models::{AccessCheck, CheckAccessBody},
    operations::RetrieveUserAccess,
};

use crate::{
    arguments::{AccessCommand, AccessProject, ListArguments},
    failure::{Doing as _, Failure, Result},
    lists::read_list,
    output::{Layout, visible},
    resolve::{self, or_missing_user},
    session::Session,
};

/// The largest page of users.
const PAGE_SIZE: u16 = Limit::<1, 100, 20>::MAX.get();

pub(super) async fn run(command: AccessCommand, session: &Session<'_>) -> Result<()> {
    match command {
        AccessCommand::Of { user, project } => of(session, &user, &project).await,
        AccessCommand::Who { permission, project, list } => who(session, permission, &project, &list).await,
        AccessCommand::Explain { user, permission, project } => {
            explain(session, &user, permission, &project).await
        }
        AccessCommand::Permissions { project } => list_permissions(session, &project).await,
    }
}

async fn of(session: &Session<'_>, text: &str, project: &AccessProject) -> Result<()> {
    let Session { client, output, .. } = session;
    let mut request = RetrieveUserAccess::new(resolve::user(client, text).await?.id);
    request.project_id = find_project(client, project).await?;
    let access = served(client.send(&request).await)?;
    let access = or_missing_user(client, text, access, "find the access of").await?;
    let none = format!("'{}' has no permissions in {}", visible(text), place(project));
    output.items(&access.permissions, &none)
}

async fn who(
    session: &Session<'_>,
    permission: PermissionName,
    project: &AccessProject,
    part: &ListArguments,
) -> Result<()> {
    let Session { client, output, .. } = session;
    let mut call = client.access().list_permission_users(&permission);
    if let Some(project_id) = find_project(client, project).await? {
        call = call.project_id(project_id);
    }
    let users = served(read_list(call, part, PAGE_SIZE).await)?;
    let users = or_unknown_permission(client, users, &permission, project).await?;
    let users = users.doing(|| format!("list the users with '{permission}'"))?;
    let none = format!("no user has '{}' in {}", visible(permission.as_str()), place(project));
    users.print(&Layout::of_record(), &none, output)
}

async fn explain(
    session: &Session<'_>,
    text: &str,
    permission: PermissionName,
    project: &AccessProject,
) -> Result<()> {
    let Session { client, output, .. } = session;
    let mut check = AccessCheck::new(resolve::user(client, text).await?.id, permission.clone());
    check.project_id = find_project(client, project).await?;
    let results = served(client.access().check_access(CheckAccessBody::new(vec![check])).await)?;
    let results = or_unknown_permission(client, results, &permission, project).await?;
    let results = or_missing_user(client, text, results, "check the access of").await?;
    results.data.iter().try_for_each(|result| output.item(result))
}

async fn list_permissions(session: &Session<'_>, project: &AccessProject) -> Result<()> {
    let Session { client, output, .. } = session;
    let project_id = find_project(client, project).await?;
    let roles = permissions::roles(client, project_id.as_ref()).await?;
    let none = format!("no role grants a permission in {}", place(project));
    output.items(&permissions::permissions_of(&roles), &none)
}

/// The answer, with suggestions if no role grants the permission.
async fn or_unknown_permission<T>(
    client: &Client,
    answer: Result<T, openai_admin::Error>,
    permission: &PermissionName,
    project: &AccessProject,
) -> Result<Result<T, openai_admin::Error>> {
    let is_unknown = |error: &openai_admin::Error| {
        error.code() == Some("invalid_value")
            && error.param().is_some_and(|param| param.ends_with("permission"))
    };
    if !answer.as_ref().is_err_and(is_unknown) {
        return Ok(answer);
    }
    let project_id = find_project(client, project).await?;
    let roles = permissions::roles(client, project_id.as_ref()).await?;
    Err(permissions::unknown(permission, &roles, project))
}

async fn find_project(client: &Client, project: &AccessProject) -> Result<Option<ProjectId>> {
    match &project.text {
        Some(text) => resolve::project(client, text).await.map(Some),
        None => Ok(None),
    }
}

/// The organization or project in a message.
fn place(project: &AccessProject) -> String {
    match &project.text {
        Some(text) => format!("project '{}'", visible(text)),
        None => "the organization".to_owned(),
    }
}

/// Explains that only our own server has these operations.
fn served<T>(answer: Result<T, openai_admin::Error>) -> Result<Result<T, openai_admin::Error>> {
    match answer {
        Err(error) if error.is_unknown_url() => {
            let failure = Failure { hints: Vec::new(), ..Failure::from(error) };
            Err(Failure {
                message: format!("this service does not report access: {}", failure.message),
                ..failure
            }
            .hint("the published API has no such operation")
            .hint("`openai-admin serve` and --local FILE report access"))
        }
        answer => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;
    use openai_admin::testing::Script;

    use super::*;
    use crate::{
        arguments::{Arguments, Command},
        config::Environment,
        output::Output,
    };

    #[tokio::test]
    async fn a_service_without_the_operations_is_named_as_the_cause() {
        let unknown = r#"{"error":{"message":"Invalid URL (GET /v1/x)","type":"invalid_request_error","param":null,"code":null}}"#;
        let words = "openai-admin access of user_1".split(' ');
        let matches = Arguments::command_line().get_matches_from(words);
        let Arguments { global, command } = Arguments::from_arg_matches(&matches).expect("a command");
        let Command::Access(command) = command else { panic!("another command") };
        let script = Script::new().status(404).body(unknown);
        let client =
            Client::builder().base_url("http://localhost/v1").service(script).build().expect("a client");
        let output = Output::new(&global, &Environment::default());
        let failure = run(command, &Session::with_client(client, &output)).await.expect_err("a refusal");
        assert!(failure.message.starts_with("this service does not report access"), "{}", failure.message);
        assert_eq!(failure.hints.len(), 2);
    }
}
