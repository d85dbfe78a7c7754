use crate::desk::{Desk, freeze};

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
