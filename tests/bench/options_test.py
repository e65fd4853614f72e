# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""bench/run.py: its options, and what it says when something is missing."""

import unittest
from unittest import mock

from support import ROOT, run_bench

from harness import bullmq
from harness.processes import BenchError

# Python without Debian's packages, so without matplotlib.
BARE = ["-S"]


class OptionsTest(unittest.TestCase):
    def test_help_names_the_options(self):
        done = run_bench("--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        for option in ("--quick", "--rounds", "--seconds", "--output", "--peer-adapter"):
            self.assertIn(option, done.stdout)

    def test_an_unknown_case_is_refused_with_those_that_there_are(self):
        done = run_bench("fanin")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no case 'fanin'; there are ", done.stderr)
        for file in (ROOT / "bench/cases").glob("[a-z]*.py"):
            self.assertIn(file.stem, done.stderr)

    def test_an_adapter_without_its_case_is_refused(self):
        done = run_bench("limit", "--peer-adapter", "peer.json")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--peer-adapter is for the case peers", done.stderr)

    def test_plots_without_matplotlib_say_what_to_install(self):
        done = run_bench("plots", python=BARE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no plots: install the Debian package python3-matplotlib", done.stderr)


class BullMqTest(unittest.TestCase):
    """What is missing is told in a sentence."""

    def refused(self, said, programs=("redis-server", "node"), folder=ROOT):
        with (
            mock.patch("shutil.which", lambda name: name if name in programs else None),
            mock.patch.object(bullmq, "FOLDER", folder),
            self.assertRaisesRegex(BenchError, said),
        ):
            bullmq.require_programs()

    def test_needs_redis(self):
        self.refused("Redis is missing: install the Debian package", programs=["node"])

    def test_needs_node(self):
        self.refused("Node.js is missing: install version", programs=["redis-server"])

    def test_needs_its_packages(self):
        self.refused("BullMQ is missing: .* script/bootstrap --bench", folder=ROOT / "docs")


if __name__ == "__main__":
    unittest.main()
