"""The arrows of ARCHITECTURE.md and the bans of deny.toml, also where cargo-deny is not installed."""

import json
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Which of our crates a crate may depend on: down the arrows only.
SDK = "openai-admin"
STORE, SERVER, SYNC, EMULATOR, CONSOLE, CLI = (
    f"{SDK}-{name}" for name in ["store", "server", "sync", "emulator", "console", "cli"]
)
ARROWS = {
    SDK: set(),
    STORE: {SDK},
    SERVER: {SDK, STORE},
    SYNC: {SDK},
    EMULATOR: {SDK, STORE, SERVER},
    CONSOLE: {SDK, SERVER, SYNC},
    CLI: {SDK, STORE, SERVER, SYNC, EMULATOR, CONSOLE},
}


class Graph:
    """The dependency graph with all features, as resolved by cargo."""

    def __init__(self, metadata):
        self.names = {package["id"]: package["name"] for package in metadata["packages"]}
        self.members = {self.names[member] for member in metadata["workspace_members"]}
        self.dependents, self.normal = {}, {}
        for node in metadata["resolve"]["nodes"]:
            name = self.names[node["id"]]
            self.normal.setdefault(name, set())
            for dependency in node["deps"]:
                on = self.names[dependency["pkg"]]
                self.dependents.setdefault(on, set()).add(name)
                if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                    self.normal[name].add(on)

    def violations(self, bans):
        found = []
        for ban in bans:
            allowed = set(ban.get("wrappers", []))
            for dependent in sorted(self.dependents.get(ban["crate"], set()) - allowed):
                found.append(f"{dependent} depends on {ban['crate']}: {ban.get('reason') or ban.get('use-instead')}")
        for crate, allowed in ARROWS.items():
            ours = self.normal[crate] & ARROWS.keys()
            found += [f"{crate} depends on {other}, against the arrows" for other in sorted(ours - allowed)]
        return found


@pytest.fixture(scope="module")
def metadata():
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def bans():
    return tomllib.loads((ROOT / "deny.toml").read_text())["bans"]["deny"]


def test_nothing_depends_upward_or_on_what_is_banned(metadata, bans):
    graph = Graph(metadata)
    assert ARROWS.keys() <= graph.members, "a crate has another name now"
    assert graph.violations(bans) == []
    for ban in bans:
        if "wrappers" in ban:
            assert graph.dependents.get(ban["crate"]), f"nothing depends on {ban['crate']} any more: the ban sees nothing"


def test_an_arrow_upward_and_a_banned_crate_are_noticed(metadata, bans):
    ids = {package["name"]: package["id"] for package in metadata["packages"]}
    for dependent, on, kind in [(STORE, SERVER, None), (SDK, CLI, None), (SYNC, "axum", None), (CLI, "rusqlite", "dev")]:
        nodes = [
            {**node, "deps": [*node["deps"], {"pkg": ids[on], "dep_kinds": [{"kind": kind}]}]}
            if node["id"] == ids[dependent]
            else node
            for node in metadata["resolve"]["nodes"]
        ]
        found = Graph({**metadata, "resolve": {"nodes": nodes}}).violations(bans)
        assert len(found) == 1 and found[0].startswith(f"{dependent} depends on {on}"), found
