"""Writes docs/benchmarks.md from the figures that `run` measured."""

from parts import provenance

PARTS = ["instructions", "allocations", "throughput", "one-shot", "build"]

NAMES = {
    "ours": "**openai-admin**",
    "reference": "openai-client-base 0.16.1",
    "async-openai": "async-openai 0.43.0",
    "raw": "hyper-util and serde_json alone",
    "command line": "**the command line** `openai-admin`",
}

INTRODUCTION = """\
# Benchmarks of the client

Written by `benches/client/run`, which measures everything on this page again; `benches/client/run --quick` counts the
instructions and allocations of our client in a minute. Do not edit by hand.

Measured on {cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {rustc}, {valgrind}.

{provenance}
## Method

- **The service** is a stub on the same machine (`benches/client/stub`), plain HTTP/1.1 with keep-alive, whose two answers
  are constants: the `GroupUserAssignment` of an add, and a page of 100 users with ids of 29 bytes, names of 8 to 21 and
  addresses of 18 to 32, of whom every tenth has none.
- **The callers** (`benches/client/callers`) make the same calls through each client and check each answer. All run on
  tokio's current-thread runtime, in the default release profile, with the client's own TLS compiled in and its default
  settings; async-openai has only its features `administration` and `rustls`. "hyper-util and serde_json alone" is the
  limit: no checks, no retries, no timeouts, no typed errors.
- **Instructions and allocations** of a call are those of 2N calls minus those of N, divided by N, so that start-up cancels
  out; callgrind counts the ones, an allocator the others (a block that grows counts again). They hardly depend on the
  machine, and they are what we hold ourselves to.
- **Times** are medians over rounds in which the clients take turns, and ratios are medians of the ratios of each round,
  since machines drift by more than clients differ. The stub shares the machine, so the ratios understate differences.
"""

TARGETS_HEAD = """\
## Targets

| What | Target | Measured | |
|---|---|---|---|
"""


def thousands(number):
    return f"{number / 1000:.1f}k"


def ratio(own, other):
    return f"{own / other:.2f}×"


def targets(figures):
    instructions, allocations = figures["instructions"], figures["allocations"]
    throughput, one_shot, build = figures["throughput"], figures["one-shot"], figures["build"]

    def of(client, call):
        return instructions["ours"][call] / instructions[client][call]

    rows = [
        ("add: instructions, to the reference crate", "≤ 0.50×", of("reference", "add"), 0.50, "×"),
        ("add: instructions, to hyper-util alone", "≤ 1.20×", of("raw", "add"), 1.20, "×"),
        ("list(100): instructions, to the reference crate", "≤ 0.55×, stretch 0.35×",
         of("reference", "list"), 0.55, "×"),
        ("add: allocations", "≤ 30", allocations["ours"]["add"], 30, ""),
        ("list(100): allocations", "≤ 45", allocations["ours"]["list"], 45, ""),
        ("add, 16 in flight: throughput, to the reference crate", "≥ 1.25×",
         throughput["ours"]["add 16"]["of_reference"], -1.25, "×"),
        ("add, 64 in flight: throughput, to the reference crate", "≥ 1.25×",
         throughput["ours"]["add 64"]["of_reference"], -1.25, "×"),
        ("one call from a new process: time, to the reference crate", "≤ 0.40×",
         one_shot["ours"]["of_reference"], 0.40, "×"),
        ("clean build: processor time, to async-openai", "≤ 0.45×, stretch 0.30×",
         build["ours"]["cpu_s"] / build["async-openai"]["cpu_s"], 0.45, "×"),
        ("crates in the tree, with TLS", "≤ 100", build["ours"]["crates"], 100, ""),
        ("crates in the tree, types only", "≤ 25", build["types"]["crates"], 25, ""),
    ]  # fmt: skip
    if "command line" in one_shot:
        own = one_shot["command line"]
        rows += [
            ("one add by the command line: time, to the reference crate", "≤ 0.40×", own["of_reference"], 0.40, "×"),
            ("one add by the command line: instructions", "≤ 1.5M", own["instructions"] / 1e6, 1.5, "M"),
            ("one add by the command line: memory", "≤ 6 MiB", own["resident_kib"] / 1024, 6, " MiB"),
        ]
    text = TARGETS_HEAD
    for what, target, measured, bound, unit in rows:
        is_met = measured >= -bound if bound < 0 else measured <= bound
        number = f"{measured:.0f}" if unit == "" else f"{measured:.2f}"
        text += f"| {what} | {target} | {number}{unit} | {'met' if is_met else '**missed**'} |\n"
    return text


def calls(figures):
    text = "## One call\n\n"
    text += "| | add: instructions | to the reference | to hyper-util | allocations "
    text += "| list of 100: instructions | to the reference | to hyper-util | allocations |\n|---|" + "---|" * 8 + "\n"
    for client, own in figures["instructions"].items():
        text += f"| {NAMES[client]} "
        for call in ["add", "list"]:
            reference, raw = (figures["instructions"][other][call] for other in ["reference", "raw"])
            text += f"| {thousands(own[call])} | {ratio(own[call], reference)} | {ratio(own[call], raw)} "
            text += f"| {figures['allocations'][client][call]:.0f} "
        text += "|\n"
    return text


def throughput(figures):
    text = "## Many calls\n\nMicroseconds a call, by how many are in flight; in brackets the throughput relative to the "
    text += "reference crate.\n\n"
    columns = list(figures["throughput"]["ours"])
    text += "| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns) + "\n"
    for client, own in figures["throughput"].items():
        cells = [f"{own[column]['ns'] / 1000:.1f} ({own[column]['of_reference']:.2f}×)" for column in columns]
        text += f"| {NAMES[client]} | " + " | ".join(cells) + " |\n"
    return text


def one_shot(figures):
    text = "## One call from a new process\n\nStart, one add over plain http, end. What the clients differ in is mostly "
    text += "whether they load root certificates that the call does not need.\n\n"
    text += "| | time | to the reference | instructions | resident |\n|---|---|---|---|---|\n"
    for client, own in figures["one-shot"].items():
        text += f"| {NAMES[client]} | {own['ms']:.1f} ms | {own['of_reference']:.2f}× "
        text += f"| {own['instructions'] / 1e6:.2f}M | {own['resident_kib'] / 1024:.1f} MiB |\n"
    return text


def build(figures):
    text = "## Building a program of one call\n\nFrom nothing, release profile, with TLS; everything downloaded before.\n\n"
    text += "| | processor time | to the reference | to async-openai | elapsed | largest process | program | crates |\n"
    text += "|---|" + "---|" * 7 + "\n"
    for client, own in figures["build"].items():
        if client == "types":
            continue
        reference, other = figures["build"]["reference"], figures["build"]["async-openai"]
        text += f"| {NAMES[client]} | {own['cpu_s']:.0f} s | {ratio(own['cpu_s'], reference['cpu_s'])} "
        text += f"| {ratio(own['cpu_s'], other['cpu_s'])} | {own['wall_s']:.0f} s | {own['peak_mib']} MiB "
        text += f"| {own['binary_kib'] / 1024:.1f} MiB | {own['crates']} |\n"
    text += f"\nThe types of openai-admin alone (`default-features = false`): {figures['build']['types']['crates']} crates.\n"
    return text


def page(figures):
    introduction = INTRODUCTION.format(provenance=provenance(figures, PARTS), **figures["machine"])
    parts = [introduction] + [part(figures) for part in [targets, calls, throughput, one_shot, build]]
    return "\n".join(parts)
