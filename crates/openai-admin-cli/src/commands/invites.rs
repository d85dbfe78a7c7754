//! `openai-admin invites create`: invites several people.

use openai_admin::{
    Client, InviteProjectRole,
    models::{InviteProject, InviteRequest},
    operations::users::EmailText,
};

use super::{
    several::{Changed, change_each},
    user_file,
};
use crate::{
    arguments::{InviteArguments, InvitesCommand},
    failure::{Doing as _, Failure, Result},
    resolve,
    session::Session,
};

/// The role in a project for which none is typed.
const PROJECT_ROLE: InviteProjectRole = InviteProjectRole::Member;
/// The codes of the refusals of an address that needs no invite.
const NEEDLESS: [(&str, &str); 2] =
    [("already_invited", "already invited"), ("already_a_member", "already a user")];

pub(super) async fn run(command: InvitesCommand, session: &Session<'_>) -> Result<()> {
    let InvitesCommand::Create(InviteArguments { addresses, file, role, projects }) = command;
    let addresses = user_file::users(&addresses, file.as_deref())?;
    let client = &session.client;
    let mut joined = Vec::with_capacity(projects.len());
    for project in &projects {
        joined.push(find_project(client, project).await?);
    }
    // Without projects, the service gives the default one.
    let joined = (!joined.is_empty()).then_some(joined);
    let (role, joined) = (&role, &joined);
    let addresses = addresses.into_iter().map(|address| {
        let email = EmailText::new(address.as_str());
        let email = email
            .map_err(|violation| Failure::usage(format!("email address '{address}': {violation}")))
            .and_then(|email| match address.contains('@') {
                true => Ok(email),
                false => Err(Failure::usage(format!("invalid email address '{address}': it has no @"))),
            });
        (address, email)
    });
    change_each(session, addresses.collect(), |email: EmailText| async move {
        let mut body = InviteRequest::new(email.clone(), role.clone());
        body.projects.clone_from(joined);
        match client.invites().invite_user(body).await {
            Ok(invite) => Ok(Changed { id: Some(invite.id.to_string()), outcome: "invited" }),
            Err(error) => {
                let needless = NEEDLESS.iter().find(|(code, _)| error.code() == Some(code));
                match needless {
                    Some((_, outcome)) => Ok(Changed { id: None, outcome }),
                    None => Err(error).doing(|| format!("invite '{}'", &*email)),
                }
            }
        }
    })
    .await
}

/// A project and the role there, from `PROJECT` or `PROJECT:ROLE`. A name may contain a colon.
async fn find_project(client: &Client, text: &str) -> Result<InviteProject> {
    let (name, role) = match text.rsplit_once(':') {
        Some((name, role)) if InviteProjectRole::KNOWN.contains(&role) => (name, role.into()),
        _ => (text, PROJECT_ROLE),
    };
    Ok(InviteProject::new(resolve::project(client, name).await?, role))
}
