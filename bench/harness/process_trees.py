# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""What programs use that somebody else started: all the processes of a peer."""

import contextlib
import pathlib
import threading
from dataclasses import dataclass

from harness.processes import TICK, BenchError, Usage, usage_of

KINDS = ("pid", "pid_file", "cgroup")
LOOK_EVERY = 0.25  # seconds


def children_of(pid):
    """Those that any of its threads has started."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        # A thread may end meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return found


@dataclass
class Tree:
    """One program: a process, or those of a cgroup, with all their descendants."""

    name: str  # e.g. "PostgreSQL"
    kind: str  # of KINDS
    where: str  # a process id, or the path of a file or folder

    def _wrong(self, why):
        return BenchError(f"the processes of {self.name} are not known: {why}")

    def _roots(self):
        try:
            if self.kind == "pid":
                return [int(self.where)]
            if self.kind == "pid_file":  # PostgreSQL's has more lines
                return [int(pathlib.Path(self.where).read_text().split()[0])]
            files = [*pathlib.Path(self.where).rglob("cgroup.procs")]
            roots = [int(word) for file in files for word in file.read_text().split()]
        except (ValueError, IndexError):
            raise self._wrong(f"{self.kind} {self.where!r} is, or holds, no process id") from None
        except OSError as error:
            raise self._wrong(f"{error}; start it, or correct {self.kind}") from None
        if not roots:
            raise self._wrong(f"there are none in the cgroup {self.where}; start it, or correct it")
        return roots

    def pids(self):
        """All that there are now."""
        roots, found = self._roots(), {}
        waiting = list(roots)
        while waiting:
            pid = waiting.pop()
            if pid in found:
                continue
            try:
                waiting += children_of(pid)
                found[pid] = True
            except (FileNotFoundError, ProcessLookupError):
                if pid in roots and self.kind != "cgroup":
                    raise self._wrong(f"there is no process {pid}; start it again") from None
        return [*found]


class ProcessTrees:
    """Several programs, measured like one. Memory is their proportional set size: what
    is resident, with pages that processes share counted once."""

    def __init__(self, trees):
        self._trees = trees
        self._peak, self._looking = 0.0, None

    @property
    def names(self):
        return [tree.name for tree in self._trees]

    def check(self):
        """Raises if one has ended: nothing would be measured."""
        for tree in self._trees:
            tree.pids()

    def usage(self):
        """With what descendants have used that ended since."""
        return sum(self._of_each(self._usage), Usage())

    def memory(self):
        """Now, in MiB."""
        return sum(self._of_each(self._memory))

    def reset_peak(self):
        self._stop_looking()
        self._peak, ended = self.memory(), threading.Event()

        def look():
            # What a look costs is the machine's: the peer is not asked.
            with contextlib.suppress(BenchError):  # `check` tells
                while not ended.wait(LOOK_EVERY):
                    self._peak = max(self._peak, self.memory())

        self._looking = (threading.Thread(target=look, daemon=True), ended)
        self._looking[0].start()

    def peak_memory(self):
        """The most at one time since `reset_peak`, looked at four times a second."""
        self._stop_looking()
        self._peak = max(self._peak, self.memory())
        return self._peak

    def _stop_looking(self):
        if self._looking:
            thread, ended = self._looking
            ended.set()
            thread.join()
            self._looking = None

    def _of_each(self, measure):
        # Programs may share a process: those of a cgroup, and one of its pids.
        names = {pid: tree.name for tree in self._trees for pid in tree.pids()}
        found = []
        for pid, name in names.items():
            try:
                found.append(measure(pid))
            except PermissionError:
                raise BenchError(
                    f"what process {pid} of {name} uses is for its own user and root to see:"
                    " run script/bench as root"
                ) from None
            except (FileNotFoundError, ProcessLookupError, IndexError):
                pass  # it has ended since it was found
        return found

    @staticmethod
    def _usage(pid):
        own = usage_of(pid)
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return own + Usage(cpu=(int(stat[13]) + int(stat[14])) * TICK)

    @staticmethod
    def _memory(pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.partition("\nPss:")[2].split()[0]) / 1024
