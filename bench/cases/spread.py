# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""spread: each notification to one of 10,000 webhooks, on 1,000 hosts.

Every webhook is limited to an event of its own, every notification names one of
these events, and all get equally many, in random order. The time runs from the
first publish to the last delivery; arrays of 1,000 are published on 4 connections.
Beside it wrk POSTs to one host on 64 connections: the limit."""

import json
import random

from cases.fanout import timed
from harness import filled
from harness.bench import median_costs
from harness.processes import ANSWER, free_port, in_parallel
from harness.results import Result

GOAL = 0.50
BATCH = 1000
PUBLISHERS = 4
REGISTRARS = 16
ACTION = "pretix.event.order.placed"


def addresses(count):
    """So many of the loopback's."""
    return [f"127.1.{i // 250}.{i % 250 + 1}" for i in range(count)]


def listening(hosts):
    """For nginx: one more server, which listens on all hosts."""
    listen = "".join(f"    listen {host};\n" for host in hosts)
    return f"""\
  server {{
{listen}{ANSWER}
  }}
"""


def add_webhooks(server, hosts, webhooks):
    """Registers a webhook per event, and the events."""

    def work(first):
        for at in range(first, webhooks, REGISTRARS):
            slug = f"event-{at}"
            server.call("POST", "/organizers/bench/events/", {"slug": slug, "name": slug})
            record = {
                "target_url": f"http://{hosts[at]}/hook/{at}",
                "all_events": False,
                "limit_events": [slug],
                "action_types": [ACTION],
            }
            server.call("POST", "/organizers/bench/webhooks/", record)

    in_parallel(REGISTRARS, work)


def batches(events):
    """Bodies to publish, a notification for each of the events."""
    all_of_them = [
        json.dumps({"action": ACTION, "event": f"event-{event}", "code": "ABC23"})
        for event in events
    ]
    return [
        "[" + ",".join(all_of_them[at : at + BATCH]) + "]"
        for at in range(0, len(all_of_them), BATCH)
    ]


def publish(server, bodies):
    def work(first):
        for body in bodies[first::PUBLISHERS]:
            server.call("POST", "/organizers/bench/notifications/", body)

    in_parallel(PUBLISHERS, work)


def run(bench):
    count, webhooks = bench.size(1000, 100), bench.size(10_000, 1000)
    each = 30  # notifications for every webhook
    order = random.Random(1)
    port = free_port()
    hosts = [f"{address}:{port}" for address in addresses(count)]
    # In random order, because that of the ids says which thread calls a webhook,
    # and unrelated webhooks of a host are called by all threads.
    of_webhooks = hosts * (webhooks // count)
    order.shuffle(of_webhooks)
    events = list(range(webhooks)) * each
    order.shuffle(events)
    bodies = batches(events)
    rates, limits, costs = [], [], []
    with bench.nginx(more=listening(hosts)) as nginx, bench.server() as server:
        add_webhooks(server, of_webhooks, webhooks)
        # Connections, actors: what a server has that runs.
        timed(server, nginx, webhooks, lambda: publish(server, batches(range(webhooks))))
        for _ in range(bench.rounds):
            left = bench.wrk(f"{nginx.url}/hook/1")
            meter = timed(server, nginx, len(events), lambda: publish(server, bodies))
            right = bench.wrk(f"{nginx.url}/hook/1")
            rates.append(len(events) / meter.seconds)
            limits.append((left.rate + right.rate) / 2)
            costs.append(meter.costs(len(events)))
            bench.say(f"{rates[-1]:,.0f}/s beside {limits[-1]:,.0f}/s")
    delivered = webhooks + len(events) * bench.rounds
    filled.check(bench, server.data, webhooks=webhooks, calls=delivered, undelivered=0)
    yield Result.beside(
        rates,
        limits,
        case="spread",
        variant=f"{webhooks:,} webhooks on {count:,} hosts",
        unit="deliveries/s",
        goal=f">= {GOAL:.2f} x limit",
        holds=lambda ratio: ratio >= GOAL,
        cost=median_costs(costs),
        settings={"webhooks": webhooks, "hosts": count, "notifications": len(events)},
    )
