# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""peers: the same notifications to the same webhooks by Fanfare and by a peer, in
turns: by BullMQ and undici with Redis, or by the server that --peer-adapter
describes. Both are driven over HTTP by an adapter, and nginx counts for both."""

import os
from dataclasses import dataclass

from cases.fanout import check_log
from harness.adapter import Adapter
from harness.bench import Meter, median_costs
from harness.bullmq import BullMq, Redis, require_programs
from harness.processes import ROOT, Server, Together, wait_until
from harness.results import Result

GOAL = 10
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
    """Who delivers: an adapter, and its programs as far as they are ours."""

    adapter: Adapter
    programs: Together
    published: int = 0  # since its webhooks are there

    def set_up(self, nginx, webhooks, notifications):
        """Registers, and delivers enough for code to be compiled and pools filled."""
        self.adapter.prepare()
        self.adapter.register([f"{nginx.url}/hook/{i}" for i in range(webhooks)])
        self.deliver(nginx, webhooks, max(1, notifications // 4))

    def deliver(self, nginx, webhooks, notifications):
        """From the first publish to the last delivery."""
        before = nginx.counts()[1]
        with Meter(self.programs, nginx) as meter:
            self.adapter.publish(notifications)
            self.published += notifications
            nginx.wait_for(
                (before, webhooks * notifications),
                self.adapter.seconds,
                also=self.programs.check,
            )
        return meter


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
        own = {"FANFARE_URL": server.url, "FANFARE_ADMIN_TOKEN": Server.TOKEN}
        fanfare = Side(Adapter.read(PEERS / "fanfare.json", own), Together(server))
        for side in (fanfare, peer):
            side.set_up(nginx, webhooks, notifications)
        for _ in range(bench.rounds):
            ours = fanfare.deliver(nginx, webhooks, notifications)
            theirs = peer.deliver(nginx, webhooks, notifications)
            rates.append(deliveries / ours.seconds)
            peer_rates.append(deliveries / theirs.seconds)
            costs.append(costs_of(ours, theirs, deliveries))
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


def beside_adapter(bench, nginx):
    adapter = Adapter.read(bench.peer_adapter)
    result = compare(bench, nginx, Side(adapter, Together()), adapter.name)
    # Its programs are not ours to look at: only what nginx saw of it is known.
    result.cost = {
        key: value
        for key, value in result.cost.items()
        if not key.endswith("_peer") or key.startswith("connections")
    }
    return result


def beside_bullmq(bench, nginx, fsync, note):
    settings = tuned(fsync)
    with (
        Redis(bench.folder("redis"), fsync=fsync) as redis,
        BullMq(bench.folder("bullmq"), redis, **settings) as bullmq,
    ):
        adapter = Adapter.read(PEERS / "bullmq.json", {"BULLMQ_URL": bullmq.url})
        peer = Side(adapter, Together(bullmq, redis))
        variant = f"BullMQ, appendfsync {fsync}"
        settings = {"appendfsync": fsync, **settings}
        result = compare(bench, nginx, peer, variant, settings=settings, note=note)
        for webhook in (1, result.settings["webhooks"]):
            wait_until(
                lambda: bullmq.count_logged(webhook) == peer.published,
                30,
                f"{variant}: logging the {peer.published} calls of webhook {webhook}",
            )
    return result


def run(bench):
    with bench.nginx(signed=not bench.peer_adapter) as nginx:
        if bench.peer_adapter:
            yield beside_adapter(bench, nginx)
            return
        require_programs()
        same = "as with Fanfare, what was answered is on disk"
        less = "up to a second of what was answered is lost with the machine"
        yield beside_bullmq(bench, nginx, "always", same)
        yield beside_bullmq(bench, nginx, "everysec", less)
