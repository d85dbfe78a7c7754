"""The commit and the date of each part of a page. A page keeps parts of earlier runs."""

import datetime
import pathlib

from processes import run

ROOT = pathlib.Path(__file__).resolve().parent.parent


def commit():
    """The measured commit, with a + if files differ from it."""
    head = run("git", "rev-parse", "--short", "HEAD", cwd=ROOT).stdout.strip()
    return head + ("+" if run("git", "status", "--porcelain", "--untracked-files=no", cwd=ROOT).stdout else "")


def keep(figures, part, measured, rounds=None):
    """Replaces a part by a new measurement, and removes its outdated note."""
    figures[part] = measured
    about = {"commit": commit(), "date": datetime.date.today().isoformat()}
    if rounds:
        about["rounds"] = rounds
    figures.setdefault("parts", {})[part] = about
    figures.get("notes", {}).pop(part, None)


def provenance(figures, parts):
    """A table of the parts with their commits and dates, and their notes."""
    text = "Parts are measured at different times. For figures of 2026-11-23, the commit is the one that added them.\n\n"
    text += "| Part | Commit | Date | Rounds |\n|---|---|---|---|\n"
    for part in parts:
        about = figures.get("parts", {}).get(part, {})
        row = [part, *(str(about.get(key, "")) for key in ["commit", "date", "rounds"])]
        text += f"| {' | '.join(row)} |\n"
    for part, note in figures.get("notes", {}).items():
        text += f"\n**{part}**: {note}\n"
    return text
