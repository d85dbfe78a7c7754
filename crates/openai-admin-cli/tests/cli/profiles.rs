//! `openai-admin login` and `openai-admin profiles`.

use std::{fs, path::PathBuf};

use crate::{
    desk::{Desk, freeze},
    running::Running,
};

/// A folder with a server, and the folder of the profiles.
fn served() -> (Desk, Running) {
    let desk = Desk::with_acme();
    let folder = desk.path().join("config").display().to_string();
    let desk = desk.with_variable("XDG_CONFIG_HOME", folder);
    let server = Running::start(&desk, "--local acme.db");
    (desk, server)
}

fn profiles_file(desk: &Desk) -> PathBuf {
    desk.path().join("config/openai-admin/profiles.json")
}

/// Logs in as `name`, with the key on standard input.
fn log_in(desk: &Desk, server: &Running, name: &str) -> String {
    let url = format!("{}/v1", server.address);
    let input = server.minted_key();
    desk.run_with_input(&input, &format!("login {name} --base-url {url}")).text()
}

#[test]
fn a_profile_is_saved_used_and_removed() {
    let (desk, server) = served();
    let mut shown = log_in(&desk, &server, "acme");
    shown += &log_in(&desk, &server, "other");
    shown += &desk.transcript(&[
        "profiles list",
        "profiles list -o json",
        "groups get group_support",
        "--profile other groups get group_support",
        "profiles use other",
        "profiles list -o csv",
        "profiles remove other --dry-run",
        "profiles remove other",
        "profiles remove other --yes",
        "profiles remove other --yes",
        "groups list",
        "profiles use nothing",
    ]);
    let folder = desk.path().display().to_string();
    freeze!(shown.replace(&folder, "FOLDER"));
    assert!(!shown.contains(&server.minted_key()));
}

#[test]
fn the_key_of_a_profile_goes_to_its_service_only() {
    let (desk, server) = served();
    log_in(&desk, &server, "acme");
    freeze!(desk.transcript(&[
        "--base-url http://127.0.0.1:9/v1 groups list",
        "--profile acme --base-url http://127.0.0.1:9/v1 groups list",
        "--profile acme --local acme.db groups list",
        "--profile nothing groups list",
    ]));
}

#[test]
fn a_key_in_the_environment_takes_precedence_and_the_commands_say_so() {
    let (desk, server) = served();
    log_in(&desk, &server, "acme");
    let desk = desk
        .with_variable("OPENAI_ADMIN_KEY", server.minted_key())
        .with_variable("OPENAI_BASE_URL", format!("{}/v1", server.address));
    let found = desk.run("doctor -o json").json()[1]["found"].clone();
    assert_eq!(found, "found in OPENAI_ADMIN_KEY: an admin key; profile 'acme' is not used");
    let both = desk.run("--profile acme groups list");
    assert_eq!(both.status, 64);
    assert!(both.stderr.contains("two keys: OPENAI_ADMIN_KEY is set"), "{}", both.stderr);
    let desk = desk.with_variable("OPENAI_ADMIN_PROFILE", "acme");
    let listed = desk.run("groups list");
    assert_eq!(listed.stderr, "profile 'acme' is not used, because OPENAI_ADMIN_KEY is set\n");
    assert_eq!(listed.status, 0);
}

#[test]
fn a_login_with_a_wrong_key_saves_nothing() {
    let (desk, server) = served();
    let url = format!("{}/v1", server.address);
    let refused = desk.run_with_input("sk-admin-wrong", &format!("login acme --base-url {url}"));
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(!refused.stderr.contains("sk-admin-wrong"), "{}", refused.stderr);
    assert!(!profiles_file(&desk).exists());
    for empty in ["", "two words"] {
        assert_eq!(desk.run_with_input(empty, &format!("login acme --base-url {url}")).status, 4);
    }
    assert_eq!(desk.run("login sk-admin/key").status, 64);
}

#[test]
fn replacing_a_profile_of_another_organization_needs_consent() {
    let (desk, server) = served();
    log_in(&desk, &server, "acme");
    let file = profiles_file(&desk);
    let text = fs::read_to_string(&file).expect("profiles");
    let organization = desk.run("profiles list -o json").json()[0]["organization"].clone();
    let organization = organization.as_str().expect("an id");
    fs::write(&file, text.replace(organization, "org-other")).expect("written");
    let refused = log_in(&desk, &server, "acme");
    assert!(refused.contains("replacing profile 'acme' (org-other) requires confirmation"), "{refused}");
    let replaced = log_in(&desk, &server, "acme --yes");
    assert!(replaced.contains(organization), "{replaced}");
    // The same organization needs none: it is a new key.
    assert!(log_in(&desk, &server, "acme").ends_with("= 0\n"));
}

#[cfg(unix)]
#[test]
fn a_file_of_profiles_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (desk, server) = served();
    let desk = desk.with_variable("OPENAI_ADMIN_STATE", "state");
    log_in(&desk, &server, "acme");
    let file = profiles_file(&desk);
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    for command in ["groups list", "profiles list", "profiles use acme", "runs list"] {
        let refused = desk.run(command);
        assert_eq!(refused.status, 4, "{command}: {}", refused.stderr);
        assert!(refused.stderr.contains("chmod 600"), "{command}: {}", refused.stderr);
    }
    // A command that uses no service does not read it.
    assert_eq!(desk.run("--local acme.db groups list").status, 0);
}
