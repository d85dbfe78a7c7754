"""A typical hand-written script over the official Python package: it reads groups, compares, and adds.

    script.py plan  groups.json         counts the differences
    script.py add   groups.json COUNT   adds missing members, at most COUNT
    script.py check table.csv           reads a table and checks its rows

The service is at OPENAI_BASE_URL, its key in OPENAI_ADMIN_KEY, and THREADS requests are in flight at once. It prints one JSON
object. It keeps no journal, knows no limit, and gives up at the first error that the package does not hide.
"""

import concurrent.futures
import csv
import json
import os
import sys
import time


def client():
    import openai

    return openai.OpenAI(api_key="unused", admin_api_key=os.environ["OPENAI_ADMIN_KEY"]).admin.organization


def wanted_groups(file):
    with open(file) as text:
        return {group["name"]: group["members"] for group in json.load(text)["groups"]}


def missing_members(organization, groups, pool):
    """Pairs of a group's id and an address that should be in it and is not, and how many should not be there."""
    ids = {group.name: group.id for group in organization.groups.list(limit=1000)}

    def compare(item):
        name, wanted = item
        current = {user.email for user in organization.groups.users.list(ids[name], limit=1000)}
        return [(ids[name], email) for email in wanted if email not in current], len(current - set(wanted))

    results = list(pool.map(compare, groups.items()))
    return [pair for missing, _ in results for pair in missing], sum(extra for _, extra in results)


def plan(file, pool):
    missing, extra = missing_members(client(), wanted_groups(file), pool)
    return {"differences": len(missing) + extra}


def add(file, count, pool):
    organization = client()
    missing, _ = missing_members(organization, wanted_groups(file), pool)
    missing = missing[:count]
    emails = {email for _, email in missing}
    users = {}
    for user in organization.users.list(limit=100):
        if user.email in emails:
            users[user.email] = user.id
            if len(users) == len(emails):
                break
    begun, added, error = time.monotonic(), 0, None

    def one(pair):
        group, email = pair
        organization.groups.users.create(group, user_id=users[email])

    try:
        for _ in pool.map(one, missing):
            added += 1
    except Exception as problem:  # noqa: BLE001
        error = f"{type(problem).__name__} {getattr(problem, 'status_code', '')}".strip()
    return {"added": added, "add_seconds": time.monotonic() - begun, "error": error}


def check(file):
    seen, bad = set(), []
    with open(file, newline="", encoding="utf-8-sig") as text:
        for number, row in enumerate(csv.DictReader(text), 2):
            email = row["email"].strip().lower()
            name, at, host = email.partition("@")
            if not (name and at and host) or "@" in host or " " in email:
                bad.append(number)
                continue
            seen.add((email, row["group"].strip()))
    return {"rows": len(seen), "bad": len(bad)}


class Serial:
    """A pool without threads."""

    map = staticmethod(map)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def main():
    what, file, *rest = sys.argv[1:]
    threads = int(os.environ.get("THREADS", "1"))
    with concurrent.futures.ThreadPoolExecutor(threads) if threads > 1 else Serial() as pool:
        match what:
            case "plan":
                result = plan(file, pool)
            case "add":
                result = add(file, int(rest[0]), pool)
            case "check":
                result = check(file)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
