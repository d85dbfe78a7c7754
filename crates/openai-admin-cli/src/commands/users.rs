//! `openai-admin users`: users of the organization.

use openai_admin::{
    BoundedText, UserId,
    models::{CreateUserBody, UserRoleUpdateRequest},
    operations::users::EmailText,
};

use super::protection;
use crate::{
    arguments::{CreateUserArguments, ListArguments, UpdateUserArguments, UserCommand},
    failure::{Doing as _, Failure, Result},
    lists::{PAGE_SIZE, print_list},
    output::{Layout, count, visible},
    prompt::Consent,
    resolve::{self, or_missing_user},
    session::Session,
};

mod groupless;
mod search;
mod user_groups;

/// How many groups of a user a question names.
const GROUPS_NAMED_MAX: usize = 10;

pub(super) async fn run(command: UserCommand, session: &Session<'_>) -> Result<()> {
    match command {
        UserCommand::List { no_group: true, .. } => groupless::list(session).await,
        UserCommand::List { emails, list: part, .. } => list(session, emails, &part).await,
        UserCommand::Search { text, limit } => search::run(session, &text, limit).await,
        UserCommand::Get { user } => get(session, &user).await,
        UserCommand::Create(arguments) => create(session, arguments).await,
        UserCommand::Update(arguments) => update(session, arguments).await,
        UserCommand::Remove { user, removal } => {
            let consent = Consent::of_removal(&removal, "removing a user from the organization")?;
            remove(session, &user, consent).await
        }
        UserCommand::Groups { user, list } => user_groups::list(session, &user, &list).await,
    }
}

async fn list(session: &Session<'_>, emails: Vec<String>, part: &ListArguments) -> Result<()> {
    let none = if emails.is_empty() { "no users" } else { "no user has this email address" };
    let mut call = session.client.users().list_users();
    if !emails.is_empty() {
        call = call.emails(emails);
    }
    let doing = || "list the users".to_owned();
    print_list(call, part, PAGE_SIZE, &Layout::of_record(), none, doing, session.output).await
}

async fn get(session: &Session<'_>, text: &str) -> Result<()> {
    let found = resolve::user(&session.client, text).await?;
    let user = session.client.users().retrieve_user(found.id).await;
    let user = or_missing_user(&session.client, text, user, "find").await?;
    session.output.item(&*user)
}

async fn create(session: &Session<'_>, arguments: CreateUserArguments) -> Result<()> {
    let CreateUserArguments { email, name, role, id, service_account } = arguments;
    let wrong =
        |field: &str, violation: openai_admin::Violation| Failure::usage(format!("{field}: {violation}"));
    let name = BoundedText::new(&name).map_err(|violation| wrong("--name", violation))?;
    let doing = format!("create user '{}'", email.as_deref().unwrap_or(&name));
    let email =
        email.map(EmailText::new).transpose().map_err(|violation| wrong("email address", violation))?;
    let mut body = match (email, service_account) {
        (Some(email), false) => CreateUserBody::new(email, name),
        (email, _) => {
            let mut body = CreateUserBody::service_account(name);
            body.email = email;
            body
        }
    };
    body.role = Some(role);
    body.id = id;
    match session.client.users().create_user(body).await {
        Ok(created) => session.output.item(&*created),
        // Only our own server has this operation.
        Err(error) if error.is_unknown_url() => Err(error).doing(|| doing).map_err(|failure| {
            Failure { hints: Vec::new(), ..failure }
                .hint("the published API cannot create users: invite people instead")
                .hint("`openai-admin serve` and --local FILE can create users")
        }),
        Err(error) => Err(error).doing(|| doing),
    }
}

async fn update(session: &Session<'_>, arguments: UpdateUserArguments) -> Result<()> {
    let UpdateUserArguments { user: text, role, technical_level, developer_persona } = arguments;
    let bounded = |option: &str, text: Option<String>| {
        let wrong = |violation| Failure::usage(format!("{option}: {violation}"));
        text.map(BoundedText::new).transpose().map_err(wrong)
    };
    let mut body = UserRoleUpdateRequest::default();
    body.role = role;
    body.technical_level = bounded("--technical-level", technical_level)?;
    body.developer_persona = bounded("--developer-persona", developer_persona)?;
    let found = resolve::user(&session.client, &text).await?;
    let updated = session.client.users().modify_user(found.id, body).await;
    let updated = or_missing_user(&session.client, &text, updated, "update").await?;
    session.output.item(&*updated)
}

async fn remove(session: &Session<'_>, text: &str, consent: Consent) -> Result<()> {
    let Session { client, output, .. } = session;
    let found = resolve::user(client, text).await?;
    protection::allow_user(session, &found.id, found.email.as_deref()).await?;
    if consent != Consent::Given {
        let user = client.users().retrieve_user(found.id.clone()).await;
        let user = or_missing_user(&session.client, text, user, "find").await?;
        let name = user.name.as_deref().unwrap_or_default();
        let groups = groups_of(session, &found.id).await;
        consent.ask(&format!("remove '{name}' ({text}) from the organization and {groups}?"), output)?;
    }
    let removed = client.users().delete_user(found.id).await;
    let removed = or_missing_user(&session.client, text, removed, "remove").await?;
    if output.is_for_people() {
        output.note(&format!("removed user '{}' ({}); this cannot be undone", visible(text), removed.id));
        return Ok(());
    }
    output.item(&*removed)
}

/// The groups of a user as text. Without the operation of our server, or the scope for it, their names are unknown.
async fn groups_of(session: &Session<'_>, user_id: &UserId) -> String {
    let groups = session.client.users().list_user_groups(user_id.clone()).limit(PAGE_SIZE);
    let Ok(page) = groups.await else { return "from all groups".to_owned() };
    let names: Vec<&str> = page.data.iter().take(GROUPS_NAMED_MAX).map(|group| &*group.name).collect();
    match page.data.len() {
        0 => "from no group".to_owned(),
        number if number > names.len() || page.has_more => {
            format!("from all groups: {} and more", names.join(", "))
        }
        number => format!("from {}: {}", count(number, "group"), names.join(", ")),
    }
}
