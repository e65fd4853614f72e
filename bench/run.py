# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs cases and writes what they found; started by script/bench, which builds.

  script/bench [CASE]... [--quick] [--rounds N] [--seconds N] [--output DIR]
  script/bench micro [OPTION]...     micro-benchmarks, options of Google Benchmark
  script/bench plots [FILE] [--output DIR]     draws a results.json again

Everything is started on loopback: the release server, nginx as the receiver, wrk
as the load. Each round of a case runs beside its reference, so that the ratio is
what to compare: these machines are noisy and differ from each other. --quick shows
that the cases work: its sizes say nothing about a goal, so none is judged.

Prints one table, and writes results.json and a plot per case into the output
directory, build/bench unless told otherwise. With FANFARE_BINARY=FILE another
build is measured. Exits with 1 if a case found something wrong (a delivery that is
missing, an answer that was not 2xx), not if a goal was missed: the table says so.
"""

import argparse
import datetime
import importlib
import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import subprocess
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import plots  # noqa: E402
from harness.bench import Bench  # noqa: E402
from harness.processes import BenchError, ROOT  # noqa: E402
from harness.results import plain, table  # noqa: E402

BINARY = ROOT / "build/release/fanfare"
PROGRAMS = {"nginx": "-v", "wrk": "-v", "redis-server": "--version", "node": "--version"}
CASES = sorted(path.stem for path in (HERE / "cases").glob("[a-z]*.py"))
ORDER = (
    "limit flush fanout million spread tls publish reads latency isolation backlog registered log"
    " embed peers"
).split()
CASES.sort(key=ORDER.index)


def machine():
    """What the figures were measured on."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    return {
        "cpu": cpuinfo.partition("model name")[2].partition(": ")[2].partition("\n")[0],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory) / 1024 / 1024, 1),
        "kernel": platform.release(),
    }


def processor_time():
    """(all of it, what the host of a virtual machine gave to others meanwhile)"""
    words = pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    times = [int(word) for word in words]
    return sum(times), times[7]


def programs():
    """What else took part, with its version."""
    found = {}
    for name, option in PROGRAMS.items():
        path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if path:
            done = subprocess.run([path, option], capture_output=True, text=True)
            found[name] = (done.stdout + done.stderr).strip().split("\n")[0]
    return found


def commit(binary):
    """What is measured, if it was built here."""
    if pathlib.Path(binary) != BINARY:
        return f"unknown: {binary}"

    def git(*words):
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return name + ("+changes" if git("status", "--porcelain") else "")


def read_options(arguments):
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS,
    )
    positive = lambda text: max(1, int(text))  # noqa: E731
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}; none: all")
    parser.add_argument("--quick", action="store_true", help="all cases in three minutes")
    parser.add_argument("--rounds", type=positive, help="of each case (default 5, quick 1)")
    parser.add_argument("--seconds", type=positive, help="per run of wrk (default 3, quick 1)")
    parser.add_argument(
        "--peer-adapter",
        type=pathlib.Path,
        metavar="FILE",
        help="case peers: compare with the server that FILE describes, not with BullMQ",
    )
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/bench")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help=argparse.SUPPRESS)
    parser.add_argument("--tools", default=ROOT / "build/release/bench", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    for case in options.case:
        if case not in CASES:
            parser.error(f"there is no case '{case}'; there are {', '.join(CASES)}")
    if options.peer_adapter:
        if "peers" not in (options.case or CASES):
            parser.error("--peer-adapter is for the case peers, which is not to be run")
        # Read from here: main works in another folder.
        options.peer_adapter = options.peer_adapter.resolve()
    options.output, options.binary = options.output.resolve(), options.binary.resolve()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 3)
    return options


def raise_descriptor_limit():
    """Each receiver and each of Fanfare's connections is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(arguments):
    if arguments[:1] == ["plots"]:
        return plots.main(arguments[1:])
    options = read_options(arguments)
    if options.check:  # what script/bench asks before it builds
        return 0
    raise_descriptor_limit()
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.chdir(ROOT)
    measured, results, wrong = commit(options.binary), [], []
    before = processor_time()
    began = datetime.datetime.now(datetime.timezone.utc)
    for case in options.case or CASES:
        print(f"{case}:", file=sys.stderr, flush=True)
        bench = Bench(
            binary=options.binary,
            tools=options.tools,
            quick=options.quick,
            rounds=options.rounds,
            seconds=options.seconds,
            peer_adapter=options.peer_adapter,
        )
        try:
            for result in importlib.import_module(f"cases.{case}").run(bench):
                if options.quick:  # such sizes say nothing about a goal
                    result.met = None
                results.append(result)
        except BenchError as error:
            wrong.append(f"{case}: {error}")
        except Exception:  # one case must not take the others with it
            wrong.append(f"{case}: {traceback.format_exc()}")
        finally:
            bench.close()
    spent, stolen = (b - a for a, b in zip(before, processor_time()))
    options.output.mkdir(parents=True, exist_ok=True)
    report = {
        "began": began.isoformat(timespec="seconds"),
        "commit": measured,
        "machine": {**machine(), "stolen": round(stolen / max(1, spent), 4)},
        "programs": programs(),
        "settings": {"quick": options.quick, "rounds": options.rounds, "seconds": options.seconds},
        "results": [plain(result.to_json()) for result in results],
        "wrong": wrong,
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (options.output / "results.json").write_text(text + "\n")
    print(table(results))
    print(f"\nresults are in {options.output}", file=sys.stderr)
    if why := plots.missing():
        print(f"script/bench: no plots: {why}", file=sys.stderr)
    else:
        plots.draw(report, options.output)
    for line in wrong:
        print(f"script/bench: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
