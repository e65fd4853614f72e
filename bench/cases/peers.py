# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""peers: the same notifications to the same webhooks by Fanfare and by a peer, in
turns: by BullMQ and undici with Redis, or by the server that --peer-adapter
describes. Both are driven over HTTP by an adapter, and nginx counts for both. Processor
time and memory of a peer are those of all the processes that its adapter names.

Beside --peer-adapter also, without webhooks of the large fan-out:

publish    by wrk on 16 and on 64 connections, with no webhook that gets it
latency    50 notifications/s in an open loop, each to 3 receivers: from when one was
           due to be published to when a receiver has read its call
"""

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass

from cases.fanout import check_log
from harness.adapter import Adapter
from harness.bench import Meter, median_costs
from harness.bullmq import BullMq, Redis, require_programs
from harness.open_loop import OpenLoop, Receiver
from harness.process_trees import ProcessTrees
from harness.processes import ROOT, SIGNATURE, BenchError, Server, Together, wait_until
from harness.results import Result, Spread
from harness.wire import percentile

GOAL = 10
PUBLISH_GOAL = {16: 15}  # connections: times the peer's rate
LATENCY_GOAL = {"p99": 0.5}  # of the peer's
SHARES = {"p50": 0.50, "p99": 0.99}
RATE, FAN_OUT = 50, 3
PUBLISHERS = 16  # threads, so that a slow answer delays no other publish
PEERS = ROOT / "bench/peers"
DELIVERIES = 30_000  # about ten seconds of BullMQ's time
# Workers and jobs at a time, by appendfsync, that BullMQ was fastest with on two
# cores; bench/peers/README.md says what was tried.
TUNED = {"always": (1, 200), "everysec": (2, 100)}


def tuned(fsync):
    """Where there are more cores, as many workers as one Redis can feed."""
    workers, concurrency = TUNED[fsync]
    cores = len(os.sched_getaffinity(0))
    return {"workers": max(workers, min(4, cores - 1)), "concurrency": concurrency}


@dataclass
class Side:
    """Who delivers: an adapter, its programs as far as they are ours, and what is
    measured of its processes."""

    adapter: Adapter
    programs: Together
    used: Together | ProcessTrees
    published: int = 0  # since its webhooks are there

    def set_up(self, nginx, webhooks, notifications):
        """Registers, and delivers enough for code to be compiled and pools filled."""
        self.adapter.prepare()
        self.adapter.register([f"{nginx.url}/hook/{i}" for i in range(webhooks)])
        self.deliver(nginx, webhooks, max(1, notifications // 4))

    def deliver(self, nginx, webhooks, notifications):
        """From the first publish to the last delivery."""
        before = nginx.counts()[1]
        with Meter(self.used, nginx) as meter:
            self.adapter.publish(notifications)
            self.published += notifications
            nginx.wait_for(
                (before, webhooks * notifications),
                self.adapter.seconds,
                also=self.check,
            )
        return meter

    def check(self):
        self.programs.check()
        self.used.check()


def sizes(bench, adapter):
    """How many webhooks, and notifications per round."""
    notifications = adapter.notifications or max(1, DELIVERIES // adapter.webhooks)
    if bench.quick:
        return min(adapter.webhooks, 100), min(notifications, 20)
    return adapter.webhooks, notifications


def costs_of(ours, theirs, deliveries):
    """Meter.costs of Fanfare, and those of the peer by the same names and "_peer"."""
    costs = theirs.costs(deliveries)
    del costs["cpu_s_per_1000_fanfare"]
    return {
        **ours.costs(deliveries),
        **{f"{key}_peer": value for key, value in costs.items()},
    }


def own_adapter(server):
    environment = {"FANFARE_URL": server.url, "FANFARE_ADMIN_TOKEN": Server.TOKEN}
    return Adapter.read(PEERS / "fanfare.json", environment)


def check_own_log(server, published):
    """As BullMQ's is: of some webhooks."""
    organizers = server.call("GET", "/organizers/")["results"]
    (slug,) = [one["slug"] for one in organizers if one["slug"].startswith("bench-")]
    page = server.call("GET", f"/organizers/{slug}/webhooks/")
    ids = [webhook["id"] for webhook in page["results"]]
    check_log(server, ids, published, organizer=slug)


def compare(bench, nginx, peer, variant, *, settings=None, note=""):
    """A line of the table."""
    webhooks, notifications = sizes(bench, peer.adapter)
    deliveries = webhooks * notifications
    rates, peer_rates, costs = [], [], []
    with bench.server(organizer=False) as server:
        programs = Together(server)
        fanfare = Side(own_adapter(server), programs, programs)
        idle = {"idle_mib": programs.memory(), "idle_mib_peer": peer.used.memory()}
        for side in (fanfare, peer):
            side.set_up(nginx, webhooks, notifications)
        for _ in range(bench.rounds):
            ours = fanfare.deliver(nginx, webhooks, notifications)
            theirs = peer.deliver(nginx, webhooks, notifications)
            rates.append(deliveries / ours.seconds)
            peer_rates.append(deliveries / theirs.seconds)
            costs.append({**costs_of(ours, theirs, deliveries), **idle})
            bench.say(f"{variant}: {rates[-1]:,.0f}/s beside {peer_rates[-1]:,.0f}/s")
        check_own_log(server, fanfare.published)
    return Result.beside(
        rates,
        peer_rates,
        case="peers",
        variant=variant,
        unit="deliveries/s",
        goal=f">= {GOAL} x peer",
        holds=lambda ratio: ratio >= GOAL,
        cost=median_costs(costs),
        settings={"webhooks": webhooks, "notifications": notifications, **(settings or {})},
        note=note,
    )


# -- publishing alone, and latency -------------------------------------------


def quiet(used, seconds=120):
    """Waits until a peer has done what it took on: it uses less than a tenth of a core."""
    deadline = time.monotonic() + seconds
    while True:
        before = used.usage().cpu
        time.sleep(0.5)
        if used.usage().cpu - before < 0.05:
            return
        if time.monotonic() > deadline:
            raise BenchError(f"the peer was still busy {seconds} s after it was published to")


def publish_rate(bench, adapter, connections):
    method, url, headers, body = adapter.publish_request()
    pairs = [word for pair in headers.items() for word in pair]
    load = bench.wrk(
        url, script="request.lua", connections=connections, arguments=[method, body, *pairs]
    )
    return load.rate


def publishing(bench, fanfare, peer, used):
    """A line for each number of connections; the adapters have no webhooks."""
    if not peer.publishes_at_once():
        bench.say(f"{peer.name}: to publish takes several requests, so its rate is not measured")
        return
    for adapter in (fanfare, peer):
        adapter.prepare()
    time.sleep(peer.settle)
    for connections in (16, 64):
        rates, peer_rates = [], []
        for _ in range(bench.rounds):
            rates.append(publish_rate(bench, fanfare, connections))
            peer_rates.append(publish_rate(bench, peer, connections))
            quiet(used)
            bench.say(f"publish, {connections}: {rates[-1]:,.0f}/s beside {peer_rates[-1]:,.0f}/s")
        goal = PUBLISH_GOAL.get(connections)
        yield Result.beside(
            rates,
            peer_rates,
            case="peers",
            variant=f"{peer.name}, publish, {connections} connections",
            unit="notifications/s",
            goal=f">= {goal} x peer" if goal else "",
            holds=lambda ratio: ratio >= goal if goal else None,
            settings={"connections": connections},
        )


def latencies(bench, adapter, receivers):
    """Milliseconds, of all receivers."""
    with ExitStack() as stack:
        workers = [stack.enter_context(adapter.publisher()) for _ in range(PUBLISHERS)]
        with OpenLoop(RATE, workers, first=adapter.published) as loop:
            time.sleep(bench.size(10, 1))
    adapter.published += len(loop.acts)
    for one in receivers:
        one.wait_for([act.number for act in loop.acts])
    return [one.took_ms(act) for one in receivers for act in loop.acts]


def latency(bench, fanfare, peer):
    """A line for each share."""
    if not peer.shows_number():
        bench.say(f'{peer.name}: what it publishes has no "number-{{n}}", so latency is not measured')
        return
    with ExitStack() as stack:
        sides = []
        for adapter in (fanfare, peer):
            receivers = [stack.enter_context(Receiver()) for _ in range(FAN_OUT)]
            adapter.prepare()
            adapter.register([one.url for one in receivers])
            sides.append((adapter, receivers))
            latencies(bench, adapter, receivers)  # connections, pools
        ours, theirs = [], []
        for _ in range(bench.rounds):
            for (adapter, receivers), found in zip(sides, (ours, theirs)):
                found.append(latencies(bench, adapter, receivers))
            bench.say(
                f"latency, p99: {percentile(ours[-1], 0.99):.1f} ms"
                f" beside {percentile(theirs[-1], 0.99):.1f} ms"
            )
    for key, share in SHARES.items():
        goal = LATENCY_GOAL.get(key)
        yield Result.beside(
            [percentile(ms, share) for ms in ours],
            [percentile(ms, share) for ms in theirs],
            case="peers",
            variant=f"{peer.name}, latency, {key}",
            unit="ms",
            goal=f"<= {goal} x peer" if goal else "",
            holds=lambda ratio: ratio <= goal if goal else None,
            settings={"rate": RATE, "fan_out": FAN_OUT},
        )


def beside_adapter(bench):
    adapter = Adapter.read(bench.peer_adapter)
    used, known = Together(), []
    if adapter.processes:
        used, known = adapter.processes, adapter.processes.names
    # What a peer says that it signs, it signs.
    signatures = [SIGNATURE, adapter.signature] if adapter.signature else []
    side = Side(adapter, Together(), used)
    with bench.nginx(signatures=signatures) as nginx:
        result = compare(bench, nginx, side, adapter.name, settings={"processes": known})
        nginx.check_signed()
    if not known:  # only what nginx saw of it is
        result.cost = {
            key: value
            for key, value in result.cost.items()
            if not key.endswith("_peer") or key.startswith("connections")
        }
    yield result
    # Each with names of its own, so that no webhook of before is called.
    with bench.server(organizer=False) as server:
        yield from latency(bench, own_adapter(server), Adapter.read(bench.peer_adapter))
        peer = Adapter.read(bench.peer_adapter)
        yield from publishing(bench, own_adapter(server), peer, used)


def beside_bullmq(bench, nginx, fsync, note):
    settings = tuned(fsync)
    with (
        Redis(bench.folder("redis"), fsync=fsync) as redis,
        BullMq(bench.folder("bullmq"), redis, **settings) as bullmq,
    ):
        environment = {
            "BULLMQ_URL": bullmq.url,
            "BULLMQ_PID": str(bullmq.pid),
            "REDIS_PID": str(redis.pid),
        }
        adapter = Adapter.read(PEERS / "bullmq.json", environment)
        peer = Side(adapter, Together(bullmq, redis), adapter.processes)
        variant = f"BullMQ, appendfsync {fsync}"
        settings = {"appendfsync": fsync, "processes": adapter.processes.names, **settings}
        result = compare(bench, nginx, peer, variant, settings=settings, note=note)
        for webhook in (1, result.settings["webhooks"]):
            wait_until(
                lambda: bullmq.count_logged(webhook) == peer.published,
                30,
                f"{variant}: logging the {peer.published} calls of webhook {webhook}",
            )
    return result


def run(bench):
    if bench.peer_adapter:
        yield from beside_adapter(bench)
        return
    require_programs()
    with bench.nginx() as nginx:
        same = "as with Fanfare, what was answered is on disk"
        less = "up to a second of what was answered is lost with the machine"
        yield beside_bullmq(bench, nginx, "always", same)
        yield beside_bullmq(bench, nginx, "everysec", less)
