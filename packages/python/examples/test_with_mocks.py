"""The tests of test_with_emulator.py without the emulator: first a service must be written, and kept like the real one."""

import json
import re

import httpx2
import openai
import pytest
from team import members, set_members


class Service:
    """As much of the API as these tests use, with the faults, the clock and the journal that they need."""

    def __init__(self):
        self.users = ["user_ada", "user_bo", "user_cy", "user_dee"]
        self.members = ["user_ada", "user_bo"]
        self.requests = []
        self.lose_response_to = None
        self.fail_from_request = None
        self.additions_per_minute = None
        self.removes_twice = False
        self.removed = []
        self.seconds = 0
        self.budget_refilled_at = 0
        self.client = openai.OpenAI(
            api_key="unused",
            admin_api_key="unused",
            base_url="http://mock/v1",
            max_retries=0,
            http_client=openai.DefaultHttpxClient(transport=httpx2.MockTransport(self.answer)),
        )

    def answer(self, request):
        body = json.loads(request.content) if request.content else {}
        self.requests.append((request.method, request.url.path, body))
        if self.fail_from_request is not None and len(self.requests) > self.fail_from_request:
            return self.error(500, "internal_error", "The server had an error.")
        found = re.fullmatch(r"/v1/organization/groups/group_support/users(?:/(\w+))?", request.url.path)
        if not found:
            return self.error(404, "group_not_found", "No such group.")
        if request.method == "GET":
            return self.list(request.url.params)
        response = self.add(body["user_id"]) if request.method == "POST" else self.remove(found[1])
        if request.method == self.lose_response_to:
            self.lose_response_to = None
            raise httpx2.ReadError("connection reset", request=request)
        return response

    def list(self, params):
        limit, after = int(params.get("limit", 20)), params.get("after")
        start = self.members.index(after) + 1 if after else 0
        page = self.members[start : start + limit]
        more = start + limit < len(self.members)
        data = [{"object": "organization.user", "id": id, "email": f"{id}@example.com", "name": ""} for id in page]
        return httpx2.Response(
            200,
            json={"object": "list", "data": data, "has_more": more, "next": page[-1] if more else None},
        )

    def add(self, user_id):
        if self.additions_per_minute is not None:
            interval = 60 / self.additions_per_minute
            wait = self.budget_refilled_at - self.seconds
            if wait > 0:
                return self.error(429, "rate_limit_exceeded", "Rate limit reached.", {"retry-after": str(wait)})
            self.budget_refilled_at = self.seconds + interval
        if user_id not in self.users:
            return self.error(404, "user_not_found", "No such user.")
        if user_id not in self.members:
            self.members.append(user_id)
        return httpx2.Response(200, json={"object": "group.user", "user_id": user_id, "group_id": "group_support"})

    def remove(self, user_id):
        if user_id in self.members:
            self.members.remove(user_id)
        elif not self.removes_twice:
            return self.error(404, "not_a_member", "The user is not a member.")
        self.removed.append(user_id)
        return httpx2.Response(200, json={"object": "group.user.deleted", "deleted": True})

    @staticmethod
    def error(status, code, message, headers=None):
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        return httpx2.Response(status, json={"error": error}, headers=headers)

    def wait(self, seconds):
        self.seconds += seconds

    def additions(self):
        return [body["user_id"] for method, _, body in self.requests if method == "POST"]

    def removals(self):
        return [path.rsplit("/", 1)[1] for method, path, _ in self.requests if method == "DELETE"]


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


def test_a_lost_response_to_an_addition_adds_the_user_once(service):
    service.lose_response_to = "POST"

    set_members(service.client, "group_support", {"user_ada", "user_bo", "user_cy"})

    assert members(service.client, "group_support") == {"user_ada", "user_bo", "user_cy"}
    assert service.additions() == ["user_cy", "user_cy"]


def test_a_lost_response_to_a_removal_is_a_success(service):
    service.lose_response_to = "DELETE"

    set_members(service.client, "group_support", {"user_ada"})

    assert members(service.client, "group_support") == {"user_ada"}
    assert service.removals() == ["user_bo", "user_bo"]


def test_a_lost_response_is_a_success_if_the_service_removes_a_user_twice(service):
    service.removes_twice = True
    service.lose_response_to = "DELETE"

    set_members(service.client, "group_support", {"user_ada"})

    assert members(service.client, "group_support") == {"user_ada"}
    assert service.removed == ["user_bo", "user_bo"]


def test_waits_as_long_as_the_rate_limit_says(service):
    service.additions_per_minute = 1

    set_members(
        service.client,
        "group_support",
        {"user_ada", "user_bo", "user_cy", "user_dee"},
        wait=service.wait,
    )

    assert members(service.client, "group_support") == {"user_ada", "user_bo", "user_cy", "user_dee"}
    assert service.seconds == 60


def test_adds_before_it_removes_and_repeats_nothing(service):
    set_members(service.client, "group_support", {"user_bo", "user_cy"})

    assert [method for method, _, _ in service.requests if method != "GET"] == ["POST", "DELETE"]
    assert service.additions() == ["user_cy"]
    assert service.removals() == ["user_ada"]


def test_a_second_run_completes_a_run_that_failed_at_any_request(service):
    wanted = {"user_cy", "user_dee"}
    for requests in range(5):
        service.members = ["user_ada", "user_bo"]
        service.requests = []
        service.fail_from_request = requests
        with pytest.raises(openai.InternalServerError):
            set_members(service.client, "group_support", wanted)
        service.fail_from_request = None

        set_members(service.client, "group_support", wanted)
        assert members(service.client, "group_support") == wanted
