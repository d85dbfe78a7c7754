"""Finds tics in the pages, and in the comments and texts of the sources. CONTRIBUTING.md says what to write instead.

Code is not searched: in Markdown fences and backticks, in Rust everything but comments and strings. In Rust tests, strings
are data and are not searched, but the names of functions are, because they state facts.
`python tests/e2e/test_words.py list` prints each tic with file and line; without `list`, it counts them by folder.
"""

import bisect
import collections
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A space is the end of a line as well. Case matters in the first list only: a heading or a question may begin so.
TICS_IN_SENTENCES = [
    r"what (is|are|was|were|has|had|stands|goes|went)(?! (wrong|new))",
]
TICS = [
    r"nobody|somebody|everybody|whoever|whom",
    r"of (its|their|my|our|your|his|her) own",
    r"(?<!there )(is|are|was|were) no (?!longer|more|fewer|less|different)\w+",
    r"what an? \w+ that",
    r"what (came|comes|became) of",
    r"(is|are|was|were) told",
    r"tells? (whether|what|of)",
    r"wished? for|wishes",
    r"as a \w+ says",
    r"believe[sd]?",
    r"let(s|ting)? (them |it |him |her )?go",
    r"(go|goes|going|went) on",
    r"do (this|it)(?=:| without)",
    r"do again|done again",
    r"so (many|often) (?!that|as)\w+\b(?! that)",
    r"(take|takes|taken|taking|took) (it |them )?back",
    r"when left out",
    r"nothing like (that|this)",
    r"or leave to|gives? (that |this )?leave",
    r"give up, resumable",
    r"no terminal to ask",
    r"to accept the block",
    r"keys? that works?",
    r"operators ask|who(ever)? asks?|may ask",
    r"who is in which",
    r"pin one by",
    r"for ever|anew",
    r"stands? (there|further|before|below|above|at|in front)",
    r"(is|are|was|were) (not |already |still )?there(?= and| when|[.,;:)]|$)",
]

# The rows of settings in docs/configuration.md come from the sources.
MARKDOWN_CODE = re.compile(r"^```.*?^```$|<!--.*?-->|^\| `--[^\n]*|`[^`\n]*`|\]\([^)\n]*\)", re.MULTILINE | re.DOTALL)
RUST_TEXT = re.compile(
    r"""(?P<comment>//[^\n]*)|(?P<raw>\br(?P<hashes>\#*)".*?"(?P=hashes))|(?P<string>"(?:\\.|[^"\\])*")|'(?:\\.|[^\\'\n])'""",
    re.DOTALL,
)


def compiled(tics, flags=0):
    return re.compile(r"\b(?:" + "|".join(tics) + r")(?!\w)", flags)


SEARCHES = [compiled(TICS_IN_SENTENCES), compiled(TICS, re.IGNORECASE)]


def blank(text):
    """The same lines with a mark in place of each word. No tic reaches across it."""
    return re.sub(r"\S+", "·", text)


def words_of_markdown(text):
    return MARKDOWN_CODE.sub(lambda code: blank(code[0]), text)


def words_of_rust(text):
    """The text with all but comments and strings blanked, so that a line keeps its number."""
    words, end = [], 0
    for found in RUST_TEXT.finditer(text):
        words.append(blank(text[end : found.start()]))
        end = found.end()
        if found["comment"]:
            # A sentence continues behind the `///` of the next line.
            words.append(re.sub(r"^//[/!]?", lambda marks: " " * len(marks[0]), found[0]))
        elif found["string"] or found["raw"]:
            words.append("·" + found[0][1:-1].replace("\\\n", " \n").replace("\\n", "· ") + "·")
        else:
            words.append(blank(found[0]))
    return "".join(words) + blank(text[end:])


def words_of_rust_tests(text):
    """The comments and the names of functions; all else is blanked."""
    words, end = [], 0
    for found in RUST_TEXT.finditer(text):
        words.append(words_of_names(text[end : found.start()]))
        end = found.end()
        words.append(re.sub(r"^//[/!]?", "", found[0]) if found["comment"] else blank(found[0]))
    return "".join(words) + words_of_names(text[end:])


def words_of_names(code):
    """The names of functions as sentences, each between marks; all else is blanked."""
    sentence = lambda found: f"· {found[1].replace('_', ' ')} · " if found[1] else "·"  # noqa: E731
    return re.sub(r"\bfn (\w+)|\S+", sentence, code)


def tics(text):
    """Each tic of a text, with the number of the line where it begins."""
    starts, lines, words, length = [], [], [], 0
    for number, line in enumerate(text.split("\n"), 1):
        for word in line.split():
            starts.append(length)
            lines.append(number)
            words.append(word)
            length += len(word) + 1
    sentence = " ".join(words)
    found = [tic for search in SEARCHES for tic in search.finditer(sentence)]
    return sorted((lines[bisect.bisect(starts, tic.start()) - 1], tic[0]) for tic in found)


def paths():
    pages = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md")]
    pages += sorted((ROOT / "docs").glob("*.md"))
    sources = sorted((ROOT / "crates").glob("*/src/**/*.rs"))
    sources += sorted((ROOT / "crates").glob("*/tests/**/*.rs")) + sorted((ROOT / "tests").glob("**/*.rs"))
    return [str(path.relative_to(ROOT)) for path in pages + sources]


def tics_of(path):
    text = (ROOT / path).read_text()
    if not path.endswith(".rs"):
        return tics(words_of_markdown(text))
    is_test = "tests" in Path(path).parts
    return tics(words_of_rust_tests(text) if is_test else words_of_rust(text))


def test_pages_and_sources_have_no_tic():
    found = [f"{path}:{line}: {tic}" for path in paths() for line, tic in tics_of(path)]
    assert not found, "CONTRIBUTING.md, \"Words\", says what to write instead:\n" + "\n".join(found)


# What a reader stumbled over, as the program or a page once said it.
QUOTES = """\
looked again: as wished for
Plan: nothing to do, 12 groups are as wished for
drift  Tell whether the groups are as a file says
apply  Make the groups as a file says, or do a plan that was kept
plan  Show what would make the groups as a file says
do this: 5 writes? [y/N]
importing memberships needs a confirmation, and there is no terminal to ask on
frozen: 40 members not in the file are kept: somebody who was not found may be one of them
run A is the last that is no undo, and run B has undone it
to do again what was undone: …
nothing like that was done
there are more: go on with --after X
expected an empty database, or leave to overwrite what this one holds
an emulator believes everybody
--profile  Let go wrong what goes wrong with a real service
--unknown  What an address that nobody has means
--max-wait  Give up, resumable, when the service asks to wait longer than this
--max-rpm  Send at most so many requests a minute on each route; learned when left out
'ada.chen @example.com' is no email address: it holds a space
fixed2.csv is a table, and a file of wishes is YAML or JSON
to accept the block: --allow-removals 186
expected a key that works, but 'bootstrap' (key_bootstrap) has expired
Wrong  client: whoever sent the request
Nobody has this key: it is mistyped, revoked, over, or of another service.
Write what came of every row to a CSV or JSON file
operators ask http://127.0.0.1:23103
Who is in which group of an OpenAI organization: ask, change, and serve the same API yourself
Nobody has an organization to test on. The emulator is one
Have so many writes in flight
pin one by the id""".splitlines()


@pytest.mark.parametrize("quote", QUOTES)
def test_a_quote_is_found(quote):
    assert tics(quote)


PLAIN = """\
Verified: groups match the file.
No changes. 12 groups are up to date.
Check for differences between groups and a file
Apply a group file or a saved plan
Preview the changes needed to match a file
Apply 5 changes? [y/N]
confirmation required, but stdin is not a terminal
Kept 40 members who are not in the file, because an unmatched address may be theirs.
Run A was already undone by run B.
No matching events.
More results available: pass --after X
pass --overwrite to replace its contents
the emulator accepts any key, so it only listens on loopback
Stop if the service asks to wait longer than this; the run can be resumed
To allow these 186 removals, pass --allow-removals 186
the key in k2 has expired; put a current key in this file
Unknown key: mistyped, revoked, expired, or for another service.
there is no group of this name
the key is no longer valid
it loads so many rows that a transaction takes long""".splitlines()


@pytest.mark.parametrize("sentence", PLAIN)
def test_a_plain_sentence_is_not_found(sentence):
    assert not tics(sentence)


def test_a_tic_is_found_across_lines_and_only_in_words():
    assert tics(words_of_markdown("a file that\nis no\nplan\n")) == [(2, "is no plan")]
    assert not tics(words_of_markdown("```console\n$ echo nobody\n```\n`nobody` <!-- goes on \"a\" -->\n"))
    source = '/// A key that\n/// is no\n/// key.\nfn nobody() -> &str {\n    let quote = \'"\';\n    "for \\\n     ever"\n}\n'
    assert tics(words_of_rust(source)) == [(2, "is no key"), (6, "for ever")]
    assert not tics(words_of_rust('f("what", "is"); // is\nlet no = "key";\n'))


def test_a_tic_in_the_name_of_a_rust_test_is_found_but_not_in_its_strings():
    source = 'fn a_key_is_no_secret() {\n    // It goes\n    // on.\n    run("list nobody");\n}\nfn nobody_is_told() {}\n'
    assert tics(words_of_rust_tests(source)) == [(1, "is no secret"), (2, "goes on"), (6, "is told"), (6, "nobody")]


def report():
    counts = collections.Counter()
    for path in paths():
        folder = path if path.endswith(".md") else str(Path(path).parent)
        counts[folder] += len(tics_of(path))
    for folder, count in sorted(counts.items()):
        print(f"{count:5} {folder}")


if __name__ == "__main__":
    if sys.argv[1:] == ["list"]:
        for path in paths():
            for line, tic in tics_of(path):
                print(f"{path}:{line}: {tic}")
    else:
        report()
