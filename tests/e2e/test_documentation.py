"""Types the commands of the README and of the guides, page by page, each in a separate folder.

A command does what its page says when it exits with 0 and prints the lines that the page shows below it, in which `…`
stands for anything. Comments in the Markdown, in front of a block, say what differs:

    <!-- not typed: REASON -->               for the block
    <!-- not typed "BEGINNING": REASON -->   for the commands of the block that begin so
    <!-- goes on "BEGINNING" -->             such a command does not end; it is stopped behind the block, or by the next one
    <!-- exits with N "BEGINNING" -->        such a command exits with N
    <!-- written to FILE -->                 the block, of any language, is what the file holds
    <!-- before: COMMAND -->                 typed before the block, and not shown to readers

A command with a `…` has a place to fill in, and is not typed.
"""

import collections
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import BINARY, ENVIRONMENT

ROOT = Path(__file__).parents[2]
COMMAND_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30

# `cargo run` would build with the user's flags; the program is built already.
CARGO = """#!/bin/sh
[ "$1 $2" = "run --" ] || { echo "the test types no cargo $1" >&2; exit 70; }
shift 2
exec openai-admin "$@"
"""


@dataclass
class Page:
    """A page, and what the test knows of it beside its text."""

    path: str
    # Where the page's own machine has what lies in the folder of the test.
    places: dict = field(default_factory=dict)
    # What can be typed, where most of a page changes the machine.
    only: str = ""
    before: list = field(default_factory=list)


LOADED = "openai-admin --local acme.db load examples/acme/organization.yaml"
PAGES = [
    Page("README.md"),
    Page("docs/command-line.md"),
    Page("docs/server.md"),
    Page("docs/from-a-spreadsheet.md"),
    Page("docs/recovering-from-a-mistake.md"),
    Page("docs/audit-log.md", before=[LOADED, "export OPENAI_ADMIN_LOCAL=acme.db"]),
    Page(
        "docs/operating.md",
        places={"/var/lib/openai-admin": "lib", "/var/backups": "backups", "/tmp": "tmp"},
        only=r"openai-admin --local \S+ admin ",
        before=[
            "mkdir -p lib backups tmp",
            "openai-admin --local lib/openai-admin.db load examples/acme/organization.yaml",
        ],
    ),
]


@dataclass
class Block:
    language: str
    lines: list
    line: int
    directives: list

    def commands(self):
        """Each command with the lines that the page shows below it."""
        commands = []
        goes_on, ends_at = False, None
        for line in self.lines:
            if goes_on:
                commands[-1][0] += "\n" + line
            elif line.startswith("$ "):
                commands.append([line.removeprefix("$ "), []])
            else:
                assert commands, f"line {self.line}: a console block begins with `$ `"
                commands[-1][1].append(line)
                continue
            if ends_at is None and (document := re.search(r"<<'?(\w+)'?", line)):
                ends_at = document[1]
            goes_on = line.endswith("\\") if ends_at is None else line != ends_at
            ends_at = ends_at if goes_on else None
        return commands

    def given(self, pattern):
        return [found for directive in self.directives if (found := re.fullmatch(pattern, directive))]


DIRECTIVES = [r'not typed(?: "(.+?)")?: (.+)', r'goes on "(.+)"', r"written to (\S+)", r"before: (.+)", r'exits with (\d+) "(.+)"']
NOT_TYPED, GOES_ON, WRITTEN_TO, BEFORE, EXITS_WITH = DIRECTIVES


def blocks(text):
    """The fenced blocks of a page, each with the comments in front of it that are meant for this test."""
    found, directives, block = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        if block:
            if line == "```":
                found.append(block)
                block = None
            else:
                block.lines.append(line)
        elif line.startswith("```"):
            block = Block(line[3:], [], number, directives)
            directives = []
        elif comment := re.fullmatch(r"<!-- (.+) -->", line):
            assert any(re.fullmatch(directive, comment[1]) for directive in DIRECTIVES), f"line {number}: {line}"
            directives.append(comment[1])
        else:
            assert not directives, f"line {number}: a comment for this test stands in front of a block"
    return found


class Terminal:
    """A shell in a folder, whose variables stay from one command to the next."""

    def __init__(self, page, folder):
        self.page, self.folder = page, folder
        self.typed, self.skipped, self.running = [], [], None
        (folder / "bin").mkdir()
        (folder / "bin/openai-admin").symlink_to(Path(BINARY).resolve())
        (folder / "bin/cargo").write_text(CARGO)
        (folder / "bin/cargo").chmod(0o755)
        self.work = folder / "work"
        shutil.copytree(ROOT / "examples/acme", self.work / "examples/acme")
        self.variables = folder / "variables"
        self.variables.touch()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.environment = {
            **ENVIRONMENT,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "LC_ALL": "C.UTF-8",
        }

    def place(self, text):
        for there, here in self.page.places.items():
            text = text.replace(f"{there}/", f"{here}/")
        return text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")

    def start(self, command):
        script = f". {self.variables}\n{command}\nstatus=$?\nexport -p >{self.variables}\nexit $status"
        return subprocess.Popen(
            ["bash", "-c", script], cwd=self.work, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, command, shown=(), status=0):
        process = self.start(command)
        try:
            output, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"$ {command}\nhas not ended within {COMMAND_SECONDS_MAX} s")
        assert process.returncode == status, f"$ {command}\nexits with {process.returncode}:\n{output}"
        assert self.shows(output, shown), f"$ {command}\ndoes not show {shown}, but:\n{output}"

    def shows(self, output, shown):
        """Whether the output has the lines in their order. Each search starts behind the line before, so none is slow."""
        at = 0
        for line in shown:
            pattern = ".*?".join(re.escape(part) for part in self.place(line.rstrip()).split("…"))
            found = re.compile(pattern, re.DOTALL).search(output, at)
            if not found:
                return False
            end_of_line = output.find("\n", found.end())
            at = len(output) if end_of_line == -1 else end_of_line + 1
        return True

    def keep_running(self, command, server):
        """Starts a server, and waits until it says where it listens."""
        self.stop()
        if "--listen" not in command:
            # Another program may use the port that is the default.
            command = command.replace(server, f"{server} --listen 127.0.0.1:{self.port}", 1)
        self.running = self.start(f"exec {command}")
        said = ""
        for line in self.running.stdout:
            said += line
            if re.search(r"http://127\.0\.0\.1:\d+", line):
                return
        pytest.fail(f"$ {command}\nended with {self.running.wait()} instead of listening:\n{said}")

    def stop(self):
        if self.running:
            self.running.send_signal(signal.SIGTERM)
            said, _ = self.running.communicate(timeout=STOP_SECONDS_MAX)
            assert self.running.returncode == 0, f"{self.running.args}\n{said}"
        self.running = None

    def type_block(self, block):
        for before in block.given(BEFORE):
            self.type(before[1])
        for written in block.given(WRITTEN_TO):
            (self.work / written[1]).write_text("\n".join(block.lines) + "\n")
        if block.language != "console":
            return
        try:
            for command, shown in block.commands():
                if reason := self.reason_not_to(command, block):
                    self.skipped.append((command, reason))
                    continue
                self.typed.append(command)
                if servers := [found[1] for found in block.given(GOES_ON) if command.startswith(found[1])]:
                    self.keep_running(self.place(command), servers[0])
                else:
                    exits = block.given(EXITS_WITH)
                    status = next((int(found[1]) for found in exits if command.startswith(found[2])), 0)
                    self.type(self.place(command), shown, status)
        finally:
            self.stop()

    def reason_not_to(self, command, block):
        for beginning, reason in (found.groups() for found in block.given(NOT_TYPED)):
            if not beginning or command.startswith(beginning):
                return reason
        if self.page.only and not re.match(self.page.only, command):
            return "it changes the machine"
        return "a place is to be filled in" if "…" in command else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_each_command_of_a_page_does_what_stands_there(page, tmp_path):
    text = (ROOT / page.path).read_text()
    terminal = Terminal(page, tmp_path)
    for command in page.before:
        terminal.type(command)
    for block in blocks(text):
        terminal.type_block(block)
    for command, reason in terminal.skipped:
        print(f"not typed: {command.splitlines()[0]} ({reason})")
    assert terminal.typed, "nothing of the page was typed"


def test_a_command_that_fails_or_shows_something_else_is_noticed(tmp_path):
    terminal = Terminal(Page("none"), tmp_path)
    right = "```console\n$ export WHO=you\n$ echo hello; echo $WHO\nhel…\nyou\n```\n"
    for block in blocks(right):
        terminal.type_block(block)
    for wrong in [right.replace("\nyou\n`", "\nme\n`"), right.replace("$ echo", "$ false; exit 3; echo")]:
        with pytest.raises(AssertionError):
            for block in blocks(wrong):
                terminal.type_block(block)
    with pytest.raises(AssertionError):
        blocks("<!-- not tiped: a reason -->\n```console\n$ false\n```\n")


def test_every_name_of_another_client_is_compiled_against_the_version_that_the_page_names():
    page = (ROOT / "docs/coming-from-other-clients.md").read_text()
    compiled = (ROOT / "benches/client/names/src/lib.rs").read_text()
    versions = (ROOT / "benches/client/Cargo.toml").read_text()
    sections = re.findall(r"^## From `(.+?)` (\S+)\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _, _ in sections] == ["openai-client-base", "async-openai"]
    for name, version, text in sections:
        assert re.search(rf'^{name} = .*"={re.escape(version)}"', versions, re.MULTILINE), f"{name} {version}"
        for row in re.findall(r"^\| (.*) \|$", text, re.MULTILINE)[2:]:
            for word in re.findall(r"[a-z]+_\w+|[A-Z]\w+", " ".join(re.findall(r"`(.+?)`", row))):
                assert re.search(rf"\b{word}\b", compiled) or word in UNCOMPILED, f"{word} of: {row}"


# Methods that need a feature which the examples are compiled without.
UNCOMPILED = {"with_http_service"}


def test_the_readme_counts_the_operations_that_are_served():
    command = [BINARY, "coverage", "-o", "json"]
    listed = json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout)
    status = collections.Counter(operation["status"] for operation in listed)
    assert status["served"] + status["partly"] == 143
    counted = f"The server answers all 143 operations of the API, {status['partly']} of those only partly"
    assert counted in (ROOT / "README.md").read_text().replace("\n", " ")


def test_the_page_of_the_audit_log_lists_every_recorded_event():
    command = [BINARY, "--local", "none.db", "audit-logs", "list", "--type", "group.exploded"]
    refusal = subprocess.run(command, env=ENVIRONMENT, check=False, capture_output=True, text=True).stderr
    recorded = re.search(r"your own server records ([\w., ]+)", refusal)[1].split(", ")
    page = (ROOT / "docs/audit-log.md").read_text()
    assert len(recorded) > 40
    assert [event for event in recorded if f"| `{event}` |" not in page] == []
