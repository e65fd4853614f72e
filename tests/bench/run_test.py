# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""bench/run.py with real programs: what it counts, and that it fails when it must.

FANFARE_PROGRAM is the program that is measured.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

from support import ROOT, NaiveServer, run_bench

from harness.processes import BenchError, Nginx, Process, Server, wait_until, wrk

PROGRAM = os.environ["FANFARE_PROGRAM"]
WEBHOOKS, NOTIFICATIONS = 10, 20
FIGURES = ("measured", "reference", "ratio")
SIZES = {"webhooks": WEBHOOKS, "notifications": NOTIFICATIONS}


class RunTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_cases(self, *cases, adapter, environment, binary=PROGRAM, python=()):
        """(how it ended, results.json)"""
        file = self.folder / "peer.json"
        file.write_text(json.dumps({**SIZES, **adapter}))
        done = run_bench(
            *cases,
            *("--quick", "--binary", binary, "--output", self.folder / "output"),
            *("--peer-adapter", file),
            python=python,
            environment=environment,
        )
        return done, json.loads((self.folder / "output/results.json").read_text())

    def test_counts_every_delivery_and_reports_all(self):
        adapter = json.loads((ROOT / "bench/peers/fanfare.json").read_text())
        with Server(self.folder / "peer", PROGRAM, organizer=False) as peer:
            done, report = self.run_cases(
                *("limit", "peers"),
                adapter={
                    **adapter,
                    "signature": "webhook-signature",
                    "processes": [{"name": "Fanfare", "pid": str(peer.pid)}],
                },
                environment={"FANFARE_URL": peer.url, "FANFARE_ADMIN_TOKEN": Server.TOKEN},
                python=["-S"],  # without matplotlib, which must not matter
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_log_of(peer)
        self.assertIn("no plots: install", done.stderr)
        self.assertEqual(
            list(report), ["began", "commit", "machine", "programs", "settings", "results", "wrong"]
        )
        self.assertEqual(report["wrong"], [])
        self.assertEqual(report["settings"], {"quick": True, "rounds": 1, "seconds": 1})
        limit, peers, *others = report["results"]
        self.assertEqual((limit["case"], limit["variant"]), ("limit", ""))
        self.assertEqual((peers["case"], peers["variant"]), ("peers", "Fanfare"))
        self.assertEqual(peers["settings"], {**SIZES, "processes": ["Fanfare"]})
        self.assertEqual(
            [one["variant"].removeprefix("Fanfare, ") for one in others],
            ["latency, p50", "latency, p99"]
            + ["publish, 16 connections", "publish, 64 connections"],
        )
        figures = [one[key] for one in (peers, *others) for key in FIGURES]
        for figure in (limit["measured"], *figures):
            self.assertEqual(figure["rounds"], 1)
            self.assertGreater(figure["median"], 0)
        self.assertEqual(
            list(peers["cost"]),
            [
                "cpu_s_per_1000",
                "cpu_s_per_1000_fanfare",
                "peak_mib",
                "disk_bytes_per_delivery",
                "connections_per_1000",
                "cpu_s_per_1000_peer",
                "peak_mib_peer",
                "disk_bytes_per_delivery_peer",
                "connections_per_1000_peer",
                "idle_mib",
                "idle_mib_peer",
            ],
        )
        self.assertGreaterEqual(peers["cost"]["peak_mib_peer"], peers["cost"]["idle_mib_peer"])
        self.assertIn("| peers, Fanfare", done.stdout)
        self.assertTrue(0 <= report["machine"]["stolen"] <= 1, report["machine"])

    def check_log_of(self, peer):
        """The peer's own log shows the round and what was delivered before it."""
        organizers = peer.call("GET", "/organizers/")["results"]
        # Of the fan-out, of the latency, and of publishes that nobody gets.
        webhooks, slug = max(
            (
                (peer.call("GET", f"/organizers/{one['slug']}/webhooks/")["results"], one["slug"])
                for one in organizers
                if one["slug"].startswith("bench-")
            ),
            key=lambda found: len(found[0]),
        )
        self.assertEqual(len(webhooks), WEBHOOKS)
        wanted = NOTIFICATIONS + NOTIFICATIONS // 4
        for webhook in webhooks:
            wait_until(
                lambda: peer.count_logged(webhook["id"], organizer=slug) == wanted,
                20,
                f"logging the calls of webhook {webhook['id']}",
            )

    def test_does_not_guess_what_a_peer_used(self):
        with NaiveServer() as peer:
            done, report = self.run_cases(
                "peers", adapter=NaiveServer.ADAPTER, environment=peer.environment
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            [key for key in report["results"][0]["cost"] if key.endswith("_peer")],
            ["connections_per_1000_peer"],
        )
        self.assertIn('has no "number-{n}", so latency is not measured', done.stderr)

    def test_fails_if_a_peer_does_not_sign_as_it_says(self):
        with NaiveServer() as peer:
            done, report = self.run_cases(
                "peers",
                adapter={**NaiveServer.ADAPTER, "signature": "x-naive"},
                environment=peer.environment,
            )
        self.assertEqual(done.returncode, 1)
        # The peer does not mind: it takes 400 for an answer, too.
        self.assertIn("calls had none of the headers webhook-signature, x-naive", report["wrong"][0])

    def test_goes_on_and_fails_with_a_program_that_does_not_start(self):
        with NaiveServer() as peer:
            done, report = self.run_cases(
                *("limit", "peers"),
                adapter=NaiveServer.ADAPTER,
                environment=peer.environment,
                binary="/bin/false",
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn("script/bench: peers: fanfare ended with 1", done.stderr)
        self.assertEqual([result["case"] for result in report["results"]], ["limit"])
        self.assertEqual(len(report["wrong"]), 1)

    def test_fails_if_a_delivery_is_lost(self):
        with NaiveServer(lose=100) as peer:
            done, report = self.run_cases(
                "peers",
                adapter={**NaiveServer.ADAPTER, "seconds": 2},
                environment=peer.environment,
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(report["results"], [])
        self.assertEqual(report["wrong"], ["peers: only 199 of 200 requests came within 2 s"])

    def test_fails_if_a_delivery_comes_twice(self):
        with NaiveServer(repeat=100) as peer:
            done, report = self.run_cases(
                "peers", adapter=NaiveServer.ADAPTER, environment=peer.environment
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(report["wrong"], ["peers: 201 requests came instead of 200"])

    def test_a_reference_that_fails_is_none(self):
        with Nginx(self.folder / "nginx") as nginx:
            self.assertGreater(wrk(f"{nginx.url}/hook/1", seconds=1).rate, 0)
            # It has no signature.
            with self.assertRaisesRegex(BenchError, "requests to .* failed"):
                wrk(f"{nginx.url}/hook/1", script="publish.lua", seconds=1)

    def test_a_program_that_does_not_get_ready_is_ended(self):
        with self.assertRaisesRegex(BenchError, "longer than 0.1 s"):
            with Process(["sleep", "60"], log=self.folder / "log") as program:
                program.started_if(lambda: False, 0.1, "its start")
        self.assertEqual(program.child.returncode, -signal.SIGKILL)

    def test_ends_what_it_started_when_it_is_told_to_end(self):
        output = self.folder / "output"
        arguments = ["limit", "--rounds", "50", "--output", output]
        running = subprocess.Popen(
            [sys.executable, ROOT / "bench/run.py", *arguments],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": str(self.folder)},
        )
        try:

            def written():
                return [file.read_text() for file in self.folder.glob("*/*/nginx.pid")]

            wait_until(lambda: any(written()), 20, "nginx's start")
            (pid,) = map(int, written())
        finally:
            running.terminate()
            self.assertEqual(running.wait(60), 128 + signal.SIGTERM)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assertEqual([*self.folder.glob("fanfare-bench-*")], [])

    def test_fails_with_an_adapter_that_is_wrong(self):
        done, report = self.run_cases("peers", adapter={"name": "x"}, environment={})
        self.assertEqual(done.returncode, 1)
        self.assertIn("peer.json: register: is missing", report["wrong"][0])


if __name__ == "__main__":
    unittest.main()
