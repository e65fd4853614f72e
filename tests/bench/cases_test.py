# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases with real programs, in the sizes of --quick: they find what they look for.

FANFARE_PROGRAM is the program that is measured, FANFARE_STORE_TOOL what fills a store.
"""

import json
import os
import pathlib
import tempfile
import unittest

from support import run_bench

PROGRAM = os.environ["FANFARE_PROGRAM"]
TOOLS = pathlib.Path(os.environ["FANFARE_STORE_TOOL"]).parent


class CasesTest(unittest.TestCase):
    def run_case(self, name):
        """Its results by variant; none may have been judged."""
        output = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        done = run_bench(
            *(name, "--quick", "--binary", PROGRAM, "--tools", TOOLS, "--output", output)
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads((output / "results.json").read_text())["results"]
        for result in results:
            self.assertEqual(result["case"], name)
            self.assertIsNone(result["met"])
            self.assertGreater(result["measured"]["median"], 0)
        return {result["variant"]: result for result in results}

    def test_million(self):
        results = self.run_case("million")
        self.assertEqual(
            list(results), ["N = 20,000", "peak memory", "notice of another organizer, p99"]
        )
        self.assertEqual(results["N = 20,000"]["settings"]["reference_webhooks"], 4000)
        self.assertGreater(results["N = 20,000"]["ratio"]["median"], 0)
        notice = results["notice of another organizer, p99"]
        self.assertGreater(notice["settings"]["notices"], 0)
        self.assertLessEqual(notice["cost"]["p50_ms"], notice["cost"]["max_ms"])

    def test_reads(self):
        results = self.run_case("reads")
        self.assertEqual(list(results), ["publishes beside 1,000 reads/s", "a read, p99"])
        self.assertGreater(results["publishes beside 1,000 reads/s"]["ratio"]["median"], 0)
        self.assertGreater(results["a read, p99"]["cost"]["reads"], 100)


if __name__ == "__main__":
    unittest.main()
