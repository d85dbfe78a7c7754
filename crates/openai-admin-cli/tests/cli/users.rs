use crate::desk::{Desk, freeze};

#[test]
fn lists_and_shows_users() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db users list --limit 3",
        "--local acme.db users list --email ADA@example.com --email user@nowhere -o json",
        "--local acme.db users list --email user@nowhere",
        "--local acme.db users get nightly-eval@example.com",
        "--local acme.db users get user_ada -o json",
        "--local acme.db users groups ada@example.com",
        "--local acme.db users groups user_mei",
        "--local acme.db users groups user_mei -o json",
    ]));
}

#[test]
fn creates_updates_and_removes_a_user() {
    freeze!(Desk::empty().transcript(&[
        "--local new.db users create kay@example.com --name \"Kay McNulty\" --id user_kay",
        "--local new.db users create --service-account --name Nightly -o json",
        "--local new.db users update kay@example.com --role owner",
        "--local new.db users update user_kay --technical-level expert -o json",
        "--local new.db users remove kay@example.com",
        "--local new.db users remove kay@example.com --yes",
        "--local new.db users get user_kay",
    ]));
}

#[test]
fn a_user_is_named_by_an_id_that_looks_like_an_address() {
    let desk = Desk::empty();
    desk.write(
        "corp.yaml",
        "users:\n  - { id: ada@corp, email: ada@example.com }\n  - { id: b, email: bob@corp }\n  - { id: bob@corp }\n\
         groups: [{ id: group_a, name: A }]\n",
    );
    desk.run("--local corp.db load corp.yaml");
    for (named, id) in [("ada@corp", "ada@corp"), ("ADA@example.com", "ada@corp"), ("bob@corp", "b")] {
        let found = desk.run(&format!("--local corp.db users get {named} -o json"));
        assert_eq!(found.status, 0, "{}", found.stderr);
        assert_eq!(found.json()["id"], id, "an address goes before an id");
    }
    let added = desk.run("--local corp.db groups users add group_a ada@corp nobody@corp");
    assert_eq!(added.status, 3, "{}", added.stderr);
}

#[test]
fn what_is_wrong_with_a_user_is_said() {
    freeze!(Desk::with_acme().transcript(&[
        "--local acme.db users get ada@exampel.com",
        "--local acme.db users get ada",
        "--local acme.db users get user_kavia",
        "--local acme.db users groups user_nobody",
        "--local acme.db users get ..",
        "--local acme.db users create ada@example.com --name Ada",
        "--local acme.db users create nobody --name Nobody",
        "--local acme.db users create --name Nobody",
        "--local acme.db users update user_ada",
        "--local acme.db users update user_ada --role boss",
        "--local acme.db users update user_ada --role-id role_x",
    ]));
}
