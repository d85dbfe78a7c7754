use crate::desk::{Desk, freeze};

#[test]
fn an_invalid_generated_command_is_refused_before_it_is_sent() {
    freeze!(Desk::with_acme().transcript(&[
        "roles",
        "rols list",
        "roles create --permission api.groups.read",
        "roles get ..",
        "--local acme.db roles get ..",
        "--local acme.db roles delete role_1",
        "--local acme.db projects archive proj_1",
        "--local acme.db groups roles assign Suport --role-id role_1",
        "--local acme.db users roles list nobody@example.com",
    ]));
}

#[test]
fn completion_knows_generated_commands() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.run(&format!("completion {shell}")).stdout;
        assert!(script.contains("role-name") && script.contains("unassign"), "{shell}");
    }
}
