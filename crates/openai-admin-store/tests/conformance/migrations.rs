use openai_admin_store::{DatabaseUrl, Error, Store};
use serde_json::json;

use crate::support::{Database, assert_refused, conformance};

conformance! {
    opening_twice_changes_nothing,
    a_new_database_may_be_opened_many_times_at_once,
    a_database_of_a_newer_version_is_refused,
    a_missing_database_is_unavailable,
}

async fn opening_twice_changes_nothing(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
    let before = (acme.dump().await, database.events());
    let again = acme.opened_again().await;
    assert_eq!((again.dump().await, database.events()), before);
    again.store().close().await;
    assert_eq!(acme.dump().await, before.0, "the first still works");
}

async fn a_new_database_may_be_opened_many_times_at_once(database: Database) {
    // As if it had never been opened.
    let url = match &database.url {
        DatabaseUrl::Sqlite(file) => DatabaseUrl::Sqlite(file.with_file_name("new.db")),
        DatabaseUrl::Postgres(_) => {
            for table in
                database.texts("select tablename::text from pg_tables where schemaname = current_schema")
            {
                database.execute(&format!("drop table {table}"));
            }
            database.url.clone()
        }
    };
    let opened = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { Store::open(&url).await })
    });
    let stores = futures_util::future::join_all(opened).await;
    let stores: Vec<Store> = stores.into_iter().map(|store| store.unwrap().unwrap()).collect();
    let new = Database { store: stores[0].clone(), url, ..database.clone() };
    let acme = new.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    for store in &stores {
        let tenant = crate::tenant::Tenant {
            database: Database { store: store.clone(), ..new.clone() },
            organization: acme.organization.clone(),
        };
        tenant.add("group_1", "user_1").await.unwrap();
        assert_eq!(tenant.member_ids("group_1").await, ["user_1"]);
    }
    for store in stores {
        store.close().await;
    }
    assert_eq!(new.problems().await, Vec::<String>::new());
}

async fn a_database_of_a_newer_version_is_refused(database: Database) {
    database.execute("insert into schema_migrations (version, applied_by) values (1000000, 'tomorrow')");
    assert_refused!(
        Store::open(&database.url).await,
        Error::InvalidValue { field, expected } if field == "database" && expected.contains("1000000")
    );
    database.execute("delete from schema_migrations where version = 1000000");
}

async fn a_missing_database_is_unavailable(database: Database) {
    let url = match &database.url {
        DatabaseUrl::Sqlite(file) => DatabaseUrl::Sqlite(file.join("no-directory/test.db")),
        // No server listens on the discard port.
        DatabaseUrl::Postgres(_) => DatabaseUrl::Postgres("postgres://nobody@127.0.0.1:9/none".to_owned()),
    };
    assert_refused!(Store::open(&url).await, Error::Unavailable(_));
}

#[test]
#[cfg(unix)]
fn a_new_sqlite_file_is_only_readable_by_its_owner() {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    crate::support::run(crate::support::Engine::Sqlite, async |database| {
        database.acme(1, json!([])).await;
        let DatabaseUrl::Sqlite(file) = &database.url else { panic!("it is SQLite") };
        let mode = |end: &str| {
            let file = format!("{}{end}", file.display());
            fs::metadata(file).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(["", "-wal", "-shm"].map(mode), [0o600; 3]);
        fs::set_permissions(file, fs::Permissions::from_mode(0o640)).unwrap();
        database.opened_again().await.store.close().await;
        assert_eq!(mode(""), 0o640, "its owner may change that");
    });
}
