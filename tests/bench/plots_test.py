# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Plots: a results.json becomes a picture per case. Skipped without matplotlib."""

import json
import pathlib
import tempfile
import unittest
import xml.etree.ElementTree

import support  # noqa: F401  makes harness importable

from harness import plots
from harness.results import Result, Spread

SPREAD = Spread(20, 10, 30, 3)


@unittest.skipIf(plots.missing(), plots.missing())
class PlotsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        results = [
            Result("one", "a", "x/s", SPREAD, reference=SPREAD, ratio=SPREAD),
            Result("one", "b", "MiB", SPREAD),
            Result("two", "", "x/s", Spread(1, 1, 1, 1)),
        ]
        self.report = {"results": [result.to_json() for result in results]}

    def drawn(self):
        return sorted(file.name for file in self.folder.glob("*.svg"))

    def test_are_a_file_per_case(self):
        plots.draw(self.report, self.folder)
        self.assertEqual(self.drawn(), ["one.svg", "two.svg"])
        for name in self.drawn():
            root = xml.etree.ElementTree.parse(self.folder / name).getroot()
            self.assertTrue(root.tag.endswith("svg"), root.tag)

    def test_are_drawn_again_from_a_file(self):
        file = self.folder / "results.json"
        file.write_text(json.dumps(self.report))
        self.assertEqual(plots.main([str(file), "--output", str(self.folder / "again")]), 0)
        self.assertTrue((self.folder / "again/one.svg").exists())

    def test_are_none_without_results(self):
        plots.draw({"results": []}, self.folder)
        self.assertEqual(self.drawn(), [])


if __name__ == "__main__":
    unittest.main()
