use crate::{
    desk::{Answer, Desk, freeze},
    published_only::PublishedOnly,
    running::Running,
};

const ORGANIZATION: &str = "\
users:
  - { id: user_ada, email: ada@example.com, name: Ada, role: owner }
  - { id: user_bob, email: bob@example.com, name: Bob, roles: [Reviewers] }
  - { id: user_eve, email: eve@example.com, name: Eve }
groups:
  - { id: group_1, name: Support, members: [user_bob, user_eve], roles: [Reviewers] }
roles:
  - { id: role_1, name: Reviewers, permissions: [api.reviews.read, api.reviews.write] }
projects:
  - { id: proj_1, name: Search, users: [{ user: user_eve }] }
";

fn desk() -> Desk {
    let desk = Desk::empty();
    desk.write("organization.yaml", ORGANIZATION);
    let loaded = desk.run("--local acme.db load organization.yaml");
    assert_eq!(loaded.status, 0, "{}", loaded.stderr);
    desk
}

#[test]
fn shows_the_permissions_of_a_user_with_the_roles_that_grant_them() {
    freeze!(desk().transcript(&[
        "--local acme.db access of bob@example.com",
        "--local acme.db access of user_bob --project Search",
        "--local acme.db access of user_bob --project proj_1 -o json",
        "--local acme.db access of user_eve --project Search -o csv",
    ]));
}

#[test]
fn shows_the_users_with_a_permission() {
    freeze!(desk().transcript(&[
        "--local acme.db access who api.reviews.read",
        "--local acme.db access who api.webhooks.read --project Search",
        "--local acme.db access who api.groups.read --limit 1 -o json",
    ]));
}

#[test]
fn explains_whether_a_user_has_a_permission() {
    freeze!(desk().transcript(&[
        "--local acme.db access explain bob@example.com api.reviews.read",
        "--local acme.db access explain eve@example.com api.model.request --project Search",
        "--local acme.db access explain user_bob api.groups.write",
        "--local acme.db access explain user_bob api.groups.write -o json",
    ]));
}

#[test]
fn an_unknown_user_or_project_is_explained() {
    freeze!(desk().transcript(&[
        "--local acme.db access of bob@exampel.com",
        "--local acme.db access of user_bbo",
        "--local acme.db access of user_bob --project Serch",
        "--local acme.db access explain user_bbo api.groups.read",
        "--local acme.db access who ..",
    ]));
}

#[test]
fn a_permission_that_no_role_grants_is_refused_with_a_suggestion() {
    freeze!(desk().transcript(&[
        "--local acme.db access explain user_bob api.grops.read",
        "--local acme.db access who api.reviews.raed",
        "--local acme.db access who api.nothing --project Search",
        "--local acme.db access explain user_eve api.reviews.read --project Search",
    ]));
}

#[test]
fn lists_the_permissions_with_the_roles_that_grant_them() {
    freeze!(desk().transcript(&[
        "--local acme.db access permissions",
        "--local acme.db access permissions --project Search",
        "--local acme.db access permissions -o jsonl",
    ]));
}

/// An organization in which each kind of path leads to a permission.
const EVERY_PATH: &str = "\
users:
  - { id: user_ada, email: ada@example.com, name: Ada, role: owner, roles: [Reviewers] }
  - { id: user_bob, email: bob@example.com, name: Bob, roles: [Auditors, Reviewers] }
  - { id: user_eve, email: eve@example.com, name: Eve }
  - { id: user_max, email: max@example.com, name: Max }
groups:
  - { id: group_1, name: Support, members: [user_bob, user_eve], roles: [Reviewers, Auditors] }
  - { id: group_2, name: Owners, members: [user_eve], roles: [owner] }
  - { id: group_3, name: Empty, roles: [Reviewers] }
  - { id: group_4, name: Searchers, members: [user_max, user_bob] }
roles:
  - { id: role_1, name: Reviewers, permissions: [api.reviews.read, api.groups.read] }
  - { id: role_2, name: Auditors, permissions: [api.audits.read, api.reviews.read] }
projects:
  - id: proj_1
    name: Search
    roles: [{ id: role_3, name: Tuners, permissions: [api.tuning.write] }]
    users: [{ user: user_bob, role: viewer, roles: [Tuners] }, { user: user_eve, role: owner }]
    groups: [{ group: Searchers, roles: [member, Tuners] }, { group: Support, roles: [viewer] }]
  - { id: proj_2, name: Ads }
";

/// A server with every path, and the same server without its extensions.
struct Services {
    desk: Desk,
    server: Running,
    hidden: PublishedOnly,
}

impl Services {
    fn start() -> Self {
        let desk = Desk::empty().with_variable("OPENAI_ADMIN_KEY", KEY);
        desk.write("organization.yaml", EVERY_PATH);
        desk.write("admin.key", KEY);
        assert_eq!(desk.run("--local acme.db load organization.yaml").status, 0);
        let server = Running::start(&desk, "--local acme.db --log error --key-file admin.key");
        let hidden = PublishedOnly::start(&server.address);
        Self { desk, server, hidden }
    }

    fn reported(&self, command: &str) -> Answer {
        self.desk.run(&format!("--base-url {}/v1 {command}", self.server.address))
    }

    fn computed(&self, command: &str) -> Answer {
        self.desk.run(&format!("--base-url http://{}/v1 {command}", self.hidden.address))
    }
}

const KEY: &str = "sk-admin-access-0123456789";

#[test]
fn access_is_the_same_without_the_extensions() {
    let services = Services::start();
    let created = services.reported("projects service-accounts create proj_1 --name Batch");
    assert_eq!(created.status, 0, "{}", created.stderr);
    let users = services.reported("users list -o json").json();
    let users: Vec<&str> =
        users.as_array().expect("users").iter().filter_map(|user| user["id"].as_str()).collect();
    assert_eq!(users.len(), 5);
    let in_project = users.iter().map(|user| format!("of {user} --project proj_1"));
    let others = [
        "of user_bob",
        "of user_eve",
        "of user_eve --project Ads",
        "explain user_bob api.reviews.read",
        "explain user_max api.model.request --project Search",
        "who api.groups.read",
        "who api.reviews.read --limit 1",
        "who api.reviews.read --after user_ada",
        "who api.webhooks.read",
        "who api.groups.read --project proj_1",
        "who api.tuning.write --project proj_1",
        "who api.model.request --project proj_1",
    ];
    for command in in_project.chain(others.map(str::to_owned)) {
        let command = format!("access {command} -o json");
        let (computed, reported) = (services.computed(&command), services.reported(&command));
        assert_eq!(
            (computed.status, &computed.stdout),
            (0, &reported.stdout),
            "{command}: {} {}",
            computed.stderr,
            reported.stderr
        );
    }
}

#[test]
fn computed_access_says_first_how_many_requests_it_takes() {
    let services = Services::start();
    let mut transcript = String::new();
    for command in [
        "access of user_bob --project Ads -o csv",
        "access who api.audits.read",
        "access who api.webhooks.read",
        "access who api.aduits.read",
        "access of user_bbo",
    ] {
        transcript += &format!("$ openai-admin {command}\n{}\n", services.computed(command).text());
    }
    freeze!(transcript.replace(&services.hidden.address, "ADDRESS"));
    let _ = services.hidden.forwarded();
    let answer = services.computed("access of user_bob --project proj_1");
    let (_, said) = answer.stderr.split_once("takes at most ").expect("a number of requests");
    let said: usize = said.split(' ').next().and_then(|said| said.parse().ok()).expect("a number");
    // The project, its outline and that of the organization, and the user.
    let before = 7;
    let forwarded = services.hidden.forwarded();
    assert!((before + 1..=before + said).contains(&forwarded), "{forwarded} requests, said {said}");
}
