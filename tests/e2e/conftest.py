"""Starts the real `openai-admin serve` for each test, once on SQLite and once on PostgreSQL."""

import contextlib
import itertools
import json
import os
import queue
import re
import secrets
import signal
import subprocess
import threading
from pathlib import Path

import openai
import pytest
from openai.types.admin.organization import OrganizationUser

BINARY = os.environ.get("OPENAI_ADMIN_BIN") or Path(__file__).parents[2] / "target/debug/openai-admin"
POSTGRES = os.environ.get("OPENAI_ADMIN_TEST_POSTGRES")
ENGINES = ["sqlite", "postgres"]
# Of users. A server may be shared by several tests.
NUMBERS = itertools.count(1)

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30
REQUEST_SECONDS_MAX = 30

LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")

# What the developer has set for the real service must reach neither the server nor the client.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}


class Server:
    """A running `openai-admin serve`, and what a test needs in order to talk to it."""

    def __init__(self, database, directory):
        self.database = database
        self.directory = directory
        self.key = f"sk-admin-e2e-{secrets.token_hex(16)}"
        self.log = []
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--database", database],
            env={**ENVIRONMENT, "OPENAI_ADMIN_KEY": self.key},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines = queue.SimpleQueue()
        # Reads to the end: a server would block once its stderr pipe is full.
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self.base_url = self._wait_for_address()
        except BaseException:
            self.process.kill()
            raise

    def _read_log(self):
        with self.process.stderr as lines:
            for line in lines:
                self.log.append(line)
                self._lines.put(line)
        self._lines.put(None)

    def _wait_for_address(self):
        while True:
            try:
                line = self._lines.get(timeout=START_SECONDS_MAX)
            except queue.Empty:
                pytest.fail(f"no address within {START_SECONDS_MAX} s\n{self.text()}")
            if line is None:
                pytest.fail(f"the server ended with {self.process.wait()} before it listened\n{self.text()}")
            if found := LISTENING.fullmatch(line.rstrip("\n")):
                return found[1]

    def text(self):
        return "".join(self.log)

    def stop(self):
        """SIGTERM is how a service manager stops it: it must end by itself, with success."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            pytest.fail(f"still running {STOP_SECONDS_MAX} s after SIGTERM\n{self.text()}")
        self._reader.join()
        assert status == 0, self.text()
        assert self.key not in self.text(), "the log shows the key"
        assert "@example.com" not in self.text(), "the log shows an e-mail address"

    def options(self, key=None, path="/v1"):
        """Arguments of a client of this server."""
        return {
            "admin_api_key": key or self.key,
            "base_url": self.base_url + path,
            "timeout": REQUEST_SECONDS_MAX,
            # An answer that only a second try brings is a fault to see, not to get over.
            "max_retries": 0,
            # The package then checks each answer against its own types instead of taking what comes.
            "_strict_response_validation": True,
        }

    def client(self, key=None, path="/v1"):
        # `trust_env`: a proxy set in the environment is not for the loopback.
        http = openai.DefaultHttpxClient(trust_env=False)
        return openai.OpenAI(http_client=http, **self.options(key, path))

    def create_key(self, name, *scopes):
        """A key beside the bootstrap key, made by the command line in the running server's database."""
        arguments = ["keys", "create", "--name", name, "--database", self.database, "-o", "json"]
        for scope in scopes:
            arguments += ["--scope", scope]
        done = subprocess.run(
            [BINARY, *arguments],
            env=ENVIRONMENT,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS_MAX,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["key"]


def pytest_collection_modifyitems(items):
    """Starts the two longest tests first. Each worker gets an equal share, so one share starts in the middle."""
    for file, place in [("test_schemathesis.py", 0), ("test_hostile.py", len(items) // 2)]:
        longest = [item for item in items if item.path.name == file]
        others = [item for item in items if item not in longest]
        items[:] = [*others[:place], *longest, *others[place:]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in os.environ:
        if name.startswith("OPENAI_"):
            monkeypatch.delenv(name)


@pytest.fixture(params=ENGINES)
def database(request, tmp_path):
    with new_database(request.param, tmp_path) as database:
        yield database


@contextlib.contextmanager
def new_database(engine, folder):
    """The `--database` of a new and empty database."""
    if engine == "sqlite":
        yield f"sqlite:{folder / 'openai-admin.db'}"
        return
    if not POSTGRES:
        pytest.fail("OPENAI_ADMIN_TEST_POSTGRES is not set: run scripts/test, or scripts/with-postgres pytest tests/e2e")
    name = f"e2e_{secrets.token_hex(8)}"
    sql(f"create database {name}")
    try:
        yield f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
    finally:
        sql(f"drop database {name} with (force)")


def sql(statement):
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, POSTGRES], check=True)


@pytest.fixture
def server(database, tmp_path):
    server = Server(database, tmp_path)
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture
def organization(client):
    """The package's typed administration API."""
    return client.admin.organization


@pytest.fixture
def create_user(client):
    """Makes users. The published API cannot, so this uses the server's extension."""

    def create(**fields):
        number = next(NUMBERS)
        body = {"email": f"user{number}@example.com", "name": f"User {number}", "role": "reader", **fields}
        return client.post(
            "/x/users",
            body=body,
            cast_to=OrganizationUser,
            options={"security": {"admin_api_key_auth": True}},
        )

    return create
