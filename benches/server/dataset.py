"""Databases for the benchmarks: any number of users, in one group of all users and in many small groups.

Rows are written directly with SQL and without audit events, because ten million adds would take minutes. Reads see
the same data. Ids are made from numbers, so that a load generator can name any of them.
"""

import os
import pathlib
import sqlite3
import subprocess
import tempfile

# How many members each of the many small groups has.
SMALL_GROUP = 1000
# Groups without members, for adds: an add that finds a member there writes nothing and would measure nothing.
EMPTY_GROUPS = 1000

DIRECTORY = '{"organization": {"id": "org-bench", "title": "Bench"}}'


def user_id(number):
    return f"user-{number:024d}"


def group_id(number):
    return f"group_{number:026d}"


def database(binary, folder, users, memberships=True):
    """Returns a database with this number of users, created once and kept. Copy it before you write to it."""
    file = pathlib.Path(folder) / f"{users}{'' if memberships else '-without-members'}.db"
    if file.exists():
        return file
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = pathlib.Path(scratch) / "new.db"
        schema(binary, made, scratch)
        sizes = fill(made, users, memberships)
        if memberships:
            file.with_suffix(".sizes").write_text(" ".join(str(size) for size in sizes))
        os.rename(made, file)
    return file


def bytes_per_membership(file):
    """Bytes of the memberships alone, and with their reverse index."""
    alone, both = (int(size) for size in file.with_suffix(".sizes").read_text().split())
    count = 2 * int(file.stem)
    return alone / count, both / count


def schema(binary, file, scratch):
    directory = pathlib.Path(scratch) / "directory.json"
    directory.write_text(DIRECTORY)
    command = [binary, "load", directory, "--database", f"sqlite:{file}"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def fill(file, users, memberships):
    connection = sqlite3.connect(file, isolation_level=None)
    run = connection.execute
    run("pragma journal_mode = off")
    run("pragma synchronous = off")
    run("pragma cache_size = -1000000")
    indexes = dict(run("select name, sql from sqlite_schema where type = 'index' and sql is not null").fetchall())
    for name in indexes:
        run(f"drop index {name}")
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {})"
    run("begin")
    run(
        f"""{numbers.format(users)} insert into users
            (org, seq, id, email, email_key, name, role, user_type, is_service_account, added_at)
        select 1, i, printf('user-%024d', i), address, address, name, 'reader', 'user', 0, 1700000000 + i
        from (select i, substr('Maximiliane Grace Hopper', 1, 8 + i % 14) as name,
                     case when i % 10 = 0 then null
                          else printf('m%d%s@example.com', i, substr('.of.example', 1, i % 8)) end as address
              from n)"""
    )
    small = max(1, users // SMALL_GROUP)
    groups = 1 + small + EMPTY_GROUPS
    run(
        f"""{numbers.format(groups)} insert into groups
            (org, seq, id, name, group_type, is_scim_managed, created_at)
        select 1, i, printf('group_%026d', i), 'Group ' || i, 'group', 0, 1700000000 from n"""
    )
    run("update organizations set last_user_seq = ?, last_group_seq = ?", (users, groups))
    run("commit")
    sizes = (0, 0)
    if memberships:
        before = pages(run)
        run("begin")
        # One group of all, then many with a thousand each, whose members do not stand side by side.
        run(f"{numbers.format(users)} insert into group_users select 1, 1, i from n")
        run(
            f"""{numbers.format(users)} insert into group_users
                select 1, 2 + i / ?, 1 + (i % ?) * ? + i / ? from (select i - 1 as i from n)
                where i / ? < ?""",
            (SMALL_GROUP, SMALL_GROUP, small, SMALL_GROUP, SMALL_GROUP, small),
        )
        run("commit")
        alone = pages(run)
        run(indexes.pop("group_users_by_user"))
        both = pages(run)
        size = run("pragma page_size").fetchone()[0]
        sizes = ((alone - before) * size, (both - before) * size)
    for sql in indexes.values():
        run(sql)
    connection.close()
    return sizes


def pages(run):
    return run("pragma page_count").fetchone()[0]


def empty_group(users, number):
    """The id of one of the groups without members."""
    return group_id(2 + max(1, users // SMALL_GROUP) + number % EMPTY_GROUPS)
