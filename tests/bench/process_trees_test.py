# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What processes use that somebody else started."""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

import support  # noqa: F401  makes harness importable

from harness import process_trees
from harness.process_trees import ProcessTrees, Tree
from harness.processes import BenchError

# A child that waits, and one that ends after so much processor time; then their parent
# says so and waits as well.
PARENT = """
import subprocess, sys, time
waits = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
busy = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", busy], check=True)
print(waits.pid, flush=True)
input()
waits.communicate(b"\\n")
"""


class ProcessTreesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parent = subprocess.Popen(
            [sys.executable, "-S", "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        cls.addClassCleanup(cls.parent.communicate, b"\n")
        cls.child = int(cls.parent.stdout.readline())

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def written(self, name, text):
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return str(file)

    def refused(self, said, kind, where):
        with self.assertRaisesRegex(BenchError, f"the processes of peer are not known: .*{said}"):
            ProcessTrees([Tree("peer", kind, where)]).check()

    def test_are_found_by_pid_by_file_and_by_cgroup(self):
        pid = self.parent.pid
        file = self.written("peer.pid", f"{pid}\n/var/lib/peer\n")
        self.written("cgroup/cgroup.procs", "")
        self.written("cgroup/below/cgroup.procs", f"{pid}\n{self.child}\n")
        for kind, where in (
            ("pid", str(pid)),
            ("pid_file", file),
            ("cgroup", str(self.folder / "cgroup")),
        ):
            self.assertEqual(sorted(Tree("peer", kind, where).pids()), sorted([pid, self.child]))

    def test_count_children_and_what_ended_ones_used(self):
        both = ProcessTrees([Tree("peer", "pid", str(self.parent.pid))])
        child = ProcessTrees([Tree("child", "pid", str(self.child))])
        self.assertGreaterEqual(both.usage().cpu, 0.29)  # ticks are rounded
        self.assertGreater(child.memory(), 0)
        self.assertGreater(both.memory(), child.memory())

    def test_count_a_process_once_that_is_named_twice(self):
        tree = Tree("peer", "pid", str(self.child))
        self.assertLess(ProcessTrees([tree, tree]).memory(), 1.5 * ProcessTrees([tree]).memory())

    def test_know_the_most_memory_at_one_time(self):
        trees = ProcessTrees([Tree("peer", "pid", str(self.parent.pid))])
        memory, looked = [20, 30, 10], threading.Event()

        def look():
            if len(memory) > 1:
                return memory.pop()
            looked.set()
            return memory[0]

        with (
            mock.patch.object(trees, "memory", look),
            mock.patch.object(process_trees, "LOOK_EVERY", 0.001),
        ):
            trees.reset_peak()
            self.assertTrue(looked.wait(20))
            self.assertEqual(trees.peak_memory(), 30)
            trees.reset_peak()
            self.assertEqual(trees.peak_memory(), 20)

    def test_say_what_is_wrong(self):
        self.refused("'x' is, or holds, no process id", "pid", "x")
        self.refused("is, or holds, no process id", "pid_file", self.written("none", ""))
        self.refused("No such file.*start it, or correct pid_file", "pid_file", "/none")
        self.refused("there are none in the cgroup /none; start it", "cgroup", "/none")

    def test_say_that_a_process_has_ended(self):
        done = subprocess.Popen(["true"])
        done.wait()
        self.refused(f"there is no process {done.pid}; start it again", "pid", str(done.pid))

    def test_say_who_may_look(self):
        trees = ProcessTrees([Tree("peer", "pid", str(os.getpid()))])
        with (
            mock.patch.object(process_trees, "usage_of", side_effect=PermissionError),
            self.assertRaisesRegex(BenchError, "of peer uses .* run script/bench as root"),
        ):
            trees.usage()


if __name__ == "__main__":
    unittest.main()
