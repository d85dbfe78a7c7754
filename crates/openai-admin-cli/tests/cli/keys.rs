use std::process::{Command, Stdio};

use crate::desk::{Answer, BINARY, Desk, freeze};

#[test]
fn creates_lists_and_revokes_keys() {
    freeze!(Desk::empty().transcript(&[
        "keys create --name laptop",
        "keys create --name reports --scope api.groups.read --expires-in 90d -o json",
        "keys create --name auditor --read-only",
        "keys list",
        "keys list -o json",
        "keys revoke laptop",
        "keys revoke laptop --yes",
        "keys revoke laptop --yes",
        "keys list -o csv",
    ]));
}

#[test]
fn an_invalid_key_command_is_explained() {
    let desk = Desk::empty();
    freeze!(desk.transcript(&[
        "keys list",
        "--local other.db keys revoke x --yes",
        "keys create",
        "keys create --name x --scope everything",
        "keys create --name x --read-only --scope api.groups.write",
        "keys create --name x --expires-in soon",
        "keys create --name x --expires-in 0d",
        "keys create --name x --expires-at soon",
        "keys create --name x --expires-at 2020-01-01",
        "keys create --name x --expires-at 2120-01-01 --expires-in 1d",
        "keys rotate",
        "--base-url http://127.0.0.1:8080/v1 keys list",
        "--database mysql://localhost keys list",
    ]));
    assert!(!desk.path().join("openai-admin.db").exists(), "listing creates nothing");
}

#[test]
fn two_keys_with_one_name_need_an_id() {
    let desk = Desk::empty();
    desk.run("keys create --name ci");
    desk.run("keys create --name ci");
    freeze!(desk.transcript(&["keys revoke ci --yes"]));
}

#[test]
fn rotates_keys() {
    let desk = Desk::empty();
    let created = desk.run("keys create --name ci --scope api.groups.read --expires-in 90d -o json").json();
    desk.run("keys create --name audit --read-only --expires-at 2120-01-01");
    freeze!(desk.transcript(&["keys rotate nobody", "keys rotate ci", "keys list"]));
    let keys = desk.run("keys list -o json").json();
    let (old, new) = (&keys[0], &keys[2]);
    assert_eq!((&old["id"], &old["name"], &new["name"]), (&created["id"], &"ci".into(), &"ci".into()));
    assert_eq!(new["scopes"], old["scopes"]);
    let seconds = |key: &serde_json::Value, field: &str| key[field].as_i64().expect("a time");
    assert_eq!(seconds(new, "expires_at") - seconds(new, "created_at"), 90 * 86_400, "the same lifetime");
    assert_eq!(seconds(old, "expires_at") - seconds(new, "created_at"), 86_400, "a day of overlap");
    assert_eq!(keys[1]["expires_at"], 4_733_510_400_i64);
}

#[test]
fn during_the_overlap_a_name_is_the_key_that_expires_last() {
    let desk = Desk::empty();
    desk.run("keys create --name ci");
    let rotate = |arguments: &str| desk.run(&format!("keys rotate ci -o json {arguments}"));
    let second = rotate("").json();
    let third = rotate("");
    assert!(
        third.stderr.contains(&format!("the old key ({})", second["id"].as_str().unwrap())),
        "{}",
        third.stderr
    );
    // A shorter lifetime of the new key does not change which key is rotated.
    let fourth = rotate("--expires-in 1h");
    assert_eq!(fourth.status, 0, "{}", fourth.stderr);
    assert_eq!(rotate("").status, 6, "neither key is newer and expires later");
}

#[cfg(target_os = "linux")]
#[test]
fn a_key_that_could_not_be_printed_is_revoked() {
    let desk = Desk::empty();
    desk.run("groups create A");
    let with_output = |arguments: &str, output: &str| {
        let output = std::fs::OpenOptions::new().write(true).open(output).expect("a device");
        Answer::from(
            desk.command(arguments).stdout(output).stderr(Stdio::piped()).output().expect("the binary runs"),
        )
    };
    let full = with_output("keys create --name ci", "/dev/full");
    assert!(full.status == 1 && full.stderr.contains("it has been revoked"), "{}", full.stderr);
    let nowhere = with_output("keys create --name ci", "/dev/null");
    assert!(nowhere.status == 1 && nowhere.stderr.contains("no key was created"), "{}", nowhere.stderr);
    let mut closed = Command::new("sh");
    closed.current_dir(desk.path()).env_clear().args([
        "-c",
        "exec \"$@\" >&-",
        "sh",
        BINARY,
        "keys",
        "create",
        "--name",
        "ci",
    ]);
    let closed = Answer::from(closed.output().expect("the shell runs"));
    assert!(closed.status == 1 && closed.stderr.contains("closed or /dev/null"), "{}", closed.stderr);
    assert_eq!(desk.run("keys list -o json").json(), serde_json::json!([]));

    desk.run("keys create --name ci");
    let full = with_output("keys rotate ci", "/dev/full");
    assert!(full.status == 1 && full.stderr.contains("is valid until"), "{}", full.stderr);
    assert_eq!(desk.run("keys list -o json").json().as_array().map(Vec::len), Some(1));
    assert_eq!(desk.run("keys rotate ci").status, 0, "the rotation can be retried");
}

#[test]
fn help_lists_every_scope() {
    let help = Desk::empty().run("keys create --help").stdout;
    for scope in openai_admin::Scope::ALL {
        assert!(help.contains(&format!("\n  {scope} ")), "{scope} is not in:\n{help}");
    }
}
