use openai_admin::{
    models::{Count, Counts},
    operations::{ArchiveProject, RetrieveCounts},
};
use serde_json::json;

use crate::{
    api_keys::{create, key},
    support::{Database, conformance},
    tenant::Tenant,
};

conformance! {
    also in_memory:
    counts_are_of_the_own_organization_and_leave_out_removed_resources,
    a_count_ends_at_a_thousand,
}

async fn counts(tenant: &Tenant) -> Counts {
    tenant.read(RetrieveCounts::new()).await.unwrap()
}

fn count(number: i64) -> Count {
    Count::new(number, false)
}

async fn counts_are_of_the_own_organization_and_leave_out_removed_resources(database: Database) {
    let groups = json!([{ "id": "group_1", "name": "One" }, { "id": "group_2", "name": "Two" }]);
    let acme = database.acme(3, groups.clone()).await;
    let other = database.tenant("org-other", 5, groups).await;
    create(&other, key('b')).await.unwrap();
    let kept = create(&acme, key('a')).await.unwrap();
    let mut expected = Counts::new(count(3), count(1), count(1));
    expected.groups = Some(count(2));
    assert_eq!(counts(&acme).await, expected);

    acme.delete_user("user_1").await.unwrap();
    acme.delete_group("group_1").await.unwrap();
    acme.store().revoke_api_key(acme.org(), acme.database.stamp(), kept.id).await.unwrap();
    acme.load(json!({ "projects": [{ "id": "proj_1", "name": "A" }, { "id": "proj_2", "name": "B" }] }))
        .await
        .unwrap();
    acme.change(ArchiveProject::new("proj_1".parse().unwrap())).await.unwrap();
    let mut expected = Counts::new(count(2), count(2), count(0));
    expected.groups = Some(count(1));
    assert_eq!(counts(&acme).await, expected);
}

async fn a_count_ends_at_a_thousand(database: Database) {
    let acme = database.acme(1000, json!([])).await;
    assert_eq!(counts(&acme).await.users, count(1000));
    acme.load(json!({ "users": [{ "email": "one.more@example.com" }] })).await.unwrap();
    assert_eq!(counts(&acme).await.users, Count::new(1000, true));
}
