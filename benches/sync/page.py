"""Writes docs/sync-benchmarks.md from the figures that `run` measured."""

from parts import provenance

INTRODUCTION = """\
# Benchmarks of plans and runs

Written by `benches/sync/run`, which measures everything on this page again; `benches/sync/run --quick` takes a minute. Do not
edit by hand. The figures are in `benches/sync/figures.json`.

Measured on {cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {rustc}, {python}, package {package}.

{provenance}
## Method

- **The server** is ours, over SQLite, on the same machine, as it starts by itself; client and server share its cores. Seconds
  are of the whole command, from the start of its process to its end, and memory is the most that the client's process has had
  resident. The server's is beside it where it says so.
- **The script** (`benches/sync/script.py`) is what one would write over the official Python package, with one request at a
  time and with sixteen. It lists groups and their members at the largest page, as the command line does, compares, and adds
  what is missing. It keeps no journal, has no limits and does not look again.
- **In turn**: the programs run one after the other, in as many rounds as the table above says; figures are medians.
- **Requests** are counted by the server (`/metrics`).
"""


class Targets:
    def __init__(self):
        self.rows = []

    def add(self, what, target, measured, is_met):
        self.rows.append(f"| {what} | {target} | {measured} | {'met' if is_met else '**missed**'} |\n")

    def below(self, what, bound, measured, unit):
        self.add(what, f"< {bound:g} {unit}", f"{measured:.2f} {unit}" if measured < 10 else f"{measured:.0f} {unit}",
                 measured < bound)  # fmt: skip


def targets(figures):
    table = Targets()
    if plans := figures.get("plan"):
        size = f"{plans['memberships']:,} memberships in {plans['groups']:,} groups"
        for shape, rows in shapes(plans):
            own, what = rows["openai-admin"], f"plan without a difference, {size}, {shape}"
            reads = plans["groups"] + -(-plans["groups"] // 1000)
            table.add(f"{what}: reads", f"{reads:,}", f"{own['reads']:,.0f}", own["reads"] == reads)
            table.below(f"{what}: time", 2, own["seconds"], "s")
            table.below(f"{what}: memory of the client", 100, own["peak_mib"], "MiB")
    if adds := figures.get("add"):
        own = adds["openai-admin"]
        table.add(f"{own['adds']:,.0f} adds", "≥ 8,000 a second", f"{own['adds_per_second']:,.0f} a second",
                  own["adds_per_second"] >= 8000)  # fmt: skip
        table.below(f"{own['adds']:,.0f} adds: memory of the client", 100, own["peak_mib"], "MiB")
    if tables := figures.get("table"):
        table.below(f"a table of {tables['rows']:,} rows checked", 3, tables["openai-admin"]["seconds"], "s")
    for rpm, rows in figures.get("pace", {}).items():
        own, what = rows["openai-admin"], f"a hidden budget of {rpm} a minute, the first {rows['seconds'] / 60:g} minutes"
        table.add(f"{what}: part of it that was used", "≥ 95 %", f"{own['of_possible']:.1%}", own["of_possible"] >= 0.95)
        table.add(f"{what}: part of the requests that was refused", "< 3 %", f"{own['refused_part']:.1%}",
                  own["refused_part"] < 0.03)  # fmt: skip
    return "## Targets\n\n| What | Target | Measured | |\n|---|---|---|---|\n" + "".join(table.rows)


def shapes(plans):
    return [(shape, rows) for shape, rows in plans.items() if isinstance(rows, dict)]


def name_of(name):
    return f"**{name}**" if name == "openai-admin" else name


def plan(figures):
    text = f"## A plan without a difference\n\n{figures['memberships']:,} memberships in {figures['groups']:,} groups. "
    text += "The server's own peak of memory meanwhile: "
    text += ", ".join(f"{rows['openai-admin']['server_mib']:.0f} MiB ({shape})" for shape, rows in shapes(figures)) + ".\n\n"
    text += "| | | reads | time | processor time | memory |\n|---|---|---|---|---|---|\n"
    for shape, rows in shapes(figures):
        for name, own in rows.items():
            text += f"| people {shape} | {name_of(name)} | {own['reads']:,.0f} | {own['seconds']:.2f} s | {own['cpu_s']:.2f} s "
            text += f"| {own['peak_mib']:.0f} MiB |\n"
    return text


def add(figures):
    own = figures["openai-admin"]
    text = "## Adds\n\nInto empty groups. Of the command line the whole command counts: reading the file, planning, finding "
    text += "people by address, a journal on the disk, and looking again. Of the script only its adds do.\n\n"
    text += "| | adds | a second | processor time | memory |\n|---|---|---|---|---|\n"
    for name, row in figures.items():
        text += f"| {name_of(name)} | {row['adds']:,.0f} | {row['adds_per_second']:,.0f} | {row['cpu_s']:.1f} s "
        text += f"| {row['peak_mib']:.0f} MiB |\n"
    return text + f"\nThe server's peak of memory: {own['server_mib']:.0f} MiB.\n"


def table(figures):
    text = f"## A large table\n\n{figures['rows']:,} rows, {figures['mib']:.0f} MiB, of which the last one is bad: all of it is "
    text += "read and checked, and nothing is asked of a service. The script checks the addresses and finds duplicates.\n\n"
    text += "| | time | processor time | memory |\n|---|---|---|---|\n"
    for name, row in figures.items():
        if isinstance(row, dict):
            text += f"| {name_of(name)} | {row['seconds']:.2f} s | {row['cpu_s']:.2f} s | {row['peak_mib']:.0f} MiB |\n"
    return text


def pace(figures):
    text = "## A budget that nobody tells\n\nThe server lets so many requests a minute pass, from a bucket that holds a minute's "
    text += "worth and is full at first, and something in front of it takes out of each refusal when to come back "
    text += "(`benches/sync/hiding.py`). The bucket is the key's, so what is "
    text += "read before the first add is taken out of it too, on other routes. The client knows nothing of it when it begins, and is stopped when time is up. \"Of the "
    text += "possible\" is what passed, to what was in the bucket and what it gained meanwhile. Most refusals fall into "
    text += "the first minutes, in which the budget is found; the tests of `pacer.rs` hold 3 % over an hour, in virtual time.\n\n"
    text += "| a minute | | seconds | passed | of the possible | refused | |\n|---|---|---|---|---|---|---|\n"
    for rpm, rows in figures.items():
        for name, own in rows.items():
            if isinstance(own, dict):
                text += f"| {rpm} | {name_of(name)} | {own['elapsed_s']:.0f} | {own['passed']:,} | {own['of_possible']:.1%} "
                text += f"| {own['refused']} ({own['refused_part']:.1%}) | {own['outcome']} |\n"
    return text


def page(figures):
    parts = {"plan": plan, "add": add, "table": table, "pace": pace}
    introduction = INTRODUCTION.format(provenance=provenance(figures, parts), **figures["machine"])
    texts = [introduction, targets(figures)]
    texts += [write(figures[part]) for part, write in parts.items() if part in figures]
    return "\n".join(texts)
