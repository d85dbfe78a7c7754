use std::collections::HashSet;

use openai_admin::{
    AuditLogEventType, GroupId, ListItem as _, Timestamp, models::AuditLog, operations::AddGroupUser,
};
use openai_admin_store::{Error, NewApiKey, Stamp};
use serde_json::{Value as Json, json};
use ulid::Ulid;

use crate::{
    console_sessions, invites, project_roles,
    support::{Database, Engine, NOW, assert_refused, conformance, run},
    tenant::ids,
};

conformance! {
    every_change_is_listed_newest_first_with_its_detail,
    pages_follow_each_other_while_events_are_added,
    reading_newer_events_misses_none,
    a_reader_beside_many_writers_misses_no_event,
    events_are_found_by_type_actor_resource_and_time,
    a_filter_with_few_matches_can_be_paged_to_the_end,
    filters_on_unused_fields_match_nothing,
    events_of_the_default_project_are_found_by_its_id,
    the_address_of_a_deleted_user_is_not_in_the_log,
    the_id_of_an_unknown_or_foreign_event_is_not_a_cursor,
    each_organization_has_its_own_log,
    events_of_the_first_version_are_kept_in_order,
    sign_ins_and_sign_outs_are_events,
}

/// Type, actor and detail of events, as in the JSON.
fn shown(logs: &[AuditLog]) -> Vec<Json> {
    let shown = |log: &AuditLog| {
        let log = serde_json::to_value(log).unwrap();
        let r#type = log["type"].as_str().unwrap().to_owned();
        json!([r#type, log[&r#type]])
    };
    logs.iter().map(shown).collect()
}

async fn every_change_is_listed_newest_first_with_its_detail(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    // Another owner, so that the first can be deleted.
    acme.load(json!({ "users": [{ "id": "user_2", "role": "owner" }] })).await.unwrap();
    acme.add("group_1", "user_1").await.unwrap();
    acme.rename_group("group_1", "Uno").await.unwrap();
    acme.modify_user("user_1", json!({ "role": "owner" })).await.unwrap();
    acme.modify_user("user_1", json!({ "technical_level": "expert" })).await.unwrap();
    let key = NewApiKey {
        hash: "hash".to_owned(),
        redacted: "…".to_owned(),
        name: "Key".to_owned(),
        scopes: vec!["api.groups.read".to_owned()],
        expires_at: None,
    };
    let next = NewApiKey { hash: "next".to_owned(), ..key.clone() };
    let key = acme.store().create_api_key(acme.org(), database.stamp(), key).await.unwrap().id;
    let until = Timestamp::from_unix_seconds(i64::try_from(NOW).unwrap() + 60);
    let rotated = acme.store().rotate_api_key(acme.org(), database.stamp(), key.clone(), next, until).await;
    let next = rotated.unwrap().new.id;
    acme.store().revoke_api_key(acme.org(), database.stamp(), key.clone()).await.unwrap();
    acme.delete_group("group_1").await.unwrap();
    acme.delete_user("user_1").await.unwrap();

    let page = acme.logs(json!({})).await.unwrap();
    assert!(!page.has_more);
    let membership = json!({ "group_id": "group_1", "user_id": "user_1" });
    assert_eq!(
        shown(&page.data),
        [
            json!(["user.deleted", { "id": "user_1" }]),
            json!(["group.deleted", { "id": "group_1" }]),
            json!(["group.user.removed", membership]),
            json!(["api_key.deleted", { "id": key }]),
            json!(["api_key.updated", { "id": key }]),
            json!(["api_key.created", { "id": next, "data": { "scopes": ["api.groups.read"] } }]),
            json!(["api_key.created", { "id": key, "data": { "scopes": ["api.groups.read"] } }]),
            json!(["user.updated", { "id": "user_1", "changes_requested": {} }]),
            json!(["user.updated", { "id": "user_1", "changes_requested": { "role": "owner" } }]),
            json!(["group.updated", { "id": "group_1", "changes_requested": { "group_name": "Uno" } }]),
            json!(["group.user.added", membership]),
            json!(["user.added", { "id": "user_2", "data": { "role": "owner" } }]),
            json!(["group.created", { "id": "group_1", "data": { "group_name": "One" } }]),
            json!(["user.added", { "id": "user_1", "data": { "role": "reader" } }]),
            json!(["organization.created", { "id": "org-acme", "data": { "title": "" } }]),
        ]
    );
    for log in &page.data {
        assert_eq!(log.effective_at.unix_seconds(), i64::try_from(NOW).unwrap());
        assert_eq!(log.actor.as_ref().unwrap().id(), Some("test"));
        assert!(AuditLogEventType::RECORDED.contains(&log.r#type));
    }
    let distinct: HashSet<&str> = ids(&page).into_iter().collect();
    assert_eq!(distinct.len(), page.data.len());
}

async fn pages_follow_each_other_while_events_are_added(database: Database) {
    let acme = database.acme(20, json!([{ "id": "group_1", "name": "One" }])).await;
    let all = acme.logs(json!({ "limit": 100 })).await.unwrap();
    assert_eq!(all.data.len(), 22);
    let mut read: Vec<String> = Vec::new();
    let mut after = None;
    loop {
        let page = acme.logs(json!({ "limit": 5, "after": after })).await.unwrap();
        assert_eq!(page.first_id.as_ref().unwrap().as_str(), page.data[0].id());
        read.extend(ids(&page).into_iter().map(str::to_owned));
        acme.create_group("New").await.unwrap();
        if !page.has_more {
            break;
        }
        after = page.last_id;
    }
    assert_eq!(read, ids(&all));
}

async fn reading_newer_events_misses_none(database: Database) {
    let acme = database.acme(3, json!([{ "id": "group_1", "name": "One" }])).await;
    let mut last = acme.logs(json!({ "limit": 1 })).await.unwrap().first_id;
    let nothing = acme.logs(json!({ "before": last })).await.unwrap();
    assert_eq!((nothing.data.len(), nothing.has_more, nothing.first_id), (0, false, None));

    // With times that run backwards: the clock of another server may be slow.
    for (number, seconds) in [30, 20, 10].into_iter().enumerate() {
        let stamp = Stamp::new(Ulid::from_parts((NOW - seconds) * 1000, number as u128), "test");
        let request = AddGroupUser::new(
            GroupId::new("group_1").unwrap(),
            format!("user_{}", number + 1).parse().unwrap(),
        );
        acme.store().add_group_user(acme.org(), stamp, request).await.unwrap();
    }
    let mut followed = Vec::new();
    loop {
        // A page continues forward, and within it the newest event comes first.
        let page = acme.logs(json!({ "before": last, "limit": 2 })).await.unwrap();
        followed.extend(page.data.iter().rev().map(user_of));
        last = page.first_id.or(last);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(followed, ["user_1", "user_2", "user_3"]);
}

fn user_of(log: &AuditLog) -> String {
    log.detail.as_ref().unwrap().user_id.as_ref().unwrap().to_string()
}

async fn a_reader_beside_many_writers_misses_no_event(database: Database) {
    const WRITERS: usize = 8;
    const CHANGES: usize = 15;
    let groups: Vec<Json> =
        (0..WRITERS).map(|number| json!({ "id": format!("group_{number}"), "name": "G" })).collect();
    let acme = database.acme(CHANGES, groups.into()).await;
    let writers = (0..WRITERS).map(|writer| {
        let acme = acme.clone();
        tokio::spawn(async move {
            for number in 1..=CHANGES {
                acme.add(&format!("group_{writer}"), &format!("user_{number}")).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut last = acme.logs(json!({ "after": null, "limit": 1 })).await.unwrap().first_id;
    let newest_before = last.clone();
    let mut followed: Vec<String> = Vec::new();
    loop {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = acme.logs(json!({ "before": last, "limit": 7 })).await.unwrap();
        followed.extend(page.data.iter().rev().map(|log| log.id().to_owned()));
        last = page.first_id.or(last);
        if is_over && !page.has_more {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    // The followed events are those of the log, in its order.
    let mut walked: Vec<String> = Vec::new();
    let mut after = None;
    loop {
        let page = acme.logs(json!({ "limit": 100, "after": after })).await.unwrap();
        walked.extend(ids(&page).into_iter().map(str::to_owned));
        if !page.has_more {
            break;
        }
        after = page.last_id;
    }
    walked.reverse();
    assert_eq!(walked.len(), 1 + CHANGES + WRITERS + WRITERS * CHANGES);
    let begun =
        walked.iter().position(|id| newest_before.as_ref().is_some_and(|newest| newest.as_str() == id));
    assert_eq!(followed, walked[begun.unwrap() + 1..]);
}

async fn events_are_found_by_type_actor_resource_and_time(database: Database) {
    let groups = json!([{ "id": "group_1", "name": "One" }, { "id": "group_2", "name": "Two" }]);
    let acme = database.acme(2, groups).await;
    for (group, user) in [("group_1", "user_1"), ("group_1", "user_2"), ("group_2", "user_1")] {
        acme.add(group, user).await.unwrap();
    }
    let by_key = Stamp::new(Ulid::from_parts((NOW + 60) * 1000, 1 << 70), "key_1");
    let request = openai_admin::operations::CreateGroup::new(crate::tenant::group_name("By key"));
    let made = acme.store().change(acme.org(), by_key, request).await.unwrap().id;

    let count = async |filter: Json| acme.logs(filter).await.unwrap().data.len();
    assert_eq!(count(json!({ "event_types[]": ["group.user.added"] })).await, 3);
    assert_eq!(count(json!({ "event_types[]": ["group.created", "user.added"] })).await, 5);
    assert_eq!(count(json!({ "event_types[]": ["project.created"] })).await, 0);
    assert_eq!(count(json!({ "actor_ids[]": ["key_1"] })).await, 1);
    assert_eq!(count(json!({ "actor_ids[]": ["key_", "nobody", "test/key_1"] })).await, 0);
    assert_eq!(count(json!({ "resource_ids[]": ["group_1"] })).await, 3);
    assert_eq!(count(json!({ "resource_ids[]": ["user_1"] })).await, 3);
    assert_eq!(count(json!({ "resource_ids[]": ["user_1", "group_1", "org-acme"] })).await, 6);
    assert_eq!(count(json!({ "resource_ids[]": ["group_nope", "", "a/b", "org-acm"] })).await, 0);
    assert_eq!(count(json!({ "effective_at": { "gte": NOW + 60 } })).await, 1);
    assert_eq!(count(json!({ "effective_at": { "gt": NOW + 60 } })).await, 0);
    assert_eq!(count(json!({ "effective_at": { "lt": NOW + 60 } })).await, 8);
    assert_eq!(count(json!({ "effective_at": { "gte": NOW, "lte": NOW } })).await, 8);
    let both = json!({ "event_types[]": ["group.created"], "resource_ids[]": [made, "user_1"] });
    let found = acme.logs(both).await.unwrap();
    assert_eq!(found.data[0].actor.as_ref().unwrap().id(), Some("key_1"));
    assert!(found.data[0].actor.as_ref().unwrap().api_key.is_some());

    // A filtered page is paged like any other.
    let first = acme.logs(json!({ "resource_ids[]": ["user_1"], "limit": 2 })).await.unwrap();
    assert!(first.has_more);
    let rest =
        acme.logs(json!({ "resource_ids[]": ["user_1"], "limit": 2, "after": first.last_id })).await.unwrap();
    assert_eq!((rest.data.len(), rest.has_more), (1, false));
}

async fn a_filter_with_few_matches_can_be_paged_to_the_end(database: Database) {
    let acme = database.acme(1, json!([])).await;
    // The rare events are the oldest one, those on each side of a window's end, and the newest one.
    database.execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 45000)
         insert into audit_events (org, place, change, item, recorded_at, actor, event, user_seq)
         select 1, 0, 'fill', i, 0, case when i in (1, 35001, 35002, 45000) then 'rare' else 'often' end,
                'user.updated', 1 from n",
    );
    let rare = [1, 35_001, 35_002, 45_000].map(|item| format!("audit_log-fill_0_{item}"));
    for direction in ["after", "before"] {
        let mut cursor = (direction == "before").then(|| rare[0].parse().unwrap());
        let mut found = Vec::new();
        loop {
            let page =
                acme.logs(json!({ "actor_ids[]": ["rare"], "limit": 2, direction: cursor })).await.unwrap();
            let mut listed: Vec<String> = ids(&page).into_iter().map(str::to_owned).collect();
            if direction == "before" {
                listed.reverse();
            }
            found.extend(listed);
            if !page.has_more {
                break;
            }
            cursor = if direction == "before" { page.first_id } else { page.last_id };
            assert!(cursor.is_some(), "a page with has_more has a cursor");
        }
        match direction {
            "before" => assert_eq!(found, rare[1..]),
            _ => assert_eq!(found, rare.iter().rev().cloned().collect::<Vec<_>>()),
        }
    }
    // Without a filter every page is full.
    let all = acme.logs(json!({ "limit": 100 })).await.unwrap();
    assert_eq!((all.data.len(), all.has_more, all.last_id.unwrap().as_str()), (100, true, all.data[99].id()));
}

async fn filters_on_unused_fields_match_nothing(database: Database) {
    let acme = database.acme(1, json!([])).await;
    for filter in [
        json!({ "project_ids[]": ["proj_1"] }),
        json!({ "actor_emails[]": ["user_1@example.com"] }),
        json!({ "tenant_only": true }),
        json!({ "tenant_only": true, "event_types[]": ["tenant.user.added"] }),
    ] {
        let page = acme.logs(filter.clone()).await.unwrap();
        assert_eq!((page.data.len(), page.has_more), (0, false), "{filter}");
    }
    for (filter, field) in [
        (json!({ "tenant_only": true, "event_types[]": ["group.created"] }), "event_types[]"),
        (json!({ "event_types[]": ["group.exploded"] }), "event_types[]"),
        (json!({ "resource_ids[]": vec!["x"; 101] }), "resource_ids[]"),
    ] {
        let refused = acme.logs(filter).await;
        assert_refused!(refused, Error::InvalidValue { field: ref named, .. } if named == field);
    }
    assert!(acme.logs(json!({ "resource_ids[]": vec!["x"; 100] })).await.is_ok());
}

async fn events_of_the_default_project_are_found_by_its_id(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let default = "proj_default_org-acme";
    let role = project_roles::create(&acme, default, "Tester").await.unwrap().id;
    invites::invite(&acme, "ada@example.com").await.unwrap();
    let ada = acme.create_user(json!({ "email": "ada@example.com", "name": "Ada" })).await.unwrap().id;
    let found = acme.logs(json!({ "project_ids[]": [default, "proj_1"] })).await.unwrap().data;
    let assigned = format!("role_assignment_role-api-project-member__api-project__{default}_{ada}");
    let details = found.iter().rev().map(|log| {
        let project = log.project.as_ref().unwrap();
        assert_eq!(
            (project.id.as_deref(), project.name.as_deref()),
            (Some(default), Some("Default project"))
        );
        (log.r#type.as_str(), log.detail.as_ref().and_then(|detail| detail.id.clone()))
    });
    let expected = [
        ("role.created", Some(role.to_string())),
        ("project.user.added", None),
        ("role.assignment.created", Some(assigned)),
    ];
    assert_eq!(details.collect::<Vec<_>>(), expected);
    let of_another = json!({ "project_ids[]": ["proj_default_org-other"] });
    assert!(acme.logs(of_another).await.unwrap().data.is_empty());
}

async fn the_address_of_a_deleted_user_is_not_in_the_log(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
    acme.create_user(json!({ "email": "ada@example.com", "name": "Ada Lovelace" })).await.unwrap();
    acme.delete_user("user_1").await.unwrap();
    let log = serde_json::to_string(&acme.logs(json!({})).await.unwrap()).unwrap();
    for personal in ["@", "Ada", "User 1"] {
        assert!(!log.contains(personal), "{log}");
    }
}

async fn the_id_of_an_unknown_or_foreign_event_is_not_a_cursor(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let other = database.tenant("org-other", 1, json!([])).await;
    let theirs = other.logs(json!({ "limit": 1 })).await.unwrap().first_id.unwrap();
    let ours = acme.logs(json!({ "limit": 1 })).await.unwrap().first_id.unwrap();
    for unknown in [theirs.as_str(), "user_1", "audit_log-x_1_1", &format!("{ours}0")] {
        assert_refused!(
            acme.logs(json!({ "after": unknown })).await,
            Error::UnknownCursor(ref cursor) if cursor.as_str() == unknown
        );
        assert_refused!(
            acme.logs(json!({ "before": unknown })).await,
            Error::InvalidValue { ref field, .. } if field == "before"
        );
    }
}

async fn each_organization_has_its_own_log(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let other = database.tenant("org-other", 2, json!([])).await;
    assert_eq!(acme.logs(json!({})).await.unwrap().data.len(), 2);
    assert_eq!(other.logs(json!({})).await.unwrap().data.len(), 3);
    let theirs = acme.logs(json!({ "resource_ids[]": ["user_2", "org-other"] })).await.unwrap();
    assert_eq!(theirs.data.len(), 0);
}

async fn events_of_the_first_version_are_kept_in_order(database: Database) {
    let acme = database.acme(3, json!([])).await;
    database.go_back_to(2);
    database.execute(
        "create table audit_events_first (
             org bigint not null, change text not null, item bigint not null, recorded_at bigint not null,
             actor text not null, event text not null, group_seq bigint, user_seq bigint, detail text,
             primary key (org, change, item));
         insert into audit_events_first
         select org, change, item, recorded_at, actor, event, group_seq, user_seq, detail from audit_events;
         insert into audit_events_first values (1, '01ZZZZZZZZZZZZZZZZZZZZZZZZ', 0, 1, 'key_1', 'api_key.revoked',
                                                null, null, 'key_2');
         drop table audit_events;
         alter table audit_events_first rename to audit_events",
    );
    let again = acme.opened_again().await;
    again.create_group("New").await.unwrap();
    let page = again.logs(json!({})).await.unwrap();
    let types: Vec<&str> = page.data.iter().map(|log| log.r#type.as_str()).collect();
    let old = ["user.added", "user.added", "user.added", "organization.created"];
    assert_eq!(types, [&["group.created", "api_key.deleted"][..], &old].concat());
    assert_eq!(shown(&page.data[1..3])[0], json!(["api_key.deleted", { "id": "key_2" }]));
    assert_eq!(page.data[2].detail.as_ref().unwrap().data, None, "the role was unknown");
    again.store().close().await;
}

/// A transaction outside the store, which ends when its connection is dropped.
fn begun_elsewhere(
    database: &Database,
    dbname: Option<String>,
    statement: &'static str,
) -> ::postgres::Client {
    let openai_admin_store::DatabaseUrl::Postgres(url) = database.url.clone() else {
        panic!("only PostgreSQL has concurrent transactions")
    };
    // The client has its own runtime, which cannot be entered from within another.
    let connected = std::thread::spawn(move || {
        let mut config: ::postgres::Config = url.parse().unwrap();
        if let Some(dbname) = dbname {
            config.dbname(&dbname);
        }
        let mut client = config.connect(::postgres::NoTls).unwrap();
        client.batch_execute(&format!("begin; select pg_current_xact_id(); {statement}")).unwrap();
        client
    });
    connected.join().unwrap()
}

#[test]
fn an_event_of_a_late_transaction_comes_before_newer_ones() {
    run(Engine::PostgresOwnDatabase, async |database| {
        let acme = database.acme(2, json!([{ "id": "group_1", "name": "One" }])).await;
        let last = acme.logs(json!({ "limit": 1 })).await.unwrap().first_id;
        let late = "insert into audit_events (org, change, item, recorded_at, actor, event)
                    values (1, '0LATE', 0, 1, 'test', 'organization.updated')";
        let mut client = begun_elsewhere(&database, None, late);
        acme.add("group_1", "user_1").await.unwrap();

        let hidden = acme.logs(json!({ "before": last })).await.unwrap();
        assert_eq!(hidden.data.len(), 0, "if it were listed, readers would miss the earlier one");
        let ended = std::thread::spawn(move || client.batch_execute("commit").unwrap());
        ended.join().unwrap();
        let page = acme.logs(json!({ "before": last })).await.unwrap();
        let types: Vec<&str> = page.data.iter().map(|log| log.r#type.as_str()).collect();
        assert_eq!(types, ["group.user.added", "organization.updated"]);
    });
}

#[test]
fn a_transaction_of_another_database_hides_no_event() {
    run(Engine::PostgresOwnDatabase, async |database| {
        let acme = database.acme(1, json!([])).await;
        let other = format!("audit_logs_{}", std::process::id());
        database.execute(&format!("create database {other} template template0"));
        let client = begun_elsewhere(&database, Some(other.clone()), "");
        acme.create_group("New").await.unwrap();
        let newest = acme.logs(json!({ "limit": 1 })).await.unwrap();
        assert_eq!(newest.data[0].r#type.as_str(), "group.created");
        std::thread::spawn(move || drop(client)).join().unwrap();
        database.execute(&format!("drop database {other} with (force)"));
    });
}

/// Each leaves a transaction with a number open: a write of another program, and a change of another organization.
#[test]
fn a_transaction_that_cannot_write_the_log_hides_no_event() {
    for statement in [
        "create temporary table of_another_program (number int); insert into of_another_program values (1)",
        "select pg_advisory_xact_lock_shared('audit_events'::regclass::oid::int, hashint8(2));
         update organizations set title = 'Longer' where org = 2",
    ] {
        run(Engine::PostgresOwnDatabase, async |database| {
            let acme = database.acme(1, json!([])).await;
            database.tenant("org-other", 1, json!([])).await;
            let client = begun_elsewhere(&database, None, statement);
            acme.create_group("New").await.unwrap();
            let newest = acme.logs(json!({ "limit": 1 })).await.unwrap();
            assert_eq!(newest.data[0].r#type.as_str(), "group.created", "{statement}");
            std::thread::spawn(move || drop(client)).join().unwrap();
        });
    }
}

#[test]
fn a_transaction_that_announces_this_organization_hides_newer_events() {
    run(Engine::PostgresOwnDatabase, async |database| {
        let acme = database.acme(1, json!([])).await;
        let statement =
            "select pg_advisory_xact_lock_shared('audit_events'::regclass::oid::int, hashint8(1));
                         update organizations set title = 'Longer' where org = 1";
        let client = begun_elsewhere(&database, None, statement);
        acme.modify_user("user_1", json!({ "role": "owner" })).await.unwrap();
        let newest = acme.logs(json!({ "limit": 1 })).await.unwrap();
        assert_eq!(newest.data[0].r#type.as_str(), "user.added");
        std::thread::spawn(move || drop(client)).join().unwrap();
        let newest = acme.logs(json!({ "limit": 1 })).await.unwrap();
        assert_eq!(newest.data[0].r#type.as_str(), "user.updated");
    });
}

#[test]
fn events_of_a_moved_database_come_after_existing_ones() {
    run(Engine::PostgresOwnDatabase, async |database| {
        let acme = database.acme(1, json!([])).await;
        database.execute("update audit_events set place = place + 1000000000000");
        for _ in 0..2 {
            let moved = acme.opened_again().await;
            let last = moved.logs(json!({ "limit": 1 })).await.unwrap().first_id;
            moved.create_group("New").await.unwrap();
            let page = moved.logs(json!({ "before": last })).await.unwrap();
            assert_eq!(page.data.len(), 1);
            assert_eq!(moved.logs(json!({})).await.unwrap().data[0], page.data[0]);
            moved.store().close().await;
        }
    });
}

async fn sign_ins_and_sign_outs_are_events(database: Database) {
    let acme = database.tenant("org-acme", 0, json!([])).await;
    console_sessions::open(&acme, "one", None, console_sessions::at(0)).await;
    let (code, message) = ("wrong_key".to_owned(), "another key".to_owned());
    acme.store().record_failed_login(acme.org(), acme.database.stamp(), code, message).await.unwrap();
    console_sessions::end(&acme, "one").await;
    // A session that has ended is not signed out again.
    console_sessions::end(&acme, "one").await;
    let log = acme.logs(json!({})).await.unwrap();
    let failed = json!({ "error_code": "wrong_key", "error_message": "another key" });
    assert_eq!(
        shown(&log.data)[..3],
        [json!(["logout.succeeded", {}]), json!(["login.failed", failed]), json!(["login.succeeded", {}])]
    );
}
