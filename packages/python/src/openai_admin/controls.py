"""Calls the emulator's control API over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

REQUEST_SECONDS_MAX = 30

# Ignores proxies that are set in the environment: the emulator listens on loopback.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ControlError(Exception):
    """The emulator refused a control request, or an assertion on the journal failed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Controls:
    """The controls of one organization, below its address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request with an optional JSON body and return the parsed JSON of the response.

        Raises ControlError if the status is 400 or higher.
        """
        request = urllib.request.Request(
            f"{self._address}/_emulator{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with _OPENER.open(request, timeout=REQUEST_SECONDS_MAX) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.code, _message(error.read())) from None


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")
