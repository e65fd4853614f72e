# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""publish: 64 connections publish, one notification per request or arrays of 100;
an answer means that it is on disk. Beside it nginx answers the same with 202."""

from harness.processes import BenchError
from harness.results import Result, Spread

PATH = "/api/v1/organizers/bench/notifications/"
CONNECTIONS = 64


def publish_one(server):
    """The id that it gets: they are given without gaps."""
    one = {"action": "pretix.event.order.placed"}
    return server.call("POST", "/organizers/bench/notifications/", one)["notification_id"]


def measure(bench, server, batch=None):
    """A run of wrk; fails unless all that was answered is in the store."""
    first, used = publish_one(server), server.usage()
    arguments = [batch] if batch else []
    load = bench.wrk(
        server.url + PATH, script="publish.lua", connections=CONNECTIONS, arguments=arguments
    )
    used, each = server.usage() - used, batch or 1
    stored = publish_one(server) - first - 1
    # Requests that wrk gave up at its end may have been stored as well.
    if load.failed or not load.requests * each <= stored <= (load.requests + CONNECTIONS) * each:
        raise BenchError(
            f"{load.requests} requests of {each}: {load.failed} failed, {stored} notifications stored"
        )
    cost = {
        "cpu_s_per_1000_fanfare": used.cpu / (load.requests * each) * 1000,
        "disk_bytes_per_notification": used.written / (load.requests * each),
        "p50_ms": load.p50_ms,
        "p99_ms": load.p99_ms,
    }
    return load.rate * each, cost


def run(bench):
    limits, single, batched, costs, batch_costs = [], [], [], [], []
    with bench.receiver_and_server() as (nginx, server):
        for _ in range(bench.rounds):
            load = bench.wrk(
                f"{nginx.url}/publish", script="publish.lua", connections=CONNECTIONS
            )
            limits.append(load.rate)
            rate, cost = measure(bench, server)
            single.append(rate), costs.append(cost)
            rate, cost = measure(bench, server, 100)
            batched.append(rate), batch_costs.append(cost)
            bench.say(f"{single[-1]:,.0f}/s beside {limits[-1]:,.0f}/s; batches {batched[-1]:,.0f}/s")
        memory = server.peak_memory()

    def middle(of):
        return {key: Spread.of(cost[key] for cost in of).median for key in of[0]}

    yield Result.beside(
        single,
        limits,
        case="publish",
        variant="single",
        unit="notifications/s",
        goal=">= 0.60 x nginx's 202",
        holds=lambda ratio: ratio >= 0.60,
        cost={**middle(costs), "peak_mib": memory},
        settings={"connections": CONNECTIONS},
    )
    rate = Spread.of(batched)
    yield Result(
        case="publish",
        variant="arrays of 100",
        unit="notifications/s",
        measured=rate,
        goal=">= 200,000/s",
        met=rate.median >= 200_000,
        cost=middle(batch_costs),
        settings={"connections": CONNECTIONS, "batch": 100},
    )
