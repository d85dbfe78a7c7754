//! Rate limits of projects: the limits of the organization's models, with the values that were set.

use openai_admin::{
    models::{ProjectRateLimit, ProjectRateLimitListResponse},
    operations::{ListProjectRateLimits, UpdateProjectRateLimit},
};
use openai_admin_store::{Error, Kind, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    rate_limits_have_their_defaults_until_they_are_set,
    a_rate_limit_that_the_organization_does_not_allow_is_refused,
    rate_limits_are_paged_in_both_directions,
    a_rate_limit_is_recorded_when_it_changes,
    rate_limits_stay_readable_in_an_archived_project,
    rate_limits_are_loaded_as_they_were_dumped,
    rate_limits_that_cannot_be_loaded_are_refused,
}

const DEFAULT: &str = "proj_default_org-acme";

pub(crate) async fn update(tenant: &Tenant, project: &str, id: &str, body: Json) -> Result<ProjectRateLimit> {
    let request = json!({ "project_id": project, "rate_limit_id": id, "body": body });
    tenant.change(serde_json::from_value::<UpdateProjectRateLimit>(request).unwrap()).await
}

async fn list(tenant: &Tenant, project: &str, mut part: Json) -> Result<ProjectRateLimitListResponse> {
    part["project_id"] = json!(project);
    tenant.read(serde_json::from_value::<ListProjectRateLimits>(part).unwrap()).await
}

async fn all(tenant: &Tenant, project: &str) -> Vec<ProjectRateLimit> {
    list(tenant, project, json!({ "limit": 1000 })).await.unwrap().data
}

async fn limit(tenant: &Tenant, project: &str, id: &str) -> Json {
    let found = all(tenant, project).await.into_iter().find(|limit| limit.id.as_str() == id);
    serde_json::to_value(found).unwrap()
}

async fn rate_limits_have_their_defaults_until_they_are_set(database: Database) {
    let (acme, theirs) =
        (database.acme(0, json!([])).await, database.tenant("org-other", 0, json!([])).await);
    let project = projects::create(&acme, "Search").await.id;
    let (default, expected) = (
        all(&acme, DEFAULT).await,
        json!({
            "object": "project.rate_limit", "id": "rl-gpt-4o", "model": "gpt-4o",
            "max_requests_per_1_minute": 10_000, "max_tokens_per_1_minute": 30_000_000,
            "batch_1_day_max_input_tokens": 5_000_000_000_i64,
        }),
    );
    assert_eq!(limit(&acme, DEFAULT, "rl-gpt-4o").await, expected);
    let unchanged = update(&acme, project.as_str(), "rl-gpt-4o", json!({})).await.unwrap();
    assert_eq!(json!(unchanged), expected);

    let changed = update(&acme, project.as_str(), "rl-gpt-4o", json!({ "max_requests_per_1_minute": 0 }));
    let changed = changed.await.unwrap();
    assert_eq!((changed.max_requests_per_1_minute, changed.max_tokens_per_1_minute), (0, 30_000_000));
    // The name of the model is accepted as the id, and earlier values stay.
    let changed = update(&acme, project.as_str(), "gpt-4o", json!({ "max_tokens_per_1_minute": 7 }));
    let changed = changed.await.unwrap();
    assert_eq!((changed.max_requests_per_1_minute, changed.max_tokens_per_1_minute), (0, 7));
    assert_eq!(limit(&acme, project.as_str(), "rl-gpt-4o").await, json!(changed));

    // Other projects and organizations have their own.
    assert_eq!(all(&acme, DEFAULT).await, default);
    assert_eq!(all(&theirs, "proj_default_org-other").await, default);
    for unknown in ["proj_unknown", "proj_default_org-other"] {
        assert_refused!(list(&acme, unknown, json!({})).await, Error::NotFound { kind: Kind::Project, .. });
        let refused = update(&acme, unknown, "rl-gpt-4o", json!({})).await;
        assert_refused!(refused, Error::NotFound { kind: Kind::Project, .. });
    }
}

async fn a_rate_limit_that_the_organization_does_not_allow_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let requests = |number: i64| json!({ "max_requests_per_1_minute": number });
    for (id, body, expected, message) in [
        (
            "rl-unknown",
            requests(1),
            Refusal::RateLimitNotSet,
            "the rate limit for model unknown is not set for your organization",
        ),
        (
            "rl-ft:gpt-4o-2024-08-06",
            requests(1),
            Refusal::RateLimitNotUpdatable,
            "the rate limit for model ft:gpt-4o-2024-08-06 cannot be updated",
        ),
        (
            "rl-gpt-4o-2024-08-06-shared",
            json!({}),
            Refusal::RateLimitNotUpdatable,
            "the rate limit for model gpt-4o-2024-08-06-shared cannot be updated",
        ),
        (
            "rl-gpt-4o",
            json!({ "max_images_per_1_minute": 1 }),
            Refusal::InvalidRateLimitType,
            "model does not have the limit: max_images_per_1_minute for rl-gpt-4o",
        ),
        (
            "rl-sora-2",
            json!({ "max_tokens_per_1_minute": 0 }),
            Refusal::InvalidRateLimitType,
            "model does not have the limit: max_tokens_per_1_minute for rl-sora-2",
        ),
        (
            "rl-gpt-5-pro",
            json!({ "max_tokens_per_1_minute": 1_000_000_000, "max_requests_per_1_minute": 501 }),
            Refusal::OrganizationRateLimitExceeded,
            "limit is too high: the max_requests_per_1_minute for rl-gpt-5-pro cannot exceed the organization rate limit of 500",
        ),
    ] {
        let error = update(&acme, DEFAULT, id, body).await.unwrap_err();
        assert!(matches!(error, Error::Refused { refusal, .. } if refusal == expected), "{error:?}");
        assert_eq!(error.to_string(), message);
    }
    update(&acme, DEFAULT, "rl-gpt-5-pro", requests(500)).await.unwrap();
}

async fn rate_limits_are_paged_in_both_directions(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let all: Vec<String> = all(&acme, DEFAULT).await.into_iter().map(|limit| limit.id.to_string()).collect();
    assert!(all.is_sorted());
    let page = async |part: Json| {
        let page = list(&acme, DEFAULT, part).await.unwrap();
        (page.data.into_iter().map(|limit| limit.id.to_string()).collect::<Vec<_>>(), page.has_more)
    };
    assert_eq!(page(json!({ "limit": 2 })).await, (all[..2].to_vec(), true));
    assert_eq!(page(json!({ "limit": 2, "after": all[1] })).await, (all[2..4].to_vec(), true));
    assert_eq!(page(json!({ "after": all[1] })).await, (all[2..].to_vec(), false));
    assert_eq!(page(json!({ "limit": 2, "before": all[4] })).await, (all[2..4].to_vec(), true));
    assert_eq!(page(json!({ "limit": 4, "before": all[4] })).await, (all[..4].to_vec(), false));
    assert_eq!(
        page(json!({ "limit": 1, "after": all[1], "before": all[4] })).await,
        (all[2..3].to_vec(), true)
    );
    assert_eq!(page(json!({ "after": all[4], "before": all[1] })).await, (vec![], false));
    assert_eq!(page(json!({ "limit": 0, "after": "after", "before": "before" })).await, (vec![], false));
    let unknown = list(&acme, DEFAULT, json!({ "before": "rl-unknown" })).await;
    assert_refused!(unknown, Error::UnknownCursor(_));
}

async fn a_rate_limit_is_recorded_when_it_changes(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let body = json!({ "max_requests_per_1_minute": 5, "max_tokens_per_1_minute": 6 });
    update(&acme, DEFAULT, "rl-gpt-4o", body.clone()).await.unwrap();
    let events = database.events();
    update(&acme, DEFAULT, "rl-gpt-4o", body.clone()).await.unwrap();
    update(&acme, DEFAULT, "rl-gpt-4o", json!({})).await.unwrap();
    assert_eq!(database.events(), events);
    update(&acme, DEFAULT, "rl-gpt-4o", json!({ "max_tokens_per_1_minute": 7 })).await.unwrap();
    let logs = acme.logs(json!({ "limit": 2 })).await.unwrap().data;
    let told: Vec<Json> =
        logs.iter().map(|log| json!([log.r#type, log.project.as_ref().unwrap().id, log.detail])).collect();
    let event = |requested: Json| json!(["rate_limit.updated", DEFAULT, { "id": "rl-gpt-4o", "changes_requested": requested }]);
    assert_eq!(told, [event(json!({ "max_tokens_per_1_minute": 7 })), event(body)]);
}

async fn rate_limits_stay_readable_in_an_archived_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let changed = update(&acme, project.as_str(), "rl-o3", json!({ "max_requests_per_1_minute": 1 }));
    let changed = changed.await.unwrap();
    projects::archive(&acme, project.as_str()).await.unwrap();
    assert_eq!(limit(&acme, project.as_str(), "rl-o3").await, json!(changed));
    let refused = update(&acme, project.as_str(), "rl-o3", json!({})).await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    assert_eq!(acme.dump().await.get("rate_limits"), None);
}

async fn rate_limits_are_loaded_as_they_were_dumped(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let limits = json!([
        { "model": "gpt-4o", "limits": { "max_requests_per_1_minute": 100 } },
        { "model": "model of our own", "limits": { "max_images_per_1_minute": 9 } },
        { "model": "model of our own", "project": DEFAULT, "limits": { "max_images_per_1_minute": 9 } },
        { "model": "gpt-4o", "project": "proj_search", "limits": { "max_requests_per_1_minute": 99 } },
    ]);
    let projects = json!([{ "id": "proj_search", "name": "Search", "created_at": 1 }]);
    let directory = json!({ "projects": projects, "rate_limits": limits });
    assert_eq!(acme.load(directory.clone()).await.unwrap().rate_limits_changed, 4);
    assert_eq!(acme.dump().await["rate_limits"], limits);
    assert_eq!(acme.load(directory).await.unwrap().rate_limits_changed, 0);
    let own = limit(&acme, "proj_search", "rl-model of our own").await;
    assert_eq!(
        (&own["max_images_per_1_minute"], &own["max_tokens_per_1_minute"]),
        (&json!(9), &json!(2_147_483_647))
    );
    let refused =
        update(&acme, "proj_search", "rl-gpt-4o", json!({ "max_requests_per_1_minute": 101 })).await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::OrganizationRateLimitExceeded, .. });
}

async fn rate_limits_that_cannot_be_loaded_are_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for (limits, place) in [
        (json!({ "model": "a/b", "limits": {} }), "rate_limits[0].model"),
        (json!({ "model": "o3", "project": "Nowhere", "limits": {} }), "rate_limits[0].project"),
        (json!({ "model": "o9", "project": DEFAULT, "limits": {} }), "rate_limits[0]"),
        (
            json!({ "model": "o3", "project": DEFAULT, "limits": { "max_images_per_1_minute": 1 } }),
            "rate_limits[0]",
        ),
    ] {
        let refused = acme.load(json!({ "rate_limits": [limits] })).await;
        assert_refused!(refused, Error::InvalidValue { field, .. } if field == place);
    }
}
