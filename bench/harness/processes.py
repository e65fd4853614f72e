# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""The programs of a benchmark, what they have used, and how they end.

Every program is started on a free port of the loopback and ended by its pid.
"""

import http.client
import json
import math
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICK = 1 / os.sysconf("SC_CLK_TCK")
MIB = 1024 * 1024
KEPT_SECONDS = 10  # of a connection that is not used; the server ends it later


class BenchError(Exception):
    """Something that makes the figures worthless; the text says what."""


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Asks until `condition()` is true, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"{what} took longer than {seconds} s")
        time.sleep(0.005)


@dataclass
class Usage:
    """What processes have used up to a moment, or between two."""

    cpu: float = 0.0  # seconds, user and system
    written: int = 0  # bytes to disk

    def __sub__(self, other):
        return Usage(self.cpu - other.cpu, self.written - other.written)

    def __add__(self, other):
        return Usage(self.cpu + other.cpu, self.written + other.written)


def usage_of(pid):
    """Of one process with all its threads, since it started."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    io = pathlib.Path(f"/proc/{pid}/io").read_text()
    written = int(io.partition("\nwrite_bytes: ")[2].partition("\n")[0])
    return Usage((int(stat[11]) + int(stat[12])) * TICK, written)


def children_of(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


class Process:
    """A program that runs until `stop`."""

    def __init__(self, arguments, *, log, environment=None, name=None):
        self.name = name or pathlib.Path(arguments[0]).name
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                [str(word) for word in arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # nginx's and BullMQ's workers end with it
            )

    def started_if(self, condition, seconds, what):
        """Waits for it; a program that does not get there does not go on either."""
        try:
            wait_until(condition, seconds, what)
        except BaseException:
            Process.stop(self, signal.SIGKILL)
            raise

    @property
    def pid(self):
        return self.child.pid

    def check(self):
        """Raises if it has ended: nothing would be measured."""
        if self.child.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise BenchError(f"{self.name} ended with {self.child.returncode}: {tail}")

    def _pids(self):
        """With its children, which nginx's and BullMQ's workers are."""
        return [self.pid, *children_of(self.pid)]

    def usage(self):
        return sum((usage_of(pid) for pid in self._pids()), Usage())

    def memory(self):
        """Resident now, in MiB."""
        return self._status("VmRSS")

    def anonymous_memory(self):
        """Of it, what is no file's: the system cannot take it away again."""
        return self._status("RssAnon")

    def peak_memory(self):
        """The most that was resident since the start or `reset_peak`, in MiB; of
        several processes the sum, though they need not have peaked at once."""
        return self._status("VmHWM")

    def reset_peak(self):
        for pid in self._pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def _status(self, key):
        total = 0
        for pid in self._pids():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            total += int(status.partition(f"{key}:")[2].split()[0])
        return total / 1024

    def stop(self, how=signal.SIGTERM, seconds=60):
        if self.child.poll() is not None:
            return
        if how == signal.SIGKILL:
            self._kill()
            return
        self.child.send_signal(how)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill()
            raise BenchError(f"{self.name} did not end within {seconds} s") from None

    def _kill(self):
        """With its children."""
        os.killpg(self.pid, signal.SIGKILL)
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Together:
    """Several programs, measured like one."""

    def __init__(self, *programs):
        self._programs = programs

    def check(self):
        for program in self._programs:
            program.check()

    def usage(self):
        return sum((program.usage() for program in self._programs), Usage())

    def memory(self):
        return sum(program.memory() for program in self._programs)

    def peak_memory(self):
        return sum(program.peak_memory() for program in self._programs)

    def reset_peak(self):
        for program in self._programs:
            program.reset_peak()


SIGNATURE = "webhook-signature"  # the header of Fanfare's

# Whoever sends webhooks here signs them.
ANSWER = """\
    location / {
      if ($http_webhook_signature = "") { return 400; }
      return 200 "ok";
    }"""
UNSIGNED_ANSWER = '    location / { return 200 "ok"; }'


def answer_to_any_of(signatures, log):
    """As ANSWER, for calls with one of these headers; the others are logged."""
    values = "".join("$http_" + name.lower().replace("-", "_") for name in signatures)
    return f"""\
    location / {{
      access_log {log} combined if=$unsigned;
      set $unsigned 0;
      set $signatures "{values}";
      if ($signatures = "") {{ set $unsigned 1; }}
      if ($unsigned) {{ return 400; }}
      return 200 "ok";
    }}"""


NGINX_CONF = """\
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log crit;
worker_processes 1;
worker_rlimit_nofile {nofile};
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /status {{ stub_status; }}
    location = /publish {{ return 202 '{{"notification_id":1000000}}'; }}
{answer}
  }}
{more}
}}
"""


class Nginx(Process):
    """The receiver: one worker, answers at once, logs nothing.

    `more` is further configuration inside of http {}. Requests to all of its
    servers are counted together. What has no signature is answered 400; with
    `signatures`, what has none of these headers, and without any nothing is.
    """

    def __init__(self, directory, *, more="", signatures=None):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True)
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        nofile = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self._unsigned, self._signatures = directory / "unsigned.log", signatures
        answer = ANSWER if signatures is None else UNSIGNED_ANSWER
        if signatures:
            answer = answer_to_any_of(signatures, self._unsigned)
        conf = directory / "nginx.conf"
        conf.write_text(
            NGINX_CONF.format(
                dir=directory,
                port=self.port,
                more=more,
                answer=answer,
                nofile=nofile,
                connections=min(nofile - 2048, 100000),
            )
        )
        self._asked = 0
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        super().__init__(
            [program, "-c", conf, "-e", directory / "error.log"],
            log=directory / "log",
            name="nginx",
        )
        self.started_if(self._answers, 10, "nginx's start")

    def _answers(self):
        self.check()
        try:
            self.counts()
            return True
        except OSError:
            return False

    def counts(self):
        """(connections accepted, requests answered), without those of this call."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/status")
            numbers = connection.getresponse().read().decode().split("\n")[2].split()
        finally:
            connection.close()
        self._asked += 1
        return int(numbers[0]) - self._asked, int(numbers[2]) - self._asked

    def check_signed(self):
        """Fails if a call had none of the headers `signatures`."""
        if self._unsigned.exists() and (lines := self._unsigned.read_text().splitlines()):
            raise BenchError(
                f"{len(lines)} calls had none of the headers {', '.join(self._signatures)}:"
                " make the server sign, or correct \"signature\" of its adapter"
            )

    def wait_for(self, requests, seconds, *, also=lambda: None):
        """Waits until requests[1] more requests than requests[0] have come."""
        since, wanted = requests
        deadline = time.monotonic() + seconds
        while True:
            seen = self.counts()[1] - since
            if seen == wanted:
                return
            if seen > wanted:
                raise BenchError(f"{seen} requests came instead of {wanted}")
            also()
            if time.monotonic() > deadline:
                raise BenchError(f"only {seen} of {wanted} requests came within {seconds} s")
            time.sleep(0.01)


class Server(Process):
    """`fanfare serve`, with an organizer "bench"."""

    TOKEN = "bench-admin-token-0123456789"

    def __init__(self, directory, binary, *options, environment=None, organizer=True):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.data = directory / "data"
        log = directory / f"server-{time.monotonic_ns()}.log"
        self.started = time.monotonic()
        super().__init__(
            [binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0"]
            + ["--allow-network", "127.0.0.0/8", "--log-level", "warning"]
            + [*options],
            log=log,
            environment={"FANFARE_ADMIN_TOKEN": self.TOKEN, **(environment or {})},
            name="fanfare",
        )
        self._connections = threading.local()
        self.started_if(self._listens, 120, "the server's start")
        self.start_seconds = time.monotonic() - self.started
        if organizer:
            self.started_if(self._has_organizer, 1, "making an organizer")

    def _listens(self):
        self.check()
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("listening on "):
                self.url = line.removeprefix("listening on ")
                self.port = urllib.parse.urlsplit(self.url).port
                return True
        return False

    def _has_organizer(self):
        if self.try_call("GET", "/organizers/bench/events/")[0] != 200:
            self.call("POST", "/organizers/", {"slug": "bench", "name": "Bench"})
        return True

    def stop(self, how=signal.SIGTERM, seconds=60):
        super().stop(how, seconds)
        # A crash at its end is one, too.
        if self.child.returncode not in (0, -signal.SIGKILL):
            raise BenchError(f"fanfare ended with {self.child.returncode}")

    def try_call(self, method, path, body=None):
        """(status, text) of a request below /api/v1."""
        connection = self._connection()
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        headers = {"Authorization": f"Token {self.TOKEN}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, f"/api/v1{path}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def _connection(self):
        """This thread's; a new one if the server may have ended it as idle."""
        kept = self._connections
        idle = time.monotonic() - getattr(kept, "used", -math.inf)
        if idle > KEPT_SECONDS:
            kept.it = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        kept.used = time.monotonic()
        return kept.it

    def call(self, method, path, body=None):
        """The JSON of the answer; another status than 2xx is an error."""
        status, text = self.try_call(method, path, body)
        if not 200 <= status < 300:
            raise BenchError(f"{method} {path} was answered with {status}: {text[:500]}")
        return json.loads(text) if text else None

    def publish(self, count, *, organizer="bench", batch=1000, fields=None):
        """Publishes so many notifications in arrays, one after the other."""
        one = {"action": "pretix.event.order.placed", "event": "democon", "code": "ABC23"}
        text = json.dumps({**one, **(fields or {})})
        whole = "[" + ",".join([text] * min(batch, count)) + "]"
        while count > 0:
            size = min(batch, count)
            body = whole if size == batch else "[" + ",".join([text] * size) + "]"
            self.call("POST", f"/organizers/{organizer}/notifications/", body)
            count -= size

    def add_webhooks(self, urls, *, organizer="bench", threads=16, **fields):
        """Registers a webhook per URL, and answers their ids in that order."""
        ids = [None] * len(urls)
        record = {
            "all_events": True,
            "limit_events": [],
            "action_types": ["pretix.event.order.placed"],
            **fields,
        }

        def work(first):
            for at in range(first, len(urls), threads):
                added = self.call(
                    "POST",
                    f"/organizers/{organizer}/webhooks/",
                    {**record, "target_url": urls[at]},
                )
                ids[at] = added["id"]

        in_parallel(threads, work)
        return ids

    def count_logged(self, webhook, *, organizer="bench"):
        """How many successful calls the log of a webhook shows, page by page."""
        path, count = f"/organizers/{organizer}/webhooks/{webhook}/calls/", 0
        while path:
            page = self.call("GET", path)
            count += sum(call["success"] for call in page["results"])
            path = page["next"] and page["next"].partition("/api/v1")[2]
        return count


def in_parallel(threads, work):
    """Runs work(0) … work(threads - 1); the first error is raised."""
    errors = []

    def guarded(index):
        try:
            work(index)
        except Exception as error:  # told by whoever joins
            errors.append(error)

    all_of_them = [threading.Thread(target=guarded, args=(i,)) for i in range(threads)]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()
    if errors:
        raise errors[0]


@dataclass
class Load:
    """What one run of wrk reached."""

    rate: float  # requests per second
    p50_ms: float
    p99_ms: float
    failed: int
    requests: int
    seconds: float
    cpu: float  # of wrk itself


def wrk(url, *, script="post.lua", connections=64, seconds=3.0, arguments=()):
    """Runs wrk with a script of bench/load, which prints one line of results."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        + ["-s", str(ROOT / "bench/load" / script), url, "--", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "FANFARE_ADMIN_TOKEN": Server.TOKEN},
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [x for x in done.stdout.splitlines() if x.startswith("result ")]
    if done.returncode != 0 or not line:
        raise BenchError(f"wrk failed: {done.stdout}{done.stderr}")
    found = json.loads(line[0].removeprefix("result "))
    if found["failed"]:
        raise BenchError(f"{found['failed']} of {found['requests']} requests to {url} failed")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Load(rate=found["requests"] / found["seconds"], cpu=cpu, **found)
