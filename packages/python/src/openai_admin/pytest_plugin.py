"""The pytest plugin: the fixture `openai_admin`, an organization for each test.

One emulator serves a whole run. Under pytest-xdist the main process starts it and sends its address to the workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .emulator import Emulator, EmulatorError

if TYPE_CHECKING:
    from .organization import Organization

_ADDRESS = "openai_admin_emulator"
_EMULATOR = pytest.StashKey[Emulator]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings of the plugin."""
    parser.addini("openai_admin_fixtures", "file that each organization starts with", type="string", default="")
    parser.addini("openai_admin_arguments", "further arguments of `openai-admin emulate`", type="args", default=[])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Send the address to a worker of pytest-xdist. The first worker starts the emulator."""
    node.workerinput[_ADDRESS] = _shared_emulator(node.config).address


@pytest.fixture(scope="session")
def openai_admin_emulator(pytestconfig: pytest.Config) -> Emulator:
    """The emulator that all tests of a run share."""
    if worker := getattr(pytestconfig, "workerinput", None):
        return Emulator(worker[_ADDRESS])
    return _shared_emulator(pytestconfig)


@pytest.fixture
def openai_admin(openai_admin_emulator: Emulator) -> Iterator[Organization]:
    """An organization that only this test uses."""
    organization = openai_admin_emulator.organization()
    yield organization
    organization.close()


@pytest.fixture
def openai_admin_environment(openai_admin: Organization, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """Like `openai_admin`, for code that creates its own client: also sets OPENAI_BASE_URL and OPENAI_ADMIN_KEY."""
    monkeypatch.setenv("OPENAI_BASE_URL", openai_admin.base_url)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", openai_admin.api_key)
    return openai_admin


def _shared_emulator(config: pytest.Config) -> Emulator:
    """Start the emulator on the first call; pytest stops it at the end of the run."""
    if _EMULATOR not in config.stash:
        emulator = _start(config)
        config.add_cleanup(emulator.stop)
        config.stash[_EMULATOR] = emulator
    return config.stash[_EMULATOR]


def _start(config: pytest.Config) -> Emulator:
    fixtures: str = config.getini("openai_admin_fixtures")
    path = config.rootpath / fixtures if fixtures else None
    try:
        return Emulator.start(path, config.getini("openai_admin_arguments"))
    except EmulatorError as error:
        raise pytest.UsageError(str(error)) from None
