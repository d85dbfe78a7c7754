//! Conformance of all resources with an id: the same suite for each noun.

use openai_admin::{
    Cursor, Limit, ListItem, ProjectId,
    models::PublicCreateOrganizationRoleBody,
    operations::{
        CreateRole, DeleteRole, DeleteServiceAccount, GetCertificate, ListExternalKeys, ListInvites,
        ListOrganizationCertificates, ListOrganizationSpendAlerts, ListProjects, ListRoles,
        ListServiceAccounts, RetrieveInvite, RetrieveProject, RetrieveRole, RetrieveServiceAccount,
        roles::RoleName,
    },
};
use openai_admin_store::{Error, Kind, Result};
use serde_json::json;

use crate::{
    certificates, external_keys, invites, projects, service_accounts, spend_alerts,
    support::{Database, assert_refused, conformance},
    tenant::{Part, Tenant},
};

/// Declares a case for each noun, and the kinds with a case.
macro_rules! things {
    ($($case:ident: $noun:ident,)*) => {
        conformance! { $($case,)* }
        $(
            async fn $case(database: Database) {
                behaves_as_a_thing::<$noun>(database).await;
            }
        )*
        /// The kinds with a case.
        pub(crate) const KINDS: &[Kind] = &[$($noun::KIND),*];
    };
}

things! {
    groups_behave_as_things: Groups,
    users_behave_as_things: Users,
    roles_behave_as_things: Roles,
    certificates_behave_as_things: Certificates,
    invites_behave_as_things: Invites,
    service_accounts_behave_as_things: ServiceAccounts,
    spend_alerts_behave_as_things: SpendAlerts,
    external_keys_behave_as_things: ExternalKeys,
}

/// A noun for the suite.
pub(crate) trait Noun {
    const KIND: Kind;
    async fn create(tenant: &Tenant, name: &str) -> String;
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()>;
    async fn delete(tenant: &Tenant, id: &str) -> Result<()>;
    /// The ids of a page of the suite's resources, oldest first, and whether there are more.
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)>;
}

fn listed<T: ListItem>(data: &[T], has_more: bool) -> (Vec<String>, bool) {
    (data.iter().map(|item| item.id().to_owned()).collect(), has_more)
}

pub(crate) struct Groups;

impl Noun for Groups {
    const KIND: Kind = Kind::Group;
    async fn create(tenant: &Tenant, name: &str) -> String {
        tenant.create_group(name).await.unwrap().id.to_string()
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.group(id).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.delete_group(id).await
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let part = Part::new().asc().limit(limit);
        let page = tenant.groups(after.map_or(part, |after| part.after(after))).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

pub(crate) struct Users;

impl Noun for Users {
    const KIND: Kind = Kind::User;
    async fn create(tenant: &Tenant, name: &str) -> String {
        let email = format!("{name}@example.com");
        tenant.create_user(json!({ "email": email, "name": name })).await.unwrap().id.to_string()
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.user(id).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.delete_user(id).await
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let page = tenant.users(i64::try_from(limit).unwrap(), after).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

pub(crate) struct Roles;

impl Noun for Roles {
    const KIND: Kind = Kind::Role;
    async fn create(tenant: &Tenant, name: &str) -> String {
        let body = PublicCreateOrganizationRoleBody::new(RoleName::new(name).unwrap(), Vec::new());
        let stamp = tenant.database.stamp();
        tenant.store().change(tenant.org(), stamp, CreateRole::new(body)).await.unwrap().id.to_string()
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.read(RetrieveRole::new(id.parse().unwrap())).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        let request = DeleteRole::new(id.parse().unwrap());
        tenant.store().change(tenant.org(), tenant.database.stamp(), request).await.map(drop)
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let mut request = ListRoles::new();
        request.limit = Some(Limit::new(i64::try_from(limit).unwrap()).unwrap());
        // After the predefined roles, which the suite has not created.
        request.after = Some(Cursor::new(after.unwrap_or("role-api-organization-reader")).unwrap());
        let page = tenant.read(request).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

pub(crate) struct Invites;

impl Noun for Invites {
    const KIND: Kind = Kind::Invite;
    async fn create(tenant: &Tenant, name: &str) -> String {
        invites::invite(tenant, &format!("{name}@example.com")).await.unwrap().id.to_string()
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.read(RetrieveInvite::new(id.parse().unwrap())).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        invites::delete(tenant, id).await
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let request = json!({ "limit": limit, "after": after });
        let page = tenant.read(serde_json::from_value::<ListInvites>(request).unwrap()).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

/// In a project with the name "Suite" of the organization.
pub(crate) struct ServiceAccounts;

async fn project(tenant: &Tenant) -> ProjectId {
    let found = tenant.read(ListProjects::new()).await.unwrap().data;
    match found.into_iter().find(|project| project.name.as_deref() == Some("Suite")) {
        Some(found) => found.id,
        None => projects::create(tenant, "Suite").await.id,
    }
}

impl Noun for ServiceAccounts {
    const KIND: Kind = Kind::ServiceAccount;
    async fn create(tenant: &Tenant, name: &str) -> String {
        let project = project(tenant).await;
        service_accounts::create(tenant, &project, name).await.unwrap().id.to_string()
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        let request = RetrieveServiceAccount::new(project(tenant).await, id.parse().unwrap());
        tenant.read(request).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        let request = DeleteServiceAccount::new(project(tenant).await, id.parse().unwrap());
        tenant.change(request).await.map(drop)
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let mut request = ListServiceAccounts::new(project(tenant).await);
        request.limit = Some(Limit::new(i64::try_from(limit).unwrap()).unwrap());
        request.after = after.map(|after| Cursor::new(after).unwrap());
        let page = tenant.read(request).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

/// Projects other than the default one. Archiving one ends it, and it can still be retrieved.
pub(crate) struct Projects;

impl Noun for Projects {
    const KIND: Kind = Kind::Project;
    async fn create(tenant: &Tenant, name: &str) -> String {
        projects::create(tenant, name).await.id.to_string()
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.read(RetrieveProject::new(id.parse().unwrap())).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        projects::archive(tenant, id).await.map(drop)
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let default = format!("proj_default_{}", tenant.organization.id);
        let query = json!({ "limit": limit, "after": after.unwrap_or(&default) });
        let page = tenant.read(serde_json::from_value::<ListProjects>(query).unwrap()).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

pub(crate) struct Certificates;

impl Noun for Certificates {
    const KIND: Kind = Kind::Certificate;
    async fn create(tenant: &Tenant, name: &str) -> String {
        certificates::upload(tenant, name).await.to_string()
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        tenant.read(GetCertificate::new(id.parse().unwrap())).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        certificates::delete(tenant, id).await
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let query = json!({ "limit": limit, "after": after, "order": "asc" });
        let page =
            tenant.read(serde_json::from_value::<ListOrganizationCertificates>(query).unwrap()).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

pub(crate) struct ExternalKeys;

impl Noun for ExternalKeys {
    const KIND: Kind = Kind::ExternalKey;
    async fn create(tenant: &Tenant, name: &str) -> String {
        external_keys::create(tenant, name).await
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        external_keys::retrieve(tenant, id).await.map(drop)
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        external_keys::delete(tenant, id).await.map(drop)
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let query = json!({ "limit": limit, "after": after });
        let page = tenant.read(serde_json::from_value::<ListExternalKeys>(query).unwrap()).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

pub(crate) struct SpendAlerts;

impl Noun for SpendAlerts {
    const KIND: Kind = Kind::SpendAlert;
    async fn create(tenant: &Tenant, _: &str) -> String {
        spend_alerts::create(tenant, 5).await
    }
    async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
        spend_alerts::retrieve(tenant, id).await
    }
    async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
        spend_alerts::delete(tenant, id).await
    }
    async fn list(tenant: &Tenant, limit: usize, after: Option<&str>) -> Result<(Vec<String>, bool)> {
        let query = json!({ "limit": limit, "after": after });
        let page = tenant.read(serde_json::from_value::<ListOrganizationSpendAlerts>(query).unwrap()).await?;
        Ok(listed(&page.data, page.has_more))
    }
}

async fn behaves_as_a_thing<N: Noun>(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three", "four"] {
        ids.push(N::create(&acme, name).await);
    }
    let theirs = N::create(&other, "one").await;

    // Found here, and in no other organization.
    N::retrieve(&acme, &ids[0]).await.unwrap();
    for unknown in ["unknown_1", &theirs] {
        assert_refused!(N::retrieve(&acme, unknown).await, Error::NotFound { kind, .. } if kind == N::KIND);
        assert_refused!(N::delete(&acme, unknown).await, Error::NotFound { kind, .. } if kind == N::KIND);
        assert_refused!(N::list(&acme, 2, Some(unknown)).await, Error::UnknownCursor(_));
    }
    N::retrieve(&other, &theirs).await.unwrap();

    // A list continues after its last item, also if that is deleted.
    let (first, has_more) = N::list(&acme, 2, None).await.unwrap();
    assert_eq!((first.as_slice(), has_more), (&ids[..2], true));
    N::delete(&acme, &ids[1]).await.unwrap();
    let (second, has_more) = N::list(&acme, 2, Some(&ids[1])).await.unwrap();
    assert_eq!((second.as_slice(), has_more), (&ids[2..], false));

    // Deleted once.
    assert_refused!(N::retrieve(&acme, &ids[1]).await, Error::NotFound { kind, .. } if kind == N::KIND);
    assert_refused!(N::delete(&acme, &ids[1]).await, Error::NotFound { kind, .. } if kind == N::KIND);
    let left = [ids[0].clone(), ids[2].clone(), ids[3].clone()];
    assert_eq!(N::list(&acme, 100, None).await.unwrap(), (left.to_vec(), false));
}
