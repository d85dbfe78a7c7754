"""Starts and stops the process of the emulator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from .organization import Organization

STOP_SECONDS_MAX = 10


class EmulatorError(Exception):
    """The emulator did not start."""


class Emulator:
    """A running emulator, at an address such as http://127.0.0.1:12345."""

    def __init__(self, address: str, process: subprocess.Popen[str] | None = None) -> None:
        """Use an emulator that runs elsewhere. `start` starts one."""
        self.address = address
        self._process = process

    @classmethod
    def start(cls, fixtures: str | os.PathLike[str] | None = None, arguments: Sequence[str] = ()) -> Emulator:
        """Start an emulator on a free port of loopback, and return once it listens.

        Each organization starts with the content of the file `fixtures`. `arguments` are further arguments of
        `openai-admin emulate`. Raises EmulatorError with the emulator's own message if it does not start.
        """
        command = [program(), "emulate", "--listen", "127.0.0.1:0", *arguments]
        if fixtures is not None:
            command += ["--fixtures", os.fspath(fixtures)]
        process = subprocess.Popen(
            command,
            env={name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()  # It listens once it has written this line.
        if not line:
            raise EmulatorError(f"the emulator exited with {process.wait()}; its message is on standard error")
        return cls(json.loads(line)["url"].removesuffix("/v1"), process)

    def organization(self, name: str | None = None) -> Organization:
        """Return a separate organization. Without a name it is a new one. A name has no `/`."""
        return Organization(f"{self.address}/_ns/{quote(name or uuid.uuid4().hex, safe='')}")

    def stop(self) -> None:
        """Stop the process, if `start` started it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def program() -> str:
    """Return the path of `openai-admin`: OPENAI_ADMIN_BIN, the one that this package installed, or one on the PATH."""
    if chosen := os.environ.get("OPENAI_ADMIN_BIN"):
        return chosen
    name = "openai-admin.exe" if sys.platform == "win32" else "openai-admin"
    for folder in (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")):
        installed = Path(folder) / name
        if installed.is_file():
            return str(installed)
    if found := shutil.which(name):
        return found
    raise EmulatorError("openai-admin is not installed: put it on the PATH, or its path in OPENAI_ADMIN_BIN")
