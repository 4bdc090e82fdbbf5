#!/usr/bin/env python3
"""Receives the events of a timelog webhook, and keeps the entries in an SQLite database.

    WEBHOOK_SECRET=whsec_… python3 receiver.py entries.db 8090

Only what is signed is believed. Each event is taken once, however often it is delivered, and is
answered once it is stored. Put it behind a server that speaks https.
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE = 5 * 60  # Seconds. An older request may be a replay by somebody who overheard it.

TABLES = """
    CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, seq INTEGER, name TEXT);
    CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, version INTEGER, entry TEXT);
"""


def is_signed(secret, headers, body):
    """Whether the request comes from who knows the secret, and comes now."""
    name, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{sent}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    signatures = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def take(database, event):
    """Stores an event, if it is new, and the entry as it stands: both or neither. An older version
    is never stored over a newer one."""
    payload = event["payload"]
    with database:
        stored = database.execute(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?)",
            (event["id"], payload.get("seq"), event["eventName"]),
        )
        if stored.rowcount == 0 or event["entityType"] != "time_entry":
            return
        entry, known = payload["entry"], "WHERE id = ? AND version <= ?"
        if entry is None:
            version = payload["version"]
            database.execute(f"DELETE FROM entries {known}", (event["entityId"], version))
        else:
            database.execute(
                "INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
                "SET version = excluded.version, entry = excluded.entry "
                "WHERE excluded.version >= entries.version",
                (entry["id"], entry["version"], json.dumps(entry)),
            )


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if is_signed(self.server.secret, self.headers, body):
            take(self.server.database, json.loads(body))
            self.send_response(204)
        else:
            self.send_response(401)
        self.end_headers()


def make(path, port, secret):
    """A server that keeps what it receives in the database of that path."""
    server = HTTPServer(("127.0.0.1", port), Receiver)
    server.secret = secret
    server.database = sqlite3.connect(path)
    server.database.executescript(TABLES)
    return server


def main():
    server = make(sys.argv[1], int(sys.argv[2]), os.environ["WEBHOOK_SECRET"])
    print(f"receiving on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
