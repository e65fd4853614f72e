# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What a case is given: sizes, programs, and a folder of its own."""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import time

from harness.processes import Nginx, Server, Usage, wrk


class Bench:
    """One case's view of the run. Cases start programs with its methods, which
    end them at the end of the `with` and hand their files to nobody."""

    def __init__(self, *, binary, tools, quick, rounds, seconds, peer_adapter=None):
        self.binary = str(binary)
        self.tools = pathlib.Path(tools)  # where the programs of bench/tools are
        self.quick = quick  # small sizes: shows that it works, not how fast it is
        self.rounds = rounds
        self.seconds = seconds  # of each run of wrk
        self.peer_adapter = peer_adapter  # a file, for the case "peers"
        self._folders = 0
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-bench-"))

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def size(self, full, quick):
        return quick if self.quick else full

    def folder(self, name):
        self._folders += 1
        return self.dir / f"{self._folders}-{name}"

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    def nginx(self, **options):
        return Nginx(self.folder("nginx"), **options)

    def server(self, *options, folder=None, **more):
        return Server(folder or self.folder("server"), self.binary, *options, **more)

    def wrk(self, url, **options):
        return wrk(url, **{"seconds": self.seconds, **options})

    @contextlib.contextmanager
    def receiver_and_server(self, *options, **more):
        with self.nginx() as nginx, self.server(*options, **more) as server:
            yield nginx, server


class Meter:
    """Time, processor time, disk and connections between two moments.

        with Meter(server, nginx) as meter: …
        meter.costs(deliveries)
    """

    def __init__(self, server, nginx):
        self._server, self._nginx = server, nginx

    def __enter__(self):
        self._server.reset_peak()
        self._accepted = self._nginx.counts()[0]
        self._used = [p.usage() for p in (self._server, self._nginx)]
        self._start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._start
        now = [p.usage() for p in (self._server, self._nginx)]
        self.server, self.receiver = (a - b for a, b in zip(now, self._used))
        self.connections = self._nginx.counts()[0] - self._accepted
        self.peak_mib = self._server.peak_memory()

    def costs(self, deliveries):
        """For `Result.cost`."""
        both: Usage = self.server + self.receiver
        return {
            "cpu_s_per_1000": both.cpu / deliveries * 1000,
            "cpu_s_per_1000_fanfare": self.server.cpu / deliveries * 1000,
            "peak_mib": self.peak_mib,
            "disk_bytes_per_delivery": self.server.written / deliveries,
            "connections_per_1000": self.connections / deliveries * 1000,
        }


def median_costs(costs):
    """Of several rounds, key by key."""
    costs = list(costs)
    return {key: sorted(c[key] for c in costs)[len(costs) // 2] for key in costs[0]}
