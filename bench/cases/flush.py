# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""flush: what the disk alone takes of commits, one after the other: 20 records of 240
bytes that go to a file whose blocks were written before, in whole blocks past the cache
as Fanfare's log writes them, and one flush. Beside it, in turns, the same through the
cache, and what a commit of LMDB is made of: a path of pages and a flush, then the page
that makes them count, written through."""

import mmap
import os
import time

from harness.results import Result

RECORD = 240
RECORDS = 20
PAGE = 4096
PAGES = 7  # that a commit of one publish writes in LMDB, as strace shows
LENGTH = 16 << 20  # of the files; no commit makes them longer


def _timed(bench, commit):
    """How many commits a second; `commit` gets their number."""
    count = 0
    start = time.monotonic()
    while (took := time.monotonic() - start) < bench.seconds:
        commit(count)
        count += 1
    return count / took


class _Filled:
    """A file of zeros, on disk, which is gone afterwards."""

    def __init__(self, bench):
        self._name = bench.folder("disk")
        self.file = os.open(self._name, os.O_RDWR | os.O_CREAT)
        for at in range(0, LENGTH, PAGE):
            os.pwrite(self.file, bytes(PAGE), at)
        os.fsync(self.file)
        self.through = os.open(self._name, os.O_RDWR | os.O_DSYNC)
        self.past = os.open(self._name, os.O_RDWR | os.O_DIRECT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in (self.file, self.through, self.past):
            os.close(file)
        self._name.unlink()


def of_a_log(bench, records=RECORDS):
    """Commits a second with one flush each, past the cache."""
    size = RECORD * records
    places = LENGTH // size - 1
    with _Filled(bench) as to, mmap.mmap(-1, size + 2 * PAGE) as blocks:
        blocks.write(os.urandom(len(blocks)))

        def commit(number):
            at = number % places * size
            begin, end = at // PAGE * PAGE, -(-(at + size) // PAGE) * PAGE
            with memoryview(blocks)[: end - begin] as group:
                os.pwrite(to.past, group, begin)
            os.fdatasync(to.past)

        return _timed(bench, commit)


def of_a_cached_log(bench, records=RECORDS):
    """The same through the cache."""
    group = os.urandom(RECORD * records)
    places = LENGTH // len(group)
    with _Filled(bench) as to:

        def commit(number):
            os.pwrite(to.file, group, number % places * len(group))
            os.fdatasync(to.file)

        return _timed(bench, commit)


def of_pages(bench):
    """The same of pages, with two waits each."""
    page = os.urandom(PAGE)
    places = LENGTH // PAGE
    with _Filled(bench) as to:

        def commit(number):
            for i in range(PAGES):
                os.pwrite(to.file, page, (2 + (number * PAGES + i) % (places - 2)) * PAGE)
            os.fdatasync(to.file)
            os.pwrite(to.through, page[:120], number % 2 * PAGE)

        return _timed(bench, commit)


def run(bench):
    log, cached, pages = [], [], []
    for _ in range(bench.rounds):
        log.append(of_a_log(bench))
        cached.append(of_a_cached_log(bench))
        pages.append(of_pages(bench))
        bench.say(
            f"flush: {log[-1]:,.0f}/s beside {cached[-1]:,.0f}/s through the cache, "
            f"and {pages[-1]:,.0f}/s of LMDB's"
        )
    for variant, reference, note in (
        ("one flush of a log", pages, "a commit of LMDB, with two waits"),
        ("the same, beside through the cache", cached, "the same through the cache"),
    ):
        yield Result.beside(
            log,
            reference,
            case="flush",
            variant=variant,
            unit="commits/s",
            goal="",
            holds=lambda ratio: None,
            settings={"records": RECORDS, "bytes": RECORD, "pages": PAGES},
            note=f"the reference is {note}",
        )
