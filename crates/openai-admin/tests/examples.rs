//! The example answers of the published description round trip.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use openai_admin::{Endpoint, operations::*};
use serde_json::{Value, json};

/// Reads the answer of an operation and writes it again.
fn written_again<E: Endpoint>(example: &Value) -> Value {
    let answer: E::Response = serde_json::from_value(example.clone()).expect(E::ID);
    serde_json::to_value(&answer).unwrap()
}

fn check<E: Endpoint>(example: &Value) {
    assert_eq!(&written_again::<E>(example), example, "{}", E::ID);
}

fn list_of(item: &Value) -> Value {
    json!({ "object": "list", "data": [item], "has_more": false, "next": null })
}

fn role() -> Value {
    json!({
        "object": "role",
        "id": "role_01J1F8ROLE01",
        "name": "API Group Manager",
        "description": "Allows managing organization groups",
        "permissions": ["api.groups.read", "api.groups.write"],
        "resource_type": "api.organization",
        "predefined_role": false,
    })
}

fn assigned_role() -> Value {
    json!({
        "id": "role_01J1F8ROLE01",
        "name": "API Group Manager",
        "permissions": ["api.groups.read", "api.groups.write"],
        "resource_type": "api.organization",
        "predefined_role": false,
        "description": "Allows managing organization groups",
        "created_at": 1_711_471_533,
        "updated_at": 1_711_472_599,
        "created_by": "user_abc123",
        "created_by_user_obj": { "id": "user_abc123", "name": "Ada Lovelace", "email": "ada@example.com" },
        "metadata": {},
        "assignment_sources": null,
    })
}

#[test]
fn roles() {
    check::<ListRoles>(&list_of(&role()));
    check::<CreateRole>(&role());
    check::<RetrieveRole>(&role());
    check::<UpdateRole>(&role());
    check::<DeleteRole>(&json!({ "object": "role.deleted", "id": "role_01J1F8ROLE01", "deleted": true }));
}

#[test]
fn roles_of_groups() {
    let group = json!({
        "object": "group",
        "id": "group_01J1F8ABCDXYZ",
        "name": "Support Team",
        "created_at": 1_711_471_533,
        "scim_managed": false,
    });
    check::<ListGroupRoleAssignments>(&list_of(&assigned_role()));
    check::<AssignGroupRole>(&json!({ "object": "group.role", "group": group, "role": role() }));
    check::<RetrieveGroupRole>(&assigned_role());
    check::<UnassignGroupRole>(&json!({ "object": "group.role.deleted", "deleted": true }));
}

#[test]
fn roles_of_users() {
    let user = json!({
        "object": "organization.user",
        "id": "user_abc123",
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "role": "owner",
        "added_at": 1_711_470_000,
    });
    check::<ListUserRoleAssignments>(&list_of(&assigned_role()));
    check::<AssignUserRole>(&json!({ "object": "user.role", "user": user, "role": role() }));
    check::<RetrieveUserRole>(&assigned_role());
    check::<UnassignUserRole>(&json!({ "object": "user.role.deleted", "deleted": true }));
}

#[test]
fn rate_limits() {
    let limit = json!({
        "object": "project.rate_limit",
        "id": "rl-ada",
        "model": "ada",
        "max_requests_per_1_minute": 600,
        "max_tokens_per_1_minute": 150_000,
        "max_images_per_1_minute": 10,
    });
    check::<UpdateProjectRateLimit>(&limit);
    check::<ListProjectRateLimits>(
        &json!({ "object": "list", "data": [limit], "first_id": "rl-ada", "last_id": "rl-ada", "has_more": false }),
    );
}

#[test]
fn external_keys() {
    let key = |object: &str| {
        json!({
            "object": object,
            "id": "extkey_test",
            "type": "aws",
            "name": "Key",
            "api_project_ids": ["proj_test"],
            "workspace_id": "",
            "created_at": 1_711_471_533,
            "purpose": "ekm",
            "role_arn": "arn:aws:iam::123456789012:role/example-role",
            "kms_arn": "arn:aws:kms:us-east-1:123456789012:key/1",
            "external_id": "org_test",
        })
    };
    let registered = key("organization.external_key");
    check::<ListExternalKeys>(
        &json!({ "object": "list", "data": [registered], "first_id": "extkey_test", "last_id": "extkey_test", "has_more": false }),
    );
    check::<CreateExternalKey>(&registered);
    check::<RetrieveExternalKey>(&registered);
    check::<DeleteExternalKey>(&key("organization.external_key.deleted"));
    check::<ValidateExternalKey>(&json!({ "status": "valid" }));
}

#[test]
fn spend_alerts() {
    let channel = json!({
        "type": "email",
        "recipients": ["finance@example.com"],
        "subject_prefix": "OpenAI spend alert",
    });
    let alert = |object: &str| {
        json!({
            "id": "alert_abc123",
            "object": object,
            "threshold_amount": 100_000,
            "currency": "USD",
            "interval": "month",
            "notification_channel": channel,
        })
    };
    let list = |alert: &Value| json!({ "object": "list", "data": [alert], "first_id": "alert_abc123", "last_id": "alert_abc123", "has_more": false });
    let deleted = |object: &str| json!({ "id": "alert_abc123", "object": object, "deleted": true });
    let organization = alert("organization.spend_alert");
    check::<ListOrganizationSpendAlerts>(&list(&organization));
    check::<CreateOrganizationSpendAlert>(&organization);
    check::<RetrieveOrganizationSpendAlert>(&organization);
    check::<UpdateOrganizationSpendAlert>(&organization);
    check::<DeleteOrganizationSpendAlert>(&deleted("organization.spend_alert.deleted"));
    let project = alert("project.spend_alert");
    check::<ListProjectSpendAlerts>(&list(&project));
    check::<CreateProjectSpendAlert>(&project);
    check::<RetrieveProjectSpendAlert>(&project);
    check::<UpdateProjectSpendAlert>(&project);
    check::<DeleteProjectSpendAlert>(&deleted("project.spend_alert.deleted"));
}

#[test]
fn spend_limits() {
    let limit = |object: &str| {
        json!({
            "object": object, "threshold_amount": 100_000, "currency": "USD", "interval": "month",
            "enforcement": { "status": "enforcing" },
        })
    };
    let deleted = |object: &str| json!({ "object": object, "deleted": true });
    check::<GetOrganizationSpendLimit>(&limit("organization.spend_limit"));
    check::<UpdateOrganizationSpendLimit>(&limit("organization.spend_limit"));
    check::<DeleteOrganizationSpendLimit>(&deleted("organization.spend_limit.deleted"));
    check::<GetProjectSpendLimit>(&limit("project.spend_limit"));
    check::<UpdateProjectSpendLimit>(&limit("project.spend_limit"));
    check::<DeleteProjectSpendLimit>(&deleted("project.spend_limit.deleted"));
}

#[test]
fn data_retention() {
    let organization =
        json!({ "object": "organization.data_retention", "type": "modified_abuse_monitoring" });
    check::<RetrieveOrganizationDataRetention>(&organization);
    check::<UpdateOrganizationDataRetention>(&organization);
    let project = json!({ "object": "project.data_retention", "type": "organization_default" });
    check::<RetrieveProjectDataRetention>(&project);
    check::<UpdateProjectDataRetention>(&project);
}

#[test]
fn permissions_of_projects() {
    let models = json!({ "object": "project.model_permissions", "mode": "allow_list", "model_ids": ["gpt-4.1", "o3"] });
    check::<RetrieveProjectModelPermissions>(&models);
    check::<UpdateProjectModelPermissions>(&models);
    check::<DeleteProjectModelPermissions>(
        &json!({ "object": "project.model_permissions.deleted", "deleted": true }),
    );
    let on = json!({ "enabled": true });
    let tools = json!({
        "file_search": on, "web_search": on, "image_generation": on, "mcp": on, "code_interpreter": on,
    });
    check::<RetrieveProjectHostedToolPermissions>(&tools);
    check::<UpdateProjectHostedToolPermissions>(&tools);
}

fn certificate(object: &str, name: &str, active: Option<bool>) -> Value {
    let mut certificate = json!({
        "object": object,
        "id": "cert_abc",
        "name": name,
        "created_at": 1_234_567,
        "certificate_details": { "valid_at": 12_345_667, "expires_at": 12_345_678 },
    });
    if let Some(active) = active {
        certificate["active"] = active.into();
    }
    certificate
}

#[test]
fn certificates() {
    let uploaded = certificate("certificate", "My Example Certificate", None);
    check::<UploadCertificate>(&uploaded);
    check::<ModifyCertificate>(&uploaded);
    let mut with_content = uploaded;
    with_content["certificate_details"]["content"] =
        "-----BEGIN CERTIFICATE-----MIIDeT...-----END CERTIFICATE-----".into();
    check::<GetCertificate>(&with_content);
    check::<DeleteCertificate>(&json!({ "object": "certificate.deleted", "id": "cert_abc" }));
    let list = |item: &Value| json!({ "object": "list", "data": [item], "first_id": "cert_abc", "last_id": "cert_abc", "has_more": false });
    let of = |object: &str, active| certificate(object, "My Example Certificate", Some(active));
    let toggled = |object: &str, item: Value| json!({ "object": object, "data": [item] });
    let organization = "organization.certificate";
    check::<ListOrganizationCertificates>(&list(&of(organization, true)));
    check::<ActivateOrganizationCertificates>(&toggled(
        "organization.certificate.activation",
        of(organization, true),
    ));
    check::<DeactivateOrganizationCertificates>(&toggled(
        "organization.certificate.deactivation",
        of(organization, false),
    ));
    let project = "organization.project.certificate";
    check::<ListProjectCertificates>(&list(&of(project, true)));
    check::<ActivateProjectCertificates>(&toggled(
        "organization.project.certificate.activation",
        of(project, true),
    ));
    check::<DeactivateProjectCertificates>(&toggled(
        "organization.project.certificate.deactivation",
        of(project, false),
    ));
}

#[test]
fn projects() {
    let project = json!({
        "id": "proj_abc",
        "object": "organization.project",
        "name": "Project example",
        "created_at": 1_711_471_533,
        "archived_at": null,
        "status": "active",
        "external_key_id": null,
    });
    check::<CreateProject>(&project);
    check::<RetrieveProject>(&project);
    check::<ModifyProject>(&project);
    check::<ArchiveProject>(&project);
    check::<ListProjects>(&json!({
        "object": "list",
        "data": [project],
        "first_id": "proj_abc",
        "last_id": "proj_abc",
        "has_more": false,
    }));
}

#[test]
fn invites() {
    let invite = json!({
        "object": "organization.invite",
        "id": "invite-abc",
        "email": "user@example.com",
        "role": "owner",
        "status": "accepted",
        "created_at": 1_711_471_533,
        "expires_at": 1_711_471_533,
        "accepted_at": 1_711_471_533,
        "projects": [{ "id": "project-xyz", "role": "member" }],
    });
    check::<InviteUser>(&invite);
    check::<RetrieveInvite>(&invite);
    check::<ListInvites>(&json!({
        "object": "list",
        "data": [invite],
        "first_id": "invite-abc",
        "last_id": "invite-abc",
        "has_more": false,
    }));
    check::<DeleteInvite>(
        &json!({ "object": "organization.invite.deleted", "id": "invite-abc", "deleted": true }),
    );
}

#[test]
fn users_of_projects() {
    let user = json!({
        "object": "organization.project.user",
        "id": "user_abc",
        "name": "First Last",
        "email": "user@example.com",
        "role": "owner",
        "added_at": 1_711_471_533,
    });
    check::<CreateProjectUser>(&user);
    check::<RetrieveProjectUser>(&user);
    check::<ModifyProjectUser>(&user);
    check::<DeleteProjectUser>(&json!({
        "object": "organization.project.user.deleted",
        "id": "user_abc",
        "deleted": true,
    }));
}

#[test]
fn groups_of_projects() {
    let mut group = json!({
        "object": "project.group",
        "project_id": "proj_abc123",
        "group_id": "group_01J1F8ABCDXYZ",
        "group_name": "Support Team",
        "group_type": "group",
        "created_at": 1_711_471_533,
    });
    check::<ListProjectGroups>(&list_of(&group));
    check::<AddProjectGroup>(&group);
    check::<RetrieveProjectGroup>(&group);
    check::<RemoveProjectGroup>(&json!({ "object": "project.group.deleted", "deleted": true }));
    // The example of the list omits the type.
    let whole = group.clone();
    let _ = group.as_object_mut().unwrap().remove("group_type");
    assert_eq!(written_again::<RetrieveProjectGroup>(&group), whole);
}

#[test]
fn roles_in_projects() {
    check::<ListProjectRoles>(&list_of(&role()));
    check::<CreateProjectRole>(&role());
    check::<ListProjectGroupRoleAssignments>(&list_of(&assigned_role()));
    check::<RetrieveProjectUserRole>(&assigned_role());
    check::<UnassignProjectUserRole>(&json!({ "object": "user.role.deleted", "deleted": true }));
}

#[test]
fn a_role_without_nullable_fields_is_read() {
    let mut role = role();
    let _ = role.as_object_mut().unwrap().remove("description");
    assert_eq!(written_again::<RetrieveRole>(&role)["description"], Value::Null);
    let mut inherited = assigned_role();
    inherited["assignment_sources"] = json!([{ "principal_id": "group_1", "principal_type": "group" }]);
    check::<RetrieveUserRole>(&inherited);
}
