//! What every setting does in the same way: the suite of the shape, for each setting.

use openai_admin::{
    models::AuditLog,
    operations::{
        DeleteOrganizationSpendLimit, DeleteProjectModelPermissions, DeleteProjectSpendLimit,
        GetOrganizationSpendLimit, GetProjectSpendLimit, RetrieveOrganizationDataRetention,
        RetrieveProjectDataRetention, RetrieveProjectHostedToolPermissions, RetrieveProjectModelPermissions,
        RetrieveProjectServiceTierSettings, UpdateOrganizationDataRetention, UpdateOrganizationSpendLimit,
        UpdateProjectDataRetention, UpdateProjectHostedToolPermissions, UpdateProjectModelPermissions,
        UpdateProjectServiceTierSettings, UpdateProjectSpendLimit,
    },
};
use openai_admin_store::{Changes, Error, Kind, Reads, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

/// Declares a case for each setting of a kind of owner: the requests that read, update and delete it, and two values.
macro_rules! settings {
    ($($case:ident: $owner:ident, $get:ident, $update:ident $(, $delete:ident)?; $one:tt, $other:tt;)*) => {
        conformance! { $($case,)* a_setting_is_recorded_when_it_changes, a_setting_is_loaded_as_it_was_dumped, a_setting_that_cannot_be_loaded_is_refused, settings_have_their_values_until_they_are_set, a_model_is_permitted_once, service_tiers_are_updated_together, }
        $(
            async fn $case(database: Database) {
                let values = [json!($one), json!($other)];
                for owner in $owner {
                    behaves_as_a_setting::<$get, $update>(&database, *owner, &values).await;
                    $(is_deleted::<$get, $update, $delete>(&database, *owner, &values[0]).await;)?
                }
            }
        )*
    };
}

settings! {
    the_spend_limit_of_an_organization_behaves_as_a_setting: ORGANIZATION,
        GetOrganizationSpendLimit, UpdateOrganizationSpendLimit, DeleteOrganizationSpendLimit;
        { "threshold_amount": 1, "currency": "USD", "interval": "month" },
        { "threshold_amount": 250_000, "currency": "USD", "interval": "month" };
    the_spend_limit_of_a_project_behaves_as_a_setting: PROJECTS,
        GetProjectSpendLimit, UpdateProjectSpendLimit, DeleteProjectSpendLimit;
        { "threshold_amount": 1, "currency": "USD", "interval": "month" },
        { "threshold_amount": 250_000, "currency": "USD", "interval": "month" };
    the_data_retention_of_an_organization_behaves_as_a_setting: ORGANIZATION,
        RetrieveOrganizationDataRetention, UpdateOrganizationDataRetention;
        { "retention_type": "zero_data_retention" }, { "retention_type": "enhanced_zero_data_retention" };
    the_data_retention_of_a_project_behaves_as_a_setting: PROJECTS,
        RetrieveProjectDataRetention, UpdateProjectDataRetention;
        { "retention_type": "none" }, { "retention_type": "zero_data_retention" };
    model_permissions_behave_as_a_setting: PROJECTS,
        RetrieveProjectModelPermissions, UpdateProjectModelPermissions, DeleteProjectModelPermissions;
        { "mode": "allow_list", "model_ids": ["o3", "gpt-4.1"] }, { "mode": "deny_list", "model_ids": [] };
    hosted_tool_permissions_behave_as_a_setting: PROJECTS,
        RetrieveProjectHostedToolPermissions, UpdateProjectHostedToolPermissions;
        { "mcp": { "enabled": false } }, { "web_search": { "enabled": false }, "mcp": null };
    service_tiers_behave_as_a_setting: PROJECTS,
        RetrieveProjectServiceTierSettings, UpdateProjectServiceTierSettings;
        { "default": "scale" }, { "enabled_tiers": ["flex"] };
}

/// Owners of settings: the organization, or a project by its name.
const ORGANIZATION: &[Option<&str>] = &[None];
const PROJECTS: &[Option<&str>] = &[Some("Search"), Some(DEFAULT)];
/// What the id of a default project starts with. It stands for its name.
const DEFAULT: &str = "proj_default_";

/// The id of a project: the default one, or a new one with the name.
async fn project(tenant: &Tenant, name: Option<&str>) -> Json {
    match name {
        None => Json::Null,
        Some(DEFAULT) => json!(format!("{DEFAULT}{}", tenant.organization.id)),
        Some(name) => json!(projects::create(tenant, name).await.id),
    }
}

async fn get<G: Reads>(tenant: &Tenant, project: &Json) -> Result<Json> {
    let request: G = serde_json::from_value(json!({ "project_id": project })).unwrap();
    tenant.read(request).await.map(|answer| json!(answer))
}

pub(crate) async fn update<U: Changes>(tenant: &Tenant, project: &Json, body: &Json) -> Result<Json> {
    let request: U = serde_json::from_value(json!({ "project_id": project, "body": body })).unwrap();
    tenant.change(request).await.map(|answer| json!(answer))
}

async fn delete<D: Changes>(tenant: &Tenant, project: &Json) -> Result<()> {
    let request: D = serde_json::from_value(json!({ "project_id": project })).unwrap();
    tenant.change(request).await.map(drop)
}

/// An organization in which nothing is set.
async fn tenant(database: &Database, name: &str) -> Tenant {
    let id = format!("org-{name}-{}", database.stamp().change);
    database.tenant(&id, 0, json!([])).await
}

fn text(result: Result<Json>) -> String {
    match result {
        Ok(answer) => answer.to_string(),
        Err(Error::Refused { refusal, .. }) if refusal.is_absence() => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

async fn behaves_as_a_setting<G: Reads, U: Changes>(
    database: &Database,
    name: Option<&str>,
    [one, other]: &[Json; 2],
) {
    let (acme, theirs) = (tenant(database, "acme").await, tenant(database, "other").await);
    let (owner, their_owner) = (project(&acme, name).await, project(&theirs, name).await);
    let unset = text(get::<G>(&acme, &owner).await);

    // Reads return the updated value. A repeated update changes nothing.
    let first = update::<U>(&acme, &owner, one).await.unwrap();
    assert_eq!(get::<G>(&acme, &owner).await.unwrap(), first);
    let events = database.events();
    assert_eq!(update::<U>(&acme, &owner, one).await.unwrap(), first);
    assert_eq!(database.events(), events);
    let second = update::<U>(&acme, &owner, other).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(get::<G>(&acme, &owner).await.unwrap(), second);

    // Other owners have their own values.
    assert_eq!(text(get::<G>(&theirs, &their_owner).await), unset);
    let Some(name) = name else { return };
    assert_eq!(text(get::<G>(&acme, &project(&acme, Some("Second")).await).await), unset);
    for unknown in [json!("proj_unknown"), their_owner] {
        assert_refused!(get::<G>(&acme, &unknown).await, Error::NotFound { kind: Kind::Project, .. });
        assert_refused!(update::<U>(&acme, &unknown, one).await, Error::NotFound { kind: Kind::Project, .. });
    }

    // A value stays readable in an archived project.
    if name != DEFAULT {
        projects::archive(&acme, owner.as_str().unwrap()).await.unwrap();
        assert_eq!(get::<G>(&acme, &owner).await.unwrap(), second);
        let refused = update::<U>(&acme, &owner, one).await;
        assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    }
}

async fn is_deleted<G: Reads, U: Changes, D: Changes>(database: &Database, name: Option<&str>, value: &Json) {
    let acme = tenant(database, "acme").await;
    let owner = project(&acme, name).await;
    let absent = |refusal: Refusal| refusal.is_absence();
    assert_refused!(get::<G>(&acme, &owner).await, Error::Refused { refusal, .. } if absent(refusal));
    update::<U>(&acme, &owner, value).await.unwrap();
    delete::<D>(&acme, &owner).await.unwrap();
    for _ in 0..2 {
        assert_refused!(get::<G>(&acme, &owner).await, Error::Refused { refusal, .. } if absent(refusal));
        assert_refused!(delete::<D>(&acme, &owner).await, Error::Refused { refusal, .. } if absent(refusal));
    }
    update::<U>(&acme, &owner, value).await.unwrap();
}

pub(crate) async fn limit_spend(tenant: &Tenant, amount: u64) {
    let body = json!({ "threshold_amount": amount, "currency": "USD", "interval": "month" });
    update::<UpdateOrganizationSpendLimit>(tenant, &Json::Null, &body).await.unwrap();
}

async fn a_setting_is_recorded_when_it_changes(database: Database) {
    let acme = tenant(&database, "acme").await;
    let owner = project(&acme, Some("Search")).await;
    limit_spend(&acme, 5).await;
    update::<UpdateProjectSpendLimit>(
        &acme,
        &owner,
        &json!({ "threshold_amount": 7, "currency": "USD", "interval": "month" }),
    )
    .await
    .unwrap();
    delete::<DeleteProjectSpendLimit>(&acme, &owner).await.unwrap();
    let logs = acme.logs(json!({ "limit": 3 })).await.unwrap().data;
    let told = |log: &AuditLog| {
        json!([log.r#type.as_str(), log.project.as_ref().map(|project| &project.id), log.detail])
    };
    let requested = |amount: u64| json!({ "changes_requested": { "threshold_amount": amount, "currency": "USD", "interval": "month" } });
    assert_eq!(
        logs.iter().map(told).collect::<Vec<_>>(),
        [
            json!(["spend_limit.deleted", owner, {}]),
            json!(["spend_limit.updated", owner, requested(7)]),
            json!(["spend_limit.updated", null, requested(5)]),
        ]
    );
}

async fn settings_have_their_values_until_they_are_set(database: Database) {
    let acme = tenant(&database, "acme").await;
    let owner = project(&acme, Some("Search")).await;
    let retention = get::<RetrieveOrganizationDataRetention>(&acme, &Json::Null).await.unwrap();
    assert_eq!(retention["type"], "modified_abuse_monitoring");
    let retention = get::<RetrieveProjectDataRetention>(&acme, &owner).await.unwrap();
    assert_eq!(retention["type"], "organization_default");
    let body = json!({ "retention_type": "none" });
    let foreign = update::<UpdateOrganizationDataRetention>(&acme, &Json::Null, &body).await;
    assert_refused!(foreign, Error::InvalidValue { field, .. } if field == "retention_type");
    let body = json!({ "mcp": { "enabled": false } });
    let tools = update::<UpdateProjectHostedToolPermissions>(&acme, &owner, &body).await.unwrap();
    let (on, off) = (json!({ "enabled": true }), json!({ "enabled": false }));
    let expected = json!({ "file_search": on, "web_search": on, "image_generation": on, "mcp": off, "code_interpreter": on });
    assert_eq!(tools, expected);
    let unchanged = update::<UpdateProjectHostedToolPermissions>(&acme, &owner, &json!({})).await.unwrap();
    assert_eq!(unchanged, expected);
}

async fn a_model_is_permitted_once(database: Database) {
    let acme = tenant(&database, "acme").await;
    let owner = project(&acme, Some("Search")).await;
    let body = json!({ "mode": "allow_list", "model_ids": ["o3", "gpt-4.1", "o3"] });
    let permitted = update::<UpdateProjectModelPermissions>(&acme, &owner, &body).await.unwrap();
    assert_eq!(permitted["model_ids"], json!(["o3", "gpt-4.1"]));
    for (body, wrong) in [
        (json!({ "mode": "all", "model_ids": [] }), "mode"),
        (json!({ "mode": "deny_list", "model_ids": ["a", "b\u{0}"] }), "model_ids[1]"),
    ] {
        let refused = update::<UpdateProjectModelPermissions>(&acme, &owner, &body).await;
        assert_refused!(refused, Error::InvalidValue { field, .. } if field == wrong);
    }
}

async fn service_tiers_are_updated_together(database: Database) {
    let acme = tenant(&database, "acme").await;
    let owner = project(&acme, Some("Search")).await;
    let tiers = |default: &str, enabled: Json| json!({ "object": "project.service_tier_settings", "default": default, "enabled_tiers": enabled });
    let initial = get::<RetrieveProjectServiceTierSettings>(&acme, &owner).await.unwrap();
    assert_eq!(initial, tiers("standard", json!("all")));
    let set = async |body: Json| update::<UpdateProjectServiceTierSettings>(&acme, &owner, &body).await;
    let both = json!({ "default": "fast", "enabled_tiers": ["fast", "flex"] });
    assert_eq!(set(both).await.unwrap(), tiers("fast", json!(["fast", "flex"])));
    for (body, wrong) in [
        (json!({}), "default"),
        (json!({ "default": "slow" }), "default"),
        (json!({ "enabled_tiers": [] }), "default"),
        (json!({ "enabled_tiers": ["fast", "scale"] }), "enabled_tiers[1]"),
    ] {
        assert_refused!(set(body).await, Error::InvalidValue { field, .. } if field == wrong);
    }
    let standard = set(json!({ "default": "standard" })).await.unwrap();
    assert_eq!(standard, tiers("standard", json!(["fast", "flex"])));
    assert_eq!(set(json!({ "enabled_tiers": [] })).await.unwrap(), tiers("standard", json!([])));
}

fn setting(project: Option<&str>, amount: u64) -> Json {
    let mut setting = json!({
        "setting": "spend_limit",
        "value": { "threshold_amount": amount, "currency": "USD", "interval": "month" },
    });
    if let Some(project) = project {
        setting["project"] = json!(project);
    }
    setting
}

async fn a_setting_is_loaded_as_it_was_dumped(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let projects = json!([{ "id": "proj_search", "name": "Search", "created_at": 1 }]);
    let default = format!("{DEFAULT}org-acme");
    let settings = json!([setting(Some(&default), 3), setting(None, 1), setting(Some("proj_search"), 2)]);
    let directory = json!({ "projects": projects, "settings": settings });
    assert_eq!(acme.load(directory.clone()).await.unwrap().settings_changed, 3);
    assert_eq!(acme.dump().await["settings"], settings);
    assert_eq!(acme.load(directory).await.unwrap().settings_changed, 0);
    let by_name = json!({ "settings": [setting(Some("Search"), 9)] });
    assert_eq!(acme.load(by_name).await.unwrap().settings_changed, 1);
    // A project that is archived is not dumped, nor are its settings.
    crate::projects::archive(&acme, "proj_search").await.unwrap();
    assert_eq!(acme.dump().await["settings"], json!([setting(Some(&default), 3), setting(None, 1)]));
}

async fn a_setting_that_cannot_be_loaded_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let unknown = json!({ "setting": "budget", "value": {} });
    let mut foreign = setting(None, 1);
    foreign["value"]["currency"] = json!("EUR");
    for (settings, place) in [
        (json!([unknown]), "settings[0].setting"),
        (json!([setting(Some("Nowhere"), 1)]), "settings[0].project"),
        (json!([setting(None, 0)]), "settings[0].value"),
        (json!([foreign]), "settings[0].currency"),
        (json!([{ "setting": "model_permissions", "value": {} }]), "settings[0].project"),
        (json!([setting(None, 1), setting(None, 2)]), "settings[1]"),
    ] {
        let refused = acme.load(json!({ "settings": settings })).await;
        assert_refused!(refused, Error::InvalidValue { field, .. } if field == place);
    }
}
