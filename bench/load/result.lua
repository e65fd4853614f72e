-- SPDX-FileCopyrightText: Fanfare contributors
-- SPDX-License-Identifier: Apache-2.0
--
-- Prints what a run of wrk reached in one line, which harness/processes.py reads.
function done(summary, latency)
  local e = summary.errors
  print(string.format(
    'result {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.timeout + e.status))
end
