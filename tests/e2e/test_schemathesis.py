"""Schemathesis, which we did not write, against the server and its own OpenAPI document.

It makes requests out of the document, right ones and wrong ones, alone and in sequence, and checks each answer against
the document. What it may find is listed in schemathesis.toml, with reasons.

    scripts/with-postgres env SCHEMATHESIS_EXAMPLES=500 pytest tests/e2e/test_schemathesis.py     # longer, by hand
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# How many requests it makes up for each operation and phase.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "10")
# The same requests in each run of the tests; a run by hand makes up others.
SEED = [] if "SCHEMATHESIS_EXAMPLES" in os.environ else ["--seed", "1"]
SECONDS_MAX = 3600 if "SCHEMATHESIS_EXAMPLES" in os.environ else 900


def test_every_answer_is_as_documented(server, tmp_path):
    shutil.copy(HERE / "schemathesis.toml", tmp_path)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{server.base_url}/openapi.json",
            *("--url", f"{server.base_url}/v1"),
            *("--header", f"Authorization: Bearer {server.key}"),
            *("--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", EXAMPLES),
            # Warnings are about its own luck, such as ids that it never guessed.
            *("--warnings", "off"),
            "--continue-on-failure",
            "--no-color",
            *SEED,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # A document that cannot be read would leave nothing to be found.
    assert "No operations" not in done.stdout and "Tested:" in done.stdout, done.stdout
