# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""fanout: one notification to N webhooks; every publish and every call on disk,
every call signed. The time runs from the first publish to the last delivery; the peak
memory to the largest N is that of the same fan-outs.
Afterwards the store must have as many calls as there were deliveries."""

import time

from harness import filled
from harness.bench import Meter, median_costs
from harness.processes import BenchError, in_parallel
from harness.results import Result, Spread

GOAL = 0.60
GOALS = {1000: 0.70}  # where it is another one
SPREAD_OF_COST = 1.3
PEAK_MIB = 205


def timed(server, nginx, deliveries, publish):
    """Calls `publish`, waits for all deliveries, and answers what they took."""
    before = nginx.counts()[1]
    with Meter(server, nginx) as meter:
        publish()
        nginx.wait_for((before, deliveries), 600, also=server.check)
    return meter


def deliver(bench, server, nginx, webhooks, notifications):
    """The same of notifications that go to all webhooks."""
    publishers = min(4, max(1, notifications // 1000))

    def publish(index):
        server.publish(notifications // publishers + (index < notifications % publishers))

    return timed(
        server, nginx, webhooks * notifications, lambda: in_parallel(publishers, publish)
    )


def check_log(server, ids, notifications, *, organizer="bench"):
    """A delivery that the log does not show fails the run."""
    for webhook in {ids[0], ids[len(ids) // 2], ids[-1]}:
        deadline = time.monotonic() + 30
        while (logged := server.count_logged(webhook, organizer=organizer)) != notifications:
            if logged > notifications or time.monotonic() > deadline:
                raise BenchError(f"webhook {webhook} logged {logged} of {notifications} calls")


def one_size(
    bench, webhooks, deliveries, *, case="fanout", goal=GOAL, base=None, more="", options=()
):
    """A line of the table, and the cost per delivery.

    The receiver is what nginx serves at the URL `base`, as `more` of its
    configuration says; `options` are the server's.
    """
    notifications = max(1, deliveries // webhooks)
    rates, limits, costs = [], [], []
    with bench.nginx(more=more) as nginx, bench.server(*options) as server:
        base = base or nginx.url
        server.add_webhooks([f"{base}/hook/{i}" for i in range(webhooks)])
        server.publish(1)  # connections, actors: what a server has that runs
        nginx.wait_for((0, webhooks), 120)
        for _ in range(bench.rounds):
            before = bench.wrk(f"{base}/hook/1")
            meter = deliver(bench, server, nginx, webhooks, notifications)
            after = bench.wrk(f"{base}/hook/1")
            rates.append(webhooks * notifications / meter.seconds)
            limits.append((before.rate + after.rate) / 2)
            costs.append(meter.costs(webhooks * notifications))
            bench.say(f"N = {webhooks:,}: {rates[-1]:,.0f}/s beside {limits[-1]:,.0f}/s")
    # Each delivery is one call in the log: nothing is tried twice here.
    published = 1 + notifications * bench.rounds
    filled.check(
        bench, server.data, webhooks=webhooks, calls=webhooks * published, undelivered=0
    )
    return Result.beside(
        rates,
        limits,
        case=case,
        variant=f"N = {webhooks:,}",
        unit="deliveries/s",
        goal=f">= {goal:.2f} x limit",
        holds=lambda ratio: ratio >= goal,
        cost=median_costs(costs),
        settings={"webhooks": webhooks, "notifications": notifications},
    )


def run(bench):
    results = []
    for webhooks in (1, 10, 1000, bench.size(100_000, 10_000)):
        goal = GOALS.get(webhooks, GOAL)
        results.append(one_size(bench, webhooks, bench.size(300_000, 30_000), goal=goal))
        yield results[-1]
    costs = [result.cost["cpu_s_per_1000_fanfare"] for result in results]
    yield Result(
        case="fanout",
        variant="cost of the dearest N / of the cheapest",
        unit="",
        measured=Spread.of([max(costs) / min(costs)]),
        goal=f"<= {SPREAD_OF_COST}",
        met=max(costs) / min(costs) <= SPREAD_OF_COST,
    )
    largest = results[-1]
    yield Result(
        case="fanout",
        variant=f"peak memory, {largest.variant}",
        unit="MiB",
        measured=Spread.of([largest.cost["peak_mib"]]),
        goal=f"<= {PEAK_MIB} MiB",
        met=largest.cost["peak_mib"] <= PEAK_MIB,
        settings=largest.settings,
        note="the median of the rounds",
    )
