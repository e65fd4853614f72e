# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""million: one notification to 1,000,000 webhooks of an organizer, beside a server
where it goes to 100,000; every call signed and on disk.

The webhooks are copies, each with a path and a secret of its own. The small server
gets ten notifications, each when the one before has arrived, so that both make as
many deliveries, in turns. The time runs from a publish to its last delivery.

peak       the most that was resident during the fan-out to 1,000,000;
           `first_peak_mib`: during the first, which is not timed
notice     meanwhile, 20 times a second in an open loop, another organizer publishes a
           notification, which one webhook gets: from when it was due to be published
           to when its receiver has read the call
"""

import time
from contextlib import ExitStack
from functools import partial

from cases.fanout import timed
from harness import filled
from harness.bench import median_costs
from harness.open_loop import OpenLoop, Receiver
from harness.results import Result, Spread
from harness.wire import Wire, percentile, request

PART = 0.9  # of the rate to 100,000
PEAK_MIB = 400
NOTICE_MS = 50
NOTICES = 20  # a second
OTHER = "other"  # the organizer of these
PUBLISHERS = 4
PATTERNS = 100  # webhooks that the API makes


def set_up(bench, folder, nginx, receiver, webhooks):
    """A data directory where organizer "bench" has so many, and another one."""
    with bench.server(folder=folder) as server:
        server.add_webhooks([f"{nginx.url}/hook/{i}" for i in range(PATTERNS)])
        server.call("POST", "/organizers/", {"slug": OTHER, "name": "Other"})
        server.add_webhooks([receiver.url], organizer=OTHER)
    filled.fill(bench, folder / "data", "webhooks", webhooks - PATTERNS)
    filled.check(bench, folder / "data", organizers=2, webhooks=webhooks + 1)


class Notices:
    """What the other organizer publishes; `published` counts all of it."""

    def __init__(self, server, receiver):
        self._server, self._receiver = server, receiver
        self.published = 0

    def _publish(self, wire, number):
        body = '{"action": "pretix.event.order.placed", "code": "number-%d"}' % number
        path = f"/api/v1/organizers/{OTHER}/notifications/"
        wire.ask(request("POST", path, token=self._server.TOKEN, body=body.encode()))

    def beside(self, work):
        """What `work` answers, and the milliseconds of those that were due during it."""
        with ExitStack() as stack:
            wires = [stack.enter_context(Wire(self._server.port)) for _ in range(PUBLISHERS)]
            workers = [partial(self._publish, wire) for wire in wires]
            with OpenLoop(NOTICES, workers, first=self.published) as loop:
                began = time.perf_counter()
                done = work()
                ended = time.perf_counter()
        self.published += len(loop.acts)
        self._receiver.wait_for([act.number for act in loop.acts])
        during = [act for act in loop.acts if began <= act.due <= ended]
        return done, [self._receiver.took_ms(act) for act in during]


def fan_out(server, nginx, webhooks, times):
    """The meters of so many, one after the other."""
    return [
        timed(server, nginx, webhooks, lambda: server.publish(1)) for _ in range(times)
    ]


def rate(meters, webhooks):
    return len(meters) * webhooks / sum(meter.seconds for meter in meters)


def check(bench, server, webhooks, fan_outs, notices):
    filled.check(
        bench,
        server.data,
        webhooks=webhooks + 1,
        notifications=fan_outs + notices,
        calls=webhooks * fan_outs + notices,
        undelivered=0,
    )


def run(bench):
    many, fewer = bench.size(1_000_000, 20_000), bench.size(100_000, 4000)
    times = many // fewer
    large, small = bench.folder("large"), bench.folder("small")
    rates, others, peaks, costs, took = [], [], [], [], []
    with bench.nginx() as nginx, Receiver() as receiver:
        set_up(bench, large, nginx, receiver, many)
        set_up(bench, small, nginx, receiver, fewer)
        with bench.server(folder=large) as server, bench.server(folder=small) as other:
            notices = Notices(server, receiver)
            # Connections, actors: what a server has that runs.
            (first,) = fan_out(server, nginx, many, 1)
            fan_out(other, nginx, fewer, 1)
            for _ in range(bench.rounds):
                meters, ms = notices.beside(lambda: fan_out(server, nginx, many, 1))
                rates.append(rate(meters, many))
                peaks.append(meters[0].peak_mib)
                costs.append(meters[0].costs(many))
                took.append(ms)
                others.append(rate(fan_out(other, nginx, fewer, times), fewer))
                bench.say(
                    f"{many:,}: {rates[-1]:,.0f}/s beside {others[-1]:,.0f}/s, "
                    f"{peaks[-1]:.0f} MiB, a notice {percentile(ms, 0.5):.1f} ms, "
                    f"p99 {percentile(ms, 0.99):.1f} ms"
                )
        check(bench, server, many, 1 + bench.rounds, notices.published)
        check(bench, other, fewer, 1 + bench.rounds * times, 0)
    settings = {"webhooks": many, "reference_webhooks": fewer}

    yield Result.beside(
        rates,
        others,
        case="million",
        variant=f"N = {many:,}",
        unit="deliveries/s",
        goal=f">= {PART} x N = {fewer:,}",
        holds=lambda ratio: ratio >= PART,
        cost=median_costs(costs),
        settings=settings,
    )
    peak = Spread.of(peaks)
    yield Result(
        case="million",
        variant="peak memory",
        unit="MiB",
        measured=peak,
        goal=f"<= {PEAK_MIB} MiB",
        met=peak.median <= PEAK_MIB,
        cost={"first_peak_mib": first.peak_mib},
        settings=settings,
    )
    p99 = Spread.of(percentile(ms, 0.99) for ms in took)
    yield Result(
        case="million",
        variant="notice of another organizer, p99",
        unit="ms",
        measured=p99,
        goal=f"< {NOTICE_MS} ms",
        met=p99.median < NOTICE_MS,
        cost={
            "p50_ms": Spread.of(percentile(ms, 0.5) for ms in took).median,
            "max_ms": max(max(ms) for ms in took),
        },
        settings={**settings, "rate": NOTICES, "notices": notices.published},
    )
