#!/usr/bin/python3
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What bench/instructions/check says about figures that it is given."""

import json
import pathlib
import subprocess
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "bench/instructions"


class InstructionsCheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.baseline = pathlib.Path(folder.name, "baseline.json")
        self.measured = pathlib.Path(folder.name, "measured.json")
        self.baseline.write_text(json.dumps({"parse": 2000, "sign": 1000}))

    def check(self, measured, *options):
        self.measured.write_text(json.dumps(measured))
        return subprocess.run(
            [FOLDER / "check", "--measured", self.measured, "--baseline", self.baseline, *options],
            capture_output=True,
            text=True,
            timeout=20,
        )

    def test_passes_while_a_part_is_within_the_tolerance(self):
        for sign in (1040, 1050, 950):
            done = self.check({"parse": 2000, "sign": sign})
            self.assertEqual((done.returncode, done.stderr), (0, ""), sign)

    def test_prints_a_line_for_each_part(self):
        done = self.check({"parse": 2000, "sign": 1040})
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(
            lines,
            [
                ["part", "baseline", "now", "change"],
                ["parse", "2000", "2000", "+0.0%"],
                ["sign", "1000", "1040", "+4.0%"],
            ],
        )

    def test_fails_when_a_part_became_dearer_and_says_what_to_do(self):
        done = self.check({"parse": 2000, "sign": 1060})
        self.assertEqual(done.returncode, 1)
        self.assertIn("sign needs 6.0% more instructions than its baseline", done.stderr)
        self.assertIn("find out why", done.stderr)
        self.assertNotIn("parse", done.stderr)

    def test_fails_when_a_part_became_cheaper_so_that_it_is_recorded(self):
        done = self.check({"parse": 2000, "sign": 940})
        self.assertEqual(done.returncode, 1)
        self.assertIn("good; record it with bench/instructions/check --update", done.stderr)

    def test_fails_when_a_part_is_new_or_gone(self):
        done = self.check({"parse": 2000, "render": 10})
        self.assertEqual(done.returncode, 1)
        self.assertIn("render is not in both", done.stderr)
        self.assertIn("sign is not in both", done.stderr)

    def test_update_records_what_was_measured_in_order(self):
        now = {"sign": 700, "parse": 2000, "encode": 10}
        self.assertEqual(self.check(now, "--update").returncode, 0)
        self.assertEqual(
            self.baseline.read_text(), '{\n  "encode": 10,\n  "parse": 2000,\n  "sign": 700\n}\n'
        )
        self.assertEqual(self.check(now).returncode, 0)

    def test_figures_that_cannot_be_read_are_no_success(self):
        self.baseline.write_text("{")
        done = self.check({"sign": 1000})
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith("bench/instructions/check: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
