//! Cached pages match the database. PostgreSQL has no cache, but the same must hold.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use openai_admin::{
    Endpoint, Timestamp,
    models::PublicUpdateOrganizationRoleBody,
    operations::{
        self, ActivateOrganizationCertificates, DeactivateOrganizationCertificates, DeleteProjectApiKey,
        DeleteRole, DeleteServiceAccount, ModifyCertificate, ModifyProject, UpdateRole,
    },
};
use openai_admin_store::{DatabaseUrl, NewApiKey};
use serde_json::json;

use crate::{
    admin_api_keys, certificates, external_keys, invites, project_groups, project_role_assignments,
    project_roles, project_users, projects, rate_limits, roles, service_accounts, settings, spend_alerts,
    support::{Database, conformance, person, user_ids},
    tenant::{Part, Tenant},
    usage,
};

conformance! {
    every_write_shows_in_the_next_page,
    every_write_of_another_process_shows_in_the_next_page,
    a_change_by_another_program_shows_in_the_next_page,
    two_stores_with_random_changes_always_show_the_same_pages,
    reads_never_go_back_in_time,
    organizations_never_get_pages_of_each_other,
    different_pages_have_different_cache_keys,
    the_cache_stays_within_its_limit,
    a_page_is_cached_until_its_group_changes,
}

const OWNER: &str = "role-api-organization-owner";
const READER: &str = "role-api-organization-reader";
const GROUPS: [&str; 4] = ["group_1", "group_2", "group_3", "group_empty"];

/// All users in the first group, half in the second, one in the third, none in the last.
async fn acme(database: &Database) -> Tenant {
    let groups = json!([
        { "id": "group_1", "name": "All", "members": user_ids(12) },
        { "id": "group_2", "name": "Half", "members": user_ids(6) },
        { "id": "group_3", "name": "One", "members": ["user_1"] },
        { "id": "group_empty", "name": "Nobody" },
    ]);
    database.acme(12, groups).await
}

/// Some pages of each group as JSON, or the error for an unknown group.
async fn pages(acme: &Tenant) -> Vec<String> {
    let mut pages = Vec::new();
    for group in GROUPS {
        for part in [Part::new(), Part::new().asc().limit(5), Part::new().limit(3).after("user_5")] {
            pages.push(acme.members_json(group, part).await.unwrap_or_else(|error| error.to_string()));
        }
    }
    pages
}

async fn pages_read(acme: &Tenant) -> Vec<String> {
    let mut pages = Vec::new();
    for group in GROUPS {
        for part in [Part::new(), Part::new().asc().limit(5), Part::new().limit(3).after("user_5")] {
            pages.push(acme.members_read(group, part).await.unwrap_or_else(|error| error.to_string()));
        }
    }
    pages
}

type Write = fn(Tenant) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! writes {
    ($($operation:ident: |$acme:ident| $write:expr;)*) => {
        [$((stringify!($operation), (|$acme| Box::pin(async move { $write; })) as Write)),*]
    };
}

fn key(name: &str) -> NewApiKey {
    let text = name.to_owned();
    NewApiKey { hash: text.clone(), redacted: text.clone(), name: text, scopes: Vec::new(), expires_at: None }
}

/// Every operation that writes, in an order in which each finds its resources. Some more than once, if they change
/// pages in several ways.
fn every_write() -> Vec<(&'static str, Write)> {
    writes! {
        open_organization: |acme| acme.store().open_organization(acme.database.stamp(), None).await.unwrap();
        add_group_user: |acme| acme.add("group_empty", "user_3").await.unwrap();
        add_group_user: |acme| acme.add("group_3", "user_9").await.unwrap();
        remove_group_user: |acme| acme.remove("group_1", "user_4").await.unwrap();
        remove_group_user: |acme| acme.remove("group_empty", "user_3").await.unwrap();
        create_group: |acme| acme.create_group("New").await.unwrap();
        update_group: |acme| acme.rename_group("group_1", "Renamed").await.unwrap();
        create_user: |acme| acme.create_user(person(99)).await.unwrap();
        modify_user: |acme| acme.modify_user("user_1", json!({ "role": "owner" })).await.unwrap();
        load: |acme| acme.load(json!({ "users": [{ "id": "user_2", "name": "Renamed" }] })).await.unwrap();
        load: |acme| acme.load(json!({ "users": [{ "id": "user_6", "email": "new@example.com" }] })).await.unwrap();
        load: |acme| {
            let members = json!([{ "id": "group_2", "name": "Half", "members": ["user_11", "user_99"] }]);
            acme.load(json!({ "groups": members })).await.unwrap()
        };
        delete_user: |acme| acme.delete_user("user_5").await.unwrap();
        create_user: |acme| acme.create_user(person(5)).await.unwrap();
        add_group_user: |acme| acme.add("group_1", "user_5").await.unwrap();
        create_api_key: |acme| {
            acme.store().create_api_key(acme.org(), acme.database.stamp(), key("ci")).await.unwrap()
        };
        set_bootstrap_api_key: |acme| {
            acme.store().set_bootstrap_api_key(acme.org(), acme.database.stamp(), key("first")).await.unwrap()
        };
        touch_api_key: |acme| {
            acme.store().touch_api_key("ci".to_owned(), Timestamp::from_unix_seconds(1)).await.unwrap()
        };
        delete_expired_answers: |acme| acme.store().delete_expired_answers(acme.database.stamp().at()).await.unwrap();
        rotate_api_key: |acme| {
            let id = acme.store().list_api_keys(acme.org()).await.unwrap().pop().unwrap().id;
            let (stamp, until) = (acme.database.stamp(), Timestamp::from_unix_seconds(1));
            acme.store().rotate_api_key(acme.org(), stamp, id, key("newer"), until).await.unwrap()
        };
        revoke_api_key: |acme| {
            let id = acme.store().list_api_keys(acme.org()).await.unwrap().pop().unwrap().id;
            acme.store().revoke_api_key(acme.org(), acme.database.stamp(), id).await.unwrap()
        };
        create_role: |acme| roles::create(&acme, "Role").await.unwrap();
        assign_group_role: |acme| roles::assign_group(&acme, "group_1", READER).await.unwrap();
        assign_user_role: |acme| roles::assign_user(&acme, "user_2", OWNER).await.unwrap();
        unassign_group_role: |acme| roles::unassign_group(&acme, "group_1", READER).await.unwrap();
        unassign_user_role: |acme| roles::unassign_user(&acme, "user_2", OWNER).await.unwrap();
        update_role: |acme| {
            let role = roles::create(&acme, "Another").await.unwrap().id;
            let mut body = PublicUpdateOrganizationRoleBody::default();
            body.permissions = Some(vec!["api.groups.write".to_owned()]);
            let request = UpdateRole::new(role, body);
            acme.store().change(acme.org(), acme.database.stamp(), request).await.unwrap()
        };
        create_project: |acme| projects::create(&acme, "Project").await;
        modify_project: |acme| {
            let id = projects::create(&acme, "Second").await.id;
            let body = serde_json::from_value(json!({ "name": "Renamed" })).unwrap();
            acme.change(ModifyProject::new(id, body)).await.unwrap()
        };
        upload_certificate: |acme| certificates::upload(&acme, "Certificate").await;
        modify_certificate: |acme| {
            let id = certificates::upload(&acme, "Second").await;
            let body = serde_json::from_value(json!({ "name": "Renamed" })).unwrap();
            acme.change(ModifyCertificate::new(id, body)).await.unwrap()
        };
        delete_certificate: |acme| {
            let id = certificates::upload(&acme, "Third").await;
            certificates::delete(&acme, id.as_str()).await.unwrap()
        };
        activate_organization_certificates: |acme| {
            let id = certificates::upload(&acme, "Fourth").await;
            acme.change(ActivateOrganizationCertificates::new(certificates::those(&[&id]))).await.unwrap()
        };
        deactivate_organization_certificates: |acme| {
            let id = certificates::upload(&acme, "Fifth").await;
            acme.change(DeactivateOrganizationCertificates::new(certificates::those(&[&id]))).await.unwrap()
        };
        activate_project_certificates: |acme| {
            let id = certificates::upload(&acme, "Sixth").await;
            certificates::activate(&acme, "proj_default_org-acme", &[&id]).await.unwrap()
        };
        deactivate_project_certificates: |acme| {
            let id = certificates::upload(&acme, "Seventh").await;
            certificates::activate(&acme, "proj_default_org-acme", &[&id]).await.unwrap();
            certificates::deactivate(&acme, "proj_default_org-acme", &[&id]).await.unwrap()
        };
        archive_project: |acme| {
            let id = projects::create(&acme, "Third").await.id;
            projects::archive(&acme, id.as_str()).await.unwrap()
        };
        update_organization_spend_limit: |acme| settings::limit_spend(&acme, 5).await;
        delete_organization_spend_limit: |acme| {
            acme.change(operations::DeleteOrganizationSpendLimit::new()).await.unwrap()
        };
        update_project_spend_limit: |acme| {
            settings::update::<operations::UpdateProjectSpendLimit>(&acme, &json!("proj_default_org-acme"), &json!({ "threshold_amount": 5, "currency": "USD", "interval": "month" })).await.unwrap()
        };
        delete_project_spend_limit: |acme| {
            let project = "proj_default_org-acme".parse().unwrap();
            acme.change(operations::DeleteProjectSpendLimit::new(project)).await.unwrap()
        };
        update_organization_data_retention: |acme| {
            settings::update::<operations::UpdateOrganizationDataRetention>(&acme, &json!(null), &json!({ "retention_type": "zero_data_retention" })).await.unwrap()
        };
        update_project_data_retention: |acme| {
            settings::update::<operations::UpdateProjectDataRetention>(&acme, &json!("proj_default_org-acme"), &json!({ "retention_type": "none" })).await.unwrap()
        };
        update_project_model_permissions: |acme| {
            settings::update::<operations::UpdateProjectModelPermissions>(&acme, &json!("proj_default_org-acme"), &json!({ "mode": "deny_list", "model_ids": [] })).await.unwrap()
        };
        delete_project_model_permissions: |acme| {
            let project = "proj_default_org-acme".parse().unwrap();
            acme.change(operations::DeleteProjectModelPermissions::new(project)).await.unwrap()
        };
        update_project_hosted_tool_permissions: |acme| {
            settings::update::<operations::UpdateProjectHostedToolPermissions>(&acme, &json!("proj_default_org-acme"), &json!({ "mcp": { "enabled": false } })).await.unwrap()
        };
        update_project_rate_limits: |acme| {
            rate_limits::update(&acme, "proj_default_org-acme", "rl-o3", json!({ "max_requests_per_1_minute": 1 })).await.unwrap()
        };
        create_organization_spend_alert: |acme| spend_alerts::create(&acme, 1).await;
        update_organization_spend_alert: |acme| {
            let request = json!({ "alert_id": spend_alerts::create(&acme, 1).await, "body": spend_alerts::body(2) });
            acme.change(serde_json::from_value::<operations::UpdateOrganizationSpendAlert>(request).unwrap()).await.unwrap()
        };
        delete_organization_spend_alert: |acme| {
            spend_alerts::delete(&acme, &spend_alerts::create(&acme, 1).await).await.unwrap()
        };
        create_project_spend_alert: |acme| spend_alerts::create_in_project(&acme).await;
        update_project_spend_alert: |acme| {
            let alert = spend_alerts::create_in_project(&acme).await;
            acme.change(serde_json::from_value::<operations::UpdateProjectSpendAlert>(alert).unwrap()).await.unwrap()
        };
        delete_project_spend_alert: |acme| {
            let alert = spend_alerts::create_in_project(&acme).await;
            acme.change(serde_json::from_value::<operations::DeleteProjectSpendAlert>(alert).unwrap()).await.unwrap()
        };
        create_external_key: |acme| external_keys::create(&acme, "Key").await;
        delete_external_key: |acme| {
            external_keys::delete(&acme, &external_keys::create(&acme, "Other").await).await.unwrap()
        };
        validate_external_key: |acme| external_keys::validate_anyway(&acme, &external_keys::create(&acme, "Third").await).await.unwrap();
        create_usage_batch: |acme| usage::count(&acme, "1", json!([])).await.unwrap();
        admin_api_keys_create: |acme| admin_api_keys::create(&acme, "New").await.unwrap();
        admin_api_keys_delete: |acme| {
            let id = admin_api_keys::create(&acme, "Other").await.unwrap().id;
            admin_api_keys::delete(&acme, id.as_str()).await.unwrap()
        };
        invite_user: |acme| invites::invite(&acme, "new@example.org").await.unwrap();
        delete_invite: |acme| {
            let id = invites::invite(&acme, "other@example.org").await.unwrap().id;
            invites::delete(&acme, id.as_str()).await.unwrap()
        };
        accept_invite: |acme| {
            let id = invites::invite(&acme, "third@example.org").await.unwrap().id;
            invites::accept(&acme, &id, json!({})).await.unwrap()
        };
        create_project_service_account: |acme| {
            let project = projects::create(&acme, "Fourth").await.id;
            service_accounts::create(&acme, &project, "Nightly").await.unwrap()
        };
        update_project_service_account: |acme| {
            let project = projects::create(&acme, "Sixteenth").await.id;
            let account = service_accounts::create(&acme, &project, "Nightly").await.unwrap().id;
            acme.add("group_2", account.as_str()).await.unwrap();
            let body = json!({ "name": "Hourly" });
            service_accounts::update(&acme, &project, account.as_str(), body).await.unwrap()
        };
        delete_project_service_account: |acme| {
            let project = projects::create(&acme, "Fifth").await.id;
            let account = service_accounts::create(&acme, &project, "Nightly").await.unwrap().id;
            acme.add("group_2", account.as_str()).await.unwrap();
            acme.change(DeleteServiceAccount::new(project, account)).await.unwrap()
        };
        create_an_api_key_for_a_service_account: |acme| {
            let project = projects::create(&acme, "Seventeenth").await.id;
            let account = service_accounts::create(&acme, &project, "Nightly").await.unwrap().id;
            service_accounts::create_key(&acme, &project, &account, json!({})).await.unwrap()
        };
        update_project_api_key: |acme| {
            let project = projects::create(&acme, "Eighteenth").await.id;
            let account = service_accounts::create(&acme, &project, "Nightly").await.unwrap();
            let (key, body) = (account.api_key.unwrap().id, json!({ "scopes": [] }));
            service_accounts::update_key(&acme, &project, &key, body).await.unwrap()
        };
        delete_project_api_key: |acme| {
            let project = projects::create(&acme, "Sixth").await.id;
            let account = service_accounts::create(&acme, &project, "Nightly").await.unwrap();
            acme.change(DeleteProjectApiKey::new(project, account.api_key.unwrap().id)).await.unwrap()
        };
        create_project_user: |acme| {
            let project = projects::create(&acme, "Seventh").await.id;
            project_users::add(&acme, project.as_str(), "user_1").await.unwrap()
        };
        modify_project_user: |acme| {
            let project = projects::create(&acme, "Eighth").await.id;
            project_users::add(&acme, project.as_str(), "user_1").await.unwrap();
            let owner = json!({ "role": "owner" });
            project_users::modify(&acme, project.as_str(), "user_1", owner).await.unwrap()
        };
        delete_project_user: |acme| {
            let project = projects::create(&acme, "Ninth").await.id;
            project_users::add(&acme, project.as_str(), "user_1").await.unwrap();
            project_users::remove(&acme, project.as_str(), "user_1").await.unwrap()
        };
        add_project_group: |acme| {
            let project = projects::create(&acme, "Tenth").await.id;
            project_groups::add(&acme, project.as_str(), "group_1").await.unwrap()
        };
        remove_project_group: |acme| {
            let project = projects::create(&acme, "Eleventh").await.id;
            project_groups::add(&acme, project.as_str(), "group_1").await.unwrap();
            project_groups::remove(&acme, project.as_str(), "group_1").await.unwrap()
        };
        assign_project_user_role: |acme| {
            let project = projects::create(&acme, "Twelfth").await.id;
            project_users::add(&acme, project.as_str(), "user_1").await.unwrap();
            let owner = "role-api-project-owner";
            project_role_assignments::assign_user(&acme, project.as_str(), "user_1", owner).await.unwrap()
        };
        unassign_project_user_role: |acme| {
            let project = projects::create(&acme, "Thirteenth").await.id;
            project_users::add(&acme, project.as_str(), "user_1").await.unwrap();
            let owner = "role-api-project-owner";
            project_role_assignments::assign_user(&acme, project.as_str(), "user_1", owner).await.unwrap();
            project_role_assignments::unassign_user(&acme, project.as_str(), "user_1", owner).await.unwrap()
        };
        assign_project_group_role: |acme| {
            let project = projects::create(&acme, "Fourteenth").await.id;
            project_groups::add(&acme, project.as_str(), "group_1").await.unwrap();
            let owner = "role-api-project-owner";
            project_role_assignments::assign_group(&acme, project.as_str(), "group_1", owner).await.unwrap()
        };
        unassign_project_group_role: |acme| {
            let project = projects::create(&acme, "Fifteenth").await.id;
            project_groups::add(&acme, project.as_str(), "group_1").await.unwrap();
            let member = "role-api-project-member";
            project_role_assignments::unassign_group(&acme, project.as_str(), "group_1", member).await.unwrap()
        };
        create_project_role: |acme| {
            project_roles::create(&acme, "proj_default_org-acme", "Role").await.unwrap()
        };
        update_project_role: |acme| {
            let role = project_roles::create(&acme, "proj_default_org-acme", "Second").await.unwrap().id;
            let body = json!({ "role_name": "Renamed" });
            project_roles::update(&acme, "proj_default_org-acme", role.as_str(), body).await.unwrap()
        };
        delete_project_role: |acme| {
            let role = project_roles::create(&acme, "proj_default_org-acme", "Third").await.unwrap().id;
            project_roles::delete(&acme, "proj_default_org-acme", role.as_str()).await.unwrap()
        };
        delete_role: |acme| {
            let role = roles::create(&acme, "Third").await.unwrap().id;
            acme.store().change(acme.org(), acme.database.stamp(), DeleteRole::new(role)).await.unwrap()
        };
        delete_group: |acme| acme.delete_group("group_empty").await.unwrap();
        delete_group: |acme| acme.delete_group("group_1").await.unwrap();
    }
    .into()
}

#[test]
fn no_operation_that_writes_is_forgotten() {
    let tested: BTreeSet<String> = every_write().into_iter().map(|(name, _)| name.replace('_', "")).collect();
    macro_rules! visit {
        ($($operation:ident)*) => {
            [$((operations::$operation::ID, operations::$operation::SCOPE)),*]
        };
    }
    for (id, scope) in openai_admin::for_each_operation!(visit) {
        // Published ids have several forms.
        let name = id.trim_start_matches("x-").replace('-', "").to_lowercase();
        let reads = scope.as_str().ends_with(".read");
        assert!(reads || tested.contains(&name), "add {id} to `every_write`");
    }
}

async fn every_write_shows_in_the_next_page(database: Database) {
    let acme = acme(&database).await;
    let mut before = pages(&acme).await;
    let mut changes = 0;
    for (operation, write) in every_write() {
        assert_eq!(pages(&acme).await, before, "before {operation}, from the cache");
        write(acme.clone()).await;
        let after = pages(&acme).await;
        assert_eq!(after, pages_read(&acme).await, "after {operation}");
        changes += usize::from(after != before);
        before = after;
    }
    assert!(changes > 9, "most writes change what these pages show, but only {changes} did");
}

async fn every_write_of_another_process_shows_in_the_next_page(database: Database) {
    let ours = acme(&database).await;
    let theirs = ours.opened_again().await;
    for (operation, write) in every_write() {
        // Twice, so that the second read uses the cache.
        assert_eq!(pages(&ours).await, pages(&ours).await);
        write(theirs.clone()).await;
        assert_eq!(pages(&ours).await, pages_read(&theirs).await, "after {operation}");
    }
    theirs.store().close().await;
}

async fn a_change_by_another_program_shows_in_the_next_page(database: Database) {
    let acme = acme(&database).await;
    for change in [
        "update users set name = 'Behind' where id = 'user_1'",
        "update users set email = null, email_key = null where id = 'user_2'",
        "update users set name = 'Behind again' where id = 'user_1'",
    ] {
        assert_eq!(pages(&acme).await, pages(&acme).await);
        database.execute(change);
        assert_eq!(pages(&acme).await, pages_read(&acme).await, "after {change}");
        // A commit of this store must not hide an earlier one of another process.
        database.execute("update users set name = name || '!' where id = 'user_3'");
        acme.create_group("Own").await.unwrap();
        assert_eq!(pages(&acme).await, pages_read(&acme).await, "after {change} and a commit of this store");
    }
}

/// Pseudorandom numbers, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

async fn two_stores_with_random_changes_always_show_the_same_pages(database: Database) {
    let first = acme(&database).await;
    let stores = [first.clone(), first.opened_again().await];
    let mut chance = Chance(4711);
    for step in 0..60 {
        let acme = &stores[chance.below(2) as usize];
        let group = GROUPS[chance.below(3) as usize];
        let user = format!("user_{}", 1 + chance.below(12));
        let number = 1 + chance.below(12) as usize;
        // Errors are results too: nothing has changed then.
        match chance.below(8) {
            0..3 => drop(acme.add(group, &user).await),
            3..6 => drop(acme.remove(group, &user).await),
            6 => drop(acme.delete_user(&user).await),
            _ => {
                let renamed = json!({ "id": user, "name": format!("Name {step}"), "email": format!("{step}.{number}@x") });
                drop(acme.load(json!({ "users": [renamed] })).await);
            }
        }
        let truth = pages_read(&first).await;
        for (number, acme) in stores.iter().enumerate() {
            assert_eq!(pages(acme).await, truth, "step {step}, store {number}");
        }
    }
    stores[1].store().close().await;
}

/// Members are only added, alternating between two stores. A reader of either store must find at least the members
/// whose adds were answered before, and those that any reader has seen before.
async fn reads_never_go_back_in_time(database: Database) {
    const MEMBERS: usize = 60;
    let first = database.acme(MEMBERS, json!([{ "id": "group_1", "name": "Growing" }])).await;
    let stores = [first.clone(), first.opened_again().await];
    let (seen, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..6)
        .map(|reader| {
            let (acme, seen, done) = (stores[reader % 2].clone(), Arc::clone(&seen), Arc::clone(&done));
            tokio::spawn(async move {
                loop {
                    let is_last = done.load(SeqCst);
                    let least = seen.load(SeqCst);
                    let found = acme.members("group_1", Part::new()).await.unwrap().data.len();
                    assert!(found >= least, "{found} members, but {least} were there before");
                    seen.fetch_max(found, SeqCst);
                    if is_last {
                        break;
                    }
                }
            })
        })
        .collect();
    for number in 1..=MEMBERS {
        stores[number % 2].add("group_1", &format!("user_{number}")).await.unwrap();
        seen.fetch_max(number, SeqCst);
    }
    done.store(true, SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    stores[1].store().close().await;
}

async fn organizations_never_get_pages_of_each_other(database: Database) {
    let group = |members: &[&str]| json!([{ "id": "group_1", "name": "Team", "members": members }]);
    let one = database.tenant("org-one", 3, group(&["user_1"])).await;
    let two = database.tenant("org-two", 3, group(&["user_2", "user_3"])).await;
    for _ in 0..2 {
        assert_eq!(one.member_ids("group_1").await, ["user_1"]);
        assert_eq!(two.member_ids("group_1").await, ["user_2", "user_3"]);
    }
}

async fn different_pages_have_different_cache_keys(database: Database) {
    let acme = acme(&database).await;
    let parts = [
        Part::new(),
        Part::new().asc(),
        Part::new().desc().limit(2),
        Part::new().asc().limit(2),
        Part::new().limit(0),
        Part::new().limit(1000),
        Part::new().limit(2).after("user_7"),
        Part::new().asc().limit(2).after("user_7"),
        Part::new().limit(3).after("user_7"),
    ];
    for _ in 0..2 {
        for group in GROUPS {
            for part in parts {
                let kept = acme.members_json(group, part).await.unwrap();
                assert_eq!(kept, acme.members_read(group, part).await.unwrap(), "{group} {part:?}");
            }
        }
    }
    acme.members_json("group_1", Part::new().after("user_unknown")).await.expect_err("no such place");
    acme.members_json("group_unknown", Part::new()).await.expect_err("no such group");
}

async fn the_cache_stays_within_its_limit(database: Database) {
    let acme = acme(&database).await;
    let read_all = async || {
        for limit in 0..200 {
            acme.members_json("group_1", Part::new().limit(limit)).await.unwrap();
        }
        acme.store().figures().page_bytes
    };
    let is_kept = matches!(database.url, DatabaseUrl::Sqlite(_));
    assert_eq!(read_all().await > 100_000, is_kept, "all pages, by default");
    let bytes_max = 20_000;
    acme.store().set_page_cache_bytes_max(bytes_max);
    assert!(acme.store().figures().page_bytes <= bytes_max, "excess pages are evicted immediately");
    let bytes = read_all().await;
    assert!(bytes <= bytes_max, "{bytes} bytes");
    assert_eq!(bytes > 5_000, is_kept, "{bytes} bytes: the bound is used");

    acme.store().set_page_cache_bytes_max(0);
    let before = acme.store().figures();
    assert_eq!(read_all().await, 0);
    assert_eq!(acme.store().figures().page_hits, before.page_hits, "the cache is empty");
}

async fn a_page_is_cached_until_its_group_changes(database: Database) {
    let acme = acme(&database).await;
    let is_kept = matches!(database.url, DatabaseUrl::Sqlite(_));
    let is_answered_without_reading = async |group: &'static str| {
        let before = acme.store().figures().page_hits;
        acme.members_json(group, Part::new()).await.unwrap();
        acme.store().figures().page_hits > before
    };
    for group in ["group_1", "group_2"] {
        assert!(!is_answered_without_reading(group).await, "it is requested for the first time");
        assert_eq!(is_answered_without_reading(group).await, is_kept);
    }
    acme.remove("group_2", "user_3").await.unwrap();
    acme.create_user(person(99)).await.unwrap();
    assert!(!is_answered_without_reading("group_2").await, "it has changed");
    assert_eq!(is_answered_without_reading("group_1").await, is_kept, "it has not");
    // The name of a user who is only in the first group.
    acme.load(json!({ "users": [{ "id": "user_12", "name": "Other" }] })).await.unwrap();
    assert!(!is_answered_without_reading("group_1").await, "it shows the name");
    assert_eq!(is_answered_without_reading("group_2").await, is_kept, "it does not");
}
