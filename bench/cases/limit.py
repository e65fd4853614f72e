# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""limit: what the machine can do: wrk POSTs one of Fanfare's signed calls to nginx."""

from harness.results import Result, Spread


def run(bench):
    with bench.nginx() as nginx:
        used = nginx.usage()
        loads = [bench.wrk(f"{nginx.url}/hook/1") for _ in range(bench.rounds)]
        used = nginx.usage() - used
    requests = sum(load.requests for load in loads)
    yield Result(
        case="limit",
        variant="",
        unit="requests/s",
        measured=Spread.of(load.rate for load in loads),
        goal="1.0 by definition",
        cost={
            "cpu_s_per_1000": (used.cpu + sum(load.cpu for load in loads)) / requests * 1000,
            "cpu_s_per_1000_nginx": used.cpu / requests * 1000,
        },
        settings={"connections": 64, "seconds": bench.seconds},
    )
