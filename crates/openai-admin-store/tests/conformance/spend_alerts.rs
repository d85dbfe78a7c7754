//! Spend alerts of the organization and of projects.

use openai_admin::operations::{
    CreateOrganizationSpendAlert, CreateProjectSpendAlert, DeleteOrganizationSpendAlert,
    DeleteProjectSpendAlert, ListOrganizationSpendAlerts, ListProjectSpendAlerts,
    RetrieveOrganizationSpendAlert, RetrieveProjectSpendAlert, UpdateOrganizationSpendAlert,
    UpdateProjectSpendAlert,
};
use openai_admin_store::{Error, Kind, Reads, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    settings::update as change,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    an_alert_belongs_to_the_organization_or_a_project,
    an_alert_is_replaced_as_a_whole,
    alerts_are_paged_in_both_directions,
    an_alert_is_recorded_without_its_recipients,
    an_invalid_alert_is_refused,
    alerts_stay_readable_in_an_archived_project,
}

const DEFAULT: &str = "proj_default_org-acme";

pub(crate) fn body(amount: u64) -> Json {
    json!({
        "threshold_amount": amount, "currency": "USD", "interval": "month",
        "notification_channel": {
            "type": "email", "recipients": ["finance@example.com"], "subject_prefix": "Spend",
        },
    })
}

pub(crate) async fn create(tenant: &Tenant, amount: u64) -> String {
    let alert = change::<CreateOrganizationSpendAlert>(tenant, &Json::Null, &body(amount)).await.unwrap();
    alert["id"].as_str().unwrap().to_owned()
}

/// The request that updates an alert of the default project, which was just created.
pub(crate) async fn create_in_project(tenant: &Tenant) -> Json {
    let created = change::<CreateProjectSpendAlert>(tenant, &json!(DEFAULT), &body(7)).await.unwrap();
    json!({ "project_id": DEFAULT, "alert_id": created["id"], "body": body(8) })
}

pub(crate) async fn retrieve(tenant: &Tenant, id: &str) -> Result<()> {
    tenant.read(RetrieveOrganizationSpendAlert::new(id.parse().unwrap())).await.map(drop)
}

pub(crate) async fn delete(tenant: &Tenant, id: &str) -> Result<()> {
    tenant.change(DeleteOrganizationSpendAlert::new(id.parse().unwrap())).await.map(drop)
}

async fn read<R: Reads>(tenant: &Tenant, request: Json) -> Result<Json> {
    let request: R = serde_json::from_value(request).unwrap();
    tenant.read(request).await.map(|answer| json!(answer))
}

fn ids(page: &Json) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
}

async fn an_alert_belongs_to_the_organization_or_a_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let of_organization = create(&acme, 0).await;
    let created = change::<CreateProjectSpendAlert>(&acme, &json!(DEFAULT), &body(7)).await.unwrap();
    let mut expected = body(7);
    expected["object"] = json!("project.spend_alert");
    expected["id"] = created["id"].clone();
    assert_eq!(created, expected);

    let of_project = json!({ "project_id": DEFAULT, "alert_id": created["id"] });
    assert_eq!(read::<RetrieveProjectSpendAlert>(&acme, of_project.clone()).await.unwrap(), expected);
    let listed = read::<ListProjectSpendAlerts>(&acme, json!({ "project_id": DEFAULT })).await.unwrap();
    assert_eq!(listed["data"], json!([expected]));
    let listed = read::<ListOrganizationSpendAlerts>(&acme, json!({})).await.unwrap();
    assert_eq!(ids(&listed), [&*of_organization]);
    assert_eq!(listed["data"][0]["object"], "organization.spend_alert");

    // An alert is not found under another resource.
    let foreign = retrieve(&acme, created["id"].as_str().unwrap()).await;
    assert_refused!(foreign, Error::NotFound { kind: Kind::SpendAlert, .. });
    let foreign = delete(&acme, created["id"].as_str().unwrap()).await;
    assert_refused!(foreign, Error::NotFound { kind: Kind::SpendAlert, .. });
    let foreign = json!({ "project_id": DEFAULT, "alert_id": of_organization });
    let refused = read::<RetrieveProjectSpendAlert>(&acme, foreign.clone()).await;
    assert_refused!(refused, Error::NotFound { kind: Kind::SpendAlert, .. });
    let unknown = read::<ListProjectSpendAlerts>(&acme, json!({ "project_id": "proj_unknown" })).await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::Project, .. });

    let delete: DeleteProjectSpendAlert = serde_json::from_value(of_project).unwrap();
    acme.change(delete.clone()).await.unwrap();
    assert_refused!(acme.change(delete).await, Error::NotFound { kind: Kind::SpendAlert, .. });
    assert_eq!(database.texts("select recipients from spend_alerts where removed_at is not null"), [""]);
    retrieve(&acme, &of_organization).await.unwrap();
}

async fn an_alert_is_replaced_as_a_whole(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = create(&acme, 5).await;
    let mut wanted = body(6);
    wanted["notification_channel"] =
        json!({ "type": "email", "recipients": ["a@example.com", "b@example.com"], "subject_prefix": null });
    let request = json!({ "alert_id": id, "body": wanted });
    let request: UpdateOrganizationSpendAlert = serde_json::from_value(request).unwrap();
    let updated = json!(acme.change(request.clone()).await.unwrap());
    assert_eq!(updated["threshold_amount"], 6);
    assert_eq!(updated["notification_channel"], wanted["notification_channel"]);
    let events = database.events();
    assert_eq!(json!(acme.change(request).await.unwrap()), updated);
    assert_eq!(database.events(), events);
}

async fn alerts_are_paged_in_both_directions(database: Database) {
    let acme = database.acme(0, json!([])).await;
    change::<CreateProjectSpendAlert>(&acme, &json!(DEFAULT), &body(7)).await.unwrap();
    let mut all = Vec::new();
    for amount in 0..5 {
        all.push(create(&acme, amount).await);
    }
    let page = async |part: Json| {
        let page = read::<ListOrganizationSpendAlerts>(&acme, part).await.unwrap();
        (ids(&page), page["has_more"] == true)
    };
    let descending: Vec<String> = all.iter().rev().cloned().collect();
    for (order, all) in [("asc", &all), ("desc", &descending)] {
        assert_eq!(page(json!({ "order": order })).await, (all.clone(), false));
        assert_eq!(page(json!({ "order": order, "limit": 2 })).await, (all[..2].to_vec(), true));
        let after = json!({ "order": order, "limit": 2, "after": all[1] });
        assert_eq!(page(after).await, (all[2..4].to_vec(), true));
        let before = json!({ "order": order, "limit": 2, "before": all[4] });
        assert_eq!(page(before).await, (all[2..4].to_vec(), true));
        let before = json!({ "order": order, "before": all[2] });
        assert_eq!(page(before).await, (all[..2].to_vec(), false));
        let both = json!({ "order": order, "after": all[0], "before": all[3] });
        assert_eq!(page(both).await, (all[1..3].to_vec(), false));
    }
    assert_eq!(page(json!({ "limit": 0, "after": "after", "before": "before" })).await, (vec![], false));
    // A deleted alert is still a cursor.
    delete(&acme, &all[1]).await.unwrap();
    assert_eq!(page(json!({ "before": all[1] })).await, (all[..1].to_vec(), false));
}

async fn an_alert_is_recorded_without_its_recipients(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = change::<CreateProjectSpendAlert>(&acme, &json!(DEFAULT), &body(7)).await.unwrap();
    let alert = json!({ "project_id": DEFAULT, "alert_id": created["id"], "body": body(8) });
    acme.change(serde_json::from_value::<UpdateProjectSpendAlert>(alert.clone()).unwrap()).await.unwrap();
    acme.change(serde_json::from_value::<DeleteProjectSpendAlert>(alert).unwrap()).await.unwrap();
    let logs = acme.logs(json!({ "limit": 3 })).await.unwrap().data;
    let told: Vec<Json> =
        logs.iter().map(|log| json!([log.r#type, log.project.as_ref().unwrap().id, log.detail])).collect();
    let values = |amount: u64| json!({ "threshold_amount": amount, "currency": "USD", "interval": "month" });
    let expected = [
        json!(["spend_alert.deleted", DEFAULT, { "id": created["id"] }]),
        json!(["spend_alert.updated", DEFAULT, { "id": created["id"], "changes_requested": values(8) }]),
        json!(["spend_alert.created", DEFAULT, { "id": created["id"], "data": values(7) }]),
    ];
    assert_eq!(told, expected);
}

async fn an_invalid_alert_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for (path, value, field) in [
        ("/currency", json!("EUR"), "currency"),
        ("/interval", json!("day"), "interval"),
        ("/notification_channel/type", json!("pager"), "notification_channel.type"),
        ("/notification_channel/recipients", json!([]), "notification_channel.recipients"),
        ("/notification_channel/recipients", json!(vec!["a@b"; 101]), "notification_channel.recipients"),
        ("/notification_channel/recipients", json!(["a@b", "a"]), "notification_channel.recipients[1]"),
        ("/notification_channel/subject_prefix", json!("a\u{0}"), "notification_channel.subject_prefix"),
    ] {
        let mut body = body(1);
        *body.pointer_mut(path).unwrap() = value;
        let refused = change::<CreateOrganizationSpendAlert>(&acme, &Json::Null, &body).await;
        assert_refused!(refused, Error::InvalidValue { field: wrong, .. } if wrong == field);
    }
}

async fn alerts_stay_readable_in_an_archived_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let created = change::<CreateProjectSpendAlert>(&acme, &json!(project), &body(7)).await.unwrap();
    projects::archive(&acme, project.as_str()).await.unwrap();
    let alert = json!({ "project_id": project, "alert_id": created["id"], "body": body(8) });
    assert_eq!(read::<RetrieveProjectSpendAlert>(&acme, alert.clone()).await.unwrap(), created);
    let refused = change::<CreateProjectSpendAlert>(&acme, &json!(project), &body(7)).await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    let refused =
        acme.change(serde_json::from_value::<UpdateProjectSpendAlert>(alert.clone()).unwrap()).await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    let refused = acme.change(serde_json::from_value::<DeleteProjectSpendAlert>(alert).unwrap()).await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
}
