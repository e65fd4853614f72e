# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""The programs in examples/, with a real receiver, kill -9 and a real scrape.

Run by CTest, which sets FANFARE_EXAMPLES to the folder where they were built."""

import http.server
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

PROGRAMS = pathlib.Path(os.environ["FANFARE_EXAMPLES"])
PATIENCE = 60
SEED = int(os.environ.get("FANFARE_SEED", "0")) or random.randrange(1 << 32)


class Receiver:
    """Answers 200 to each call and keeps what it says."""

    def __init__(self):
        bodies = self.bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """Its client was killed."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ExampleTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-example-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def start(self, name, *words):
        child = subprocess.Popen(
            [PROGRAMS / f"example_{name}", *map(str, words)],
            cwd=self.dir,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

        def end():
            if child.poll() is None:
                child.kill()
            child.wait(PATIENCE)
            for pipe in (child.stdin, child.stdout, child.stderr):
                try:
                    pipe.close()
                except BrokenPipeError:  # of what it had not read
                    pass

        self.addCleanup(end)
        return child

    def finish(self, child, code=0, text=""):
        said, complained = child.communicate(text, timeout=PATIENCE)
        self.assertEqual(child.returncode, code, said + complained)
        return said


class Minimal(ExampleTest):
    def test_publishes_and_tells_what_came_back(self):
        said = self.finish(self.start("minimal", self.receiver.url))
        self.assertEqual(said, f"{self.receiver.url} answered 200\n")
        self.assertEqual([body["code"] for body in self.receiver.bodies], ["A1"])
        # Again, with what the first run has left.
        self.finish(self.start("minimal", self.receiver.url))
        self.assertEqual([body["notification_id"] for body in self.receiver.bodies], [1, 2])
        # And with another webhook: both are called, it tells of its own.
        other = self.receiver.url + "/other"
        self.assertEqual(self.finish(self.start("minimal", other)), f"{other} answered 200\n")
        self.finish(self.start("minimal"), code=2)

    def test_tells_what_is_wrong(self):
        child = self.start("minimal", "no URL")
        said, complained = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, said), (1, ""), complained)
        self.assertRegex(complained, r"^minimal: .*URL.*\n$")

    def test_has_thirty_lines(self):
        source = pathlib.Path(__file__).parents[2] / "examples/minimal/main.cpp"
        lines = [
            line for line in source.read_text().splitlines() if line.strip() and not line.startswith("//")
        ]
        self.assertLessEqual(len(lines), 30)


class Outbox(ExampleTest):
    """Whatever was taken is told, and told once, whenever the shop dies."""

    def shop(self, *words):
        return self.start("outbox", self.dir / "shop", self.receiver.url, *words)

    def check(self, taken):
        """Lets the shop finish; then orders and notifications must be the same."""
        self.finish(self.shop())
        with sqlite3.connect(self.dir / "shop/shop.sqlite") as db:
            orders = {code for (code,) in db.execute("SELECT code FROM orders")}
            waiting = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        self.assertEqual(waiting, 0)
        self.assertLessEqual(set(taken), orders, "an order that was taken is lost")
        ids = {}
        for body in self.receiver.bodies:
            ids.setdefault(body["code"], set()).add(body["notification_id"])
        self.assertEqual(set(ids), orders, "orders and what was told differ")
        twice = {code: found for code, found in ids.items() if len(found) > 1}
        self.assertEqual(twice, {}, "an order was published twice")
        return orders

    def test_tells_of_each_order(self):
        said = self.finish(self.shop(), text="".join(f"A{i}\n" for i in range(20)))
        self.assertEqual(said.count("taken "), 20)
        self.assertEqual(len(self.check(f"A{i}" for i in range(20))), 20)

    def test_an_order_that_comes_again_is_told_once(self):
        said = self.finish(self.shop(), text="A1\nA2\nA1\n")
        self.assertEqual(said, "taken A1\ntaken A2\ntaken A1\n")
        self.assertEqual(self.check(["A1", "A2"]), {"A1", "A2"})

    def test_an_order_comes_again_as_nobody_said_it_was_taken(self):
        self.finish(self.shop("--die-after", "insert"), code=-9, text="A1\n")
        self.assertEqual(self.finish(self.shop(), text="A1\nA2\n"), "taken A1\ntaken A2\n")
        self.assertEqual(self.check(["A1", "A2"]), {"A1", "A2"})

    def test_dies_before_it_has_published(self):
        self.finish(self.shop("--die-after", "insert"), code=-9, text="A1\nA2\n")
        self.assertEqual(self.receiver.bodies, [])
        self.assertEqual(self.check(["A1"]), {"A1"})

    def test_dies_between_publishing_and_forgetting(self):
        self.finish(self.shop("--die-after", "publish"), code=-9, text="A1\nA2\n")
        self.assertEqual(self.check(["A1"]), {"A1"})

    def test_dies_at_any_moment(self):
        chance = random.Random(SEED)
        print(f"FANFARE_SEED={SEED}")
        taken, number, until = [], 0, time.monotonic() + 15
        rounds = 0
        while time.monotonic() < until and rounds < 40:
            rounds += 1
            child = self.shop()
            killer = threading.Timer(chance.uniform(0, 0.4), child.kill)
            killer.start()
            reader = threading.Thread(
                target=lambda out=child.stdout: taken.extend(
                    line.split()[1] for line in out if line.startswith("taken ") and line[-1] == "\n"
                )
            )
            reader.start()
            try:
                while child.poll() is None:
                    number += 1
                    child.stdin.write(f"B{number}\n")
                    child.stdin.flush()
            except BrokenPipeError:
                pass
            killer.join()
            child.wait(PATIENCE)
            self.assertEqual(child.returncode, -9, child.stderr.read())
            reader.join(PATIENCE)
        orders = self.check(taken)
        print(f"{rounds} deaths, {len(orders)} orders, {len(self.receiver.bodies)} calls")
        self.assertGreater(rounds, 5)
        self.assertGreater(len(taken), 20)


class Python(ExampleTest):
    def test_tells_how_it_is_called(self):
        done = subprocess.run(
            ["/usr/bin/python3", pathlib.Path(__file__).parents[2] / "examples/python/shop.py"],
            cwd=self.dir, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "usage: shop.py DIR\n")

    def test_publishes_through_the_interface_for_c(self):
        done = subprocess.run(
            ["/usr/bin/python3", pathlib.Path(__file__).parents[2] / "examples/python/shop.py", "data"],
            cwd=self.dir, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(
            done.stdout.splitlines(),
            [
                "on disk: (1, 1)",
                'arrived: {"notification_id": 1, "organizer": "shop", "code": "A1", '
                '"action": "shop.order.placed"}',
                "genuine: True",
            ],
        )


class Metrics(ExampleTest):
    def scrape(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as page:
            self.assertTrue(page.headers["Content-Type"].startswith("text/plain"))
            return page.read().decode()

    def value(self, text, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        self.assertTrue(found, text)
        return float(found[1])

    def test_shows_the_engines_figures_beside_its_own(self):
        child = self.start("metrics", "127.0.0.1:0", self.dir / "data")
        port = int(child.stdout.readline().split()[-1])
        text = self.scrape(port)
        self.assertEqual(self.value(text, "fanfare_notifications_total"), 0)
        self.assertEqual(self.value(text, "fanfare_ready"), 1)
        self.assertEqual(self.value(text, "shop_orders_total"), 0)
        self.assertIn("# TYPE fanfare_calls_total counter", text)
        for _ in range(3):
            child.stdin.write("order\n")
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), "published\n")
        text = self.scrape(port)
        self.assertEqual(self.value(text, "fanfare_notifications_total"), 3)
        self.assertEqual(self.value(text, "shop_orders_total"), 3)
        self.finish(child)


if __name__ == "__main__":
    unittest.main()
