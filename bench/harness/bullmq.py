# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""The programs of bench/peers/bullmq: Redis, and Node with its workers."""

import http.client
import json
import pathlib
import shutil
import socket
import urllib.parse

from harness.processes import ROOT, BenchError, Process, free_port

FOLDER = ROOT / "bench/peers/bullmq"


def require_programs():
    """Raises a BenchError that tells what to install."""
    if not shutil.which("redis-server"):
        raise BenchError("Redis is missing: install the Debian package redis-server")
    if not shutil.which("node"):
        raise BenchError("Node.js is missing: install version 18.17 or later, with npm")
    if not (FOLDER / "node_modules/bullmq").exists():
        raise BenchError(
            "BullMQ is missing: with npm installed, script/bootstrap --bench gets it"
            f" (or: npm ci --ignore-scripts --prefix {FOLDER.relative_to(ROOT)})"
        )


class Redis(Process):
    """Redis with its append-only file; `fsync` is its option appendfsync."""

    def __init__(self, directory, *, fsync):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True)
        self.port = free_port()
        # Neither snapshots nor a rewritten file: both would cost it time.
        options = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": directory,
            "save": "",
            "appendonly": "yes",
            "appendfsync": fsync,
            "auto-aof-rewrite-percentage": 0,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        super().__init__(["redis-server", *words], log=directory / "redis.log")
        self.started_if(self._answers, 10, "Redis' start")

    def _answers(self):
        self.check()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


class BullMq(Process):
    """server.mjs with its worker processes, `concurrency` jobs at a time each."""

    def __init__(self, directory, redis, *, workers, concurrency):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True)
        super().__init__(
            ["node", FOLDER / "server.mjs"],
            log=directory / "node.log",
            environment={
                "NODE_ENV": "production",
                "REDIS_PORT": str(redis.port),
                "PORT": "0",
                "WORKERS": str(workers),
                "CONCURRENCY": str(concurrency),
            },
        )
        self.started_if(self._listens, 30, "the start of BullMQ's server")

    def _listens(self):
        self.check()
        _, found, rest = self.log.read_text(errors="replace").partition("listening on ")
        self.url = rest.split("\n")[0]
        return bool(found) and "\n" in rest

    def count_logged(self, webhook):
        """How many calls the log of a webhook has; ids count from 1."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request("GET", f"/webhooks/{webhook}/calls")
            return json.loads(connection.getresponse().read())["count"]
        finally:
            connection.close()
