"""Tests with the fixture `openai_admin`. test_with_mocks.py has the same tests with hand-written mocks."""

from datetime import timedelta

import openai
import pytest
from team import members, set_members


def test_a_lost_response_to_an_addition_adds_the_user_once(openai_admin):
    openai_admin.faults.add("reset", operation="add-group-user", count=1, when="after")

    set_members(openai_admin.client, "group_support", {"user_ada", "user_bo", "user_cy"})

    assert members(openai_admin.client, "group_support") == {"user_ada", "user_bo", "user_cy"}
    openai_admin.journal.assert_called("add-group-user", times=2, body={"user_id": "user_cy"})


def test_a_lost_response_to_a_removal_is_a_success(openai_admin):
    openai_admin.faults.add("reset", operation="remove-group-user", count=1, when="after")

    set_members(openai_admin.client, "group_support", {"user_ada"})

    assert members(openai_admin.client, "group_support") == {"user_ada"}
    openai_admin.journal.assert_called("remove-group-user", times=2, path={"user_id": "user_bo"})


def test_a_lost_response_is_a_success_if_the_service_removes_a_user_twice(openai_admin):
    openai_admin.rules.off("not_a_member")
    openai_admin.faults.add("reset", operation="remove-group-user", count=1, when="after")

    set_members(openai_admin.client, "group_support", {"user_ada"})

    assert members(openai_admin.client, "group_support") == {"user_ada"}
    openai_admin.journal.assert_called("remove-group-user", times=1, status=200)


def test_waits_as_long_as_the_rate_limit_says(openai_admin):
    openai_admin.clock.set(openai_admin.clock.now)
    start = openai_admin.clock.now
    openai_admin.faults.add("budget", operation="add-group-user", requests_per_minute=1)

    set_members(
        openai_admin.client,
        "group_support",
        {"user_ada", "user_bo", "user_cy", "user_dee"},
        wait=lambda seconds: openai_admin.clock.step(seconds=seconds),
    )

    assert members(openai_admin.client, "group_support") == {"user_ada", "user_bo", "user_cy", "user_dee"}
    assert openai_admin.clock.now - start == timedelta(minutes=1)


def test_adds_before_it_removes_and_repeats_nothing(openai_admin):
    set_members(openai_admin.client, "group_support", {"user_bo", "user_cy"})

    add = {"operation": "add-group-user", "body": {"user_id": "user_cy"}}
    remove = {"operation": "remove-group-user", "path": {"user_id": "user_ada"}}
    openai_admin.journal.assert_in_order(add, remove)
    openai_admin.journal.assert_called("add-group-user", times=1)
    openai_admin.journal.assert_called("remove-group-user", times=1)


def test_a_second_run_completes_a_run_that_failed_at_any_request(openai_admin):
    wanted = {"user_cy", "user_dee"}
    for requests in range(5):
        with openai_admin.snapshot():
            openai_admin.faults.replace([{"skip": requests, "fault": {"kind": "status", "status": 500}}])
            with pytest.raises(openai.InternalServerError):
                set_members(openai_admin.client, "group_support", wanted)
            openai_admin.faults.clear()

            set_members(openai_admin.client, "group_support", wanted)
            assert members(openai_admin.client, "group_support") == wanted
    assert members(openai_admin.client, "group_support") == {"user_ada", "user_bo"}
