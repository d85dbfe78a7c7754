"""Checks that the benchmark pages match the figures, and that the benchmarks detect errors."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHES = ROOT / "benches"
PAGES = {"client": "benchmarks.md", "server": "server-benchmarks.md", "sync": "sync-benchmarks.md"}
BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True); input()"


@pytest.fixture
def bench(monkeypatch):
    """Imports a module of `benches`; their names are the same in several folders."""

    def bench(name, folder=""):
        monkeypatch.syspath_prepend(str(BENCHES))
        monkeypatch.syspath_prepend(str(BENCHES / folder))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return bench


@pytest.mark.parametrize("folder", PAGES)
def test_a_page_is_what_its_figures_say_and_names_the_commit_of_each_part(folder, bench):
    figures = json.loads((BENCHES / folder / "figures.json").read_text())
    page = bench("page", folder).page(figures)
    assert (ROOT / "docs" / PAGES[folder]).read_text() == page, f"write it again: benches/{folder}/run --page"
    for part, about in figures["parts"].items():
        assert f"| {part} | {about['commit']} | {about['date']} |" in page


def test_a_figure_is_told_from_its_bound(bench):
    targets = bench("page", "server").Targets()
    targets.at_most("import", 5, 4.98, "{:.1f} s")
    targets.at_most("import", 5, 5.004, "{:.1f} s")
    targets.at_least("list", 0.15, None)
    assert targets.rows == [
        "| import | ≤ 5.00 s | 4.98 s | met |\n",
        "| import | ≤ 5.000 s | 5.004 s | **missed** |\n",
        "| list | ≥ 0.15× | not measured | |\n",
    ]


def test_processor_time_is_that_of_the_process_that_answers(bench):
    wrapper = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    with subprocess.Popen([sys.executable, "-c", wrapper], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        alive = bench("load").cpu_seconds(process)
        process.stdin.close()
    # The kernel counts in hundredths of a second and rounds down, for user and for system time.
    assert alive >= 0.3 - 0.02
