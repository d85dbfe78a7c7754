"""The example tests of the packages: those with the emulator are shorter than the same tests with hand-written mocks."""

import re
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[2] / "packages"
EXAMPLES = [
    ("python/examples/test_with_{}.py", r"^def (test_\w+)", "#"),
    ("node/examples/with-{}.test.js", r"\bit\('(.+)',", "//"),
]


@pytest.mark.parametrize(("path", "name", "comment"), EXAMPLES)
def test_mocks_are_longer_than_the_emulator(path, name, comment):
    emulator = (PACKAGES / path.format("emulator")).read_text()
    mocks = (PACKAGES / path.format("mocks")).read_text()

    assert re.findall(name, emulator, re.MULTILINE) == re.findall(name, mocks, re.MULTILINE)
    assert lines(mocks, comment) > 1.5 * lines(emulator, comment)


def lines(text, comment):
    """The number of lines that are neither empty nor only a comment."""
    return sum(not line.lstrip().startswith(comment) for line in text.splitlines() if line.strip())
