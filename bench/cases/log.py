# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""log: 10,000,000 calls in the log, beside a server whose log is empty.

Both servers have the same 1,000 webhooks. The calls are copies of one that the
server itself has logged of each.

fan-out    as `fanout` with N = 1,000, on both servers, in turns; each time from
           the first publish to the last delivery
page       GET …/calls/ of one webhook after the other, its newest page, on a kept
           connection: from the first byte of the request to the last one of the
           answer. "running": after the fan-outs. "cold": right after a start, with
           nothing of the store in the machine's page cache; `first_ms` is the
           very first of them
"""

import random
import shutil

from cases.fanout import deliver
from harness import filled
from harness.results import Result, Spread
from harness.wire import Wire, percentile, request

GOAL = 0.95
PAGE_MS = 5
WEBHOOKS = 1000


def read_pages(server, ids):
    """Milliseconds of each."""
    wire, times = Wire(server.port), []
    for webhook in ids:
        path = f"/api/v1/organizers/bench/webhooks/{webhook}/calls/"
        seconds, body = wire.ask(request("GET", path, token=server.TOKEN))
        if body.count(b'"notification_id"') < 50:
            raise filled.BenchError(f"webhook {webhook} shows less than a page: {body[:500]!r}")
        times.append(seconds * 1e3)
    wire.close()
    return times


def run(bench):
    calls = bench.size(10_000_000, 200_000)
    notifications = max(1, bench.size(300_000, 30_000) // WEBHOOKS)
    called, full = bench.folder("called"), bench.folder("full")
    rates, others, running, cold, first = [], [], [], [], []
    with bench.nginx() as nginx:
        with bench.server(folder=called) as server:
            ids = server.add_webhooks([f"{nginx.url}/hook/{i}" for i in range(WEBHOOKS)])
            server.publish(1)
            nginx.wait_for((0, WEBHOOKS), 120)
        shutil.copytree(called, full)
        filled.fill(bench, full / "data", "calls", calls // WEBHOOKS - 1)
        filled.check(bench, full / "data", webhooks=WEBHOOKS, calls=calls)
        size = (full / "data/fanfare.mdb").stat().st_blocks * 512
        order = random.Random(1)
        for done in range(bench.rounds):
            empty = shutil.copytree(called, bench.folder("empty"))
            filled.forget_cached(full / "data")
            with bench.server(folder=full) as server, bench.server(folder=empty) as other:
                pages = read_pages(server, order.sample(ids, bench.size(300, 100)))
                cold += pages
                first.append(pages[0])
                seconds, both = {}, [server, other]
                for one in both:  # connections, actors: what a server has that runs
                    deliver(bench, one, nginx, WEBHOOKS, 1)
                for one in both if done % 2 else reversed(both):
                    seconds[one] = deliver(bench, one, nginx, WEBHOOKS, notifications).seconds
                running += read_pages(server, order.sample(ids, bench.size(1000, 100)))
            filled.check(
                bench, server.data, undelivered=0,
                calls=calls + WEBHOOKS * (1 + notifications) * (done + 1),
            )  # fmt: skip
            filled.check(bench, other.data, undelivered=0, calls=WEBHOOKS * (2 + notifications))
            shutil.rmtree(empty)
            rates.append(WEBHOOKS * notifications / seconds[server])
            others.append(WEBHOOKS * notifications / seconds[other])
            bench.say(f"{calls:,} calls: {rates[-1]:,.0f}/s beside {others[-1]:,.0f}/s")
    settings = {"webhooks": WEBHOOKS, "calls": calls}

    yield Result.beside(
        rates,
        others,
        case="log",
        variant="fan-out",
        unit="deliveries/s",
        goal=f">= {GOAL} x with an empty log",
        holds=lambda ratio: ratio >= GOAL,
        cost={"disk_bytes_per_call": size / calls},
        settings={**settings, "notifications": notifications},
    )
    for variant, times, more in (
        ("newest page, running", running, {}),
        ("newest page, cold", cold, {"first_ms": Spread.of(first).median}),
    ):
        p50 = percentile(times, 0.5)
        yield Result(
            case="log",
            variant=variant,
            unit="ms",
            measured=Spread(p50, min(times), max(times), bench.rounds),
            goal=f"p50 < {PAGE_MS} ms",
            met=p50 < PAGE_MS,
            cost={"p99_ms": percentile(times, 0.99), **more},
            settings={**settings, "pages": len(times)},
        )
