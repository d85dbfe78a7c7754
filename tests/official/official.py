"""A pytest plugin for the tests of the official package: resets the emulator before each test, and compares the refusals of
the emulator with a committed list.

A test of an operation that the emulator does not serve (501) is expected to fail. Any other failure must be in the list, and
each test in the list must fail with its code. A line of the list is `CODE TEST`; the variants of a test are one line. The code
`unexpected_answer` stands for an answer that the test does not expect.
"""

import http.client
import os
import pathlib
import urllib.parse

import pytest

CONTROLS = urllib.parse.urlsplit(os.environ["OFFICIAL_CONTROLS"])
LIST = pathlib.Path(os.environ["OFFICIAL_LIST"])
WRITE = os.environ.get("OFFICIAL_WRITE") == "1"
HEADER = "# Tests of the official package that the emulator refuses, each with the code of the rule. tests/official/run writes it.\n"


def name(item):
    return item.nodeid.split("[")[0].removeprefix("tests/api_resources/admin/organization/")


def committed():
    lines = LIST.read_text().splitlines() if LIST.exists() else []
    pairs = (line.split(" ") for line in lines if not line.startswith("#"))
    return {test: code for code, test in pairs}


class Official:
    def __init__(self):
        self.expected = committed()
        self.refused = {}
        self.tried = set()
        self.unserved = 0
        self.controls = http.client.HTTPConnection(CONTROLS.netloc)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        self.controls.request("POST", f"{CONTROLS.path}/reset")
        answer = self.controls.getresponse()
        answer.read()
        assert answer.status == 200, f"the reset failed with status {answer.status}"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if call.when != "call":
            return report
        self.tried.add(name(item))
        error = call.excinfo.value if call.excinfo else None
        status = getattr(error, "status_code", None)
        if status == 501:
            self.unserved += 1
            report.outcome, report.wasxfail = "skipped", "the operation is not served"
        elif error is not None:
            code = getattr(error, "code", None) or "unexpected_answer"
            self.refused[name(item)] = code
            if WRITE or self.expected.get(name(item)) == code:
                report.outcome, report.wasxfail = "skipped", code
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if WRITE:
            lines = sorted(f"{code} {test}\n" for test, code in self.refused.items())
            LIST.write_text(HEADER + "".join(lines))
        passed = [test for test in self.expected if test in self.tried and test not in self.refused]
        if passed and not WRITE:
            print(f"\n{LIST.name} lists tests that pass: {', '.join(sorted(passed))}")
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter):
        count = len(self.refused)
        terminalreporter.write_line(f"{self.unserved} of operations that are not served; {count} tests refused ({LIST.name})")


def pytest_configure(config):
    config.pluginmanager.register(Official(), "official-lists")
