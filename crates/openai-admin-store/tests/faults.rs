//! What a SQLite file and the disk beneath it can do to a store: each fault is refused with what to do about it, the
//! store goes on by itself when it is over, and nothing that was acknowledged is lost. PostgreSQL's faults are part of
//! the conformance suite.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]
#![allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "what is shared with the suite is more than is used here"
)]

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

/// How many users an organization of these tests has.
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

/// What an operator reads of an error.
fn cause(error: &Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// A change that was not made, and may be made again: with the cause.
#[track_caller]
fn unavailable<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::Unavailable(_)) => cause(&error),
        other => panic!("expected Unavailable, but got {other:?}"),
    }
}

// ---- A disk that is full ----

/// The folder that the child of a test works in, and what stands in its way there.
const FOLDER: &str = "OPENAI_ADMIN_FAULT_FOLDER";
const OBSTACLE: &str = "OPENAI_ADMIN_FAULT_OBSTACLE";

fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how the child of a test is told what to do")]
    std::env::var(name).ok()
}

/// Whether this user may have namespaces of their own, in which they may mount.
fn may_unshare() -> bool {
    let tried =
        Command::new("unshare").args(["--map-root-user", "--mount", "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// Runs an ignored test of this program in a process of its own, after `prepared` as a shell has done it.
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
fn a_full_disk_refuses_changes_until_there_is_room_and_loses_nothing() {
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
fn a_disk_that_fails_to_write_refuses_changes_until_it_does_not_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Beyond the limit a write fails with EFBIG, which SQLite takes for a disk that is broken.
    run_child("fills_the_disk", "limit", folder.path(), &[], "trap '' XFSZ;");
}

/// Takes away the room for more.
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

/// What the tests of a full disk start; by itself it has nothing to do.
#[test]
#[ignore = "a part of other tests, which start it in a process of its own"]
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
        // A page of the log may still have had room; a hundred have not.
        for number in 0..100 * USERS {
            let user = format!("user_{}", number % USERS + 1);
            if number >= USERS {
                // Once they are all in, they come and go.
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
        let said = unavailable(Err::<(), _>(refused.expect("there is no room")));
        let expected =
            if obstacle == "small disk" { "make room" } else { "the disk does not do what it should" };
        assert!(said.contains(expected), "{said}");
        acknowledged.sort_by_key(|user| user[5..].parse::<usize>().unwrap());
        for _ in 0..5 {
            unavailable(acme.create_group("Not done").await);
            assert_eq!(acme.member_ids("group_1").await, acknowledged, "reads go on");
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

// ---- A file that may not be written ----

#[test]
fn a_file_that_may_not_be_written_is_only_read_until_it_is_opened_again() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        acme.add("group_1", "user_1").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = whole_copy(&database, folder.path());
        let set_modes = |of_file, of_folder| {
            fs::set_permissions(&file, fs::Permissions::from_mode(of_file)).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(of_folder)).unwrap();
        };
        // In a namespace in which nobody is root, since root may write what nobody may.
        let prefix: &[&str] = if may_unshare() { &["unshare", "--user"] } else { &[] };
        set_modes(0o400, 0o500);
        run_child("finds_a_file_that_may_not_be_written", "folder", folder.path(), prefix, "");
        set_modes(0o400, 0o700);
        run_child("finds_a_file_that_may_not_be_written", "file", folder.path(), prefix, "");
        set_modes(0o600, 0o700);
        let store = Store::open(&DatabaseUrl::Sqlite(file)).await.unwrap();
        let again = Tenant { database: Database { store, ..database.clone() }, ..acme };
        assert_eq!(again.member_ids("group_1").await, ["user_1"]);
        again.add("group_1", "user_2").await.unwrap();
        again.store().close().await;
    });
}

/// What the test of a read-only file starts; by itself it has nothing to do.
#[test]
#[ignore = "a part of another test, which starts it in a process of its own"]
fn finds_a_file_that_may_not_be_written() {
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

// ---- A file that is gone, or another ----

#[test]
fn a_file_that_was_moved_away_is_not_written_until_it_is_back() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        let file = file_of(&database);
        for end in ["", "-wal"] {
            let (there, away) = (beside(&file, end), beside(&file, ".away"));
            acme.add("group_1", "user_1").await.unwrap();
            fs::rename(&there, &away).unwrap();
            let said = unavailable(acme.add("group_1", "user_2").await);
            assert!(said.contains(&there.display().to_string()) && said.contains("put it back"), "{said}");
            // Another file in its place is not it.
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
fn a_link_to_a_file_that_is_moved_to_another_is_noticed() {
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

// ---- A file that is damaged ----

/// A copy of a database in another folder: all of it in one file, as it is when nobody has it open.
fn whole_copy(database: &Database, folder: &Path) -> PathBuf {
    let copy = folder.join("copy.db");
    database.execute("pragma wal_checkpoint(truncate)");
    fs::copy(file_of(database), &copy).unwrap();
    copy
}

/// Files of a database that was not closed: what a loss of power leaves behind. The number of each add that they hold.
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

/// Places in a log, each with the bits to turn over there: the same in each run.
fn places(length: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut state: u64 = 0x5eed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = (state >> 24) as u8;
        ((state >> 33) as usize % length, if bits == 0 { 1 } else { bits })
    })
}

#[test]
fn a_log_that_is_cut_off_or_damaged_anywhere_leaves_whole_changes_in_their_order() {
    run(Engine::Sqlite, async |database| {
        let (left, all) = left_behind(&database).await;
        let log = fs::read(beside(&left, "-wal")).unwrap();
        let whole = fs::read(&left).unwrap();
        let mut seen = Vec::new();
        // Evenly, so that the whole log and none of it are among them, and then a hundred anywhere.
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
                        assert_eq!(members, all[..members.len()], "a beginning of what was done");
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
fn an_empty_file_is_a_new_database_unless_a_log_says_that_it_was_one() {
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
fn what_is_no_database_is_refused_and_left_as_it_is() {
    run(Engine::Sqlite, async |database| {
        let file = file_of(&database).with_file_name("people.yaml");
        let text = "users:\n".repeat(1000);
        fs::write(&file, &text).unwrap();
        assert_refused!(Store::open(&DatabaseUrl::Sqlite(file.clone())).await, Error::Internal(_));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    });
}

#[test]
fn another_programs_database_is_refused_untouched() {
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
        // One of ours from before the id was noted is still ours.
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
fn reading_a_database_changes_nothing_of_it() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        acme.store().close().await;
        let file = file_of(&database);
        let before = fs::read(&file).unwrap();
        // While another process writes, and so holds the lock of the writers.
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
        assert_eq!((version.applied, version.newest), (3, 14));
    });
}

#[test]
fn a_backup_is_verified_and_restored_from_where_nothing_can_be_written() {
    run(Engine::Sqlite, async |database| {
        let acme = acme(&database).await;
        acme.add("group_1", "user_1").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Store::back_up(&database.url, &folder.path().join("backup.db"), |_| {}).await.unwrap();
        // A database with a log, copied as it is.
        whole_copy(&database, folder.path());
        let set_modes = |of_file, of_folder| {
            for file in ["backup.db", "copy.db"] {
                fs::set_permissions(folder.path().join(file), fs::Permissions::from_mode(of_file)).unwrap();
            }
            fs::set_permissions(&folder, fs::Permissions::from_mode(of_folder)).unwrap();
        };
        set_modes(0o400, 0o500);
        let prefix: &[&str] = if may_unshare() { &["unshare", "--user"] } else { &[] };
        run_child("reads_where_nothing_can_be_written", "folder", folder.path(), prefix, "");
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

/// What the test before starts; by itself it has nothing to do.
#[test]
#[ignore = "a part of another test, which starts it in a process of its own"]
fn reads_where_nothing_can_be_written() {
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
fn a_damaged_file_is_never_answered_from_and_a_backup_of_it_is() {
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

        // Everything but the first page, which says what kind of file it is and where each table begins.
        let mut damaged = OpenOptions::new().write(true).open(&file).unwrap();
        damaged.seek(SeekFrom::Start(4096)).unwrap();
        damaged.write_all(&vec![0xa5; backup.len() - 4096]).unwrap();
        drop(damaged);
        match Store::open(&url).await {
            Err(error @ Error::Internal(_)) => {
                assert!(cause(&error).contains("put a backup in its place"), "{}", cause(&error));
            }
            other => panic!("{other:?}"),
        }

        // Each page in turn: what can be answered is right, and the rest is an error.
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
                    // Where the damage is in an index, only the check of everything finds it.
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
