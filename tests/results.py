#!/usr/bin/python3
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Sums up test runs from the JUnit files that CTest has written.

  results.py [--allowed FILE] JUNIT...
  results.py --self-test

  --allowed    the tests that may be skipped, tests/allowed_skips unless told
               otherwise; its head describes it
  JUNIT        build/PRESET/tests.xml; the folder names the preset

Lists the skipped tests with their reasons and ends with a line of counts. Fails
if a test failed, or was skipped that may not be: a test that no longer runs must
be noticed.
"""

import fnmatch
import pathlib
import re
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ALLOWED = pathlib.Path(__file__).with_name("allowed_skips")
# As GoogleTest and unittest give it.
REASON = re.compile(r": Skipped\n(?P<gtest>.+)|skipped ['\"](?P<unittest>.+)['\"]$", re.M)


def read_allowed(path):
    """(preset, test) patterns."""
    lines = [line.split(None, 2) for line in path.read_text().splitlines()]
    return [(line[0], line[1]) for line in lines if line and line[0][0] != "#"]


def reason_of(case):
    found = REASON.search(case.findtext("system-out") or "")
    return (found["gtest"] or found["unittest"]) if found else "no reason given"


class Run:
    """The results of one preset."""

    def __init__(self, path):
        self.preset = path.parent.name
        self.total, self.failed, self.skipped = 0, [], {}
        for case in ElementTree.parse(path).iter("testcase"):
            if case.get("status") == "disabled":  # run by hand: GoogleTest's DISABLED_
                continue
            self.total += 1
            if case.find("failure") is not None or case.get("status") == "fail":
                self.failed.append(case.get("name"))
            elif case.find("skipped") is not None or case.get("status") != "run":
                self.skipped[case.get("name")] = reason_of(case)

    def new_skips(self, allowed):
        return [
            name
            for name in self.skipped
            if not any(
                fnmatch.fnmatchcase(self.preset, preset) and fnmatch.fnmatchcase(name, test)
                for preset, test in allowed
            )
        ]


def summary(runs):
    """In the words of CTest."""
    total = sum(run.total for run in runs)
    failed = sum(len(run.failed) for run in runs)
    skipped = sum(len(run.skipped) for run in runs)
    percent = 100 * (total - failed) // total if total else 0
    each = ", ".join(f"{run.preset} {run.total}" for run in runs)
    return (
        f"{percent}% tests passed, {failed} tests failed out of {total} "
        f"({each}; {skipped} skipped)"
    )


def report(paths, allowed, out):
    """Prints all; returns whether something is wrong."""
    runs = [Run(path) for path in paths]
    wrong = False
    for run in runs:
        for name in run.failed:
            print(f"{run.preset}: failed: {name}", file=out)
            wrong = True
        for name, reason in run.skipped.items():
            print(f"{run.preset}: skipped: {name}: {reason}", file=out)
        for name in run.new_skips(allowed):
            print(f"{run.preset}: {name} may not be skipped, see {ALLOWED}", file=out)
            wrong = True
    print(summary(runs), file=out)
    return wrong or not any(run.total for run in runs)


# -- self-test -----------------------------------------------------------------

PASSED = '<testcase name="a" status="run"/>'
DISABLED = '<testcase name="d" status="disabled"><system-out>Disabled</system-out></testcase>'
FAILED = '<testcase name="b" status="fail"><failure/></testcase>'
SKIPPED = (
    '<testcase name="x.Y.Z" status="notrun"><skipped/>'
    "<system-out>f.cpp:1: Skipped\nno IPv6 here\n</system-out></testcase>"
)
# The test cases, the skips allowed, whether that is wrong, and a line printed.
SELF_TESTS = [
    (PASSED, [], False, "100% tests passed, 0 tests failed out of 1 (dev 1; 0 skipped)"),
    (PASSED + FAILED, [], True, "50% tests passed, 1 tests failed out of 2 (dev 2; 0 skipped)"),
    (FAILED, [("*", "*")], True, "dev: failed: b"),
    (PASSED + DISABLED, [], False, "100% tests passed, 0 tests failed out of 1 (dev 1; 0 skipped)"),
    ("", [], True, "0% tests passed, 0 tests failed out of 0 (dev 0; 0 skipped)"),
    (SKIPPED, [("*", "x.Y.*")], False, "dev: skipped: x.Y.Z: no IPv6 here"),
    (SKIPPED, [("dev", "x.Y.Z")], False, "dev: skipped: x.Y.Z: no IPv6 here"),
    (SKIPPED, [("asan", "x.Y.*")], True, f"dev: x.Y.Z may not be skipped, see {ALLOWED}"),
    (SKIPPED, [("dev", "x.Y")], True, f"dev: x.Y.Z may not be skipped, see {ALLOWED}"),
]


def self_test():
    failed = False
    for cases, allowed, wrong, line in SELF_TESTS:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "dev", "tests.xml")
            path.parent.mkdir()
            path.write_text(f"<testsuite>{cases}</testsuite>")
            with open(pathlib.Path(folder, "out"), "w+") as out:
                found = report([path], allowed, out)
                out.seek(0)
                lines = out.read().splitlines()
        if found != wrong or line not in lines:
            print(f"self-test: {found} and {lines} for {cases}")
            failed = True
    if not read_allowed(ALLOWED):
        print(f"self-test: {ALLOWED} says nothing")
        failed = True
    if not failed:
        print("results: a failed test and a new skip are found")
    return failed


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments[:1] == ["--self-test"]:
        return self_test()
    allowed = ALLOWED
    if arguments[:1] == ["--allowed"]:
        allowed, arguments = pathlib.Path(arguments[1]), arguments[2:]
    if not arguments:
        sys.exit("results.py: which results? See --help")
    return report(map(pathlib.Path, arguments), read_allowed(allowed), sys.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
