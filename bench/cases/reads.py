# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""reads: 1,000 reads/s over the API beside single publishes on 64 connections, in turns
with the publishes alone.

The reads are an open loop of the organizer that is published to, in turn a webhook, the
newest page of its calls and the page of its retries; each of 100 webhooks has a whole
page of calls. What is published goes to none of them. The time of a read runs from when
it was due to the last byte of its answer; `late_ms` is what this program, which shares
the cores, added to it.
"""

from contextlib import ExitStack
from functools import partial

from cases import publish
from harness.open_loop import OpenLoop
from harness.results import Result, Spread
from harness.wire import Wire, percentile, request

RATE = 1000
READERS = 32
READ_MS = 12
WEBHOOKS = 100
CALLS = 50  # of each webhook: a page
ACTION = "pretix.event.order.paid"  # not what `publish` publishes
KINDS = ("", "calls/", "retries/")


def requests_of(server, ids):
    return [
        request("GET", f"/api/v1/organizers/bench/webhooks/{webhook}/{kind}", token=server.TOKEN)
        for webhook in ids
        for kind in KINDS
    ]


def beside_reads(server, requests, work):
    """What `work` answers, and the reads."""

    def read(wire, number):
        wire.ask(requests[number % len(requests)])

    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(server.port)) for _ in range(READERS)]
        with OpenLoop(RATE, [partial(read, wire) for wire in wires]) as loop:
            done = work()
    return done, loop.acts


def set_up(server, nginx):
    """The webhooks' ids; all that they get has arrived."""
    before = nginx.counts()[1]
    urls = [f"{nginx.url}/hook/{i}" for i in range(WEBHOOKS)]
    ids = server.add_webhooks(urls, action_types=[ACTION])
    server.publish(CALLS, fields={"action": ACTION})
    nginx.wait_for((before, WEBHOOKS * CALLS), 120, also=server.check)
    return ids


def run(bench):
    alone, beside, took, late, costs = [], [], [], [], []
    with bench.receiver_and_server() as (nginx, server):
        requests = requests_of(server, set_up(server, nginx))
        for done in range(bench.rounds):
            # Whichever comes first, the machine may be faster or slower then.
            for reads in (False, True) if done % 2 else (True, False):
                if not reads:
                    alone.append(publish.measure(bench, server)[0])
                    continue
                (rate, cost), acts = beside_reads(
                    server, requests, lambda: publish.measure(bench, server)
                )
                beside.append(rate), costs.append(cost)
                took.append([act.took_ms for act in acts])
                late.append([act.late_ms for act in acts])
            bench.say(
                f"{beside[-1]:,.0f}/s beside reads, {alone[-1]:,.0f}/s alone; {len(took[-1]):,} "
                f"reads, p50 {percentile(took[-1], 0.5):.2f}, p99 {percentile(took[-1], 0.99):.2f} ms"
            )

    def spread(of, part):
        return Spread.of(percentile(ms, part) for ms in of)

    settings = {"reads_per_s": RATE, "connections": publish.CONNECTIONS, "webhooks": WEBHOOKS}
    yield Result.beside(
        beside,
        alone,
        case="reads",
        variant=f"publishes beside {RATE:,} reads/s",
        unit="notifications/s",
        goal="",
        holds=lambda ratio: None,
        cost={key: Spread.of(cost[key] for cost in costs).median for key in costs[0]},
        settings=settings,
        note="the reference is the publishes alone, with both cores for them",
    )
    p99 = spread(took, 0.99)
    yield Result(
        case="reads",
        variant="a read, p99",
        unit="ms",
        measured=p99,
        goal=f"<= {READ_MS} ms",
        met=p99.median <= READ_MS,
        cost={
            "p50_ms": spread(took, 0.5).median,
            "late_ms": spread(late, 0.99).median,
            "reads": sum(map(len, took)),
        },
        settings=settings,
    )
