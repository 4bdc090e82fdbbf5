#!/usr/bin/env python3
"""Keeps an exact copy of time entries in an SQLite file, with the standard library alone.

    TIMELOG_KEY=tlk_... python3 mirror.py http://127.0.0.1:8080 copy.db

It goes on for ever, and where it stopped when it is started again. With --once it ends when there
is no further change. With --project it copies one project. The copy:

    SELECT id, version, entry ->> '$.minutes' FROM entries;
"""

import argparse
import http.client
import json
import os
import random
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PASSING = (408, 429, 502, 503, 504)


def open_copy(path):
    copy = sqlite3.connect(path, isolation_level=None)
    copy.execute("CREATE TABLE IF NOT EXISTS entries"
                 " (id TEXT PRIMARY KEY, version INTEGER NOT NULL, entry TEXT NOT NULL)")
    copy.execute("CREATE TABLE IF NOT EXISTS position (cursor TEXT NOT NULL)")
    return copy


def position(copy):
    found = copy.execute("SELECT cursor FROM position").fetchone()
    return found[0] if found else None


def apply(copy, page):
    """Applies a page and moves the position: both or neither."""
    copy.execute("BEGIN IMMEDIATE")
    for change in page["data"]:
        entry = change["entry"]
        if entry is None:
            copy.execute("DELETE FROM entries WHERE id = ?", (change["timeEntryId"],))
        else:
            text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
            copy.execute("INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
                         " SET version = excluded.version, entry = excluded.entry"
                         " WHERE excluded.version >= version",
                         (entry["id"], entry["version"], text))
    copy.execute("DELETE FROM position")
    copy.execute("INSERT INTO position VALUES (?)", (page["nextCursor"],))
    copy.execute("COMMIT")


def forget(copy):
    """Begins again. The feed is another one, since its database was put back to an earlier state."""
    copy.executescript("BEGIN; DELETE FROM entries; DELETE FROM position; COMMIT")


def read(url, key, cursor, wait):
    query = {"limit": "500", "wait": wait}
    if cursor:
        query["after"] = cursor
    request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(query)}",
                                     headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def mirror(url, key, copy, once):
    pause = 1
    while True:
        try:
            page = read(url, key, position(copy), "0s" if once else "30s")
        except urllib.error.HTTPError as error:
            if error.code == 410:
                forget(copy)
                continue
            if error.code not in PASSING:
                raise
            retry_after = int(error.headers.get("Retry-After", 0))
        except (OSError, http.client.HTTPException):
            retry_after = 0
        else:
            apply(copy, page)
            pause = 1
            if once and not page["hasMore"]:
                return
            continue
        time.sleep(max(retry_after, pause) * random.uniform(1, 1.5))
        pause = min(2 * pause, 60)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("base", help="address of the service, such as http://127.0.0.1:8080")
    arguments.add_argument("copy", help="the SQLite file")
    arguments.add_argument("--project", help="id of the project to copy; all if not given")
    arguments.add_argument("--once", action="store_true", help="end when there is nothing further")
    given = arguments.parse_args()
    key = os.environ.get("TIMELOG_KEY")
    if not key:
        sys.exit("set TIMELOG_KEY to an API key with the permission read")
    scope = f"/projects/{given.project}" if given.project else ""
    mirror(f"{given.base}{scope}/changes", key, open_copy(given.copy), given.once)


if __name__ == "__main__":
    try:
        main()
    except urllib.error.HTTPError as error:
        sys.exit(f"the service refuses: {error.code} {error.read().decode()}")
    except KeyboardInterrupt:
        pass
