"""Writes docs/server-benchmarks.md from the figures that `run` measured."""

import re

from parts import provenance

INTRODUCTION = """\
# Benchmarks of the server

Written by `benches/server/run`, which measures everything on this page again; `benches/server/run --quick` takes a
minute. Do not edit by hand. The figures are in `benches/server/figures.json`.

Measured on {cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {rustc}, {wrk}, {valgrind}.

{provenance}
## Method

- **The load** comes from `wrk` with two threads and 64 connections on the same machine, so the servers share its cores:
  ratios of requests understate a cheap server. The processor time of a request is the server's own, user and system.
- **In turn**: the servers of a table run one after the other, in as many rounds as the table above says; figures are
  medians, and ratios are medians of the ratios within each round, since machines drift by more than servers differ. The
  spread is the least and the greatest ratio of a round.
- **Instructions** are those in user space of a request, by callgrind: a run of 2N requests minus one of N, divided by N.
  They hardly depend on the machine.
- **A page** has 100 users unless it says otherwise: ids of 29 bytes, names of 8 to 21, addresses of 18 to 32, of whom
  every tenth has none. Its cursor is a random one of a million, so that hardly any page is asked for twice; only rows that
  say so ask for pages that were read before.
- **An add** is of a user who is not yet in the group, spread over a thousand groups: adding whoever is there already would
  write nothing. Commits wait for the disk (`synchronous=FULL`) unless it says otherwise.
- **Our server** runs as it starts by itself: with keys, checks, and a line of log for each request, which goes to
  `/dev/null` here.
"""


def thousands(number):
    return f"{number / 1000:.1f}k" if number >= 1000 else f"{number:.0f}"


class Targets:
    def __init__(self):
        self.rows = []

    def add(self, what, target, measured, is_met, note=""):
        self.rows.append(f"| {what} | {target} | {measured} | {'met' if is_met else '**missed**'}{note} |\n")

    def at_most(self, what, bound, measured, form="{:.2f}×"):
        self.compare(what, "≤ ", bound, measured, form, lambda: measured <= bound)

    def at_least(self, what, bound, measured, form="{:.2f}×"):
        self.compare(what, "≥ ", bound, measured, form, lambda: measured >= bound)

    def compare(self, what, sign, bound, measured, form, is_met):
        if measured is None:
            self.rows.append(f"| {what} | {sign}{form.format(bound)} | not measured | |\n")
            return
        form = apart(form, bound, measured)
        self.add(what, sign + form.format(bound), form.format(measured), is_met())


def apart(form, bound, measured, digits_max=4):
    """A form with as many digits as tell a figure from its bound."""
    for digits in range(digits_max + 1):
        longer = re.sub(r"\.(\d)f", lambda found: f".{int(found[1]) + digits}f", form)
        if bound == measured or longer.format(bound) != longer.format(measured):
            return longer
    return longer


def ratio(figures, own, other):
    """Of two rows of one table: by their ratios to its first row."""
    return figures[own]["to_first"] / figures[other]["to_first"]


def targets(figures):
    table = Targets()
    if instructions := figures.get("instructions"):
        table.at_most("list: instructions", 530, instructions["list"] / 1000, "{:.0f}k")
        table.at_most("list of a group whose members are far apart: instructions", 530,
                      instructions["sparse list"] / 1000, "{:.0f}k")  # fmt: skip
    if rows := figures.get("list"):
        table.at_least("list: requests, to hyper with static bytes", 0.15, rows["ours"]["to_first"])
        table.at_least("list: requests, to sqlx-sqlite", 3.5, ratio(rows, "ours", "sqlx-sqlite"))
        table.at_least("list asked for before: requests, to hyper with static bytes", 0.5,
                       rows["ours, pages asked for before"]["to_first"])  # fmt: skip
    if rows := figures.get("add"):
        table.at_least("add: requests, to one commit for each", 3.5, ratio(rows, "ours", "plain, one commit each, FULL"))
        table.at_least("add: requests, to our server without waiting for the disk", 0.75,
                       ratio(rows, "ours", "ours, no sync"))  # fmt: skip
        table.at_least("add: requests, to a plain server at NORMAL", 0.75, ratio(rows, "ours", "plain, grouped, NORMAL"))
    if sizes := figures.get("deep"):
        for users, rows in sizes.items():
            for shape in ["one group", "many groups"]:
                first = rows[f"{shape}, first"]["p50_ms"]
                for depth in ["middle", "end"]:
                    own = rows.get(f"{shape}, {depth}")
                    table.at_most(f"{int(users):,} members, {shape}: median of a page at the {depth}, to the first", 1.10,
                                  own and own["p50_ms"] / first)  # fmt: skip
    if sizes := figures.get("size"):
        for users, own in sizes.items():
            table.at_most(f"{int(users):,} memberships: bytes each", 11, own["alone"], "{:.1f}")
            table.at_most(f"{int(users):,} memberships: bytes each, with the reverse index", 24, own["with_reverse"],
                          "{:.1f}")  # fmt: skip
    if rows := figures.get("start"):
        table.at_least("first answer: sooner than Steady", 20, rows["Steady"] / rows["ours"], "{:.0f}×")
    if own := figures.get("import"):
        table.at_most(f"import of {own['members']:,} members", 5, own["seconds"], "{:.1f} s")
    return "## Targets\n\n| What | Target | Measured | |\n|---|---|---|---|\n" + "".join(table.rows)


def instructions(figures):
    text = "## Instructions of a request\n\n| | in user space |\n|---|---|\n"
    names = {
        "list": "list, a page of one group of everybody",
        "sparse list": "list, a page of one of many groups",
        "cached list": "list, a page asked for before",
        "add": "add",
        "remove": "remove",
    }
    for call, name in names.items():
        if call in figures:
            text += f"| {name} | {thousands(figures[call])} |\n"
    return text


def table(title, introduction, figures, first):
    text = f"## {title}\n\n{introduction}\n\n"
    text += f"| | requests/s | to {first} | spread | processor, µs | median, ms | 99th, ms |\n|---|" + "---|" * 6 + "\n"
    for name, own in figures.items():
        if not isinstance(own, dict):
            continue
        cpu, p50, p99 = (f"{own[key]:.{digits}f}" if key in own else "" for key, digits in
                         [("cpu_us", 1), ("p50_ms", 2), ("p99_ms", 2)])  # fmt: skip
        name = f"**{name}**" if name.startswith("ours") else name
        spread = "–".join(f"{end:.2f}" for end in own.get("spread", [])) or "not kept"
        text += f"| {name} | {thousands(own['requests'])} | {own['to_first']:.2f}× | {spread} | {cpu} | {p50} | {p99} |\n"
    return text


def deep(figures):
    text = "## Depth\n\nThe median time of a page in milliseconds, one request at a time.\n\n"
    text += "| | one group: first | middle | end | many groups: first | middle | end |\n|---|" + "---|" * 6 + "\n"
    for users, rows in figures.items():
        places = [f"{shape}, {depth}" for shape in ["one group", "many groups"] for depth in ["first", "middle", "end"]]
        cells = [f"{rows[place]['p50_ms']:.3f}" if place in rows else "not measured" for place in places]
        text += f"| {int(users):,} members | " + " | ".join(cells) + " |\n"
    return text


def mixed(figures):
    text = "## Reads under writes\n\nPages by 32 connections while 32 others add to other groups.\n\n"
    text += "| | pages/s | adds/s | median, ms | 99th, ms |\n|---|---|---|---|---|\n"
    for name, own in figures.items():
        text += f"| {name} | {thousands(own['requests'])} | {thousands(own['adds'])} "
        text += f"| {own['p50_ms']:.2f} | {own['p99_ms']:.2f} |\n"
    return text


def start(figures):
    text = "## First answer\n\nFrom the start of the process.\n\n| | ms |\n|---|---|\n"
    return text + "".join(f"| {name} | {own:.0f} |\n" for name, own in figures.items())


def size(figures):
    text = "## Size\n\nBytes a membership takes, added in order.\n\n| | alone | with the reverse index |\n|---|---|---|\n"
    for users, own in figures.items():
        text += f"| {int(users):,} | {own['alone']:.1f} | {own['with_reverse']:.1f} |\n"
    return text


def mocks(figures):
    pages = table("Mock servers: pages", "A page of 100 users. The mocks answer an example, whoever is asked for.",
                  figures["list"], "ours")  # fmt: skip
    adds = table("Mock servers: adds", "The mocks store nothing.", figures["add"], "ours")
    return f"{pages}\n{adds}"


def page(figures):
    parts = {
        "instructions": instructions,
        "list": lambda own: table("Pages", f"Pages of 100 users ({own['page_bytes']:,} bytes) over a million members.", own,
                                  "hyper"),
        "deep": deep,
        "add": lambda own: table("Adds", "\"No sync\" is our server with `fsync` made to do nothing: what `NORMAL` would "
                                 "cost at most. \"Plain\" is axum and one thread of rusqlite with the statements of an add, "
                                 "without keys, checks and log.", own, "ours"),
        "mixed": mixed,
        "start": start,
        "mocks": mocks,
        "size": size,
    }  # fmt: skip
    about = provenance(figures, [part for part in [*parts, "import"] if part in figures])
    introduction = INTRODUCTION.format(provenance=about, **figures["machine"])
    texts = [introduction, targets(figures)]
    texts += [write(figures[part]) for part, write in parts.items() if part in figures]
    return "\n".join(texts)
