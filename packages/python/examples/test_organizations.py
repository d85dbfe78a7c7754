"""What the fixtures give to a test: a separate organization, an environment, and messages that name the cause."""

import openai
import pytest
from team import members, set_members


@pytest.mark.parametrize("number", range(8))
def test_parallel_tests_have_separate_organizations(openai_admin, number):
    assert members(openai_admin.client, "group_support") == {"user_ada", "user_bo"}

    set_members(openai_admin.client, "group_support", {"user_cy"})

    openai_admin.journal.assert_called("remove-group-user", times=2)


def test_a_test_need_not_use_its_organization(openai_admin):
    assert openai_admin.base_url.endswith("/v1")


def test_an_environment_leads_clients_to_the_emulator(openai_admin_environment):
    client = openai.OpenAI(api_key="unused", http_client=openai.DefaultHttpxClient(trust_env=False))

    assert members(client, "group_support") == {"user_ada", "user_bo"}


def test_a_failed_assertion_names_the_nearest_request(openai_admin):
    set_members(openai_admin.client, "group_support", {"user_bo"})

    with pytest.raises(AssertionError, match="path.user_id is user_ada"):
        openai_admin.journal.assert_called("remove-group-user", path={"user_id": "user_cy"})


def test_a_file_name_is_refused_as_a_document(openai_admin):
    with pytest.raises(TypeError, match="but got str; read a file first"):
        openai_admin.load("organization.yaml")


def test_a_text_is_refused_as_a_time(openai_admin):
    with pytest.raises(TypeError, match="expected a datetime with a time zone, but got str"):
        openai_admin.clock.set("2030-01-31")
