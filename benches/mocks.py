"""The mock servers that people use, from their registry."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time

from processes import get, run, say

PACKAGES = ["@stdy/cli@0.22.2", "@stoplight/prism-cli@5.16.0"]


def npm_install(target):
    """Installs the mock servers from the npm registry into the build folder."""
    folder = target / "mocks"
    if not (folder / "node_modules/.bin/prism").exists():
        say("installing the mock servers")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        run("npm", "install", "--no-audit", "--no-fund", *PACKAGES, cwd=folder)
    return folder


class Mock:
    """A mock server in a separate process group, because it may start other processes."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


def mock_commands(folder, document):
    steady, prism = (folder / "node_modules/.bin" / name for name in ["steady", "prism"])
    return {
        "Steady": lambda port: [steady, "--port", port, document],
        "Prism": lambda port: [prism, "mock", "--port", port, document],
    }


def wait_for_answer(address, path, deadline_s=60):
    """Waits for the first answer. Returns the seconds."""
    begun = time.monotonic()
    while time.monotonic() - begun < deadline_s:
        with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
            get(address, path)
            return time.monotonic() - begun
        time.sleep(0.001)
    raise RuntimeError(f"{address} does not answer")
