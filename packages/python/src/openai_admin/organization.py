"""An organization of the emulator that one test uses, with its clock, faults, rules, journal and snapshots."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from .controls import ControlError, Controls

if TYPE_CHECKING:
    import openai


class Organization:
    """A separate organization. It exists from its first request, and starts with the fixtures of the emulator."""

    api_key = "sk-admin-test"
    """A key for any client. The emulator accepts every key."""

    def __init__(self, address: str) -> None:
        self._controls = Controls(address)
        self.base_url = f"{address}/v1"
        """The base URL for any client."""
        self.faults = Faults(self._controls)
        self.rules = Rules(self._controls)
        self.clock = Clock(self._controls)
        self.journal = Journal(self._controls)

    @cached_property
    def client(self) -> openai.OpenAI:
        """A client of the official package `openai`. It does not retry; `client.with_options` changes that."""
        try:
            import openai
        except ImportError:
            raise ImportError("the package openai is not installed: pip install openai") from None
        return openai.OpenAI(
            api_key=self.api_key,
            admin_api_key=self.api_key,
            base_url=self.base_url,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=False),
        )

    def snapshot(self) -> Snapshot:
        """Save the users, groups and everything else that the API stores."""
        return Snapshot(self._controls)

    def load(self, document: Mapping[str, Any]) -> None:
        """Create the entries of a document in the format of `openai-admin load`, and update those that differ."""
        if not isinstance(document, Mapping):
            got = type(document).__name__
            raise TypeError(
                f"expected a document such as {{'users': […]}}, but got {got}; read a file first, or set "
                "openai_admin_fixtures"
            )
        self._controls.call("POST", "/import", document)

    def export(self) -> dict[str, Any]:
        """Return the organization as a document that `load` accepts."""
        document: dict[str, Any] = self._controls.call("GET", "/export")
        return document

    def reset(self) -> None:
        """Restore the fixtures, the clock and the faults, and clear the journal."""
        self._controls.call("POST", "/reset")

    def close(self) -> None:
        """Delete the organization, if it exists, and close its client."""
        if "client" in self.__dict__:
            self.client.close()
        try:
            self._controls.call("DELETE", f"/namespaces/{self._name}")
        except ControlError as error:
            if error.status != 404:
                raise

    @property
    def _name(self) -> str:
        return self.base_url.split("/")[-2]


class Snapshot:
    """A saved state. As a context manager it restores itself at the end of the block."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._path = f"/snapshots/{uuid.uuid4().hex}"
        controls.call("PUT", self._path)

    def restore(self) -> None:
        """Restore the state. Clock, faults and journal keep theirs."""
        self._controls.call("POST", f"{self._path}/restore")

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()


class Faults:
    """Injected faults. docs/emulator.md lists the kinds of faults and their parameters."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def add(
        self,
        kind: str,
        *,
        operation: str | None = None,
        name: str | None = None,
        skip: int | None = None,
        count: int | None = None,
        probability: float | None = None,
        **parameters: Any,
    ) -> None:
        """Add a rule that injects a fault of this kind; `parameters` are those of the kind.

        Without `operation` it applies to every operation, and without `count` without a limit.
        """
        conditions = {"operation": operation, "name": name, "skip": skip, "count": count, "probability": probability}
        rule = {field: value for field, value in conditions.items() if value is not None}
        self.add_rule({**rule, "fault": {"kind": kind, **parameters}})

    def add_rule(self, rule: Mapping[str, Any]) -> None:
        """Add a rule as `--faults` reads it, such as one with a sequence or a latency."""
        self._controls.call("POST", "/faults", rule)

    def replace(
        self,
        rules: Iterable[Mapping[str, Any]] = (),
        *,
        profile: str | None = None,
        stale_reads_ms: int | None = None,
    ) -> None:
        """Replace all rules, and set a profile: production-like, flaky or slow."""
        settings = {"profile": profile, "stale_reads_ms": stale_reads_ms}
        given = {field: value for field, value in settings.items() if value is not None}
        self._controls.call("PUT", "/faults", {**given, "rules": list(rules)})

    def remove(self, name: str) -> None:
        """Remove the rule with this name."""
        self._controls.call("DELETE", f"/faults/{quote(name, safe='')}")

    def clear(self) -> None:
        """Remove all rules."""
        self.replace()

    def rules(self) -> list[dict[str, Any]]:
        """Return all rules, each with `counts`: how often it matched and was applied."""
        rules: list[dict[str, Any]] = self._controls.call("GET", "/faults")["rules"]
        return rules


class Rules:
    """The assumed rules, which can be switched off. docs/emulator.md lists them."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def off(self, *names: str) -> None:
        """Switch these rules off until the next reset."""
        self._switch(names, "off")

    def on(self, *names: str) -> None:
        """Switch these rules on."""
        self._switch(names, "on")

    def states(self) -> dict[str, str]:
        """Return the state of each rule by its name: `on` or `off`."""
        states: dict[str, str] = self._controls.call("GET", "/rules")
        return states

    def _switch(self, names: Iterable[str], state: str) -> None:
        self._controls.call("PUT", "/rules", dict.fromkeys(names, state))


class Clock:
    """The clock of the organization. It fills in times, refills budgets and ends stale reads."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    @property
    def now(self) -> datetime.datetime:
        """The current time, in UTC."""
        now: str = self._controls.call("GET", "/clock")["now"]
        return datetime.datetime.fromisoformat(now.replace("Z", "+00:00"))

    def set(self, now: datetime.datetime, *, runs: bool = False) -> None:
        """Set the time. The clock stands still from then on, unless `runs` is true. `now` needs a time zone."""
        if not isinstance(now, datetime.datetime):
            raise TypeError(f"expected a datetime with a time zone, but got {type(now).__name__}")
        if now.tzinfo is None:
            raise ValueError(f"invalid time {now.isoformat()}: has no time zone")
        utc = now.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        self._controls.call("PUT", "/clock", {"now": utc, "runs": runs})

    def step(self, step: datetime.timedelta | None = None, **parts: float) -> None:
        """Advance the clock: `step(minutes=1)`, or a timedelta. Parts of a millisecond are dropped."""
        whole = step if step is not None else datetime.timedelta(**parts)
        self._controls.call("POST", "/clock/step", {"ms": whole // datetime.timedelta(milliseconds=1)})


class Journal:
    """The requests that the organization received, including those that a fault was injected into."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def requests(self, **filters: str | int) -> list[dict[str, Any]]:
        """Return requests, oldest first. Filters are those of `GET /_emulator/requests`, such as `operation`."""
        query = f"?{urlencode(filters)}" if filters else ""
        requests: list[dict[str, Any]] = self._controls.call("GET", f"/requests{query}")["data"]
        return requests

    def clear(self) -> None:
        """Forget all requests."""
        self._controls.call("DELETE", "/requests")

    def assert_called(
        self,
        operation: str,
        *,
        times: int | None = None,
        path: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        **criteria: Any,
    ) -> None:
        """Assert that an operation was requested: exactly `times` times, or at least once.

        `path` and `body` restrict the assertion to requests with these values. `criteria` are further fields of
        `POST /_emulator/verify`. The message of the AssertionError names the nearest requests.
        """
        given = {"path": path, "body": body, **criteria}
        wanted = {field: value for field, value in given.items() if value is not None}
        number = {"at_least": 1} if times is None else {"exactly": times}
        self._verify({"operation": operation, **wanted, **number})

    def assert_not_called(self, operation: str, **criteria: Any) -> None:
        """Assert that an operation was never requested."""
        self.assert_called(operation, times=0, **criteria)

    def assert_in_order(self, *requests: Mapping[str, Any]) -> None:
        """Assert that requests came in this order: `{"operation": "add-group-user"}`, … Others may be in between."""
        self._verify({"in_order": list(requests)})

    def _verify(self, assertion: Mapping[str, Any]) -> None:
        __tracebackhide__ = True
        try:
            self._controls.call("POST", "/verify", assertion)
        except ControlError as error:
            if error.status != 409:
                raise
            raise AssertionError(error.message) from None
