# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""backlog: 1,000,000 retries that wait, and a webhook that is 1,000,000 behind.

1,000,000 notifications are published to two webhooks. The receiver of one refuses
them with 404, so that each becomes a retry (the circuit breaker is off until all
have, it would keep them from being attempted); the receiver of the other takes
connections and never answers.

memory     resident, beyond what the server had before the first publish, 3 s after
           the last retry was noted; and once more 3 s after a restart (kill -9)
restart    Then all retries are made due, the server is killed (-9), both receivers
           become healthy: from the exec of the server to its line "listening on", to
           the first retry that arrives, and to the first notification of the webhook
           that is behind. Killed and started again, round by round
"""

import signal
import socket
import threading
import time

from harness import filled
from harness.processes import BenchError, free_port
from harness.results import Result, Spread

MEMORY_MIB = 150
RESTART_SECONDS = 3
SETTLED = 3  # seconds: longer than from one checkpoint to the next

ANSWERS = 'server {{ listen 127.0.0.1:{port}; location / {{ return {answer}; }} }}'


def answering(bench, port, answer):
    """An nginx that is a receiver on that port."""
    return bench.nginx(more=ANSWERS.format(port=port, answer=answer))


class Hanging:
    """A receiver that never answers."""

    def __init__(self, port):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen(4096)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()


class First:
    """When nginx gets the first request from now on."""

    def __init__(self, nginx):
        self._nginx, self._before, self.at = nginx, nginx.counts()[1], None
        self._ended = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._ended:
            seen = self._nginx.counts()[1]
            if seen > self._before:
                self.at = time.monotonic()
                return
            time.sleep(0.002)

    def wait(self, seconds):
        self._thread.join(seconds)
        self._ended = True
        if self.at is None:
            raise BenchError(f"nothing was delivered within {seconds} s of the start")
        return self.at


def count_waiting(bench, folder, ids, count):
    """What waits for each of the webhooks, says the store while no server runs."""
    waiting = filled.check(bench, folder / "data", notifications=count)["waiting"]
    return [sum(waiting.get(str(webhook), {}).values()) for webhook in ids]


def build_up(bench, folder, ports, count):
    """Leaves the directory with all that waits; (ids, idle memory, memory, memory)."""
    refuses, hangs = ports
    with answering(bench, refuses, 404) as nginx:
        with bench.server("--breaker-failures", 0, folder=folder) as server:
            ids = server.add_webhooks(
                [f"http://127.0.0.1:{refuses}/"],
                delivery={"schedule": [86400], "max_in_flight": 64},
            )
            ids += server.add_webhooks([f"http://127.0.0.1:{hangs}/"])
            idle, before = server.memory(), nginx.counts()
            server.publish(count)
            nginx.wait_for((before[1], count), 600, also=server.check)
            time.sleep(SETTLED)
            memory = server.memory(), server.anonymous_memory(), server.peak_memory()
            server.stop(signal.SIGKILL)
        if (waiting := count_waiting(bench, folder, ids, count)) != [count, count]:
            raise BenchError(f"{waiting} notifications wait instead of {count} for each")
        with bench.server(folder=folder) as server:
            time.sleep(SETTLED)
            again = server.memory(), server.anonymous_memory(), server.peak_memory()
            path = f"/organizers/bench/webhooks/{ids[0]}/retries/expedite/"
            expedited = server.call("POST", path)["expedited"]
            server.stop(signal.SIGKILL)
        if expedited != count:
            raise BenchError(f"{expedited} retries of {count} were made due")
    return ids, idle, memory, again


def restart(bench, folder, first, second):
    """Seconds until the server listens, and until each receiver has got something."""
    watched = [First(nginx) for nginx in (first, second)]
    with bench.server(folder=folder) as server:
        seconds = [server.start_seconds]
        seconds += [one.wait(60) - server.started for one in watched]
        server.stop(signal.SIGKILL)
    return seconds


def run(bench):
    count = bench.size(1_000_000, 20_000)
    folder, ports = bench.folder("server"), (free_port(), free_port())
    with Hanging(ports[1]):
        ids, idle, *memories = build_up(bench, folder, ports, count)
    bench.say(
        f"{count:,}: {memories[0][0]:.0f} MiB, {memories[1][0]:.0f} MiB after a restart, "
        f"idle {idle:.0f} MiB"
    )
    settings = {"retries": count, "behind": count}

    for variant, (resident, anonymous, peak) in zip(
        ("memory over idle", "memory over idle, after a restart"), memories
    ):
        yield Result(
            case="backlog",
            variant=variant,
            unit="MiB",
            measured=Spread.of([resident - idle]),
            goal=f"< {MEMORY_MIB} MiB",
            met=resident - idle < MEMORY_MIB,
            cost={"anonymous_mib": anonymous, "peak_mib": peak, "idle_mib": idle},
            settings=settings,
        )
    rounds = []
    with answering(bench, ports[0], 200) as first, answering(bench, ports[1], 200) as second:
        before = [nginx.counts()[1] for nginx in (first, second)]
        for _ in range(bench.rounds):
            rounds.append(restart(bench, folder, first, second))
            started, retry, behind = rounds[-1]
            bench.say(f"{count:,}: {started:.2f} s; arrivals after {retry:.2f} and {behind:.2f} s")
        arrived = [nginx.counts()[1] - old for nginx, old in zip((first, second), before)]
    for waits, came in zip(count_waiting(bench, folder, ids, count), arrived):
        if waits > count or waits + came < count:  # a kill makes duplicates
            raise BenchError(f"of {count} notifications {waits} wait and {came} arrived")
    variants = (
        "start after a kill",
        "restart to the first due retry",
        "restart to the first of the backlog",
    )
    for variant, seconds in zip(variants, zip(*rounds), strict=True):
        yield Result(
            case="backlog",
            variant=variant,
            unit="s",
            measured=Spread.of(seconds),
            goal=f"< {RESTART_SECONDS} s",
            met=Spread.of(seconds).median < RESTART_SECONDS,
            settings=settings,
        )
