"""The recipes of examples/emulator, run as their readers run them.

    env EMULATOR_ROUNDS=50 pytest tests/e2e/test_emulator_recipes.py     # longer, by hand
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BINARY, ENVIRONMENT

EXAMPLES = Path(__file__).parents[2] / "examples"
NODE = os.environ.get("OPENAI_ADMIN_TEST_NODE")
ROUNDS = int(os.environ.get("EMULATOR_ROUNDS", "1"))

SECONDS_MAX = 120


def run(command, folder, **environment):
    return subprocess.run(
        command,
        cwd=folder,
        env={**ENVIRONMENT, "OPENAI_ADMIN_BIN": str(Path(BINARY).resolve()), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_hundred_python_tests_side_by_side(number):
    command = [sys.executable, "-B", "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider"]
    done = run(command, EXAMPLES / "emulator/python")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 passed" in done.stdout, done.stdout


def test_node_tests_side_by_side():
    if not NODE:
        pytest.fail("OPENAI_ADMIN_TEST_NODE is not set: run scripts/test")
    # Node looks for packages beside the file that wants them.
    for file in (EXAMPLES / "emulator/node").glob("*.js"):
        shutil.copy(file, NODE)
    done = run(["node", "--test"], NODE, FIXTURES=str(EXAMPLES / "acme/organization.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\S pass 27$", done.stdout, re.MULTILINE), done.stdout
