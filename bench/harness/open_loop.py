# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What is done at a fixed rate beside something else, and how long each took."""

import http.server
import math
import sys
import threading
import time
from dataclasses import dataclass

from harness.processes import BenchError, wait_until


@dataclass
class Act:
    """One of a loop; the moments are those of time.perf_counter()."""

    number: int
    due: float
    began: float = 0.0
    ended: float = 0.0

    @property
    def took_ms(self):
        """From when it was due: one that waits for those before it shows it."""
        return (self.ended - self.due) * 1e3

    @property
    def late_ms(self):
        """Of it, what passed before this program got to it."""
        return (self.began - self.due) * 1e3


class OpenLoop:
    """Act i is due at start + i / rate, whatever became of those before it.

    `workers` are functions of the number of an act; each has a thread, and does what
    is due next while it is idle. The loop runs within a `with`, at whose end it does
    what was due by then, so that no slow one is left out; `acts` has all, in order.
    Numbers begin with `first`.
    """

    def __init__(self, rate, workers, *, first=0):
        self._rate, self._first = rate, first
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._end = math.inf  # what is due later is not done
        self._next, self._errors = 0, []
        self.acts = []
        self._threads = [
            threading.Thread(target=self._work, args=(worker,), daemon=True) for worker in workers
        ]

    def __enter__(self):
        self._start = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failed, *_):
        self._stop(-math.inf if failed else time.perf_counter())
        for thread in self._threads:
            thread.join()
        self.acts.sort(key=lambda act: act.number)
        if self._errors and not failed:
            raise self._errors[0]

    def _stop(self, end):
        with self._lock:
            self._end = min(self._end, end)
        self._ended.set()

    def _work(self, worker):
        try:
            while act := self._claim():
                act.began = time.perf_counter()
                worker(act.number)
                act.ended = time.perf_counter()
                self.acts.append(act)
        except Exception as error:  # told when the loop ends, which is now
            self._errors.append(error)
            self._stop(-math.inf)

    def _claim(self):
        """The next one, when it is due; None when the loop has ended."""
        with self._lock:
            at, self._next = self._next, self._next + 1
        act = Act(self._first + at, self._start + at / self._rate)
        self._ended.wait(max(0, act.due - time.perf_counter()))
        return act if act.due <= self._end else None


class Receiver:
    """Takes calls whose body has `"number-N"` in it, and notes when each was read."""

    MARK = b"number-"

    def __init__(self):
        self.arrived = {}  # number -> moments of time.perf_counter()
        self.strange = []  # bodies without a number
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._note(body, time.perf_counter())
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *details):
                # Who calls may end a connection at any time.
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(*details)

        self._listener = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._listener.server_port}/hook"
        threading.Thread(
            target=self._listener.serve_forever, args=(0.05,), daemon=True
        ).start()

    def _note(self, body, moment):
        digits = body.partition(self.MARK)[2].partition(b'"')[0]
        if digits.isdigit():
            self.arrived.setdefault(int(digits), []).append(moment)
        else:
            self.strange.append(body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown()
        self._listener.server_close()

    def wait_for(self, numbers, seconds=30):
        """Fails unless all of these have come within so long, and nothing twice."""
        wait_until(
            lambda: all(number in self.arrived for number in numbers),
            seconds,
            f"the arrival of {len(numbers)} notifications at their receiver",
        )
        if self.strange:
            raise BenchError(f"a call that nobody asked for: {self.strange[0][:200]!r}")
        twice = [number for number, moments in self.arrived.items() if len(moments) > 1]
        if twice:
            raise BenchError(f"notification number {twice[0]} was delivered more than once")

    def took_ms(self, act):
        """From when this was due to be published until it was read here."""
        return (self.arrived[act.number][0] - act.due) * 1e3
