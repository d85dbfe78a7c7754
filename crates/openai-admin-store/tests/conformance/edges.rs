//! Conformance of all rows that join two resources: the same suite for each kind of edge.

use openai_admin_store::{Error, Kind, Refusal, Result};
use serde_json::json;

use crate::{
    project_groups, project_users, roles,
    support::{Database, Engine, assert_refused, conformance, run},
    tenant::Tenant,
    things::{self, Groups, Noun, Projects, Roles, Users},
};

/// Declares a case for each edge, and the names of the edges that have one.
macro_rules! edges {
    ($($case:ident: $edge:ident,)*) => {
        conformance! { $($case,)* }
        $(
            async fn $case(database: Database) {
                behaves_as_an_edge::<$edge>(database).await;
            }
        )*
        /// The edges with a case, by their names in the census.
        const NAMES: &[&str] = &[$($edge::NAME),*];
    };
}

edges! {
    users_of_groups_behave_as_edges: GroupUsers,
    roles_of_groups_behave_as_edges: GroupRoles,
    roles_of_users_behave_as_edges: UserRoles,
    users_of_projects_behave_as_edges: ProjectUsers,
    groups_of_projects_behave_as_edges: ProjectGroups,
}

/// An edge for the suite.
trait Edge {
    /// Its name in the census.
    const NAME: &'static str;
    /// The resources that it joins.
    type One: Noun;
    type Other: Noun;
    async fn add(tenant: &Tenant, one: &str, other: &str) -> Result<()>;
    async fn remove(tenant: &Tenant, one: &str, other: &str) -> Result<()>;
}

struct GroupUsers;

impl Edge for GroupUsers {
    const NAME: &'static str = "membership";
    type One = Groups;
    type Other = Users;
    async fn add(tenant: &Tenant, group: &str, user: &str) -> Result<()> {
        tenant.add(group, user).await.map(drop)
    }
    async fn remove(tenant: &Tenant, group: &str, user: &str) -> Result<()> {
        tenant.remove(group, user).await
    }
}

struct GroupRoles;

impl Edge for GroupRoles {
    const NAME: &'static str = "role assignment";
    type One = Groups;
    type Other = Roles;
    async fn add(tenant: &Tenant, group: &str, role: &str) -> Result<()> {
        roles::assign_group(tenant, group, role).await
    }
    async fn remove(tenant: &Tenant, group: &str, role: &str) -> Result<()> {
        roles::unassign_group(tenant, group, role).await
    }
}

struct UserRoles;

impl Edge for UserRoles {
    const NAME: &'static str = "role assignment";
    type One = Users;
    type Other = Roles;
    async fn add(tenant: &Tenant, user: &str, role: &str) -> Result<()> {
        roles::assign_user(tenant, user, role).await
    }
    async fn remove(tenant: &Tenant, user: &str, role: &str) -> Result<()> {
        roles::unassign_user(tenant, user, role).await
    }
}

struct ProjectUsers;

impl Edge for ProjectUsers {
    const NAME: &'static str = "project user";
    type One = Projects;
    type Other = Users;
    async fn add(tenant: &Tenant, project: &str, user: &str) -> Result<()> {
        unless_there(project_users::add(tenant, project, user).await)
    }
    async fn remove(tenant: &Tenant, project: &str, user: &str) -> Result<()> {
        project_users::remove(tenant, project, user).await
    }
}

struct ProjectGroups;

impl Edge for ProjectGroups {
    const NAME: &'static str = "project group";
    type One = Projects;
    type Other = Groups;
    async fn add(tenant: &Tenant, project: &str, group: &str) -> Result<()> {
        unless_there(project_groups::add(tenant, project, group).await)
    }
    async fn remove(tenant: &Tenant, project: &str, group: &str) -> Result<()> {
        project_groups::remove(tenant, project, group).await
    }
}

/// Adding a user or group twice to a project is refused, and changes nothing.
fn unless_there<T>(added: Result<T>) -> Result<()> {
    match added {
        Ok(_)
        | Err(Error::Refused {
            refusal: Refusal::AlreadyInProject | Refusal::GroupAlreadyInProject, ..
        }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn behaves_as_an_edge<E: Edge>(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let (one, two) = (E::One::create(&acme, "one").await, E::One::create(&acme, "two").await);
    let (first, second) = (E::Other::create(&acme, "first").await, E::Other::create(&acme, "second").await);
    let theirs = (E::One::create(&other, "one").await, E::Other::create(&other, "first").await);
    let count = async || database.store.census().await.unwrap().of(E::NAME).unwrap();

    // Joins only existing resources.
    for unknown in ["unknown_1", &theirs.0] {
        let (added, removed) =
            (E::add(&acme, unknown, &first).await, E::remove(&acme, unknown, &first).await);
        assert_refused!(added, Error::NotFound { kind, .. } if kind == E::One::KIND);
        assert_refused!(removed, Error::NotFound { kind, .. } if kind == E::One::KIND);
    }
    for unknown in ["unknown_1", &theirs.1] {
        let (added, removed) = (E::add(&acme, &one, unknown).await, E::remove(&acme, &one, unknown).await);
        assert_refused!(added, Error::NotFound { kind, .. } if kind == E::Other::KIND);
        assert_refused!(removed, Error::NotFound { kind, .. } if kind == E::Other::KIND);
    }
    assert_eq!(count().await, 0);

    // Added once, and removed once.
    for _ in 0..2 {
        E::add(&acme, &one, &first).await.unwrap();
        assert_eq!(count().await, 1);
    }
    assert_refused!(
        E::remove(&acme, &one, &second).await,
        Error::NotFound { .. } | Error::NotMember { .. } | Error::NotInProject { .. }
    );
    E::remove(&acme, &one, &first).await.unwrap();
    assert_eq!(count().await, 0);
    assert_refused!(
        E::remove(&acme, &one, &first).await,
        Error::NotFound { .. } | Error::NotMember { .. } | Error::NotInProject { .. }
    );

    // Deleted with either of the resources.
    for (thing, joined) in [(&one, &first), (&one, &second), (&two, &first), (&two, &second)] {
        E::add(&acme, thing, joined).await.unwrap();
    }
    E::One::delete(&acme, &one).await.unwrap();
    assert_eq!(count().await, 2);
    E::Other::delete(&acme, &first).await.unwrap();
    assert_eq!(count().await, 1);
    E::remove(&acme, &two, &second).await.unwrap();
}

/// Counted items that are neither a resource nor an edge, and the file with their cases.
const OTHERS: [(&str, &str); 7] = [
    ("certificate activation", "certificates.rs"), // A certificate is not deleted while it is active.
    ("organization", "organizations.rs"),
    ("setting", "settings.rs"),
    ("rate limit", "rate_limits.rs"),
    ("project", "projects.rs"), // It is archived, and never deleted.
    ("API key", "api_keys.rs"),
    ("audit event", "audit_logs.rs"),
];

#[test]
fn everything_that_is_counted_has_a_suite() {
    run(Engine::Memory, async |database: Database| {
        let census = database.store.census().await.unwrap();
        for (name, _) in census.counts() {
            let is_tested = things::KINDS.iter().any(|kind| kind.as_str() == *name)
                || NAMES.contains(name)
                || OTHERS.iter().any(|(other, _)| other == name);
            assert!(is_tested, "add a case for a {name} to things.rs or edges.rs");
        }
        for kind in Kind::ALL {
            assert!(census.of(kind.as_str()).is_some(), "add the table of a {} to TABLES", kind.as_str());
        }
    });
}
