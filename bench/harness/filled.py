# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Data directories that are large: bench/tools/store.cpp makes them, and counts."""

import json
import os
import subprocess

from harness.processes import BenchError


def tool(bench, *words):
    """What it prints. No server may use the directory meanwhile."""
    done = subprocess.run(
        [bench.tools / "store", *map(str, words)], capture_output=True, text=True, timeout=600
    )
    if done.returncode != 0:
        raise BenchError(done.stderr.strip() or f"store ended with {done.returncode}")
    return done.stdout


def fill(bench, data, what, count):
    tool(bench, what, data, count)


def check(bench, data, **wanted):
    """Fails unless the store holds so many organizers, webhooks, …; answers all
    counts. `undelivered` are those that wait, for a retry or a first attempt."""
    found = json.loads(tool(bench, "count", data))
    found["undelivered"] = sum(sum(one.values()) for one in found["waiting"].values())
    for what, count in wanted.items():
        if found[what] != count:
            raise BenchError(f"the store has {found[what]} {what} instead of {count}")
    return found


def forget_cached(data):
    """The next who reads the store has to ask the disk for it."""
    for path in data.iterdir():
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            try:
                os.fsync(file)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)
