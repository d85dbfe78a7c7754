"""When, and of which commit, each part of a page was measured: a page keeps parts of earlier runs."""

import datetime
import pathlib

from processes import run

ROOT = pathlib.Path(__file__).resolve().parent.parent


def commit():
    """The commit that is measured; with a + when files differ from it."""
    head = run("git", "rev-parse", "--short", "HEAD", cwd=ROOT).stdout.strip()
    return head + ("+" if run("git", "status", "--porcelain", "--untracked-files=no", cwd=ROOT).stdout else "")


def keep(figures, part, measured, rounds=None):
    """Puts a part that was measured now in the place of an earlier one, whose note is then out of date."""
    figures[part] = measured
    about = {"commit": commit(), "date": datetime.date.today().isoformat()}
    if rounds:
        about["rounds"] = rounds
    figures.setdefault("parts", {})[part] = about
    figures.get("notes", {}).pop(part, None)


def provenance(figures, parts):
    """A table of what was measured when, and what is to be known of it until it is measured again."""
    text = "Parts are measured at different times; figures of 2026-11-23 name the commit that brought them.\n\n"
    text += "| Part | Commit | Date | Rounds |\n|---|---|---|---|\n"
    for part in parts:
        about = figures.get("parts", {}).get(part, {})
        row = [part, *(str(about.get(key, "")) for key in ["commit", "date", "rounds"])]
        text += f"| {' | '.join(row)} |\n"
    for part, note in figures.get("notes", {}).items():
        text += f"\n**{part}**: {note}\n"
    return text
