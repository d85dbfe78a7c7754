//! Invites to the organization: `/organization/invites`.

use super::{
    record::record,
    users::{EmailText, User, UserName},
};
use crate::{
    Cursor, IdPage, InviteId, InviteProjectRole, InviteRole, InviteStatus, Limit, ListItem, PersonalText,
    ProjectId, Timestamp, deleted::deleted, endpoint::endpoint, page::list_endpoint,
};

const TAG: &str = "Invites";

record! {
    /// Lists the invites to the organization.
    #[derive(Default)]
    ListInvites {}
    query {
        /// How many invites to return.
        limit: Limit<1, 100, 20>,
        /// Return invites after this one: the `last_id` of the previous page.
        after: Cursor,
    }
}

endpoint!(ListInvites, "list-invites", GET "/organization/invites", MANAGEMENT_READ -> InviteListResponse);

list_endpoint!(ListInvites);

record! {
    /// Invites a person to the organization. They get access when they accept the invite.
    InviteUser {
        /// The person to invite.
        body: InviteRequest,
    }
}

endpoint!(InviteUser, "inviteUser", POST ListInvites::PATH, MANAGEMENT_WRITE -> Invite);

record! {
    /// Retrieves an invite.
    RetrieveInvite {
        /// The ID of the invite.
        invite_id: InviteId,
    }
}

endpoint!(RetrieveInvite, "retrieve-invite", GET "/organization/invites/{invite_id}", MANAGEMENT_READ -> Invite);

record! {
    /// Deletes an invite. An accepted invite cannot be deleted.
    DeleteInvite {
        /// The ID of the invite.
        invite_id: InviteId,
    }
}

endpoint!(DeleteInvite, "delete-invite", DELETE RetrieveInvite::PATH, MANAGEMENT_WRITE -> InviteDeleteResponse);

record! {
    /// Accepts a pending invite (an extension). Its person becomes a user with its role, and joins its projects.
    AcceptInvite {
        /// The ID of the invite.
        invite_id: InviteId,
        /// The person. It may be omitted.
        #[serde(default)]
        body: AcceptInviteBody,
    }
}

endpoint!(AcceptInvite, "x-accept-invite", POST "/x/invites/{invite_id}/accept", MANAGEMENT_WRITE -> User);

record! {
    /// The person who accepts an invite.
    #[derive(Default)]
    AcceptInviteBody {}
    optional {
        /// The name of the user; by default the part of the address before the `@`.
        name: UserName,
    }
}

record! {
    /// Request payload for inviting a person to the organization.
    InviteRequest {
        /// The email address of the person.
        email: EmailText,
        /// `owner` or `reader`.
        role: InviteRole,
    }
    optional {
        /// The projects that the person joins by accepting. Default: the default project; an empty list means none.
        projects: Vec<InviteProject>,
    }
}

record! {
    /// A project of an invite.
    InviteProject {
        /// The ID of the project.
        id: ProjectId,
        /// `member` or `owner`.
        role: InviteProjectRole,
    }
}

/// Paginated list of the invites to the organization.
pub type InviteListResponse = IdPage<Invite>;

record! {
    /// Represents an individual invite to the organization.
    Invite object InviteObject = "organization.invite" {
        /// The identifier, which can be referenced in API endpoints.
        id: InviteId,
        /// The email address of the person.
        email: PersonalText,
        /// `owner` or `reader`.
        role: InviteRole,
        /// `pending`, `accepted` or `expired`.
        status: InviteStatus,
        /// The Unix timestamp (in seconds) of when the invite was sent.
        created_at: Timestamp,
        /// The projects that the person joins by accepting.
        #[serde(default)]
        projects: Vec<InviteProject>,
    }
    nullable {
        /// The Unix timestamp (in seconds) of when the invite expires.
        expires_at: Timestamp,
        /// The Unix timestamp (in seconds) of when the invite was accepted.
        accepted_at: Timestamp,
    }
}

impl ListItem for Invite {
    const LIST_SCHEMA: &'static str = "InviteListResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

deleted!(InviteDeleteResponse, InviteDeletedObject, "organization.invite.deleted", "invite", InviteId);
