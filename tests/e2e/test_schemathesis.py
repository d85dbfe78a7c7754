"""Schemathesis, which we did not write, against the server and its own OpenAPI document.

It makes requests from the document, valid and invalid ones, and checks each answer against the document. What it may
find is listed in schemathesis.toml, with reasons. The tests run its examples and its coverage of every parameter's
bounds on SQLite. Its fuzzing and its sequences of requests take minutes; run them on both engines by hand:

    scripts/with-postgres env SCHEMATHESIS_EXAMPLES=500 pytest -rP tests/e2e/test_schemathesis.py
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# How many requests it makes up for each operation and phase, in a run by hand.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES")
if EXAMPLES:
    ENGINES, SECONDS_MAX = ["sqlite", "postgres"], 3600
    PHASES = ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES]
else:
    # The same requests in each run of the tests; a run by hand makes up others.
    ENGINES, SECONDS_MAX = ["sqlite"], 300
    PHASES = ["--phases", "examples,coverage", "--max-examples", "10", "--seed", "1"]


@pytest.mark.parametrize("database", ENGINES, indirect=True)
def test_every_answer_is_as_documented(server, tmp_path):
    shutil.copy(HERE / "schemathesis.toml", tmp_path)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{server.base_url}/openapi.json",
            *("--url", f"{server.base_url}/v1"),
            *("--header", f"Authorization: Bearer {server.key}"),
            *PHASES,
            # Warnings are about its own luck, such as ids that it never guessed.
            *("--warnings", "off"),
            "--continue-on-failure",
            "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    # `pytest -rP` shows the number of its requests.
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    # A document that cannot be read would leave nothing to be found.
    assert "No operations" not in done.stdout and "Tested:" in done.stdout, done.stdout
