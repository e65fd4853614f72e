# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""A real server with a receiver, and its metrics as values."""

import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

PROGRAM = pathlib.Path(os.environ["FANFARE_PROGRAM"])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30
ADMIN = "test-admin-key-0123456789abcdef0123456789abcdef"
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Receiver:
    """Answers with `status`, and keeps the heads of what it got."""

    def __init__(self):
        self.status = 200
        self.heads = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.heads.append(self.headers)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """Its client has ended."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def parse(text):
    """Samples by name and labels: {("name", (("label", "value"), …)): value}."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        key = (name, tuple(sorted(LABEL.findall(labels or ""))))
        assert key not in found, f"{key} is there twice"
        found[key] = float(value)
    return found


def types_of(text):
    """{"name": "type"} of a page in Prometheus' format."""
    return dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))


class ServerTest(unittest.TestCase):
    OPTIONS = ()
    ENVIRONMENT = {}

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-metrics-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.log = open(self.dir / "log", "w+", encoding="utf-8")
        self.addCleanup(self.log.close)
        self.start()
        self.assertEqual(self.api("POST", "organizers/", {"slug": "acme", "name": "Acme"})[0], 201)
        self.assertEqual(self.api("POST", "action-types/", {"name": "shop.order.*"})[0], 201)

    def start(self):
        self.log.seek(0)
        self.log.truncate()
        self.server = subprocess.Popen(
            [
                *(PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data", self.dir / "data"),
                *("--allow-network", "127.0.0.0/8", "--metrics-listen", "127.0.0.1:0"),
                *self.OPTIONS,
            ],
            env={**os.environ, "FANFARE_ADMIN_TOKEN": ADMIN, **self.ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.addCleanup(self.end, self.server)
        line = self.server.stdout.readline()
        said = self.said()
        self.assertRegex(line, r"^listening on http://127\.0\.0\.1:\d+\n$", said)
        self.port = int(line.rsplit(":", 1)[1])
        self.metrics_port = int(
            re.search(r"metrics are served on http://127\.0\.0\.1:(\d+)/metrics", said)[1]
        )

    def said(self):
        """Its log since it was started."""
        return (self.dir / "log").read_text(encoding="utf-8")

    def stop(self):
        """As an operator does it."""
        self.server.terminate()
        self.assertEqual(self.server.wait(PATIENCE), 0, self.said())
        self.server.stdout.close()

    @staticmethod
    def end(server):
        if server.poll() is None:
            server.kill()
        server.wait(PATIENCE)
        server.stdout.close()

    # -- requests --------------------------------------------------------------

    def ask(self, method, path, body=None, port=None, **headers):
        """Status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def api(self, method, path, body=None, key=ADMIN):
        status, _, text = self.ask(
            method,
            "/api/v1/" + path,
            None if body is None else json.dumps(body),
            Authorization=f"Token {key}",
            Content_Type="application/json",
        )
        return status, json.loads(text) if text else None

    def token(self, *permissions, organizer="acme"):
        status, made = self.api(
            "POST",
            f"organizers/{organizer}/tokens/",
            {"name": "test", "permissions": list(permissions)},
        )
        self.assertEqual(status, 201, made)
        return made["key"]

    def webhook(self, url=None, organizer="acme", **delivery):
        status, made = self.api(
            "POST",
            f"organizers/{organizer}/webhooks/",
            {
                "enabled": True,
                "target_url": url or self.receiver.url,
                "all_events": True,
                "limit_events": [],
                "action_types": ["shop.order.*"],
                "delivery": delivery,
            },
        )
        self.assertEqual(status, 201, made)
        return made["id"]

    def publish(self, count=1, organizer="acme"):
        status, made = self.api(
            "POST",
            f"organizers/{organizer}/notifications/",
            [{"action": "shop.order.placed", "code": str(i)} for i in range(count)],
        )
        self.assertEqual(status, 202, made)

    # -- metrics ---------------------------------------------------------------

    def page(self, query="", **headers):
        status, head, text = self.ask("GET", "/metrics" + query, port=self.metrics_port, **headers)
        self.assertEqual(status, 200, text)
        return head, text

    def value(self, name, _query="", **labels):
        return parse(self.page(_query)[1])[(name, tuple(sorted(labels.items())))]

    def expect(self, wanted, name, _query="", **labels):
        """Waits until it is that; calls come to the log a moment after they end."""
        end = time.monotonic() + PATIENCE
        while (now := self.value(name, _query, **labels)) != wanted and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(now, wanted, f"{name} {labels}")
