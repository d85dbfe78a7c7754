"""One emulator for the whole run, also under `pytest -n 4`, and a separate organization for each test.

Needs `openai-admin` on the PATH, or its path in OPENAI_ADMIN_BIN.
"""

import json
import os
import subprocess
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import openai
import pytest

# Ignores proxies that are set in the environment.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))

FIXTURES = Path(__file__).parents[2] / "acme/organization.yaml"


def pytest_configure(config):
    """Starts the emulator in the main process, which passes its URL to the workers of pytest-xdist."""
    if hasattr(config, "workerinput"):
        config.emulator = config.workerinput["emulator"]
        return
    binary = os.environ.get("OPENAI_ADMIN_BIN", "openai-admin")
    command = [binary, "emulate", "--listen", "127.0.0.1:0", "--fixtures", FIXTURES]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise pytest.UsageError(f"there is no {binary}: put openai-admin on the PATH, or its path into OPENAI_ADMIN_BIN")

    def stop():
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()

    config.add_cleanup(stop)
    line = process.stdout.readline()  # It listens once it has written this line.
    if not line:
        raise pytest.UsageError("the emulator did not start")
    config.emulator = json.loads(line)["url"].removesuffix("/v1")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["emulator"] = node.config.emulator


class Organization:
    """An organization that only one test uses: its typed API, and checks of the calls it received."""

    def __init__(self, emulator):
        self.address = f"{emulator}/_ns/{uuid.uuid4().hex}"
        self.client = openai.OpenAI(
            admin_api_key="sk-admin-test",  # Any key is right.
            base_url=f"{self.address}/v1",
            max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=False),
        )
        self.groups = self.client.admin.organization.groups
        self.users = self.client.admin.organization.users

    def control(self, method, path, body=None):
        """Calls the emulator's control API: faults, clock, snapshots, reset. Fails the test if it refuses."""
        request = urllib.request.Request(
            f"{self.address}/_emulator{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with DIRECTLY.open(request) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            pytest.fail(json.loads(refused.read())["error"]["message"])

    def verify(self, operation, exactly, **path):
        """Fails the test unless an operation was called exactly this many times."""
        self.control("POST", "/verify", {"operation": operation, "path": path, "exactly": exactly})


@pytest.fixture
def organization(request):
    organization = Organization(request.config.emulator)
    yield organization
    organization.client.close()
