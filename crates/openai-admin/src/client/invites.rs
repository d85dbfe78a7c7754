use super::api::api;
use crate::{
    InviteId,
    models::{AcceptInviteBody, InviteRequest},
};

api! {
    /// Invites to the organization: list, create, retrieve, delete, accept.
    InvitesApi = invites;
    /// Lists the invites, including accepted and expired ones. A page has 20 by default.
    list list_invites() -> ListInvites {
        /// # use openai_admin::{InviteRole, models::InviteRequest};
        /// # client.invites().invite_user(InviteRequest::new("grace@example.com".try_into()?, InviteRole::Reader)).await?;
        /// let invites = client.invites().list_invites().items().try_collect().await?;
        /// assert_eq!(invites[0].email, "grace@example.com");
    }
    /// Invites a person to the organization.
    call invite_user(; body: InviteRequest) -> InviteUser {
        /// use openai_admin::{InviteProjectRole, InviteRole, InviteStatus, models::{InviteProject, InviteRequest}};
        /// let mut body = InviteRequest::new("grace@example.com".try_into()?, InviteRole::Reader);
        /// body.projects = Some(vec![InviteProject::new("proj_1".try_into()?, InviteProjectRole::Member)]);
        /// assert_eq!(client.invites().invite_user(body).await?.status, InviteStatus::Pending);
    }
    /// Retrieves an invite.
    call retrieve_invite(invite_id: InviteId) -> RetrieveInvite {
        /// # use openai_admin::{InviteRole, models::InviteRequest};
        /// # let body = InviteRequest::new("grace@example.com".try_into()?, InviteRole::Reader);
        /// let sent = client.invites().invite_user(body).await?;
        /// assert!(client.invites().retrieve_invite(&sent.id).await?.accepted_at.is_none());
    }
    /// Deletes an invite.
    call delete_invite(invite_id: InviteId) -> DeleteInvite {
        /// # use openai_admin::{InviteRole, models::InviteRequest};
        /// # let body = InviteRequest::new("grace@example.com".try_into()?, InviteRole::Reader);
        /// let sent = client.invites().invite_user(body).await?;
        /// assert!(client.invites().delete_invite(&sent.id).await?.deleted);
    }
    /// Accepts a pending invite (an extension). Its person becomes a user with its role, and joins its projects.
    call accept_invite(invite_id: InviteId; body: AcceptInviteBody) -> AcceptInvite {
        /// # use openai_admin::{InviteRole, models::{AcceptInviteBody, InviteRequest}};
        /// # let body = InviteRequest::new("grace@example.com".try_into()?, InviteRole::Reader);
        /// let sent = client.invites().invite_user(body).await?;
        /// let user = client.invites().accept_invite(&sent.id, AcceptInviteBody::new()).await?;
        /// assert_eq!(user.name.as_deref(), Some("grace"));
    }
}
