//! Faults of a SQLite file and its disk: the store reports each with advice, recovers without a restart once it is
//! over, and loses no acknowledged change. PostgreSQL's faults are part of the conformance suite.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]
#![allow(dead_code, unused_macros, unused_imports, reason = "this file uses only a part of the shared code")]

#[path = "conformance/schema.rs"]
mod schema;
#[path = "conformance/support.rs"]
mod support;
#[path = "conformance/tenant.rs"]
mod tenant;

use std::{
    error::Error as _,
    fs::{self, File, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use openai_admin_store::{DatabaseUrl, Error, Store};
use serde_json::{Value as Json, json};
use support::{Database, Engine, assert_refused, run, run_and_check, user_ids};
use tenant::{Part, Tenant, ids};

/// The number of users in an organization of these tests.
const USERS: usize = 200;

fn file_of(database: &Database) -> PathBuf {
    let DatabaseUrl::Sqlite(file) = &database.url else { panic!("it is SQLite") };
    file.clone()
}

/// A file beside another, such as its log.
fn beside(file: &Path, end: &str) -> PathBuf {
    format!("{}{end}", file.display()).into()
}

async fn acme(database: &Database) -> Tenant {
    database.acme(USERS, json!([{ "id": "group_1", "name": "One" }])).await
}

/// The error message for an operator.
fn cause(error: &Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// Expects a change that was not made and can be retried. Returns the cause.
#[track_caller]
fn unavailable<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::Unavailable(_)) => cause(&error),
        other => panic!("expected Unavailable, but got {other:?}"),
    }
}

// ---- Full disk ----

/// The folder of a test's child process, and the obstacle in it.
const FOLDER: &str = "OPENAI_ADMIN_FAULT_FOLDER";
const OBSTACLE: &str = "OPENAI_ADMIN_FAULT_OBSTACLE";

fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "parameters of the child process of a test")]
    std::env::var(name).ok()
}

/// Whether this user may create namespaces, in which they may mount.
fn may_unshare() -> bool {
    let tried =
        Command::new("unshare").args(["--map-root-user", "--mount", "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// Runs an ignored test of this program in a child process, after the shell commands `prepared`.
fn run_child(test: &str, obstacle: &str, folder: &Path, prefix: &[&str], prepare: &str) {
    let script = format!("{prepare} exec \"$0\" --exact {test} --ignored --nocapture");
    let mut words = prefix.iter().copied().chain(["sh", "-ec", &script]);
    let mut child = Command::new(words.next().unwrap());
    child.args(words).arg(std::env::current_exe().unwrap());
    let output = child.env(FOLDER, folder).env(OBSTACLE, obstacle).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn a_full_disk_rejects_changes_until_there_is_space_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        may_unshare(),
        "a small disk is mounted: run this where `unshare --map-root-user --mount` is allowed"
    );
    let mount = format!("mount -t tmpfs -o size=2m none \"${FOLDER}\";");
    let prefix = ["unshare", "--map-root-user", "--mount"];
    run_child("fills_the_disk", "small disk", folder.path(), &prefix, &mount);
}

#[test]
fn a_failing_disk_rejects_changes_until_it_recovers_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Beyond the limit a write fails with EFBIG, which SQLite reports as a broken disk.
    run_child("fills_the_disk", "limit", folder.path(), &[], "trap '' XFSZ;");
}

/// Fills the remaining space.
fn take_room(obstacle: &str, folder: &Path) {
    match obstacle {
        "small disk" => {
            let mut ballast = File::create(folder.join("ballast")).unwrap();
            while ballast.write_all(&[0; 4096]).is_ok() {}
        }
        _ => limit_file_size("65536"),
    }
}

fn give_room(obstacle: &str, folder: &Path) {
    match obstacle {
        "small disk" => fs::remove_file(folder.join("ballast")).unwrap(),
        _ => limit_file_size("unlimited"),
    }
}

fn limit_file_size(bytes: &str) {
    let process = std::process::id().to_string();
    let soft = format!("--fsize={bytes}:");
    assert!(Command::new("prlimit").args(["--pid", &process, &soft]).status().unwrap().success());
}

/// The tests of a full disk start it in a child process. It does nothing by itself.
#[test]
#[ignore = "a part of other tests, which start it in a separate process"]
fn fills_the_disk() {
    let (Some(folder), Some(obstacle)) = (environment(FOLDER), environment(OBSTACLE)) else { return };
    let folder = PathBuf::from(folder);
    run(Engine::Sqlite, async |database| {
        let url = DatabaseUrl::Sqlite(folder.join("full.db"));
        let database = Database { store: Store::open(&url).await.unwrap(), url, ..database };
        let acme = acme(&database).await;
        take_room(&obstacle, &folder);
        let mut acknowledged = Vec::new();
        let mut refused = None;
        // One page of the log may still fit; a hundred do not.
        for number in 0..100 * USERS {
            let user = format!("user_{}", number % USERS + 1);
            if number >= USERS {
                // Once all are members, they are removed and added again.
                match acme.remove("group_1", &user).await {
                    Ok(()) => acknowledged.retain(|other| *other != user),
                    Err(error) => refused = Some(error),
                }
            } else {
                match acme.add("group_1", &user).await {
                    Ok(_) => acknowledged.push(user),
                    Err(error) => refused = Some(error),
                }
            }
            if refused.is_some() {
                break;
            }
        }
        let said = unavailable(Err::<(), _>(refused.expect("there is no space")));
        let expected = if obstacle == "small disk" { "free disk space" } else { "reported an I/O error" };
        assert!(said.contains(expected), "{said}");
        acknowledged.sort_by_key(|user| user[5..].parse::<usize>().unwrap());
        for _ in 0..5 {
            unavailable(acme.create_group("Not done").await);
            assert_eq!(acme.member_ids("group_1").await, acknowledged, "reads still work");
        }

        give_room(&obstacle, &folder);
        let group = acme.create_group("Done").await.unwrap();
        acme.add(group.id.as_str(), "user_1").await.unwrap();
        assert_eq!(acme.member_ids("group_1").await, acknowledged);
        acme.store().close().await;
        let again = acme.opened_again().await;
        assert_eq!(again.member_ids("group_1").await, acknowledged);
        assert_eq!(again.member_ids(group.id.as_str()).await, ["user_1"]);
        assert_eq!(again.store().verify().await.unwrap(), Vec::<String>::new());
        again.store().close().await;
    });
}

// ---- Read-only file ----

#[test]
fn a_read_only_file_stays_read_only_until_it_is_reopened() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        acme.add("group_1", "user_1").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = whole_copy(&database, folder.path());
        let set_modes = |of_file, of_folder| {
            fs::set_permissions(&file, fs::Permissions::from_mode(of_file)).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(of_folder)).unwrap();
        };
        // In a namespace without root, because root may write to any file.
        let prefix: &[&str] = if may_unshare() { &["unshare", "--user"] } else { &[] };
        set_modes(0o400, 0o500);
        run_child("opens_a_read_only_file", "folder", folder.path(), prefix, "");
        set_modes(0o400, 0o700);
        run_child("opens_a_read_only_file", "file", folder.path(), prefix, "");
        set_modes(0o600, 0o700);
        let store = Store::open(&DatabaseUrl::Sqlite(file)).await.unwrap();
        let again = Tenant { database: Database { store, ..database.clone() }, ..acme };
        assert_eq!(again.member_ids("group_1").await, ["user_1"]);
        again.add("group_1", "user_2").await.unwrap();
        again.store().close().await;
    });
}

/// The test of a read-only file starts it in a child process. It does nothing by itself.
#[test]
#[ignore = "a part of another test, which starts it in a separate process"]
fn opens_a_read_only_file() {
    let (Some(folder), Some(obstacle)) = (environment(FOLDER), environment(OBSTACLE)) else { return };
    run_and_check(Engine::Sqlite, async |database| {
        let file = Path::new(&folder).join("copy.db");
        assert!(File::options().append(true).open(&file).is_err(), "run this as a user who is not root");
        let url = DatabaseUrl::Sqlite(file);
        let opened = Store::open(&url).await;
        if obstacle == "folder" {
            let said = unavailable(opened);
            assert!(said.contains("must be writable"), "{said}");
            return;
        }
        let store = opened.unwrap();
        let organization = store.organizations().await.unwrap().remove(0);
        let acme = Tenant { database: Database { store, url, ..database }, organization };
        assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
        let said = unavailable(acme.add("group_1", "user_2").await);
        assert!(said.contains("must be writable"), "{said}");
        assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
        acme.store().close().await;
    });
}

// ---- Missing or replaced file ----

#[test]
fn a_moved_file_is_not_written_until_it_is_back() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        let file = file_of(&database);
        for end in ["", "-wal"] {
            let (there, away) = (beside(&file, end), beside(&file, ".away"));
            acme.add("group_1", "user_1").await.unwrap();
            fs::rename(&there, &away).unwrap();
            let said = unavailable(acme.add("group_1", "user_2").await);
            assert!(said.contains(&there.display().to_string()) && said.contains("put it back"), "{said}");
            // Another file at its path is not accepted.
            fs::write(&there, "").unwrap();
            unavailable(acme.remove("group_1", "user_1").await);
            fs::rename(&away, &there).unwrap();
            acme.remove("group_1", "user_1").await.unwrap();
        }
        acme.add("group_1", "user_3").await.unwrap();
        assert_eq!(acme.opened_again().await.member_ids("group_1").await, ["user_3"]);
    });
}

#[test]
fn a_link_that_changes_its_target_is_detected() {
    run(Engine::Sqlite, async |database| {
        let file = file_of(&database);
        let link = file.with_file_name("link.db");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let linked = Store::open(&DatabaseUrl::Sqlite(link.clone())).await.unwrap();
        let acme = acme(&Database { store: linked, ..database.clone() }).await;
        acme.add("group_1", "user_1").await.unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(file.with_file_name("other.db"), &link).unwrap();
        let said = unavailable(acme.add("group_1", "user_2").await);
        assert!(said.contains("link.db was moved, deleted or replaced"), "{said}");
        acme.store().close().await;
    });
}

// ---- Damaged file ----

/// A copy of a database in another folder: a single file, as when no process has it open.
fn whole_copy(database: &Database, folder: &Path) -> PathBuf {
    let copy = folder.join("copy.db");
    database.execute("pragma wal_checkpoint(truncate)");
    fs::copy(file_of(database), &copy).unwrap();
    copy
}

/// Files of a database that was not closed, as after a power failure, and the number of each add in them.
async fn left_behind(database: &Database) -> (PathBuf, Vec<String>) {
    let acme = acme(database).await;
    for user in user_ids(20) {
        acme.add("group_1", &user).await.unwrap();
    }
    let file = file_of(database);
    let copy = file.with_file_name("left.db");
    for end in ["", "-wal"] {
        fs::copy(beside(&file, end), beside(&copy, end)).unwrap();
    }
    (copy, user_ids(20))
}

fn remove_all(file: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(file, end));
    }
}

/// Positions in a log, each with the bits to flip there: the same in each run.
fn places(length: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut state: u64 = 0x5eed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = (state >> 24) as u8;
        ((state >> 33) as usize % length, if bits == 0 { 1 } else { bits })
    })
}

#[test]
fn a_truncated_or_damaged_log_keeps_a_prefix_of_whole_changes() {
    run(Engine::Sqlite, async |database| {
        let (left, all) = left_behind(&database).await;
        let log = fs::read(beside(&left, "-wal")).unwrap();
        let whole = fs::read(&left).unwrap();
        let mut seen = Vec::new();
        // Evenly spaced, including the whole log and none of it, and then a hundred pseudorandom ones.
        let evenly = (0..=20).rev().map(|part| (log.len() * part / 20, 0xff));
        for (place, bits) in evenly.chain(places(log.len()).take(100)) {
            for damaged in [false, true] {
                let mut kept = log.clone();
                if damaged && place < log.len() {
                    kept[place] ^= bits;
                } else {
                    kept.truncate(place);
                }
                remove_all(&left);
                fs::write(&left, &whole).unwrap();
                fs::write(beside(&left, "-wal"), kept).unwrap();
                let url = DatabaseUrl::Sqlite(left.clone());
                let store = Store::open(&url).await.unwrap();
                assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "byte {place}, bits {bits}");
                if let [organization] = &store.organizations().await.unwrap()[..] {
                    let organization = organization.clone();
                    let database = Database { store: store.clone(), url, ..database.clone() };
                    let tenant = Tenant { database, organization };
                    if tenant.group("group_1").await.is_ok() {
                        let members = tenant.member_ids("group_1").await;
                        assert_eq!(members, all[..members.len()], "a prefix of the changes");
                        seen.push(members.len());
                    }
                }
                store.close().await;
            }
        }
        assert_eq!(seen.first(), Some(&20), "the whole log is read");
        assert!(seen.iter().any(|members| (1..20).contains(members)), "{seen:?}");
    });
}

#[test]
fn an_empty_file_is_a_new_database_unless_it_has_a_log() {
    run(Engine::Sqlite, async |database| {
        let (left, all) = left_behind(&database).await;
        let whole = fs::read(&left).unwrap();
        let url = DatabaseUrl::Sqlite(left.clone());
        fs::write(&left, "").unwrap();
        match Store::open(&url).await {
            Err(error @ Error::Internal(_)) => {
                assert!(cause(&error).contains("put the right file back"), "{}", cause(&error));
            }
            other => panic!("{other:?}"),
        }
        fs::write(&left, whole).unwrap();
        let store = Store::open(&url).await.unwrap();
        let organization = store.organizations().await.unwrap().remove(0);
        let again =
            Tenant { database: Database { store, url: url.clone(), ..database.clone() }, organization };
        assert_eq!(again.member_ids("group_1").await, all, "the log was not touched");
        again.store().close().await;

        remove_all(&left);
        fs::write(&left, "").unwrap();
        let store = Store::open(&url).await.unwrap();
        assert_eq!(store.organizations().await.unwrap(), []);
        store.close().await;
    });
}

#[test]
fn a_file_that_is_not_a_database_is_refused_and_unchanged() {
    run(Engine::Sqlite, async |database| {
        let file = file_of(&database).with_file_name("people.yaml");
        let text = "users:\n".repeat(1000);
        fs::write(&file, &text).unwrap();
        assert_refused!(Store::open(&DatabaseUrl::Sqlite(file.clone())).await, Error::Internal(_));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    });
}

#[test]
fn the_database_of_another_program_is_refused_and_unchanged() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        let file = file_of(&database).with_file_name("places.sqlite");
        let backup = file.with_file_name("acme.backup");
        Store::back_up(&database.url, &backup, |_| {}).await.unwrap();
        for table in ["create table notes (text)", "create table users (a)", "pragma application_id = 7"] {
            remove_all(&file);
            rusqlite::Connection::open(&file).unwrap().execute_batch(table).unwrap();
            let (before, url) = (fs::read(&file).unwrap(), DatabaseUrl::Sqlite(file.clone()));
            assert_refused!(Store::open(&url).await, Error::InvalidValue { ref field, .. } if field == "database");
            assert_refused!(Store::open_to_read(&url).await, Error::InvalidValue { .. });
            assert_refused!(Store::restore(&backup, &url, true, |_| {}).await, Error::InvalidValue { .. });
            assert_refused!(Store::back_up(&database.url, &file, |_| {}).await, Error::InvalidValue { .. });
            assert_eq!(fs::read(&file).unwrap(), before, "{table}");
            assert!(!beside(&file, "-wal").exists() && !beside(&file, "-shm").exists());
        }
        // A database of ours from before the application id is still ours.
        acme.store().close().await;
        database.execute("pragma application_id = 0");
        let again = acme.opened_again().await;
        again.store().close().await;
        assert_eq!(
            database.texts("select cast(application_id as text) from pragma_application_id"),
            ["1868653677"]
        );
    });
}

#[test]
fn reading_a_database_does_not_change_it() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        acme.store().close().await;
        let file = file_of(&database);
        let before = fs::read(&file).unwrap();
        // While another process writes, and holds the write lock.
        let writer = rusqlite::Connection::open(&file).unwrap();
        writer.execute_batch("begin immediate").unwrap();
        let store = Store::open_to_read(&database.url).await.unwrap();
        assert_eq!(store.census().await.unwrap().of("user"), Some(USERS as u64));
        let refused = store.open_organization(database.stamp(), "org-new".parse().ok()).await;
        assert!(refused.is_err());
        store.close().await;
        drop(writer);
        assert_eq!(fs::read(&file).unwrap(), before);

        database.go_back_to(3);
        match Store::open_to_read(&database.url).await {
            Err(Error::InvalidValue { expected, .. }) => {
                assert!(expected.contains("admin migrate"), "{expected}")
            }
            other => panic!("{other:?}"),
        }
        let version = Store::schema_version(&database.url).await.unwrap();
        assert_eq!((version.applied, version.newest), (3, 24));
    });
}

#[test]
fn a_backup_on_a_read_only_disk_is_verified_and_restored() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        acme.add("group_1", "user_1").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Store::back_up(&database.url, &folder.path().join("backup.db"), |_| {}).await.unwrap();
        // A database with a log, copied without closing it.
        whole_copy(&database, folder.path());
        let set_modes = |of_file, of_folder| {
            for file in ["backup.db", "copy.db"] {
                fs::set_permissions(folder.path().join(file), fs::Permissions::from_mode(of_file)).unwrap();
            }
            fs::set_permissions(&folder, fs::Permissions::from_mode(of_folder)).unwrap();
        };
        set_modes(0o400, 0o500);
        let prefix: &[&str] = if may_unshare() { &["unshare", "--user"] } else { &[] };
        run_child("reads_on_a_read_only_disk", "folder", folder.path(), prefix, "");
        set_modes(0o600, 0o700);
    });
}

#[test]
fn a_file_that_cannot_be_opened_is_refused_with_the_systems_reason() {
    run(Engine::Sqlite, async |database| {
        let file = file_of(&database).with_file_name("missing").join("test.db");
        let said = unavailable(Store::open(&DatabaseUrl::Sqlite(file.clone())).await);
        assert!(said.contains("No such file or directory (os error 2)"), "{said}");
        let said = unavailable(Store::open_to_read(&DatabaseUrl::Sqlite(file)).await);
        assert!(said.contains("(os error 2)"), "{said}");
    });
}

/// The previous test starts it in a child process. It does nothing by itself.
#[test]
#[ignore = "a part of another test, which starts it in a separate process"]
fn reads_on_a_read_only_disk() {
    let Some(folder) = environment(FOLDER) else { return };
    run_and_check(Engine::Sqlite, async |database| {
        for name in ["backup.db", "copy.db"] {
            let file = Path::new(&folder).join(name);
            assert!(File::options().append(true).open(&file).is_err(), "run this as a user who is not root");
            let url = DatabaseUrl::Sqlite(file.clone());
            let store = Store::open_to_read(&url).await.unwrap();
            assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
            assert_eq!(store.census().await.unwrap().of("membership"), Some(1));
            store.close().await;
            let target = DatabaseUrl::Sqlite(file_of(&database).with_file_name(name));
            Store::restore(&file, &target, false, |_| {}).await.unwrap();
            Store::back_up(&url, &file_of(&database).with_file_name(format!("{name}.backup")), |_| {})
                .await
                .unwrap();
            let said = unavailable(Store::open(&url).await);
            assert!(said.contains("must be writable"), "{said}");
        }
    });
}

#[test]
fn a_damaged_file_never_returns_wrong_data() {
    run_and_check(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        for user in user_ids(20) {
            acme.add("group_1", &user).await.unwrap();
        }
        let expected = acme.dump().await;
        let folder = tempfile::tempdir().unwrap();
        let file = whole_copy(&database, folder.path());
        let url = DatabaseUrl::Sqlite(file.clone());
        let backup = fs::read(&file).unwrap();

        // Everything except the first page, which contains the type of the file and the start of each table.
        let mut damaged = OpenOptions::new().write(true).open(&file).unwrap();
        damaged.seek(SeekFrom::Start(4096)).unwrap();
        damaged.write_all(&vec![0xa5; backup.len() - 4096]).unwrap();
        drop(damaged);
        match Store::open(&url).await {
            Err(error @ Error::Internal(_)) => {
                assert!(cause(&error).contains("restore a backup"), "{}", cause(&error));
            }
            other => panic!("{other:?}"),
        }

        // Each page in turn: every answer is correct, or an error.
        let mut refused = 0;
        for page in 1..backup.len() / 4096 {
            let mut bytes = backup.clone();
            bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
            remove_all(&file);
            fs::write(&file, bytes).unwrap();
            match Store::open(&url).await {
                Err(Error::Internal(_)) => refused += 1,
                Err(other) => panic!("{other:?}"),
                Ok(store) => {
                    let acme = Tenant { database: Database { store, ..database.clone() }, ..acme.clone() };
                    match acme.store().dump(acme.organization.clone()).await {
                        Ok(dump) => assert_eq!(serde_json::to_value(dump).unwrap(), expected),
                        Err(Error::Internal(_)) => refused += 1,
                        Err(other) => panic!("{other:?}"),
                    }
                    // Damage in an index is only found by the full check.
                    let found = acme.store().verify().await;
                    assert!(!matches!(&found, Ok(problems) if problems.is_empty()), "page {page}: {found:?}");
                    acme.store().close().await;
                }
            }
        }
        assert!(refused > 5, "{refused}");

        remove_all(&file);
        fs::write(&file, &backup).unwrap();
        let store = Store::open(&url).await.unwrap();
        let again = Tenant { database: Database { store, ..database.clone() }, ..acme };
        assert_eq!(again.dump().await, expected);
        again.store().close().await;
    });
}
