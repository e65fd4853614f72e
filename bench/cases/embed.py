# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""embed: an engine within a program (bench/tools/embed.cpp). Publishes that are on
disk, from several threads; and the fan-out to 1,000 webhooks, in turns with the same
through the server, where every publish and call is on disk too. The server's time
ends when all has arrived, the program's when all is in the log."""

import json
import shutil
import subprocess

from cases import flush
from cases.fanout import deliver
from harness import filled
from harness.processes import BenchError
from harness.results import Result, Spread, ratio_of

# (form, threads, goal in notifications/s, or a part of the disk)
PUBLISHES = [
    ("batch", 1, 500_000),
    ("batch", 4, 500_000),
    ("batch", 16, 500_000),
    ("callback", 1, 300_000),
    ("callback", 4, 300_000),
    ("callback", 16, 300_000),
    ("blocking", 1, None),
]
NAMES = {
    "batch": "publish, 100 at once",
    "callback": "publish, one by one with callbacks",
    "blocking": "publish, one by one, blocking",
}
WEBHOOKS = 1000
OF_DISK = 0.75  # of what one flush of a log takes for the same record


def embedded(bench, command, data, *words):
    """What the program measured."""
    done = subprocess.run(
        [bench.tools / "embed", command, data, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode != 0:
        raise BenchError(done.stderr.strip() or f"embed ended with {done.returncode}")
    return json.loads(done.stdout)


def publish(bench, form, threads):
    """Rate and cost; what was answered must be in the store."""
    data = bench.folder("embedded")
    found = embedded(
        bench, "publish", data, "--form", form, "--threads", threads, "--seconds", bench.seconds
    )
    filled.check(bench, data, notifications=1 + found["published"])
    shutil.rmtree(data)
    return found["rate"], found["cpu_s_per_1000"]


def publishes(bench):
    for form, threads, goal in PUBLISHES:
        rounds, disk = [], []
        for _ in range(bench.rounds):
            rounds.append(publish(bench, form, threads))
            if form == "blocking":
                disk.append(flush.of_a_log(bench, records=1))
        rates = [rate for rate, _ in rounds]
        median = Spread.of(rates).median
        ratio = ratio_of(rates, disk) if disk else None
        bench.say(f"{NAMES[form]}, {threads}: {median:,.0f}/s")
        yield Result(
            case="embed",
            variant=f"{NAMES[form]}, {threads} {'thread' if threads == 1 else 'threads'}",
            unit="notifications/s",
            measured=Spread.of(rates),
            reference=Spread.of(disk) if disk else None,
            ratio=ratio,
            goal=f">= {OF_DISK} x the disk" if disk else f">= {goal:,}/s",
            met=ratio.median >= OF_DISK if disk else median >= goal,
            cost={"cpu_s_per_1000_fanfare": Spread.of(cpu for _, cpu in rounds).median},
            settings={"threads": threads, "form": form},
        )


def fan_out(bench):
    notifications = max(1, bench.size(300_000, 30_000) // WEBHOOKS)
    deliveries = WEBHOOKS * notifications
    within, beside, costs = [], [], []
    with bench.receiver_and_server() as (nginx, server):
        server.add_webhooks([f"{nginx.url}/hook/{i}" for i in range(WEBHOOKS)])
        server.publish(1)
        nginx.wait_for((0, WEBHOOKS), 120)
        for _ in range(bench.rounds):
            data = bench.folder("embedded")
            found = embedded(
                bench, "fanout", data, "--url", nginx.url, "--webhooks", WEBHOOKS,
                "--notifications", notifications,
            )  # fmt: skip
            filled.check(
                bench, data, webhooks=WEBHOOKS, calls=WEBHOOKS + deliveries, undelivered=0
            )
            shutil.rmtree(data)
            meter = deliver(bench, server, nginx, WEBHOOKS, notifications)
            within.append(found["rate"]), costs.append(found["cpu_s_per_1000"])
            beside.append(deliveries / meter.seconds)
            bench.say(f"fan-out: {within[-1]:,.0f}/s beside {beside[-1]:,.0f}/s")
    yield Result.beside(
        within,
        beside,
        case="embed",
        variant=f"fan-out, N = {WEBHOOKS:,}",
        unit="deliveries/s",
        goal=">= 0.95 x the server",
        holds=lambda ratio: ratio >= 0.95,
        cost={"cpu_s_per_1000_fanfare": Spread.of(costs).median},
        settings={"webhooks": WEBHOOKS, "notifications": notifications},
    )


def run(bench):
    yield from publishes(bench)
    yield from fan_out(bench)
