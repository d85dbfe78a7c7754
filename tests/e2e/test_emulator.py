"""Each fault and profile of the emulator, through the official Python package; the journal counts the injected faults."""

import json
import subprocess
import urllib.request

import openai
import pytest
from conftest import BINARY, ENVIRONMENT

FIXTURES = {
    "users": [{"id": "user_ada", "email": "ada@example.com"}, {"id": "user_bob", "email": "bob@example.com"}],
    "groups": [{"id": "group_support", "name": "Support"}],
}


class Emulator:
    """A running `openai-admin emulate`, with a client of its organization and its controls."""

    def __init__(self, folder, *arguments):
        fixtures = folder / "fixtures.json"
        fixtures.write_text(json.dumps(FIXTURES))
        command = [BINARY, "emulate", "--listen", "127.0.0.1:0", "--fixtures", fixtures, "--seed", "1", *arguments]
        self.process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        said = json.loads(self.process.stdout.readline())
        self.controls = said["controls"]
        self.client = openai.OpenAI(base_url=said["url"], api_key="x", admin_api_key="x", max_retries=0)
        self.users = self.client.admin.organization.groups.users

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.controls + path, data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def rules(self, *rules):
        self.control("PUT", "/faults", {"rules": list(rules)})

    def add(self, user="user_ada"):
        return self.users.create("group_support", user_id=user)

    def members(self):
        return [user.id for user in self.users.list("group_support")]

    def injected(self):
        """How often a fault was injected: by the rules' own counts, which the journal must agree with."""
        counted = sum(rule["counts"]["injected"] for rule in self.control("GET", "/faults")["rules"])
        journal = self.control("GET", "/requests?fault=any&limit=100000")["data"]
        assert len(journal) == counted
        return counted

    def stop(self):
        self.process.terminate()
        assert self.process.wait(10) == 0


@pytest.fixture
def emulator(tmp_path):
    emulator = Emulator(tmp_path)
    yield emulator
    emulator.stop()


def test_a_429_has_its_wait_in_the_header_in_the_message_or_nowhere(emulator):
    emulator.rules({"sequence": [{"kind": "rate_limited", "wait_seconds": 6.9, "told": told} for told in ["header", "message", "nowhere"]]})
    seen = []
    for _ in range(3):
        with pytest.raises(openai.RateLimitError) as refused:
            emulator.add()
        seen.append((refused.value.response.headers.get("retry-after"), "6.9 seconds" in refused.value.message))
    assert seen == [("7", False), (None, True), (None, False)]
    assert emulator.members() == []
    assert emulator.injected() == 3


@pytest.mark.parametrize(
    ("status", "body"), [(500, "json"), (502, "html"), (503, "text"), (504, "empty")]
)
def test_an_error_has_whatever_body_errors_have(emulator, status, body):
    emulator.rules({"count": 1, "fault": {"kind": "status", "status": status, "body": body}})
    with pytest.raises(openai.InternalServerError) as refused:
        emulator.add()
    assert refused.value.status_code == status
    emulator.add()
    assert emulator.injected() == 1


@pytest.mark.parametrize(("when", "members"), [("before", []), ("after", ["user_ada"])])
def test_a_reset_comes_before_or_after_the_work(emulator, when, members):
    emulator.rules({"count": 1, "fault": {"kind": "reset", "when": when}})
    with pytest.raises(openai.APIConnectionError):
        emulator.add()
    assert emulator.members() == members
    assert emulator.injected() == 1


def test_a_body_breaks_off_after_the_work(emulator):
    emulator.rules({"count": 1, "fault": {"kind": "truncated"}})
    with pytest.raises(openai.APIConnectionError):
        emulator.add()
    assert emulator.members() == ["user_ada"]
    assert emulator.injected() == 1


def test_the_package_gets_through_what_it_tries_again(emulator):
    emulator.rules({"operation": "add-group-user", "count": 2, "fault": {"kind": "status", "status": 503, "retry_after_seconds": 0}})
    client = emulator.client.with_options(max_retries=2)
    client.admin.organization.groups.users.create("group_support", user_id="user_ada")
    assert emulator.control("POST", "/verify", {"operation": "add-group-user", "exactly": 3}) == {"count": 3}
    assert emulator.injected() == 2


def test_an_answer_is_held_back_longer_than_the_client_waits(emulator):
    emulator.rules({"latency": {"kind": "fixed", "ms": 2000}})
    with pytest.raises(openai.APITimeoutError):
        emulator.client.with_options(timeout=0.2).admin.organization.groups.list()


def test_reads_are_stale_until_the_clock_is_moved(emulator):
    emulator.control("PUT", "/faults", {"stale_reads_ms": 500})
    emulator.add()
    assert emulator.members() == []
    emulator.control("POST", "/clock/step", {"ms": 500})
    assert emulator.members() == ["user_ada"]


def test_a_production_like_service_answers_seven_requests_a_minute(tmp_path):
    emulator = Emulator(tmp_path, "--profile", "production-like")
    for _ in range(7):
        emulator.add()
    with pytest.raises(openai.RateLimitError) as refused:
        emulator.add()
    assert refused.value.response.headers.get("retry-after") is None
    emulator.control("POST", "/clock/step", {"ms": 60_000})
    emulator.add()
    assert emulator.injected() == 1
    emulator.stop()


def test_a_flaky_service_fails_one_request_of_five(tmp_path):
    emulator = Emulator(tmp_path, "--profile", "flaky")
    failed = 0
    for _ in range(200):
        try:
            emulator.add()
        except openai.OpenAIError:
            failed += 1
    assert emulator.injected() == failed
    assert 20 <= failed <= 70
    emulator.stop()


def test_a_slow_service_holds_answers_back(tmp_path):
    emulator = Emulator(tmp_path, "--profile", "slow")
    for _ in range(3):
        emulator.add()
    delays = [exchange["delayed_ms"] for exchange in emulator.control("GET", "/requests")["data"]]
    assert len(delays) == 3 and all(delay > 20 for delay in delays)
    emulator.stop()
