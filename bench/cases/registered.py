# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""registered: 1,000,000 webhooks of 10,000 organizers, beside a server with 100 of one.

An organizer has 5 events and 100 webhooks, which subscribe to one to four of the
action types; one of three limits itself to one or two of the events. Those of
the first organizer are made by the API, all others are copies with secrets of
their own.

start      from the exec of the server to its line "listening on"
memory     resident as soon as it listens; `peak_mib`: the most until then
publish    notifications that 3 webhooks get, one after the other, in turns with
           the small server: from the first byte of the request to the last one of
           the 202, and to when nginx has got the last of the three
status     the server's status, as an administrator asks for it
"""

import shutil
import time

from harness import filled
from harness.results import Result, Spread
from harness.wire import Wire, percentile, request

START_SECONDS = 5
MEMORY_MIB = 300
STATUS_MS = 50
TOLERANCE = 1.1  # of "as quick": what the same server differs from itself
EACH = 100
ACTION = "pretix.event.order.placed"
BODY = b'{"action": "%s", "event": "event-1", "code": "ABC23"}' % ACTION.encode()
STATUS = request("GET", "/status")


def make_pattern(server, nginx):
    """The webhooks of an organizer; the first three want what is published."""
    types = [t["name"] for t in server.call("GET", "/action-types/")["results"]]
    types.remove(ACTION)
    for i in range(5):
        event = {"slug": f"event-{i}", "name": f"Event {i}"}
        server.call("POST", "/organizers/bench/events/", event)
    server.add_webhooks([f"{nginx.url}/hook/{i}" for i in range(3)], action_types=[ACTION])
    for i in range(3, EACH):
        limited = i % 3 == 0
        server.add_webhooks(
            [f"https://receiver-{i}.example.org/hooks/bench"],
            action_types=[types[(i * 7 + k * 11) % len(types)] for k in range(1 + i % 4)],
            all_events=not limited,
            limit_events=[f"event-{(i + k) % 5}" for k in range(1 + i % 2)] if limited else [],
        )


class Publisher:
    """Publishes to one server and waits for its three deliveries."""

    def __init__(self, server, nginx):
        self._wire, self._counter = Wire(server.port), Wire(nginx.port)
        self._request = request(
            "POST",
            "/api/v1/organizers/bench/notifications/",
            token=server.TOKEN,
            body=BODY,
        )
        self.accepted, self.delivered = [], []

    def _count(self):
        """Requests that nginx has got, this one included."""
        return int(self._counter.ask(STATUS)[1].split(b"\n")[2].split()[2])

    def __call__(self, keep=True):
        before = self._count()
        began = time.perf_counter()
        seconds, _ = self._wire.ask(self._request)
        asked = 1
        while self._count() - before - asked < 3:
            asked += 1
            if time.perf_counter() - began > 30:
                raise filled.BenchError("a notification was not delivered within 30 s")
        if keep:
            self.accepted.append(seconds)
            self.delivered.append(time.perf_counter() - began)

    def close(self):
        self._wire.close()
        self._counter.close()


def measure(bench, server, small, nginx, count):
    """Of each server: [accepted, delivered], medians in milliseconds."""
    both = [Publisher(server, nginx), Publisher(small, nginx)]
    for i in range(count + 20):
        for publish in both if i % 2 else reversed(both):
            publish(keep=i >= 20)  # connections, actors: what a server has that runs
    for publish in both:
        publish.close()
    return [
        [percentile(times, 0.5) * 1e3 for times in (one.accepted, one.delivered)] for one in both
    ]


def measure_status(server, count):
    """Milliseconds of the server's status, the median."""
    wire = Wire(server.port)
    asked = request("GET", "/api/v1/status/", token=server.TOKEN)
    times = [wire.ask(asked)[0] for _ in range(count)]
    wire.close()
    return percentile(times, 0.5) * 1e3


def run(bench):
    organizers = bench.size(10_000, 500)
    publishes = bench.size(300, 100)
    large, few = bench.folder("large"), bench.folder("small")
    starts, memory, peaks, anonymous, ours, theirs, status = [], [], [], [], [], [], []
    with bench.nginx() as nginx:
        with bench.server(folder=few) as server:
            make_pattern(server, nginx)
        shutil.copytree(few, large)
        filled.fill(bench, large / "data", "organizers", organizers - 1)
        filled.check(
            bench, large / "data", organizers=organizers, webhooks=organizers * EACH
        )
        for _ in range(bench.rounds):
            with bench.server(folder=few) as small, bench.server(folder=large) as server:
                starts.append(server.start_seconds)
                memory.append(server.memory())
                peaks.append(server.peak_memory())
                anonymous.append(server.anonymous_memory())
                mine, other = measure(bench, server, small, nginx, publishes)
                status.append(measure_status(server, publishes))
            ours.append(mine)
            theirs.append(other)
            bench.say(
                f"{organizers * EACH:,}: {starts[-1]:.2f} s, {memory[-1]:.0f} MiB, publish "
                f"{mine[0]:.2f} and {mine[1]:.2f} ms beside {other[0]:.2f} and {other[1]:.2f} ms"
            )
    settings = {"webhooks": organizers * EACH, "organizers": organizers}

    yield Result(
        case="registered",
        variant="start",
        unit="s",
        measured=Spread.of(starts),
        goal=f"< {START_SECONDS} s",
        met=Spread.of(starts).median < START_SECONDS,
        settings=settings,
    )
    yield Result(
        case="registered",
        variant="memory",
        unit="MiB",
        measured=Spread.of(memory),
        goal=f"< {MEMORY_MIB} MiB",
        met=Spread.of(memory).median < MEMORY_MIB,
        cost={
            "peak_mib": Spread.of(peaks).median,
            "anonymous_mib": Spread.of(anonymous).median,
        },
        settings=settings,
    )
    yield Result(
        case="registered",
        variant="status",
        unit="ms",
        measured=Spread.of(status),
        goal=f"< {STATUS_MS} ms",
        met=Spread.of(status).median < STATUS_MS,
        settings=settings,
    )
    for at, what in enumerate(("publish to 202", "publish to third delivery")):
        mine, other = ([one[at] for one in all_of] for all_of in (ours, theirs))
        yield Result.beside(
            mine,
            other,
            case="registered",
            variant=what,
            unit="ms",
            goal=f"<= {TOLERANCE} x with {EACH} webhooks",
            holds=lambda ratio: ratio <= TOLERANCE,
            settings={**settings, "publishes": publishes},
            note="medians of publishes in turns with the small server",
        )
