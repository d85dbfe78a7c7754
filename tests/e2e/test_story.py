"""Administers an organization from the first invites to the archived project, with the official `openai` package.

The published API cannot accept an invite or explain access, so both use extensions of the server.
"""

import pytest

SECURITY = {"security": {"admin_api_key_auth": True}}


@pytest.fixture
def extension(client):
    """Calls an extension of the server."""

    def call(path, body=None):
        if body is None:
            return client.get(path, cast_to=object, options=SECURITY)
        return client.post(path, body=body, cast_to=object, options=SECURITY)

    return call


def test_an_organization_from_its_first_invites_to_an_archived_project(organization, extension):
    project = organization.projects.create(name="Search")

    # Three people are invited, and accept.
    people = {}
    for name, role in [("ada", "owner"), ("bob", "reader"), ("eve", "reader")]:
        projects = [{"id": project.id, "role": "member"}]
        invite = organization.invites.create(email=f"{name}@example.com", role=role, projects=projects)
        assert invite.status == "pending"
        people[name] = extension(f"/x/invites/{invite.id}/accept", {"name": name.title()})["id"]
        assert organization.invites.retrieve(invite.id).status == "accepted"
    assert [user.id for user in organization.users.list()] == list(people.values())
    members = {user.id: user.role for user in organization.projects.users.list(project.id)}
    assert members == {user: "member" for user in people.values()}

    # A group gets a role in the organization and access to the project.
    group = organization.groups.create(name="Support Team")
    for name in ["bob", "eve"]:
        organization.groups.users.create(group.id, user_id=people[name])
    role = organization.roles.create(role_name="Group editor", permissions=["api.groups.read", "api.groups.write"])
    organization.groups.roles.create(group.id, role_id=role.id)
    organization.projects.groups.create(project.id, group_id=group.id, role="role-api-project-viewer")

    # A service account has its first key and another one, which changes.
    account = organization.projects.service_accounts.create(project.id, name="Nightly")
    second = organization.projects.service_accounts.api_keys.create(
        account.id, project_id=project.id, name="CI", scopes=["api.responses.write"]
    )
    assert account.api_key.value != second.value
    changed = organization.projects.api_keys.update(second.id, project_id=project.id, expires_in_seconds=3600)
    assert changed.expires_at == pytest.approx(changed.created_at + 3600, abs=60)
    assert {key.id for key in organization.projects.api_keys.list(project.id)} == {account.api_key.id, second.id}

    # Who can change groups, and why?
    found = {user["user_id"]: user["paths"] for user in extension("/x/permissions/api.groups.write/users")["data"]}
    assert set(found) == set(people.values())
    assert [(path["kind"], path["role_name"], path["group_name"]) for path in found[people["eve"]]] == [
        ("group", "Group editor", "Support Team")
    ]
    assert found[people["ada"]][0]["role_name"] == "owner"

    # Eve leaves, and so do her memberships and roles.
    organization.users.delete(people["eve"])
    assert [user.id for user in organization.groups.users.list(group.id)] == [people["bob"]]
    left = extension("/x/permissions/api.groups.write/users")["data"]
    assert {user["user_id"] for user in left} == {people["ada"], people["bob"]}

    assert organization.projects.archive(project.id).status == "archived"
    assert [found.name for found in organization.projects.list()] == ["Default project"]

    # The audit log has it all, newest first. The package refuses the events of extensions, so the filter omits them.
    def events(**filters):
        logs = organization.audit_logs.list(limit=100, event_types=sorted({*STORY}), **filters)
        return [log.type for log in logs][::-1]

    assert events() == STORY
    of_project = events(project_ids=[project.id])
    assert of_project[0] == "project.created" and "project.archived" in of_project


STORY = [
    "api_key.created",  # The server's first key.
    "project.created",
    *["invite.sent", "user.added", "invite.accepted"] * 3,
    "group.created",
    "role.created",
    "user.added",  # A service account is a user too.
    "service_account.created",
    "api_key.created",
    "api_key.created",
    "api_key.updated",
    "user.deleted",
    "invite.deleted",
    "user.deleted",
    "service_account.deleted",
    "project.archived",
]
