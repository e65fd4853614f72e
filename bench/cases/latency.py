# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""latency: 1,000 notifications/s in an open loop, each to 3 receivers; every publish
and every call on disk. The time of each runs from when it was due to be published to
when a receiver has read its call, by the clock of the one process that does both."""

import json
import os
import subprocess
import time

from harness.processes import BenchError, free_port
from harness.results import Result, Spread

RATE = 1000
FAN_OUT = 3
GOALS = {"p50": 2, "p99": 10}  # ms
SHARES = {"p50": 0.50, "p99": 0.99}


def receivers(count):
    """Ports to receive on, and the URLs of webhooks that call there."""
    ports = []
    while len(ports) < count:
        if (port := free_port()) not in ports:
            ports.append(port)
    return ports, [f"http://127.0.0.1:{port}/hook" for port in ports]


def measure(bench, server, ports, *, rate, seconds, warmup):
    """What bench/tools/latency prints; a call that is missing is an error."""
    done = subprocess.run(
        [bench.tools / "latency", "--api", str(server.port), "--rate", str(rate)]
        + ["--seconds", str(seconds), "--warmup", str(warmup)]
        + [word for port in ports for word in ("--receiver", str(port))],
        env={**os.environ, "FANFARE_ADMIN_TOKEN": server.TOKEN},
        capture_output=True,
        text=True,
        timeout=seconds + warmup + 60,
    )
    if done.returncode != 0:
        raise BenchError(done.stderr.strip() or f"latency ended with {done.returncode}")
    return json.loads(done.stdout)


def sync_ms(folder, count=200):
    """The times, sorted, that the disk takes to make 4 KiB durable in a file that has
    its size already: what no publish can be quicker than."""
    times, page = [], bytes(4096)
    with open(folder / "sync", "wb", buffering=0) as file:
        file.write(page * count)
        os.fsync(file.fileno())
        for at in range(count):
            start = time.perf_counter()
            os.pwrite(file.fileno(), page, at * len(page))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    return sorted(times)


def run(bench):
    seconds, warmup = bench.size(10, 2), bench.size(1, 0.5)
    ports, urls = receivers(FAN_OUT)
    found, costs, syncs = [], [], []
    with bench.server() as server:
        server.add_webhooks(urls)
        for _ in range(bench.rounds):
            syncs.append(sync_ms(bench.dir))
            used = server.usage()
            one = measure(bench, server, ports, rate=RATE, seconds=seconds, warmup=warmup)
            used = server.usage() - used
            found.append(one)
            costs.append(used.cpu / one["all_deliveries"] * 1000)
            late = one["late_ms"]["p99"]
            bench.say(", ".join(f"{key} {one['receive_ms'][key]:.2f} ms" for key in GOALS))
            bench.say(f"publishes were late by p99 {late:.2f} ms, {one['waited']} waited")

    def spread(of, key):
        return Spread.of(one[of][key] for one in found)

    for key, goal in GOALS.items():
        sync = Spread.of(times[int(len(times) * SHARES[key])] for times in syncs)
        measured = spread("receive_ms", key)
        yield Result(
            case="latency",
            variant=f"publish to receiver, {key}",
            unit="ms",
            measured=measured,
            goal=f"< {goal} ms",
            met=measured.median < goal,
            cost={
                "publish_ms": spread("publish_ms", key).median,
                "late_ms": spread("late_ms", key).median,
                "fdatasync_ms": sync.median,
                "cpu_s_per_1000_fanfare": Spread.of(costs).median,
            },
            settings={"rate": RATE, "fan_out": FAN_OUT, "seconds": seconds},
            note="publish_ms: until the answer 202; late_ms: how late the load itself was,"
            " which is part of both; fdatasync_ms: of 4 KiB on the same disk, just before",
        )
