# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What is done at a fixed rate, and the receiver that notes when calls come."""

import threading
import time
import unittest

from support import NaiveServer

from harness.open_loop import Act, OpenLoop, Receiver
from harness.processes import BenchError, wait_until


class OpenLoopTest(unittest.TestCase):
    def test_does_what_is_due_and_numbers_it(self):
        done = []
        with OpenLoop(500, [done.append, done.append], first=7) as loop:
            wait_until(lambda: len(done) >= 10, 20, "ten acts")
        self.assertEqual(sorted(done), [*range(7, 7 + len(done))])
        self.assertEqual([act.number for act in loop.acts], sorted(done))
        for one, other in zip(loop.acts, loop.acts[1:]):
            self.assertAlmostEqual(other.due - one.due, 1 / 500)
            self.assertGreaterEqual(one.began, one.due)

    def test_counts_the_time_that_an_act_waited_for_one_before_it(self):
        release = threading.Event()
        with OpenLoop(100, [lambda number: release.wait(20)]) as loop:
            start = time.perf_counter()
            wait_until(lambda: time.perf_counter() - start > 0.1, 20, "acts to be due")
            released = time.perf_counter()
            release.set()
            wait_until(lambda: len(loop.acts) > 5, 20, "the acts that waited")
        for act in loop.acts[:5]:
            self.assertGreaterEqual(act.took_ms, (released - act.due) * 1e3)
        self.assertGreater(loop.acts[1].late_ms, 50)

    def test_leaves_out_nothing_that_was_due(self):
        release = threading.Event()
        with OpenLoop(100, [lambda number: release.wait(20)]) as loop:
            start = time.perf_counter()
            wait_until(lambda: time.perf_counter() - start > 0.1, 20, "acts to be due")
            # The only worker is busy until after the end.
            threading.Timer(0.1, release.set).start()
        self.assertGreaterEqual(len(loop.acts), 10)
        self.assertEqual([act.number for act in loop.acts], [*range(len(loop.acts))])

    def test_raises_at_its_end_what_an_act_raised(self):
        failed = threading.Event()

        def fail(number):
            failed.set()
            raise BenchError(f"no {number}")

        with self.assertRaisesRegex(BenchError, "no 0"):
            with OpenLoop(100, [fail]):
                self.assertTrue(failed.wait(20))


class ReceiverTest(unittest.TestCase):
    def setUp(self):
        self.receiver = self.enterContext(Receiver())

    def call(self, code):
        NaiveServer.post(self.receiver.url, {"code": code})

    def test_notes_when_a_call_came(self):
        act = Act(3, time.perf_counter())
        self.call("number-3")
        self.receiver.wait_for([3])
        self.assertGreater(self.receiver.took_ms(act), 0)
        self.assertLess(self.receiver.took_ms(act), (time.perf_counter() - act.due) * 1e3)

    def test_fails_if_one_is_missing(self):
        self.call("number-3")
        with self.assertRaisesRegex(BenchError, "the arrival of 2 notifications"):
            self.receiver.wait_for([3, 4], 0.1)

    def test_fails_if_one_comes_twice(self):
        self.call("number-3"), self.call("number-3")
        with self.assertRaisesRegex(BenchError, "number 3 was delivered more than once"):
            self.receiver.wait_for([3])

    def test_fails_if_there_is_a_call_without_a_number(self):
        self.call("number-3"), self.call("other")
        with self.assertRaisesRegex(BenchError, "a call that nobody asked for: .*other"):
            self.receiver.wait_for([3])


if __name__ == "__main__":
    unittest.main()
