//! Accepting an invite: its person becomes a user.

use openai_admin::{
    InviteStatus, UserRole,
    models::{CreateUserBody, User},
    operations::{
        AcceptInvite, CreateUser,
        users::{EmailText, UserName},
    },
};

use crate::{
    base::{
        error::{Error, Result},
        refusal::Refusal,
        text::check_email,
    },
    nouns::{invites, users},
    operation::{Changes, change::Change},
};

/// The maximum length of a user's name in characters.
const NAME_LENGTH_MAX: usize = 255;

/// Adding the user accepts the invite of their address, so both do the same.
impl Changes for AcceptInvite {
    fn change(&self, change: &mut Change<'_>) -> Result<User> {
        let invite = invites::find(change, &self.invite_id)?.thing;
        match invite.status(change.stamp().at()) {
            InviteStatus::Accepted => return Err(Error::refused(Refusal::InviteAccepted, &invite.id)),
            InviteStatus::Expired => return Err(Error::refused(Refusal::InviteExpired, &invite.id)),
            _ => {}
        }
        // A load may have given the address to a user.
        if users::find_by_email(change, &invite.email)?.is_some() {
            return Err(Error::refused(Refusal::AlreadyAMember, &invite.email));
        }
        // An emulator may have invited any text.
        check_email(&invite.email)?;
        let email = EmailText::new(&*invite.email).map_err(Error::internal)?;
        let name = self.body.name.clone().map_or_else(|| name_from(&invite.email), Ok)?;
        let mut body = CreateUserBody::new(email, name);
        body.role = Some(UserRole::from(invite.role.as_str()));
        CreateUser::new(body).change(change)
    }
}

/// The name of a user who gives none: the part of the address before the `@` (assumed), cut to the length of a name.
fn name_from(email: &str) -> Result<UserName> {
    let local = email.split('@').next().unwrap_or_default();
    let name: String = local.chars().take(NAME_LENGTH_MAX).collect();
    UserName::new(name).map_err(Error::internal)
}
