"""Programs that checks run by hand start and ask: servers of a binary, databases of a PostgreSQL server."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

KEY = "sk-admin-0123456789abcdef0123456789abcdef0123456789abcdef"
START_SECONDS_MAX = 60
REQUEST_SECONDS_MAX = 30


def postgres():
    """The URL of the PostgreSQL server that scripts/with-postgres started."""
    return os.environ.get("OPENAI_ADMIN_TEST_POSTGRES") or sys.exit("run this with scripts/with-postgres")


@contextlib.contextmanager
def database(server):
    """A new database on the PostgreSQL server, which is dropped at the end."""
    name = f"upgrade_{uuid.uuid4().hex}"
    base, _, rest = server.partition("?")
    url = base[: base.rindex("/") + 1] + name + (f"?{rest}" if rest else "")
    psql(server, f"CREATE DATABASE {name}")
    try:
        yield url
    finally:
        psql(server, f"DROP DATABASE {name} WITH (FORCE)")


def psql(server, statement):
    subprocess.run(["psql", "--quiet", "--no-psqlrc", "--dbname", server, "--command", statement], check=True)


def command(binary, where, *words):
    done = subprocess.run([binary, *where, *words], env=environment(), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{binary} {' '.join(map(str, words))} failed:\n{done.stdout}{done.stderr}")


def environment():
    home = {name: os.environ[name] for name in ["PATH", "HOME", "TMPDIR"] if name in os.environ}
    return {**home, "OPENAI_ADMIN_KEY": KEY}


@contextlib.contextmanager
def serving(binary, where):
    """A server on a free port, stopped at the end; yields the URL of its API."""
    with tempfile.NamedTemporaryFile("w") as log:
        server = [binary, *where, "serve", "--listen", "127.0.0.1:0", "--log-format", "json"]
        process = subprocess.Popen(server, env=environment(), stdout=log, stderr=log)
        try:
            yield address(process, Path(log.name))
        finally:
            process.terminate()
            process.wait()


def address(process, log):
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        text = log.read_text()
        if "http://127.0.0.1:" in text:
            port = text.split("http://127.0.0.1:", 1)[1]
            digits = "".join(character for character in port[:5] if character.isdigit())
            return f"http://127.0.0.1:{digits}/v1"
        if process.poll() is not None:
            break
        time.sleep(0.05)
    sys.exit(f"the server did not start:\n{text}")


def request(base, method, path, body=None, **headers):
    """The status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **headers}
    try:
        asked = urllib.request.Request(base + path, data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=REQUEST_SECONDS_MAX) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def walk(base, path, cursor):
    pages, after = [], ""
    while True:
        status, page = request(base, "GET", path + after)
        pages.append([status, page])
        if status != 200 or not page["has_more"]:
            return pages
        after = f"&after={page[cursor]}"
