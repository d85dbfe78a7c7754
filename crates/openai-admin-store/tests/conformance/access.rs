//! Effective access: the fast answers against an oracle that knows every assignment and walks all of them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use openai_admin::{
    models::{AccessCheck, AccessPath, CheckAccessBody, PublicCreateOrganizationRoleBody},
    operations::{
        CheckAccess, CreateProjectRole, CreateRole, DeleteRole, DeleteServiceAccount, ListPermissionUsers,
        RetrieveUserAccess, UpdateProjectRole, UpdateRole,
    },
};
use openai_admin_store::{Error, Kind, Refusal, Result};
use proptest::{
    prelude::Rng as _,
    test_runner::{RngAlgorithm, TestRng},
};

use serde_json::{Value as Json, json};

use crate::{
    project_groups, project_roles, project_users, projects, roles, service_accounts,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    the_access_of_every_person_matches_the_oracle_after_every_change,
    a_path_names_its_role_and_its_group,
    an_unknown_user_project_or_cursor_is_refused,
    a_permission_that_no_role_grants_is_refused,
    a_permission_that_a_role_of_any_project_grants_is_known,
    access_in_an_archived_project_is_refused,
    at_most_a_thousand_permissions_are_checked_at_once,
    the_access_of_another_organization_is_separate,
}

const PERMISSIONS: [&str; 7] = [
    "api.groups.read",
    "api.groups.write",
    "api.management.write",
    "api.model.request",
    "api.webhooks.read",
    "api.custom.one",
    "api.custom.two",
];

/// Whether a predefined role of the organization or of a project grants a permission.
fn is_predefined_grant(in_project: bool, role: &str, permission: &str) -> bool {
    match permission {
        "api.groups.read" => true,
        "api.groups.write" => role == "owner" || role == "member",
        "api.management.write" => role == "owner" && !in_project,
        "api.model.request" => role != "viewer",
        "api.webhooks.read" => role == "owner",
        _ => false,
    }
}

/// A path: its kind, the name of the role, and the group or nothing.
type Path = (String, String, String);

/// A custom role.
#[derive(Clone, Debug)]
struct CustomRole {
    /// Its project; empty for the organization.
    project: String,
    name: String,
    permissions: BTreeSet<String>,
}

/// Everything that access depends on.
#[derive(Clone, Debug, Default)]
struct World {
    /// Users with their organization role, in the order of creation.
    users: Vec<(String, String)>,
    /// Service accounts with their project.
    accounts: BTreeMap<String, String>,
    groups: BTreeSet<String>,
    projects: BTreeSet<String>,
    /// Groups with their users.
    members: BTreeSet<(String, String)>,
    /// Custom roles by id.
    roles: BTreeMap<String, CustomRole>,
    /// User or group; project, or nothing for the organization; the id of a custom role, or the name of a predefined one.
    assigned: BTreeSet<(String, String, String)>,
    /// The permissions of roles of archived projects, which remain.
    archived_permissions: BTreeSet<String>,
}

impl World {
    fn is_last_owner(&self, user: &str) -> bool {
        let mut owners = self.users.iter().filter(|(_, role)| role == "owner");
        owners.next().is_some_and(|(id, _)| id == user) && owners.next().is_none()
    }

    fn role_name<'a>(&'a self, role: &'a str) -> &'a str {
        self.roles.get(role).map_or(role, |role| &role.name)
    }

    fn grants(&self, in_project: bool, role: &str, permission: &str) -> bool {
        match self.roles.get(role) {
            Some(role) => role.permissions.contains(permission),
            None => is_predefined_grant(in_project, role, permission),
        }
    }

    /// Every path of a user to a permission, in the organization or in a project.
    fn paths(&self, user: &str, project: &str, permission: &str) -> BTreeSet<Path> {
        let mut paths = BTreeSet::new();
        let role = &self.users.iter().find(|(id, _)| id == user).unwrap().1;
        let own = [(user.to_owned(), String::new(), role.clone())];
        for (principal, resource, role) in self.assigned.iter().chain(&own) {
            let is_direct = principal == user;
            let is_member = self.members.contains(&(principal.clone(), user.to_owned()));
            if !(is_direct || is_member) {
                continue;
            }
            let group = if is_direct { String::new() } else { principal.clone() };
            let is_custom = self.roles.contains_key(role);
            let of_organization = if is_direct { "organization_role" } else { "group" };
            let of_project = if is_direct { "project_membership" } else { "project_group" };
            let (kind, granted) = match (project, resource.as_str()) {
                ("", "") => (of_organization, self.grants(false, role, permission)),
                (_, "") if is_custom => (of_organization, self.grants(false, role, permission)),
                (_, "") => ("implied", role == "owner" && is_predefined_grant(true, "owner", permission)),
                (project, resource) if project == resource => {
                    (of_project, self.grants(true, role, permission))
                }
                _ => continue,
            };
            if granted {
                paths.insert((kind.to_owned(), self.role_name(role).to_owned(), group));
            }
        }
        paths
    }

    /// The projects, and the organization as an empty text.
    fn places(&self) -> impl Iterator<Item = &str> {
        self.projects.iter().map(String::as_str).chain([""])
    }

    /// Whether a role grants the permission, in the organization or in any project.
    fn is_known(&self, permission: &str) -> bool {
        is_predefined_grant(false, "owner", permission)
            || self.archived_permissions.contains(permission)
            || self.roles.values().any(|role| role.permissions.contains(permission))
    }

    fn end(&mut self, id: &str) {
        self.users.retain(|(user, _)| user != id);
        self.accounts.remove(id);
        self.groups.remove(id);
        self.projects.remove(id);
        self.members.retain(|(group, user)| group != id && user != id);
        let ended = |role: &CustomRole| role.project == id;
        let roles: Vec<_> =
            self.roles.iter().filter(|(_, role)| ended(role)).map(|(id, _)| id.clone()).collect();
        for role in roles.iter().map(String::as_str).chain([id]) {
            self.roles.remove(role);
            self.assigned.retain(|(principal, project, of)| principal != id && project != id && of != role);
        }
    }
}

/// Numbers that choose a change.
struct Dice(TestRng);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % bound
    }

    fn one_of<T: Clone>(&mut self, all: impl IntoIterator<Item = T>) -> Option<T> {
        let all: Vec<T> = all.into_iter().collect();
        (!all.is_empty()).then(|| all[self.below(all.len())].clone())
    }

    fn permissions(&mut self) -> Vec<String> {
        let chosen = PERMISSIONS.iter().filter(|_| self.below(3) == 0);
        chosen.map(|permission| (*permission).to_owned()).collect()
    }
}

/// How often a kind of change is tried, each time with other users, groups and projects.
const ATTEMPTS: usize = 10;
/// How many kinds of change [`change`] makes.
const KINDS: usize = 21;

/// Makes a change in the database and in the world. Returns none if the world has nothing to change in this way, or the
/// store refuses the change.
async fn change(acme: &Tenant, world: &mut World, kind: usize, dice: &mut Dice, number: usize) -> Option<()> {
    let user = dice.one_of(world.users.iter().map(|(id, _)| id.clone()))?;
    let person = dice
        .one_of(world.users.iter().map(|(id, _)| id.clone()).filter(|id| !world.accounts.contains_key(id)))?;
    let group = dice.one_of(world.groups.clone());
    let project = dice.one_of(world.projects.clone());
    let is_of = |project: &str| {
        let roles = world.roles.iter().filter(move |(_, role)| role.project == project);
        roles.map(|(id, _)| id.clone()).collect::<Vec<_>>()
    };
    let role = dice.one_of(is_of(""));
    let project_role = project.as_ref().and_then(|project| dice.one_of(is_of(project)));
    let predefined = dice.one_of(["owner", "member", "viewer"])?.to_owned();
    let organization_role = dice.one_of(["owner", "reader"])?.to_owned();
    let name = format!("Role {number}");
    let none = String::new;
    match kind {
        0 => {
            acme.add(&group.clone()?, &user).await.ok()?;
            world.members.insert((group?, user));
        }
        1 => {
            let (group, user) = dice.one_of(world.members.clone())?;
            acme.remove(&group, &user).await.ok()?;
            world.members.remove(&(group, user));
        }
        2 => {
            roles::assign_user(acme, &user, &role.clone()?).await.ok()?;
            world.assigned.insert((user, none(), role?));
        }
        3 => {
            roles::unassign_user(acme, &user, &role.clone()?).await.ok()?;
            world.assigned.remove(&(user, none(), role?));
        }
        4 => {
            roles::assign_group(acme, &group.clone()?, &role.clone()?).await.ok()?;
            world.assigned.insert((group?, none(), role?));
        }
        5 => {
            let id = format!("role-api-organization-{organization_role}");
            roles::assign_group(acme, &group.clone()?, &id).await.ok()?;
            world.assigned.insert((group?, none(), organization_role));
        }
        6 => {
            let (principal, _, role) = dice.one_of(
                world
                    .assigned
                    .iter()
                    .filter(|(id, project, _)| project.is_empty() && world.groups.contains(id))
                    .cloned(),
            )?;
            let predefined = format!("role-api-organization-{role}");
            let id = if world.roles.contains_key(&role) { &role } else { &predefined };
            roles::unassign_group(acme, &principal, id).await.ok()?;
            world.assigned.remove(&(principal, none(), role));
        }
        7 => {
            let is_refused = organization_role != "owner" && world.is_last_owner(&user);
            let modified = acme.modify_user(&user, json!({ "role": organization_role })).await;
            assert_eq!(modified.is_err(), is_refused, "{modified:?}");
            modified.ok()?;
            world.users.iter_mut().find(|(id, _)| *id == user)?.1 = organization_role;
        }
        8 => {
            project_users::add(acme, &project.clone()?, &person).await.ok()?;
            world.assigned.insert((person, project?, "member".to_owned()));
        }
        9 => {
            let project = project?;
            project_users::modify(acme, &project, &person, json!({ "role": predefined })).await.ok()?;
            world.assigned.retain(|(of, resource, role)| {
                *of != person || *resource != project || role.starts_with("role_")
            });
            world.assigned.insert((person, project, predefined));
        }
        10 => {
            project_users::remove(acme, &project.clone()?, &person).await.ok()?;
            let project = project?;
            world.assigned.retain(|(of, resource, _)| *of != person || *resource != project);
        }
        11 => {
            let role = project_role.filter(|_| dice.below(2) == 0);
            let id = role.clone().unwrap_or_else(|| format!("role-api-project-{predefined}"));
            project_groups::add_with(acme, &project.clone()?, &group.clone()?, &id).await.ok()?;
            world.assigned.insert((group?, project?, role.unwrap_or(predefined)));
        }
        12 => {
            let (group, project) = (group?, project?);
            project_groups::remove(acme, &project, &group).await.ok()?;
            world.assigned.retain(|(of, resource, _)| *of != group || *resource != project);
        }
        13 => {
            let permissions = dice.permissions();
            let body: PublicCreateOrganizationRoleBody =
                serde_json::from_value(json!({ "role_name": name, "permissions": permissions })).unwrap();
            let of_organization = dice.below(2) == 0;
            let (id, project) = match project.filter(|_| !of_organization) {
                Some(project) => {
                    let request = CreateProjectRole::new(project.parse().unwrap(), body);
                    (acme.change(request).await.ok()?.id, project)
                }
                None => (acme.change(CreateRole::new(body)).await.ok()?.id, none()),
            };
            let permissions = permissions.into_iter().collect();
            world.roles.insert(id.to_string(), CustomRole { project, name, permissions });
        }
        14 => {
            let (id, role) = dice.one_of(world.roles.clone())?;
            let permissions = dice.permissions();
            let body = serde_json::from_value(json!({ "permissions": permissions })).unwrap();
            let role_id = id.parse().unwrap();
            match role.project.as_str() {
                "" => drop(acme.change(UpdateRole::new(role_id, body)).await.ok()?),
                project => {
                    let request = UpdateProjectRole::new(project.parse().unwrap(), role_id, body);
                    acme.change(request).await.ok()?;
                }
            }
            world.roles.get_mut(&id)?.permissions = permissions.into_iter().collect();
        }
        15 => {
            let (id, role) = dice.one_of(world.roles.clone())?;
            match role.project.as_str() {
                "" => drop(acme.change(DeleteRole::new(id.parse().unwrap())).await.ok()?),
                project => project_roles::delete(acme, project, &id).await.ok()?,
            }
            world.end(&id);
        }
        16 => {
            acme.delete_group(&group.clone()?).await.ok()?;
            world.end(&group?);
            world.groups.insert(acme.create_group(&name).await.ok()?.id.to_string());
        }
        17 => {
            let deleted = acme.delete_user(&person).await;
            assert_eq!(deleted.is_err(), world.is_last_owner(&person), "{deleted:?}");
            deleted.ok()?;
            world.end(&person);
            let id = format!("user_new_{number}");
            let body = json!({ "id": id, "email": format!("{id}@example.com"), "name": "", "role": organization_role });
            acme.create_user(body).await.ok()?;
            world.users.push((id, organization_role));
        }
        18 => {
            projects::archive(acme, &project.clone()?).await.ok()?;
            let project = project?;
            let archived = world.roles.values().filter(|role| role.project == project);
            let permissions: Vec<_> = archived.flat_map(|role| role.permissions.clone()).collect();
            world.archived_permissions.extend(permissions);
            let accounts: Vec<_> =
                world.accounts.iter().filter(|(_, of)| **of == project).map(|(id, _)| id.clone()).collect();
            accounts.iter().chain([&project]).for_each(|id| world.end(id));
            world.projects.insert(projects::create(acme, &name).await.id.to_string());
        }
        19 => {
            let project = project?;
            let id =
                service_accounts::create(acme, &project.parse().unwrap(), &name).await.ok()?.id.to_string();
            world.users.push((id.clone(), "reader".to_owned()));
            world.assigned.insert((id.clone(), project.clone(), "member".to_owned()));
            world.accounts.insert(id, project);
        }
        _ => {
            let (id, project) = dice.one_of(world.accounts.clone())?;
            let request = DeleteServiceAccount::new(project.parse().unwrap(), id.parse().unwrap());
            acme.change(request).await.ok()?;
            world.end(&id);
        }
    }
    Some(())
}

/// The paths of an answer. No path is named twice.
fn found(paths: &[AccessPath]) -> BTreeSet<Path> {
    let set: BTreeSet<Path> = paths
        .iter()
        .map(|path| {
            let group = path.group_id.as_ref().map(ToString::to_string).unwrap_or_default();
            (path.kind.to_string(), path.role_name.clone(), group)
        })
        .collect();
    assert_eq!(set.len(), paths.len(), "{paths:?}");
    set
}

fn in_project(project: &str) -> Json {
    if project.is_empty() { Json::Null } else { project.into() }
}

async fn access(acme: &Tenant, user: &str, project: &str) -> Result<BTreeMap<String, BTreeSet<Path>>> {
    let request = json!({ "user_id": user, "project_id": in_project(project) });
    let access = acme.read(serde_json::from_value::<RetrieveUserAccess>(request).unwrap()).await?;
    assert!(access.permissions.is_sorted_by(|one, next| one.permission < next.permission));
    Ok(access.permissions.into_iter().map(|access| (access.permission, found(&access.paths))).collect())
}

/// The users with a permission, read in pages.
async fn users_with(acme: &Tenant, permission: &str, project: &str) -> Result<Vec<(String, BTreeSet<Path>)>> {
    let (mut users, mut after) = (Vec::new(), Json::Null);
    loop {
        let request = json!({ "permission": permission, "project_id": in_project(project), "limit": 2, "after": after });
        let page = acme.read(serde_json::from_value::<ListPermissionUsers>(request).unwrap()).await?;
        users.extend(page.data.iter().map(|user| (user.user_id.to_string(), found(&user.paths))));
        match page.next {
            Some(next) => after = json!(next),
            None => return Ok(users),
        }
    }
}

/// Compares the checks of every person and permission, in the organization and in each project.
async fn compare_checks(acme: &Tenant, world: &World, change: &str) {
    let mut checks = Vec::new();
    for project in world.places() {
        for (user, _) in &world.users {
            for permission in PERMISSIONS.iter().filter(|permission| world.is_known(permission)) {
                let check =
                    json!({ "user_id": user, "permission": permission, "project_id": in_project(project) });
                checks.push(serde_json::from_value::<AccessCheck>(check).unwrap());
            }
        }
    }
    let results = acme.read(CheckAccess::new(CheckAccessBody::new(checks.clone()))).await.unwrap().data;
    assert_eq!(results.len(), checks.len());
    for (check, result) in checks.iter().zip(results) {
        let project = check.project_id.as_ref().map(ToString::to_string).unwrap_or_default();
        let expected = world.paths(check.user_id.as_str(), &project, check.permission.as_str());
        assert_eq!((&result.user_id, &result.permission), (&check.user_id, &check.permission));
        assert_eq!((result.allowed, found(&result.paths)), (!expected.is_empty(), expected), "{change}");
    }
}

/// Compares the access of every person and the users with every permission, in the organization or in a project.
async fn compare_lists(acme: &Tenant, world: &World, project: &str, change: &str) {
    for (user, _) in &world.users {
        let access = access(acme, user, project).await.unwrap();
        for permission in PERMISSIONS {
            let expected = world.paths(user, project, permission);
            let found = access.get(permission).cloned().unwrap_or_default();
            assert_eq!(found, expected, "{change}: {user}, {permission} in '{project}'");
        }
    }
    for permission in PERMISSIONS {
        let paths = |(user, _): &(String, String)| (user.clone(), world.paths(user, project, permission));
        let expected: Vec<_> = world.users.iter().map(paths).filter(|(_, paths)| !paths.is_empty()).collect();
        let found = users_with(acme, permission, project).await;
        if world.is_known(permission) {
            assert_eq!(found.unwrap(), expected, "{change}: {permission} in '{project}'");
        } else {
            assert_refused!(found, Error::InvalidValue { .. });
        }
    }
}

/// The number of generated organizations. CONTRIBUTING.md has the command for 2,000.
const ORGANIZATIONS: &str = "OPENAI_ADMIN_ACCESS_ORGANIZATIONS";
const ORGANIZATIONS_DEFAULT: u64 = 6;
/// How many of them change at the same time.
const CONCURRENT: usize = 4;

fn organizations() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a parameter of the test")]
    let number = std::env::var(ORGANIZATIONS);
    number.map_or(ORGANIZATIONS_DEFAULT, |number| number.parse().unwrap())
}

async fn the_access_of_every_person_matches_the_oracle_after_every_change(database: Database) {
    let made = stream::iter(0..organizations()).map(|number| change_organization(&database, number));
    let made: Vec<BTreeSet<usize>> = made.buffer_unordered(CONCURRENT).collect().await;
    let made: BTreeSet<usize> = made.into_iter().flatten().collect();
    let missing: Vec<usize> = (0..KINDS).filter(|kind| !made.contains(kind)).collect();
    assert!(missing.is_empty(), "no change of the kinds {missing:?}");
}

/// Generates an organization, tries each kind of change in random order, and compares after each. Returns the kinds of
/// changes that were made. A number always leads to the same changes.
async fn change_organization(database: &Database, organization: u64) -> BTreeSet<usize> {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&organization.to_le_bytes());
    let mut dice = Dice(TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let mut made = BTreeSet::new();
    let groups = json!([{ "id": "group_1", "name": "One" }, { "id": "group_2", "name": "Two" }]);
    let acme = database.tenant(&format!("org-{organization}"), 4, groups).await;
    let mut world = World {
        users: (1..=4).map(|number| (format!("user_{number}"), "reader".to_owned())).collect(),
        groups: ["group_1", "group_2"].map(str::to_owned).into(),
        ..World::default()
    };
    for name in ["Search", "Ads"] {
        world.projects.insert(projects::create(&acme, name).await.id.to_string());
    }
    // Changes that give access come first, so that the others have access to end.
    let mut kinds: Vec<usize> = [13, 13, 0, 2, 4, 8, 11, 19].into_iter().chain(0..KINDS).collect();
    for place in (9..kinds.len()).rev() {
        kinds.swap(place, 8 + dice.below(place - 7));
    }
    for (number, kind) in kinds.into_iter().enumerate() {
        for _ in 0..ATTEMPTS {
            if change(&acme, &mut world, kind, &mut dice, number).await.is_some() {
                made.insert(kind);
                let change = format!("organization {organization}, change {number} of kind {kind}");
                compare_checks(&acme, &world, &change).await;
                // The lists take many reads, so each change compares them in another place.
                let places: Vec<&str> = world.places().collect();
                compare_lists(&acme, &world, places[number % places.len()], &change).await;
                break;
            }
        }
    }
    for project in world.places() {
        compare_lists(&acme, &world, project, &format!("the end of organization {organization}")).await;
    }
    made
}

async fn a_path_names_its_role_and_its_group(database: Database) {
    let groups = json!([{ "id": "group_1", "name": "Support", "members": ["user_1"] }]);
    let acme = database.acme(1, groups).await;
    let role = roles::create(&acme, "Reviewers").await.unwrap().id;
    roles::assign_group(&acme, "group_1", role.as_str()).await.unwrap();
    let access = acme.read(RetrieveUserAccess::new("user_1".parse().unwrap())).await.unwrap();
    let permission = access.permissions.iter().find(|access| access.permission == "api.groups.read");
    let expected = json!([
        { "kind": "organization_role", "role_id": "role-api-organization-reader__api-organization__org-acme",
          "role_name": "reader", "assumed": false, "group_id": null, "group_name": null },
        { "kind": "group", "role_id": role, "role_name": "Reviewers", "assumed": false,
          "group_id": "group_1", "group_name": "Support" },
    ]);
    assert_eq!(serde_json::to_value(&permission.unwrap().paths).unwrap(), expected);
}

async fn an_unknown_user_project_or_cursor_is_refused(database: Database) {
    let acme = database.acme(1, json!([])).await;
    assert_refused!(access(&acme, "user_9", "").await, Error::NotFound { kind: Kind::User, .. });
    assert_refused!(access(&acme, "user_1", "proj_9").await, Error::NotFound { kind: Kind::Project, .. });
    assert_refused!(
        users_with(&acme, "api.groups.read", "proj_9").await,
        Error::NotFound { kind: Kind::Project, .. }
    );
    let mut request = ListPermissionUsers::new("api.groups.read".parse().unwrap());
    request.after = Some("user_9".parse().unwrap());
    assert_refused!(acme.read(request).await, Error::UnknownCursor(_));
}

async fn a_permission_that_no_role_grants_is_refused(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let known = AccessCheck::new("user_1".parse().unwrap(), "api.groups.read".parse().unwrap());
    let misspelt = AccessCheck::new("user_1".parse().unwrap(), "api.gruops.read".parse().unwrap());
    let check = acme.read(CheckAccess::new(CheckAccessBody::new(vec![known, misspelt]))).await;
    let field = |error: Error| match error {
        Error::InvalidValue { field, expected } => (field, expected.contains("'api.gruops.read'")),
        other => panic!("{other}"),
    };
    assert_eq!(field(check.unwrap_err()), ("checks[1].permission".to_owned(), true));
    let users = users_with(&acme, "api.gruops.read", "").await.unwrap_err();
    assert_eq!(field(users), ("permission".to_owned(), true));
}

async fn a_permission_that_a_role_of_any_project_grants_is_known(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let [search, ads] = [projects::create(&acme, "Search").await.id, projects::create(&acme, "Ads").await.id];
    let body: PublicCreateOrganizationRoleBody =
        serde_json::from_value(json!({ "role_name": "Own", "permissions": ["api.own"] })).unwrap();
    let role = acme.change(CreateProjectRole::new(search.clone(), body)).await.unwrap().id;
    for project in ["", search.as_str(), ads.as_str()] {
        assert_eq!(users_with(&acme, "api.own", project).await.unwrap(), []);
    }
    project_roles::delete(&acme, search.as_str(), role.as_str()).await.unwrap();
    assert_refused!(users_with(&acme, "api.own", search.as_str()).await, Error::InvalidValue { .. });
}

async fn access_in_an_archived_project_is_refused(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let project = projects::create(&acme, "Search").await.id.to_string();
    assert!(access(&acme, "user_1", &project).await.unwrap().is_empty());
    projects::archive(&acme, &project).await.unwrap();
    assert_refused!(
        access(&acme, "user_1", &project).await,
        Error::Refused { refusal: Refusal::ProjectArchived, .. }
    );
}

async fn at_most_a_thousand_permissions_are_checked_at_once(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let check = AccessCheck::new("user_1".parse().unwrap(), "api.groups.read".parse().unwrap());
    let checks = |number| acme.read(CheckAccess::new(CheckAccessBody::new(vec![check.clone(); number])));
    assert!(checks(1000).await.unwrap().data.iter().all(|result| result.allowed));
    for number in [0, 1001] {
        assert_refused!(checks(number).await, Error::InvalidValue { .. });
    }
}

async fn the_access_of_another_organization_is_separate(database: Database) {
    let groups = json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }]);
    let (acme, other) =
        (database.acme(1, groups.clone()).await, database.tenant("org-other", 1, groups).await);
    let role = roles::create(&acme, "Reviewers").await.unwrap().id;
    roles::assign_group(&acme, "group_1", role.as_str()).await.unwrap();
    acme.modify_user("user_1", json!({ "role": "owner" })).await.unwrap();
    let project = projects::create(&acme, "Search").await.id.to_string();
    let paths = access(&other, "user_1", "").await.unwrap().remove("api.groups.read").unwrap();
    assert_eq!(paths, BTreeSet::from([("organization_role".into(), "reader".into(), String::new())]));
    assert_eq!(users_with(&other, "api.management.write", "").await.unwrap(), []);
    assert_eq!(users_with(&acme, "api.management.write", "").await.unwrap().len(), 1);
    assert_refused!(access(&other, "user_1", &project).await, Error::NotFound { kind: Kind::Project, .. });
}
