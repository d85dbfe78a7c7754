"""Runs `wrk` against servers in turn, and parses its output."""

import contextlib
import os
import pathlib
import re
import statistics

from processes import KEY, run, say

SCRIPTS = pathlib.Path(__file__).resolve().parent / "server/wrk"
WRK = ["wrk", "-t2", "-c64"]
SECONDS = 4


def wrk(url, script, *arguments, seconds=SECONDS, load=WRK):
    """Requests a second, and the median and 99th percentile of the time of one in milliseconds."""
    done = run(*load, f"-d{seconds}s", "--latency", "-s", SCRIPTS / f"{script}.lua", url, "--", KEY, *arguments)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    assert not failed, f"{failed.group(1)} requests to {url} failed"
    unit = {"us": 0.001, "ms": 1, "s": 1000}

    def percentile(name):
        value, suffix = re.search(rf"{name}%\s+([\d.]+)(us|ms|s)", done.stdout).groups()
        return float(value) * unit[suffix]

    requests = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))
    return {"requests": requests, "p50_ms": percentile(50), "p99_ms": percentile(99)}


def cpu_seconds(process):
    """Processor time so far of a process and of all that it has started: a wrapper does not answer itself."""
    parents, ticks = {}, {}
    for file in pathlib.Path("/proc").glob("[0-9]*/stat"):
        # A process may end meanwhile.
        with contextlib.suppress(OSError):
            fields = file.read_text().rsplit(") ", 1)[1].split()
            pid = int(file.parent.name)
            # Its own time, and that of the children that it has seen end.
            parents[pid], ticks[pid] = int(fields[1]), sum(int(field) for field in fields[11:15])
    family, found = set(), {process.pid}
    while found:
        family |= found
        found = {pid for pid, parent in parents.items() if parent in found} - family
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def alternate(measures, rounds):
    """Runs all measures in turn, several times, since machines drift by more than servers differ. The median of each
    figure, and the median and the extremes of the ratios to the first measure within each round."""
    results = {name: [] for name in measures}
    for turn in range(rounds):
        for name, measure in measures.items():
            results[name].append(measure())
            say(f"  {turn + 1}/{rounds} {name}: {results[name][-1]}")
    first = next(iter(measures))
    figures = {}
    for name, rows in results.items():
        figures[name] = {key: round(statistics.median(row[key] for row in rows), 4) for key in rows[0]}
        ratios = [own["requests"] / other["requests"] for own, other in zip(rows, results[first])]
        figures[name]["to_first"] = round(statistics.median(ratios), 4)
        figures[name]["spread"] = [round(of(ratios), 4) for of in [min, max]]
    return figures


def loaded(server, script, *arguments, **options):
    """A measure: a load on a server that runs, and the processor time that it takes of it."""

    def measure():
        before = cpu_seconds(server.process)
        figures = wrk(server.url, script, *arguments, **options)
        spent = cpu_seconds(server.process) - before
        assert spent > 0, f"{server.url} answered without processor time: another process does"
        seconds = options.get("seconds", SECONDS)
        return {**figures, "cpu_us": spent / (figures["requests"] * seconds) * 1e6}

    return measure
