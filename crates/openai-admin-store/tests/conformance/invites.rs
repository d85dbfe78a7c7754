//! Invites: pending until they are accepted or expire.

use openai_admin::{
    InviteId, InviteStatus, UserRole,
    models::{AcceptInviteBody, Invite, InviteListResponse, User},
    operations::{
        AcceptInvite, CreateUser, DeleteInvite, InviteUser, ListAuditLogs, ListInvites, RetrieveInvite,
        RetrieveProjectUser,
    },
};
use openai_admin_store::{Error, IdempotencyKey, Kind, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    support::{Database, NOW, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    an_invite_is_pending_until_it_expires,
    an_invite_has_the_default_project_by_default,
    an_invite_rejects_archived_projects,
    an_address_has_one_pending_invite,
    a_user_is_not_invited,
    adding_a_user_accepts_the_invite_of_their_address,
    loading_a_user_accepts_the_invite_of_their_address,
    an_accepted_invite_is_deleted_with_its_user,
    an_expired_invite_is_not_accepted,
    accepting_an_invite_adds_a_user_with_its_role_and_projects,
    an_invite_that_is_not_pending_cannot_be_accepted,
    an_invite_is_accepted_once_under_a_key,
    a_deleted_invite_keeps_no_address,
    an_invalid_invite_is_refused,
    an_invite_is_sent_once_under_a_key,
}

const LIFE: u64 = 7 * 24 * 60 * 60;

fn request(body: Json) -> InviteUser {
    InviteUser::new(serde_json::from_value(body).unwrap())
}

pub(crate) async fn invite(acme: &Tenant, email: &str) -> Result<Invite> {
    acme.change(request(json!({ "email": email, "role": "reader" }))).await
}

async fn invite_to(acme: &Tenant, projects: Json) -> Result<Invite> {
    acme.change(request(json!({ "email": "ada@example.com", "role": "owner", "projects": projects }))).await
}

async fn find_at(acme: &Tenant, unix_seconds: u64, invite: &Invite) -> Invite {
    acme.read_at(unix_seconds, RetrieveInvite::new(invite.id.clone())).await.unwrap()
}

pub(crate) async fn delete(acme: &Tenant, id: &str) -> Result<()> {
    acme.change(DeleteInvite::new(id.parse().unwrap())).await.map(drop)
}

pub(crate) async fn accept(acme: &Tenant, id: &InviteId, body: Json) -> Result<User> {
    acme.change(AcceptInvite::new(id.clone(), serde_json::from_value(body).unwrap())).await
}

async fn list(acme: &Tenant) -> InviteListResponse {
    acme.read(ListInvites::new()).await.unwrap()
}

async fn add_user(acme: &Tenant, email: &str) -> String {
    acme.create_user(json!({ "email": email, "name": "Ada" })).await.unwrap().id.to_string()
}

fn projects_of(invite: &Invite) -> Json {
    serde_json::to_value(&invite.projects).unwrap()
}

/// The events of invites with their details, oldest first.
async fn events(acme: &Tenant) -> Vec<Json> {
    let logs = acme.store().list_audit_logs(acme.org(), ListAuditLogs::new()).await.unwrap();
    let told = logs.data.iter().rev().map(|log| json!([log.r#type.as_str(), log.detail]));
    told.filter(|told| told[0].as_str().unwrap().starts_with("invite.")).collect()
}

async fn an_invite_is_pending_until_it_expires(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let invite = invite(&acme, " Ada@example.com ").await.unwrap();
    assert_eq!((&*invite.email, &invite.status), ("Ada@example.com", &InviteStatus::Pending));
    assert_eq!(find_at(&acme, NOW, &invite).await, invite);
    assert_eq!(list(&acme).await.data, std::slice::from_ref(&invite));
    for (at, status) in [(NOW + LIFE - 1, InviteStatus::Pending), (NOW + LIFE, InviteStatus::Expired)] {
        let shown = find_at(&acme, at, &invite).await;
        let mut expected = invite.clone();
        expected.status = status;
        assert_eq!(shown, expected);
        assert_eq!(acme.read_at(at, ListInvites::new()).await.unwrap().data, [shown]);
    }
}

async fn an_invite_has_the_default_project_by_default(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let absent = invite(&acme, "ada@example.com").await.unwrap();
    assert_eq!(projects_of(&absent), json!([{ "id": "proj_default_org-acme", "role": "member" }]));
    delete(&acme, absent.id.as_str()).await.unwrap();
    assert_eq!(projects_of(&invite_to(&acme, json!([])).await.unwrap()), json!([]));
}

async fn an_invite_rejects_archived_projects(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let search = projects::create(&acme, "Search").await.id;
    let old = projects::create(&acme, "Old").await.id;
    projects::archive(&acme, old.as_str()).await.unwrap();
    for unknown in ["proj_nope", old.as_str()] {
        let wanted = json!([{ "id": search, "role": "owner" }, { "id": unknown, "role": "member" }]);
        assert_refused!(
            invite_to(&acme, wanted).await,
            Error::NotFound { kind: Kind::Project, id } if id == unknown
        );
    }
    let wanted = json!([{ "id": search, "role": "owner" }]);
    let sent = invite_to(&acme, wanted.clone()).await.unwrap();
    assert_eq!(projects_of(&find_at(&acme, NOW, &sent).await), wanted);
}

async fn an_address_has_one_pending_invite(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = invite(&acme, "ada@example.com").await.unwrap();
    assert_refused!(
        invite(&acme, "ADA@example.com").await,
        Error::Refused { refusal: Refusal::AlreadyInvited, value } if value == "ADA@example.com"
    );
    let again = request(json!({ "email": "ada@example.com", "role": "reader" }));
    let second = acme.change_at(NOW + LIFE, again).await.unwrap();
    assert_eq!(find_at(&acme, NOW + LIFE, &first).await.status, InviteStatus::Expired);
    assert_eq!(find_at(&acme, NOW + LIFE, &second).await.status, InviteStatus::Pending);
    // A deleted invite is not pending.
    let other = invite(&acme, "bob@example.com").await.unwrap();
    delete(&acme, other.id.as_str()).await.unwrap();
    invite(&acme, "bob@example.com").await.unwrap();
}

async fn a_user_is_not_invited(database: Database) {
    let acme = database.acme(1, json!([])).await;
    assert_refused!(
        invite(&acme, "USER_1@example.com").await,
        Error::Refused { refusal: Refusal::AlreadyAMember, .. }
    );
    acme.delete_user("user_1").await.unwrap();
    invite(&acme, "user_1@example.com").await.unwrap();
}

async fn adding_a_user_accepts_the_invite_of_their_address(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let sent = invite(&acme, "ada@example.com").await.unwrap();
    add_user(&acme, "ADA@example.com").await;
    for at in [NOW, NOW + LIFE] {
        let accepted = find_at(&acme, at, &sent).await;
        assert_eq!(accepted.status, InviteStatus::Accepted);
        assert_eq!(accepted.accepted_at, Some(sent.created_at));
    }
    assert_refused!(
        delete(&acme, sent.id.as_str()).await,
        Error::Refused { refusal: Refusal::InviteAccepted, .. }
    );
    let id = &sent.id;
    assert_eq!(
        events(&acme).await,
        [
            json!(["invite.sent", { "id": id, "data": { "role": "reader" } }]),
            json!(["invite.accepted", { "id": id }])
        ]
    );
}

async fn loading_a_user_accepts_the_invite_of_their_address(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let sent = invite(&acme, "ada@example.com").await.unwrap();
    acme.load(json!({ "users": [{ "email": "ada@example.com" }] })).await.unwrap();
    assert_eq!(find_at(&acme, NOW, &sent).await.status, InviteStatus::Accepted);
}

async fn an_accepted_invite_is_deleted_with_its_user(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let sent = invite(&acme, "ada@example.com").await.unwrap();
    let user = add_user(&acme, "ada@example.com").await;
    acme.delete_user(&user).await.unwrap();
    assert_eq!(list(&acme).await.data, []);
    assert_eq!(events(&acme).await.pop(), Some(json!(["invite.deleted", { "id": sent.id }])));
    // The address can be invited again.
    invite(&acme, "ada@example.com").await.unwrap();
}

async fn an_expired_invite_is_not_accepted(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let sent = invite(&acme, "ada@example.com").await.unwrap();
    let body = json!({ "email": "ada@example.com", "name": "Ada" });
    let create = CreateUser::new(serde_json::from_value(body).unwrap());
    acme.change_at(NOW + LIFE, create).await.unwrap();
    assert_eq!(find_at(&acme, NOW + LIFE, &sent).await.status, InviteStatus::Expired);
}

async fn accepting_an_invite_adds_a_user_with_its_role_and_projects(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let search = projects::create(&acme, "Search").await.id;
    let old = projects::create(&acme, "Old").await.id;
    let wanted = json!([{ "id": search, "role": "owner" }, { "id": old, "role": "member" }]);
    let sent = invite_to(&acme, wanted).await.unwrap();
    projects::archive(&acme, old.as_str()).await.unwrap();
    let ada = accept(&acme, &sent.id, json!({})).await.unwrap();
    assert_eq!((ada.email.as_deref(), ada.name.as_deref()), (Some("ada@example.com"), Some("ada")));
    assert_eq!(ada.role, Some(UserRole::Owner));
    assert_eq!(acme.user(ada.id.as_str()).await.unwrap(), ada);
    let in_search = RetrieveProjectUser::new(search, ada.id.clone());
    assert_eq!(acme.read(in_search).await.unwrap().role, "owner");
    assert_eq!(find_at(&acme, NOW, &sent).await.status, InviteStatus::Accepted);
    assert_eq!(events(&acme).await.pop(), Some(json!(["invite.accepted", { "id": sent.id }])));
    let other = invite(&acme, "bob@example.com").await.unwrap();
    let bob = accept(&acme, &other.id, json!({ "name": "Bob Stone" })).await.unwrap();
    assert_eq!((bob.name.as_deref(), bob.role), (Some("Bob Stone"), Some(UserRole::Reader)));
}

async fn an_invite_that_is_not_pending_cannot_be_accepted(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let sent = invite(&acme, "ada@example.com").await.unwrap();
    assert_refused!(accept(&other, &sent.id, json!({})).await, Error::NotFound { kind: Kind::Invite, .. });
    let late = AcceptInvite::new(sent.id.clone(), AcceptInviteBody::new());
    assert_refused!(
        acme.change_at(NOW + LIFE, late).await,
        Error::Refused { refusal: Refusal::InviteExpired, .. }
    );
    accept(&acme, &sent.id, json!({})).await.unwrap();
    assert_refused!(
        accept(&acme, &sent.id, json!({})).await,
        Error::Refused { refusal: Refusal::InviteAccepted, .. }
    );
    let taken = invite(&acme, "eve@example.com").await.unwrap();
    let mut users = acme.dump().await["users"].take();
    users[0]["email"] = "eve@example.com".into();
    acme.load(json!({ "users": users })).await.unwrap();
    assert_refused!(
        accept(&acme, &taken.id, json!({})).await,
        Error::Refused { refusal: Refusal::AlreadyAMember, .. }
    );
    let deleted = invite(&acme, "bob@example.com").await.unwrap();
    delete(&acme, deleted.id.as_str()).await.unwrap();
    assert_refused!(accept(&acme, &deleted.id, json!({})).await, Error::NotFound { kind: Kind::Invite, .. });
    assert_eq!(acme.users(20, None).await.unwrap().data.len(), 1);
}

async fn an_invite_is_accepted_once_under_a_key(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let sent = invite(&acme, "ada@example.com").await.unwrap();
    let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
    let request = AcceptInvite::new(sent.id, AcceptInviteBody::new());
    let stamp = || acme.database.stamp().once(Some(key.clone()));
    let first = acme.store().change(acme.org(), stamp(), request.clone()).await.unwrap();
    assert_eq!(acme.store().change(acme.org(), stamp(), request).await.unwrap(), first);
}

async fn a_deleted_invite_keeps_no_address(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let sent = invite(&acme, "ada@example.com").await.unwrap();
    delete(&acme, sent.id.as_str()).await.unwrap();
    let left = [
        "select id from invites where coalesce(email, '') <> '' or coalesce(email_key, '') <> ''",
        "select event from audit_events where payload like '%example.com%'",
    ];
    for kept in left {
        assert_eq!(database.texts(kept), Vec::<String>::new());
    }
}

async fn an_invalid_invite_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let many = vec![json!({ "id": "proj_1", "role": "member" }); 101];
    for (body, at) in [
        (json!({ "email": "nobody", "role": "reader" }), "email"),
        (json!({ "email": "ada@example.com", "role": "member" }), "role"),
        (json!({ "email": "ada@example.com", "role": "reader", "projects": many }), "projects"),
        (
            json!({ "email": "ada@example.com", "role": "reader", "projects": [{ "id": "proj_1", "role": "x" }] }),
            "projects[0].role",
        ),
    ] {
        assert_refused!(acme.change(request(body)).await, Error::InvalidValue { field, .. } if field == at);
    }
}

async fn an_invite_is_sent_once_under_a_key(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let request = request(json!({ "email": "ada@example.com", "role": "reader" }));
    let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
    let stamp = || acme.database.stamp().once(Some(key.clone()));
    let first = acme.store().change(acme.org(), stamp(), request.clone()).await.unwrap();
    assert_eq!(acme.store().change(acme.org(), stamp(), request.clone()).await.unwrap(), first);
    delete(&acme, first.id.as_str()).await.unwrap();
    assert_refused!(acme.store().change(acme.org(), stamp(), request).await, Error::IdempotentAnswerDeleted);
}
