# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""isolation: what healthy receivers notice of 10 % that hang and 10 % that refuse.

Rate: a fan-out to 800 healthy webhooks, alone and with 200 bad ones, which are
subscribed to the same. The time runs from the first publish to the last delivery
to the healthy ones; nginx counts nothing else.

Latency: 300 notifications/s in an open loop to 3 healthy receivers, alone and with
the same 200 bad ones; from when a publish was due to when a healthy receiver has
read the call. What the first second brings is not counted: in it the bad ones fill
their places and open their breakers, so this is how it is while they stay bad.

Those that hang accept connections and requests, and never answer; those that refuse
have nobody who listens. Each of them has an address of its own. All of the server's
settings are the defaults: timeouts, retries, circuit breakers. Each measurement has
a fresh server; those that are compared follow each other in the same round."""

import contextlib
import signal
import socket

from cases.fanout import check_log, deliver
from cases.latency import measure, receivers
from harness import filled
from harness.bench import median_costs
from harness.processes import BenchError, wait_until
from harness.results import Result, Spread

HEALTHY = 800
BAD = 100  # of each kind
KEPT = 0.95
RATE = 300
FAN_OUT = 3


class BadReceivers:
    """Addresses of the loopback where webhooks get no answer."""

    def __init__(self, stack):
        # The kernel accepts connections and takes their first bytes; nobody here
        # asks for them. A webhook opens 8 at most at the same time, and gives each
        # up after 30 s: there is room for all of them.
        self.hanging = [self._bind(stack, f"127.0.2.{i + 1}") for i in range(BAD)]
        for one in self.hanging:
            one.listen(4096)
        # Bound, so that nobody else comes to listen there.
        self.refusing = [self._bind(stack, f"127.0.3.{i + 1}") for i in range(BAD)]
        self.urls = [
            "http://{}:{}/hook".format(*one.getsockname())
            for one in self.hanging + self.refusing
        ]

    @staticmethod
    def _bind(stack, address):
        one = stack.enter_context(socket.socket())
        one.bind((address, 0))
        one.setblocking(False)
        return one

    def check(self, server, ids):
        """Fails unless all that hang, and the first and last that refuse, were called:
        nothing would be shown otherwise."""
        for one in self.hanging:
            try:
                one.accept()[0].close()
            except BlockingIOError:
                raise BenchError("a receiver that hangs was not called") from None

        def refused(webhook):
            calls = server.call("GET", f"/organizers/bench/webhooks/{webhook}/calls/")
            return any("refused" in call["reason"] for call in calls["results"])

        for webhook in (ids[BAD], ids[-1]):
            wait_until(lambda: refused(webhook), 10, "a call to a receiver that refuses")


@contextlib.contextmanager
def fresh_server(bench, healthy, bad):
    """A server with webhooks for these URLs, their ids, and perhaps all bad ones."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(bench.server())
        healthy_ids = server.add_webhooks(healthy)
        if bad:
            others = BadReceivers(stack)
            bad_ids = server.add_webhooks(others.urls)
        yield server, healthy_ids
        if bad:
            others.check(server, bad_ids)
            # It would wait for those that hang.
            server.stop(signal.SIGKILL)


def rate(bench, nginx, notifications, *, bad):
    """Deliveries to healthy receivers per second, and the cost of each."""
    urls = [f"{nginx.url}/hook/{i}" for i in range(HEALTHY)]
    with fresh_server(bench, urls, bad) as (server, ids):
        deliver(bench, server, nginx, HEALTHY, 1)  # connections, actors
        meter = deliver(bench, server, nginx, HEALTHY, notifications)
        check_log(server, ids, notifications + 1)
    if not bad:
        filled.check(bench, server.data, calls=HEALTHY * (notifications + 1), undelivered=0)
    return HEALTHY * notifications / meter.seconds, meter.costs(HEALTHY * notifications)


def rates(bench):
    notifications = bench.size(500, 50)
    found, costs = {False: [], True: []}, {False: [], True: []}
    alone, beside = found[False], found[True]
    with bench.nginx() as nginx:
        for done in range(bench.rounds):
            # Whichever comes first, the machine may be faster or slower then.
            for bad in (False, True) if done % 2 == 0 else (True, False):
                one, cost = rate(bench, nginx, notifications, bad=bad)
                found[bad].append(one)
                costs[bad].append(cost)
            bench.say(f"{beside[-1]:,.0f}/s beside bad receivers, {alone[-1]:,.0f}/s alone")
    return Result.beside(
        beside,
        alone,
        case="isolation",
        variant="rate of healthy receivers",
        unit="deliveries/s",
        goal=f">= {KEPT} x alone",
        holds=lambda ratio: ratio >= KEPT,
        cost={
            **median_costs(costs[True]),
            "cpu_s_per_1000_fanfare_alone": median_costs(costs[False])["cpu_s_per_1000_fanfare"],
        },
        settings={
            "healthy": HEALTHY,
            "hanging": BAD,
            "refusing": BAD,
            "notifications": notifications,
        },
    )


def p99(bench, *, bad):
    ports, urls = receivers(FAN_OUT)
    with fresh_server(bench, urls, bad) as (server, _):
        found = measure(
            bench, server, ports, rate=RATE, seconds=bench.size(8, 1), warmup=bench.size(1, 0.5)
        )
    return found["receive_ms"]["p99"]


def latencies(bench):
    """Alone twice in each round: what these two differ by is no effect of anything."""
    before, beside, after = [], [], []
    for _ in range(bench.rounds):
        before.append(p99(bench, bad=False))
        beside.append(p99(bench, bad=True))
        after.append(p99(bench, bad=False))
        bench.say(
            f"p99 {beside[-1]:.2f} ms beside bad receivers,"
            f" {before[-1]:.2f} ms and {after[-1]:.2f} ms alone"
        )
    alone = [(a + b) / 2 for a, b in zip(before, after)]
    noise = Spread.of(max(a, b) / min(a, b) for a, b in zip(before, after))
    return Result.beside(
        beside,
        alone,
        case="isolation",
        variant="p99 of healthy receivers",
        unit="ms",
        goal=f"<= alone / {KEPT}",
        holds=lambda ratio: ratio <= 1 / KEPT,
        cost={"two_runs_alone_differ_by": noise.median},
        settings={"rate": RATE, "fan_out": FAN_OUT, "hanging": BAD, "refusing": BAD},
    )


def run(bench):
    yield rates(bench)
    yield latencies(bench)
