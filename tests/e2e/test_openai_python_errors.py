"""The errors of the server, as the official `openai` package raises them.

None of these tests cares what else there is, so they share one server for each engine.
"""

import openai
import pytest
from conftest import ENGINES, Server, new_database

SOME_KEY = "sk-admin-e2e-" + "0" * 32


@pytest.fixture(scope="module", params=ENGINES)
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors")
    with new_database(request.param, folder) as database:
        server = Server(database, folder)
        yield server
        server.stop()


@pytest.mark.parametrize(
    ("request_it", "param"),
    [
        pytest.param(lambda o, group, user: o.groups.retrieve("group_x"), "group_id", id="group"),
        pytest.param(lambda o, group, user: o.groups.users.list("group_x"), "group_id", id="list"),
        pytest.param(lambda o, group, user: o.groups.users.create("group_x", user_id=user), "group_id", id="add-to"),
        pytest.param(lambda o, group, user: o.groups.users.create(group, user_id="user_x"), "user_id", id="add"),
        pytest.param(lambda o, group, user: o.groups.users.delete(user, group_id=group), None, id="remove"),
        pytest.param(lambda o, group, user: o.groups.users.retrieve(user, group_id=group), None, id="member"),
        pytest.param(lambda o, group, user: o.users.retrieve("user_x"), "user_id", id="user"),
    ],
)
def test_not_found(organization, create_user, request_it, param):
    group, user = organization.groups.create(name="Support Team"), create_user()

    with pytest.raises(openai.NotFoundError) as caught:
        request_it(organization, group.id, user.id)

    assert caught.value.type == "invalid_request_error"
    assert param is None or caught.value.param == param
    assert caught.value.request_id.startswith("req_")


@pytest.mark.parametrize(
    ("request_it", "code", "param"),
    [
        (lambda o, group: o.groups.users.list(group, limit=1001), "integer_above_max_value", "limit"),
        (lambda o, group: o.groups.users.list(group, limit=-1), "integer_below_min_value", "limit"),
        (lambda o, group: o.groups.users.list(group, order="sideways"), "invalid_value", "order"),
        (lambda o, group: o.groups.users.list(group, after="user_never_seen"), "invalid_value", "after"),
        (lambda o, group: o.groups.users.create(group, user_id=""), "invalid_value", "user_id"),
        (lambda o, group: o.groups.list(limit=1001), "integer_above_max_value", "limit"),
        (lambda o, group: o.groups.create(name=""), "string_below_min_length", "name"),
        (lambda o, group: o.groups.update(group, name="x" * 256), "string_above_max_length", "name"),
        (lambda o, group: o.users.list(limit=101), "integer_above_max_value", "limit"),
    ],
)
def test_bad_request(organization, request_it, code, param):
    group = organization.groups.create(name="Support Team")

    with pytest.raises(openai.BadRequestError) as caught:
        request_it(organization, group.id)

    assert (caught.value.code, caught.value.param) == (code, param)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_wrong_key(server):
    with server.client(key=SOME_KEY) as client, pytest.raises(openai.AuthenticationError) as caught:
        client.admin.organization.groups.list()

    assert caught.value.code == "invalid_api_key"
    assert SOME_KEY not in str(caught.value)


def test_no_key(organization):
    with pytest.raises(openai.AuthenticationError) as caught:
        organization.groups.list(extra_headers={"Authorization": openai.Omit()})

    assert caught.value.code is None
    assert caught.value.response.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'
