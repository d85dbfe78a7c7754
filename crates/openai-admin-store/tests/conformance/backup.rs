//! Backups, from either engine into either, made during writes.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use openai_admin_store::{DatabaseUrl, Error, Store};
use serde_json::json;

use crate::{
    api_keys, certificates, external_keys, invites, project_groups, project_users, projects, rate_limits,
    roles, service_accounts, settings, spend_alerts,
    support::{Database, assert_refused, conformance, user_ids},
    tenant::Tenant,
};

conformance! {
    a_backup_holds_everything_and_restores_into_either_engine,
    a_backup_under_writes_is_a_snapshot,
    concurrent_backups_always_leave_a_complete_one,
    a_nonempty_database_is_only_overwritten_if_allowed,
    a_file_that_is_not_a_backup_is_neither_replaced_nor_restored,
    an_invalid_backup_is_neither_made_nor_restored,
    a_backup_of_an_earlier_version_is_migrated,
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A database with rows in every table, and tombstones.
async fn lived_in(database: &Database) -> Tenant {
    let groups = json!([
        { "id": "group_1", "name": "One \t\\N\r\n «ü» 🚨", "members": ["user_1", "user_2"] },
        { "id": "group_2", "name": "Two", "members": ["user_2"] },
        { "id": "group_3", "name": "Three" },
    ]);
    let acme = database.acme(4, groups).await;
    database
        .tenant("org-other", 2, json!([{ "id": "group_1", "name": "Its own", "members": ["user_2"] }]))
        .await;
    let certificate = certificates::upload(&acme, "Gateway").await;
    certificates::activate(&acme, "proj_default_org-acme", &[&certificate]).await.unwrap();
    invites::invite(&acme, "new@example.org").await.unwrap();
    settings::limit_spend(&acme, 5).await;
    spend_alerts::create(&acme, 5).await;
    external_keys::create(&acme, "Key").await;
    let limits = json!({ "max_requests_per_1_minute": 7 });
    rate_limits::update(&acme, "proj_default_org-acme", "rl-o3", limits).await.unwrap();
    let project = projects::create(&acme, "Search").await.id;
    service_accounts::create(&acme, &project, "Nightly").await.unwrap();
    project_users::add(&acme, project.as_str(), "user_1").await.unwrap();
    project_groups::add(&acme, project.as_str(), "group_1").await.unwrap();
    let role = roles::create(&acme, "Support").await.unwrap().id;
    roles::assign_group(&acme, "group_1", role.as_str()).await.unwrap();
    api_keys::create(&acme, api_keys::key('a')).await.unwrap();
    acme.delete_user("user_4").await.unwrap();
    acme.delete_group("group_3").await.unwrap();
    acme
}

/// Everything that can be read from a database.
async fn everything(store: &Store) -> String {
    let mut all = String::new();
    for organization in store.organizations().await.unwrap() {
        all += &serde_json::to_string(&store.dump(organization).await.unwrap()).unwrap();
    }
    format!("{all} {:?} {:?}", store.census().await.unwrap(), store.verify().await.unwrap())
}

async fn back_up(database: &Database, file: &Path) {
    Store::back_up(&database.url, file, |_| {}).await.unwrap();
}

async fn a_backup_holds_everything_and_restores_into_either_engine(database: Database) {
    let acme = lived_in(&database).await;
    let before = everything(acme.store()).await;
    let (folder, progress) = (folder(), Arc::new(std::sync::Mutex::new(None)));
    let (file, last) = (folder.path().join("acme.backup"), Arc::clone(&progress));
    let report = move |now| *last.lock().unwrap() = Some(now);
    let counted = Store::back_up(&database.url, &file, report).await.unwrap();
    assert_eq!(counted, acme.store().census().await.unwrap());
    for (name, number) in counted.counts() {
        assert!(*number > 0, "the backup has no {name}: add one to `lived_in`");
    }
    assert_eq!(
        ["organization", "user", "group", "membership"].map(|name| counted.of(name).unwrap()),
        [2, 6, 3, 4]
    );
    let last = progress.lock().unwrap().unwrap();
    assert!(last.done == last.total && last.total > 0, "{last:?}");
    assert!(!folder.path().join("acme.backup.partial").exists());

    // Into a new SQLite file.
    let copy = DatabaseUrl::Sqlite(folder.path().join("copy.db"));
    Store::restore(&file, &copy, false, |_| {}).await.unwrap();
    let restored = Store::open(&copy).await.unwrap();
    assert_eq!(everything(&restored).await, before);
    restored.close().await;

    // And over the original database, after it has changed.
    acme.create_group("Later").await.unwrap();
    acme.store().close().await;
    Store::restore(&file, &database.url, true, |_| {}).await.unwrap();
    let again = database.opened_again().await;
    assert_eq!(everything(&again.store).await, before);
    assert_eq!(Some(again.events().len() as u64), counted.of("audit event"));
    // It continues from the same numbers: no assigned number is reused.
    let tenant = Tenant { database: again.clone(), organization: acme.organization.clone() };
    tenant.create_group("Next").await.unwrap();
    assert_eq!(again.problems().await, Vec::<String>::new());
    again.store.close().await;
}

async fn concurrent_backups_always_leave_a_complete_one(database: Database) {
    const ROUNDS: usize = 8;
    let acme = lived_in(&database).await;
    let folder = folder();
    let file = folder.path().join("acme.backup");
    back_up(&database, &file).await;
    let backups = (0..4).map(|_| {
        let (url, file) = (database.url.clone(), file.clone());
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                match Store::back_up(&url, &file, |_| {}).await {
                    // Another backup is running.
                    Ok(_) | Err(Error::InvalidValue { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
    });
    let backups: Vec<_> = backups.collect();
    let copy = DatabaseUrl::Sqlite(folder.path().join("copy.db"));
    for _ in 0..ROUNDS {
        let counted = Store::restore(&file, &copy, true, |_| {}).await.unwrap();
        assert_eq!(counted, acme.store().census().await.unwrap());
    }
    for backup in backups {
        backup.await.unwrap();
    }
    let header = std::fs::read(&file).unwrap();
    assert_eq!(header[18..20], [1, 1], "it has no log, so it can be read on a read-only disk");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["acme.backup", "copy.db"], "no temporary file is left");
}

async fn a_backup_under_writes_is_a_snapshot(database: Database) {
    let people = 400;
    let acme = database.acme(people, json!([{ "id": "group_1", "name": "One" }])).await;
    let (folder, stop) = (folder(), Arc::new(AtomicBool::new(false)));
    let writer = {
        let (acme, stop) = (acme.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for user in user_ids(people) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                acme.add("group_1", &user).await.unwrap();
                acknowledged.push(user);
            }
            acknowledged
        })
    };
    let mut files: Vec<(PathBuf, usize)> = Vec::new();
    for number in 0..3 {
        let before = acme.member_ids("group_1").await.len();
        let file = folder.path().join(format!("{number}.backup"));
        back_up(&database, &file).await;
        files.push((file, before));
    }
    stop.store(true, Ordering::Relaxed);
    let acknowledged = writer.await.unwrap();
    for (file, before) in files {
        let store = Store::open(&DatabaseUrl::Sqlite(file)).await.unwrap();
        // Verified: each membership has its event and no reference is dangling.
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
        let kept = store.census().await.unwrap().of("membership").unwrap() as usize;
        assert!(before <= kept && kept <= acknowledged.len(), "{before} {kept} {}", acknowledged.len());
        store.close().await;
    }
}

async fn a_nonempty_database_is_only_overwritten_if_allowed(database: Database) {
    let acme = lived_in(&database).await;
    let folder = folder();
    let file = folder.path().join("acme.backup");
    back_up(&database, &file).await;
    acme.create_group("Later").await.unwrap();
    acme.store().close().await;
    assert_refused!(Store::restore(&file, &database.url, false, |_| {}).await, Error::InvalidValue { .. });
    let later = "select name from groups where name = 'Later'";
    assert_eq!(database.texts(later).len(), 1);
    Store::restore(&file, &database.url, true, |_| {}).await.unwrap();
    assert_eq!(database.texts(later).len(), 0);
}

async fn a_file_that_is_not_a_backup_is_neither_replaced_nor_restored(database: Database) {
    let acme = lived_in(&database).await;
    let folder = folder();
    let thesis = folder.path().join("thesis.txt");
    std::fs::write(&thesis, "not to be lost").unwrap();
    assert_refused!(Store::back_up(&database.url, &thesis, |_| {}).await, Error::InvalidValue { .. });
    assert_refused!(Store::restore(&thesis, &database.url, true, |_| {}).await, Error::InvalidValue { .. });
    assert_eq!(std::fs::read_to_string(&thesis).unwrap(), "not to be lost");

    // Another database that is in use.
    let used = DatabaseUrl::Sqlite(folder.path().join("used.db"));
    let store = Store::open(&used).await.unwrap();
    let file = folder.path().join("used.db");
    assert_refused!(Store::back_up(&database.url, &file, |_| {}).await, Error::InvalidValue { .. });
    let backup = folder.path().join("acme.backup");
    back_up(&database, &backup).await;
    assert_refused!(Store::restore(&backup, &used, true, |_| {}).await, Error::InvalidValue { .. });
    store.close().await;
    Store::restore(&backup, &used, true, |_| {}).await.unwrap();
    assert_eq!(acme.store().verify().await.unwrap(), Vec::<String>::new());
    for left in std::fs::read_dir(folder.path()).unwrap() {
        let name = left.unwrap().file_name().into_string().unwrap();
        assert!(!name.ends_with(".partial") && !name.ends_with("-wal"), "{name}");
    }
}

async fn an_invalid_backup_is_neither_made_nor_restored(database: Database) {
    let acme = lived_in(&database).await;
    let folder = folder();
    let (good, bad) = (folder.path().join("good.backup"), folder.path().join("bad.backup"));
    back_up(&database, &good).await;
    std::fs::copy(&good, &bad).unwrap();
    // A member without an event in the audit log.
    let damage = "delete from audit_events where event = 'group.user.added'";
    rusqlite::Connection::open(&bad).unwrap().execute_batch(damage).unwrap();
    assert_refused!(Store::restore(&bad, &database.url, true, |_| {}).await, Error::InvalidValue { .. });
    assert_eq!(acme.store().verify().await.unwrap(), Vec::<String>::new());

    let kept = std::fs::read(&good).unwrap();
    database.execute(damage);
    assert_refused!(Store::back_up(&database.url, &good, |_| {}).await, Error::InvalidValue { .. });
    assert_eq!(std::fs::read(&good).unwrap(), kept, "the old backup is unchanged");
    let copy = DatabaseUrl::Sqlite(folder.path().join("copy.db"));
    Store::restore(&good, &copy, false, |_| {}).await.unwrap();
    // Repaired, because every case ends with a valid database.
    acme.store().close().await;
    Store::restore(&good, &database.url, true, |_| {}).await.unwrap();
}

async fn a_backup_of_an_earlier_version_is_migrated(database: Database) {
    let folder = folder();
    let file = folder.path().join("acme.backup");
    let earlier = rusqlite::Connection::open(&file).unwrap();
    earlier.execute_batch(include_str!("../../migrations/V1__organizations_groups_users.sql")).unwrap();
    let rows =
        "create table schema_migrations (version bigint not null primary key, applied_by text not null);
                insert into schema_migrations values (1, '0.1.0');
                insert into organizations (org, id, title, created_at) values (1, 'org-acme', 'Acme', 0);
                insert into audit_events (org, change, item, recorded_at, actor, event)
                values (1, '01', 0, 0, 'test', 'organization.created')";
    earlier.execute_batch(rows).unwrap();
    earlier.close().unwrap();
    let kept = std::fs::read(&file).unwrap();
    database.store.close().await;
    Store::restore(&file, &database.url, true, |_| {}).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), kept, "the backup is unchanged");
    let version = Store::schema_version(&database.url).await.unwrap();
    assert_eq!(version.applied, version.newest);
    let again = database.opened_again().await;
    assert_eq!(again.store.organizations().await.unwrap()[0].id, "org-acme");
    again.store.close().await;

    let later = "insert into schema_migrations (version, applied_by) values (9999, 'later')";
    rusqlite::Connection::open(&file).unwrap().execute_batch(later).unwrap();
    let copy = DatabaseUrl::Sqlite(folder.path().join("copy.db"));
    assert_refused!(Store::restore(&file, &copy, false, |_| {}).await, Error::InvalidValue { .. });
}
