//! The commands that operate a server.

use std::{fs, path::Path, process::Stdio, thread, time::Duration};

use crate::{
    desk::{Desk, freeze},
    drain::postgres,
    running::Running,
};

#[test]
fn backs_up_verifies_restores_and_migrates() {
    let desk = Desk::with_acme();
    freeze!(desk.transcript(&[
        "--local acme.db admin verify",
        "--local acme.db admin migrate --check",
        "--local acme.db admin backup acme.backup",
        "--local copy.db admin restore acme.backup",
        "--local copy.db admin verify",
        "--local copy.db groups delete group_support --yes",
        "--local copy.db admin restore acme.backup",
        "--local copy.db admin restore acme.backup --overwrite",
        "--local copy.db groups get group_support",
        "--local missing.db admin backup acme.backup",
        "--local missing.db admin verify",
        "--local acme.db admin backup acme.db",
        "--local acme.db admin backup organization.yaml",
        "--local other.db admin restore organization.yaml",
        "--local other.db admin restore missing.backup",
    ]));
    assert_eq!(desk.run("--local copy.db dump").stdout, desk.run("--local acme.db dump").stdout);
}

#[test]
fn a_dry_run_of_a_restore_says_what_would_be_lost() {
    let desk = Desk::with_acme();
    desk.run("--local acme.db admin backup acme.backup");
    desk.run("--local acme.db groups create Extra");
    freeze!(desk.transcript(&[
        "--local acme.db admin restore acme.backup --overwrite --dry-run",
        "--local acme.db admin restore acme.backup --overwrite --dry-run -o json",
        "--local new.db admin restore acme.backup --overwrite --dry-run",
        "--local acme.db admin restore missing.backup --overwrite --dry-run",
        "--local acme.db admin restore acme.backup --dry-run",
    ]));
    let groups = desk.run("--local acme.db groups list -o json").json();
    assert_eq!(groups.as_array().map(Vec::len), Some(6), "{groups}");
    assert!(!desk.path().join("new.db").exists());
}

#[test]
fn four_concurrent_backups_leave_a_complete_one_during_restores() {
    const ROUNDS: usize = 6;
    let desk = Desk::with_acme();
    assert_eq!(desk.run("--local acme.db admin backup acme.backup").status, 0);
    thread::scope(|scope| {
        let back_up = || {
            for _ in 0..ROUNDS {
                let backup = desk.run("--local acme.db admin backup acme.backup");
                // 64: another one is running.
                assert!(matches!(backup.status, 0 | 64), "{}", backup.stderr);
            }
        };
        let backups: Vec<_> = (0..4).map(|_| scope.spawn(back_up)).collect();
        for _ in 0..ROUNDS {
            let restored = desk.run("--local copy.db admin restore acme.backup --overwrite");
            assert_eq!(restored.status, 0, "{}", restored.stderr);
            assert_eq!(desk.run("--local acme.backup admin verify").status, 0);
        }
        backups.into_iter().for_each(|backup| backup.join().unwrap());
    });
    assert_eq!(desk.run("--local copy.db dump").stdout, desk.run("--local acme.db dump").stdout);
}

#[test]
fn overwriting_a_postgresql_database_needs_confirmation() {
    let desk = Desk::with_acme();
    let _schema = postgres(&desk, "restore");
    let url = fs::read_to_string(desk.path().join("url")).unwrap();
    let on_server = |arguments: &str| desk.run(&format!("--database {url} {arguments}"));
    assert_eq!(desk.run("--local acme.db admin backup acme.backup").status, 0);
    let (acme, dumped) = (desk.run("--local acme.db dump").stdout, || on_server("dump").stdout);
    assert_eq!(on_server("admin restore acme.backup").status, 0);
    assert_eq!(dumped(), acme);
    assert_eq!(desk.run("--local acme.db groups delete group_support --yes").status, 0);
    assert_eq!(desk.run("--local acme.db admin backup acme.backup").status, 0);
    let refused = on_server("admin restore acme.backup --overwrite");
    assert_eq!(refused.status, 64, "{}", refused.stderr);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(dumped(), acme, "nothing was restored");
    let restored = on_server("admin restore acme.backup --overwrite --yes");
    assert_eq!(restored.status, 0, "{}", restored.stderr);
    assert_eq!(dumped(), desk.run("--local acme.db dump").stdout);
}

#[test]
fn a_violation_is_shown_and_fails() {
    let desk = Desk::with_acme();
    desk.run("--local acme.db admin backup acme.backup");
    // Corrupt the type of one event.
    let mut bytes = fs::read(desk.path().join("acme.backup")).unwrap();
    let event = b"group.user.added";
    let at = bytes.windows(event.len()).position(|window| window == event).expect("an event");
    bytes[at..at + event.len()].copy_from_slice(b"group.user.addxd");
    desk.write("damaged.db", &bytes);
    let verified = desk.run("--local damaged.db admin verify");
    assert_eq!(verified.status, 1, "{}", verified.stderr);
    assert!(
        verified.stderr.contains("violated: ") && verified.stderr.contains("found"),
        "{}",
        verified.stderr
    );
    let restored = desk.run("--local acme.db admin restore damaged.db --overwrite");
    assert_eq!(restored.status, 64, "{}", restored.stderr);
    assert_eq!(desk.run("--local acme.db admin verify").status, 0);
}

#[test]
fn a_restore_over_a_database_in_use_is_refused() {
    let desk = Desk::with_acme();
    let server = Running::start(&desk, "--local acme.db --log error");
    let backed_up = desk.run("--local acme.db admin backup acme.backup");
    assert_eq!(backed_up.status, 0, "{}", backed_up.stderr);
    let refused = desk.run("--local acme.db admin restore acme.backup --overwrite");
    assert_eq!(refused.status, 64, "{}", refused.stderr);
    assert!(refused.stderr.contains("stop the server"), "{}", refused.stderr);
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(desk.run("--local acme.db admin restore acme.backup --overwrite").status, 0);
}

#[test]
fn verifying_an_empty_file_fails_and_does_not_write_it() {
    let desk = Desk::empty();
    desk.write("cut.backup", b"");
    let verified = desk.run("--local cut.backup admin verify");
    assert_eq!(verified.status, 1, "{}", verified.stderr);
    assert!(
        verified.stderr.contains("is empty") && !verified.stderr.contains("migrate"),
        "{}",
        verified.stderr
    );
    assert_eq!(fs::read(desk.path().join("cut.backup")).unwrap(), b"");
}

#[test]
fn a_backup_reads_the_database_file_variable() {
    let desk = Desk::with_acme();
    desk.write("database.url", b"sqlite:acme.db\n");
    let with = |line: &str, variables: &[(&str, &str)]| {
        let mut command = desk.command(line);
        command.envs(variables.iter().copied());
        command.output().unwrap()
    };
    let file = ("OPENAI_ADMIN_DATABASE_FILE", "database.url");
    let backed_up = with("admin backup acme.backup", &[file]);
    assert!(backed_up.status.success(), "{}", String::from_utf8_lossy(&backed_up.stderr));
    assert_eq!(desk.run("--local acme.backup dump").stdout, desk.run("--local acme.db dump").stdout);
    let refused = with("admin backup other.backup", &[file, ("OPENAI_ADMIN_LOCAL", "other.db")]);
    assert_eq!(refused.status.code(), Some(64), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(!desk.path().join("other.backup").exists());
}

#[test]
fn a_command_that_reads_changes_no_file() {
    let desk = Desk::with_acme();
    let file = desk.path().join("acme.db");
    let before = fs::read(&file).unwrap();
    let list =
        ["groups list", "groups get group_support", "users list", "audit-logs list", "dump", "admin verify"];
    for line in list {
        let read = desk.run(&format!("--local acme.db {line}"));
        assert_eq!(read.status, 0, "{line}: {}", read.stderr);
    }
    assert_eq!(same(&file, &before), "the same");
    let foreign = desk.path().join("foreign.db");
    fs::copy(&file, &foreign).unwrap();
    let mut bytes = fs::read(&foreign).unwrap();
    let at = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).position(|window| window == text);
    // Another application id, and another name of the schema table.
    bytes[68..72].copy_from_slice(b"none");
    while let Some(at) = at(&bytes, b"schema_migrations") {
        bytes[at..at + 17].copy_from_slice(b"schema_of_another");
    }
    desk.write("foreign.db", &bytes);
    for line in list {
        let refused = desk.run(&format!("--local foreign.db {line}"));
        assert_ne!(refused.status, 0, "{line}");
    }
    assert_eq!(same(&foreign, &bytes), "the same");
}

/// Large enough that a backup takes some time.
fn large(desk: &Desk) {
    let users: Vec<_> = (0..8_000)
        .map(|n| serde_json::json!({ "id": format!("user_{n}"), "email": format!("u{n}@example.com") }))
        .collect();
    let members: Vec<_> = (0..8_000).map(|n| format!("user_{n}")).collect();
    let groups: Vec<_> = (0..8)
        .map(|n| serde_json::json!({ "id": format!("group_{n}"), "name": format!("G{n}"), "members": members }))
        .collect();
    let file = serde_json::json!({ "users": users, "groups": groups }).to_string();
    let loaded = desk.run_with_input(&file, "--local large.db load - -q");
    assert_eq!(loaded.status, 0, "{}", loaded.stderr);
}

#[test]
fn a_killed_backup_leaves_the_previous_one_complete() {
    let desk = Desk::empty();
    large(&desk);
    assert_eq!(desk.run("--local large.db admin backup large.backup").status, 0);
    let backup = desk.path().join("large.backup");
    // A copy is in a folder with a random name until it is complete.
    let partial = || {
        let mut entries = fs::read_dir(desk.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.find(|folder| folder.extension().is_some_and(|end| end == "partial"))
    };
    let copied =
        || partial().map_or(0, |folder| fs::metadata(folder.join("database")).map_or(0, |file| file.len()));
    let before = fs::read(&backup).unwrap();
    assert_eq!(desk.run("--local large.db groups create Later").status, 0);
    for _ in 0..3 {
        let mut command = desk.command("--local large.db admin backup large.backup");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The copy has started once its file exists, and it is verified before it is renamed.
        while copied() < 1_000_000 && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it was killed before its end");
        assert_eq!(same(&backup, &before), "the same");
        assert!(partial().is_some());
    }
    assert_eq!(desk.run("--local large.db admin backup large.backup").status, 0);
    assert_eq!(partial(), None);
    assert_eq!(same(&backup, &before), "changed");
    assert_eq!(desk.run("--local large.backup admin verify").status, 0);
}

fn same(file: &Path, bytes: &[u8]) -> &'static str {
    if fs::read(file).expect("a file") == bytes { "the same" } else { "changed" }
}
