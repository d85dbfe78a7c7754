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
