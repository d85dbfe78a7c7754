"""A hundred tests that change the same groups at the same time, and never see each other: pytest -n 4"""

import openai
import pytest

SUPPORT = ["user_chidi", "user_dana", "user_emre", "user_farah", "user_grace", "user_liam"]


def members(organization, group):
    return sorted(user.id for user in organization.groups.users.list(group, limit=2))


@pytest.mark.parametrize("number", range(97))
def test_members_come_and_go(organization, number):
    joins, leaves = ["user_ada", "user_mei", "user_jonas"][number % 3], SUPPORT[number % len(SUPPORT)]
    assert members(organization, "group_support") == SUPPORT

    organization.groups.users.create("group_support", user_id=joins)
    organization.groups.users.delete(leaves, group_id="group_support")

    assert members(organization, "group_support") == sorted({*SUPPORT, joins} - {leaves})
    organization.verify("add-group-user", exactly=1, group_id="group_support")
    organization.verify("remove-group-user", exactly=1, group_id="group_support")


def test_somebody_who_is_not_there_is_not_found(organization):
    with pytest.raises(openai.NotFoundError) as caught:
        organization.groups.users.delete("user_ada", group_id="group_support")

    assert caught.value.code == "not_a_member"


def test_a_group_that_is_deleted_takes_its_members_along(organization):
    organization.groups.delete("group_support")

    with pytest.raises(openai.NotFoundError):
        organization.groups.users.list("group_support")
    assert organization.users.retrieve("user_chidi").name == "Chidi Okonkwo"


def test_a_reset_brings_the_fixtures_back(organization):
    organization.groups.users.delete("user_chidi", group_id="group_support")

    organization.control("POST", "/reset")

    assert members(organization, "group_support") == SUPPORT
