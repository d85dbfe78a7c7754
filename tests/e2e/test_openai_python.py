"""The official `openai` package, which we did not write, against the server.

What each answer looks like to the byte is tested beside the server. Here counts whether the package
accepts the answers as its own types, pages through lists, and raises its own errors.
"""

import asyncio

import openai
import pytest


def ids(items):
    return [item.id for item in items]


# Users of a group


def test_adds_retrieves_and_removes_a_user(organization, create_user):
    group = organization.groups.create(name="Support Team")
    user = create_user(email="ada@example.com", name="Ada Lovelace")

    added = organization.groups.users.create(group.id, user_id=user.id)
    assert (added.object, added.group_id, added.user_id) == ("group.user", group.id, user.id)

    member = organization.groups.users.retrieve(user.id, group_id=group.id)
    assert (member.id, member.email, member.name) == (user.id, "ada@example.com", "Ada Lovelace")
    assert (member.picture, member.is_service_account, member.user_type) == (None, False, "user")

    removed = organization.groups.users.delete(user.id, group_id=group.id)
    assert (removed.object, removed.deleted) == ("group.user.deleted", True)
    assert organization.groups.users.list(group.id).data == []


def test_adding_twice_is_adding_once(organization, create_user):
    group, user = organization.groups.create(name="Support Team"), create_user()

    first = organization.groups.users.create(group.id, user_id=user.id)
    second = organization.groups.users.create(group.id, user_id=user.id)

    assert first == second
    assert ids(organization.groups.users.list(group.id)) == [user.id]


def test_pages_through_all_users_of_a_group(organization, create_user):
    group = organization.groups.create(name="Everyone")
    created = [create_user().id for _ in range(25)]
    for user_id in created:
        organization.groups.users.create(group.id, user_id=user_id)

    pages = list(organization.groups.users.list(group.id, limit=10, order="asc").iter_pages())
    assert [len(page.data) for page in pages] == [10, 10, 5]
    assert (pages[-1].has_more, pages[-1].next) == (False, None)
    assert ids(user for page in pages for user in page.data) == created

    # Iteration over the first page continues with the other pages. Default order: newest first.
    assert ids(organization.groups.users.list(group.id, limit=10)) == created[::-1]
    assert ids(organization.groups.users.list(group.id, limit=1000, order="desc")) == created[::-1]


def test_a_page_can_follow_a_user_who_has_left(organization, create_user):
    group = organization.groups.create(name="Support Team")
    created = [create_user().id for _ in range(5)]
    for user_id in created:
        organization.groups.users.create(group.id, user_id=user_id)

    first = organization.groups.users.list(group.id, limit=2, order="asc")
    organization.groups.users.delete(first.data[-1].id, group_id=group.id)

    assert ids(first.get_next_page().data) == created[2:4]
    # The published document lets a client name the user instead of the cursor.
    after_user = organization.groups.users.list(group.id, after=created[1], order="asc")
    assert ids(after_user.data) == created[2:]


def test_a_page_of_nothing(organization, create_user):
    group, user = organization.groups.create(name="Support Team"), create_user()
    organization.groups.users.create(group.id, user_id=user.id)

    page = organization.groups.users.list(group.id, limit=0)

    assert (page.data, page.has_more, page.next) == ([], False, None)


def test_an_id_that_a_path_must_escape(organization, create_user):
    group = organization.groups.create(name="Support Team")
    user = create_user(id="ann marie+ü%41?#", email="ann@example.com")
    assert user.id == "ann marie+ü%41?#"

    organization.groups.users.create(group.id, user_id=user.id)

    assert organization.groups.users.retrieve(user.id, group_id=group.id).id == user.id
    assert organization.groups.users.delete(user.id, group_id=group.id).deleted


def test_many_requests_at_once(server, organization, create_user):
    group = organization.groups.create(name="Everyone")
    created = {create_user().id for _ in range(50)}

    async def add_all_and_list():
        http = openai.DefaultAsyncHttpxClient(trust_env=False)
        async with openai.AsyncOpenAI(http_client=http, **server.options()) as client:
            users = client.admin.organization.groups.users
            await asyncio.gather(*(users.create(group.id, user_id=user_id) for user_id in created))
            return [user.id async for user in users.list(group.id, limit=20)]

    listed = asyncio.run(add_all_and_list())
    assert len(listed) == 50
    assert set(listed) == created


# Groups


def test_creates_renames_and_deletes_a_group(organization):
    name = "Ünterstützung 支援 🛟"
    created = organization.groups.create(name=name)
    assert (created.name, created.group_type, created.is_scim_managed) == (name, "group", False)
    assert organization.groups.retrieve(created.id) == created

    renamed = organization.groups.update(created.id, name="Support")
    assert (renamed.id, renamed.name, renamed.created_at) == (created.id, "Support", created.created_at)
    assert organization.groups.retrieve(created.id).name == "Support"

    deleted = organization.groups.delete(created.id)
    assert (deleted.object, deleted.id, deleted.deleted) == ("group.deleted", created.id, True)
    with pytest.raises(openai.NotFoundError):
        organization.groups.retrieve(created.id)


def test_pages_through_all_groups(organization):
    created = ids(organization.groups.create(name=f"Group {number}") for number in range(7))

    assert ids(organization.groups.list(limit=3)) == created
    assert ids(organization.groups.list(limit=3, order="desc")) == created[::-1]


# Users of the organization


def test_pages_through_all_users(organization, create_user):
    created = {create_user().id for _ in range(23)}

    listed = ids(organization.users.list(limit=10))

    assert len(listed) == len(set(listed))
    assert created <= set(listed)


def test_finds_users_by_email(organization, create_user):
    ada = create_user(email="ada@example.com")
    grace = create_user(email="grace@example.com")
    create_user(email="linus@example.com")

    found = organization.users.list(emails=["Ada@Example.com", "grace@example.com", "nobody@example.com"])
    assert set(ids(found)) == {ada.id, grace.id}
    assert ids(organization.users.list(emails=["grace@example.com"])) == [grace.id]
    assert ids(organization.users.list(emails=["nobody@example.com"])) == []


def test_modifies_a_user(organization, create_user):
    user = create_user(name="José Ñandú", role="reader")
    assert organization.users.retrieve(user.id) == user

    modified = organization.users.update(user.id, role="owner")
    assert (modified.id, modified.name, modified.role) == (user.id, "José Ñandú", "owner")
    assert organization.users.retrieve(user.id).role == "owner"


def test_deleting_a_user_takes_them_out_of_their_groups(organization, create_user):
    group = organization.groups.create(name="Support Team")
    stays, leaves = create_user(), create_user()
    for user in (stays, leaves):
        organization.groups.users.create(group.id, user_id=user.id)

    deleted = organization.users.delete(leaves.id)

    assert (deleted.object, deleted.id, deleted.deleted) == ("organization.user.deleted", leaves.id, True)
    assert ids(organization.groups.users.list(group.id)) == [stays.id]
    with pytest.raises(openai.NotFoundError):
        organization.users.retrieve(leaves.id)


# The audit log


def test_lists_what_was_done(organization, create_user):
    group, user = organization.groups.create(name="Support Team"), create_user(role="owner")
    create_user(role="owner")  # The last owner could not be deleted.
    organization.users.delete(user.id)

    deleted, added = organization.audit_logs.list(resource_ids=[user.id])
    assert (deleted.type, deleted.user_deleted.id) == ("user.deleted", user.id)
    assert (added.user_added.id, added.user_added.data.role) == (user.id, "owner")
    assert (added.actor.type, added.actor.api_key.id) == ("api_key", "key_bootstrap")
    assert "@" not in added.to_json()

    created = organization.audit_logs.list(event_types=["group.created"], effective_at={"gte": added.effective_at - 60})
    assert [(log.group_created.id, log.group_created.data.group_name) for log in created] == [(group.id, "Support Team")]


def test_reads_types_of_events_that_nobody_has_published(server, organization, create_user):
    group, user = organization.groups.create(name="Support Team"), create_user()
    organization.groups.users.create(group.id, user_id=user.id)

    # The default of the package: not strict.
    http = openai.DefaultHttpxClient(trust_env=False)
    options = {**server.options(), "_strict_response_validation": False}
    with openai.OpenAI(http_client=http, **options) as client:
        [added] = client.admin.organization.audit_logs.list(event_types=["group.user.added"])

    assert added.type == "group.user.added"
    assert added.to_dict()["group.user.added"] == {"group_id": group.id, "user_id": user.id}


def test_pages_through_the_audit_log(organization):
    created = ids(organization.groups.create(name=f"Group {number}") for number in range(7))

    logs = list(organization.audit_logs.list(event_types=["group.created"], limit=3))
    assert [log.group_created.id for log in logs] == created[::-1]

    first = organization.audit_logs.list(limit=1)
    group = organization.groups.create(name="Newer")
    newer = organization.audit_logs.list(before=first.first_id)
    assert [log.group_created.id for log in newer.data] == [group.id]


# Keys


def test_a_key_without_the_scope(server, organization, create_user):
    group, user = organization.groups.create(name="Support Team"), create_user()

    with server.client(key=server.create_key("reader", "api.groups.read")) as reader:
        groups = reader.admin.organization.groups
        assert ids(groups.list()) == [group.id]
        with pytest.raises(openai.PermissionDeniedError) as caught:
            groups.users.create(group.id, user_id=user.id)

    # Here `error` is a bare string, as the real service has it, so there is no code to read.
    assert "api.groups.write" in caught.value.body
    assert caught.value.code is None
    assert organization.groups.users.list(group.id).data == []


# The wire around the answers


def test_serves_the_same_routes_without_v1(server, organization):
    group = organization.groups.create(name="Support Team")

    with server.client(path="/") as client:
        assert client.admin.organization.groups.retrieve(group.id) == group


def test_every_answer_has_a_request_id(organization):
    first = organization.groups.create(name="Support Team")
    second = organization.groups.retrieve(first.id)

    assert first._request_id.startswith("req_")
    assert second._request_id.startswith("req_")
    assert first._request_id != second._request_id
