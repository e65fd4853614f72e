# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What tests of script/bench share. Importing it makes bench/ importable."""

import http.client
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))


def run_bench(*arguments, python=(), environment=None):
    """bench/run.py as script/bench starts it; `python` are options of Python's."""
    return subprocess.run(
        [sys.executable, *python, ROOT / "bench/run.py", *map(str, arguments)],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=100,
    )


class NaiveServer:
    """A webhook server that keeps nothing: it delivers while the publisher waits.

        POST /apps              {"name"}   -> {"data": [{"id"}]}
        POST /apps/ID/hooks     {"url"}
        POST /apps/ID/events    {…}        delivered to all hooks of the app

    Every request needs "Authorization: Bearer naive". `requests` are those that
    came, as (path, JSON). The delivery number `lose`, if any, is left out, the
    number `repeat` is made twice.
    """

    ADAPTER = {
        "name": "naive",
        "headers": {"Authorization": "Bearer ${NAIVE_TOKEN}"},
        "prepare": {
            "url": "${NAIVE_URL}/apps",
            "body": {"name": "{run}"},
            "keep": {"app": "data.0.id"},
        },
        "register": {"url": "${NAIVE_URL}/apps/{app}/hooks", "body": {"url": "{target_url}"}},
        "publish": {"url": "${NAIVE_URL}/apps/{app}/events", "body": {"key": "event-{n}"}},
    }

    def __init__(self, *, lose=None, repeat=None):
        self.requests, self._delivered, self._apps = [], 0, 0
        self._lose, self._repeat = lose, repeat
        self._lock = threading.Lock()
        naive = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                allowed = self.headers["Authorization"] == "Bearer naive"
                status, answer = naive.answer(self.path, body) if allowed else (401, "no")
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", len(text))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # wrk ends its connections as it likes
                pass

        self._server = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.environment = {"NAIVE_URL": self.url, "NAIVE_TOKEN": "naive"}
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    def answer(self, path, body):
        with self._lock:
            self.requests.append((path, body))
            self._apps += path == "/apps"
            made = 6 + max(1, self._apps)  # the first app is 7
        if path.endswith("/events"):
            for url in self.hooks(path.removesuffix("/events")):
                self._deliver(url, body)
        return 200, {"data": [{"id": made}]}

    def hooks(self, app):
        with self._lock:
            return [body["url"] for path, body in self.requests if path == f"{app}/hooks"]

    def _deliver(self, url, body):
        with self._lock:
            self._delivered += 1
            if self._delivered == self._lose:
                return
            times = 2 if self._delivered == self._repeat else 1
        for _ in range(times):
            self.post(url, body)

    @staticmethod
    def post(url, body):
        target = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(target.netloc, timeout=10)
        connection.request("POST", target.path, json.dumps(body))
        connection.getresponse().read()
        connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
