"""Loads from `wrk` on servers that take turns, and what is read of them."""

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
    """Processor time of a process so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alternate(measures, rounds):
    """Runs all measures in turn, several times, since machines drift by more than servers differ. The median of each
    figure, and the median of the ratios to the first measure within each round."""
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
    return figures


def loaded(server, script, *arguments, **options):
    """A measure: a load on a server that runs, and the processor time that it takes of it."""

    def measure():
        before = cpu_seconds(server.process)
        figures = wrk(server.url, script, *arguments, **options)
        spent = cpu_seconds(server.process) - before
        seconds = options.get("seconds", SECONDS)
        return {**figures, "cpu_us": spent / (figures["requests"] * seconds) * 1e6}

    return measure
