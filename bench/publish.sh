#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# The case "publish" of script/bench, which says what it does and runs it.
set -euo pipefail
# shellcheck source=bench/common.sh
source bench/common.sh

rounds=5 seconds=3 connections=64 threads=0
read_options "rounds seconds connections threads" "$@"
build

start_receiver
start_server --threads "$threads"
path=/organizers/bench/notifications/

run_wrk() { # URL CONNECTIONS [NOTIFICATIONS-PER-REQUEST]
  wrk -t2 -c"$2" -d"${seconds}s" -s bench/publish.lua "$1" -- "${@:3}" | sed -n 's/^result //p'
}
publish_one() { # the id it gets
  call POST "$path" '{"action": "pretix.event.order.placed"}' | jq .notification_id
}
commits() { # transactions of the store so far: the larger of LMDB's two meta pages
  for page in 0 4096; do
    od -An -t u8 -j $((page + 144)) -N 8 "$dir/data/fanfare.mdb"
  done | sort -n | tail -1 | tr -d ' '
}
cpu_ticks() { # of the server, in hundredths of a second
  sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'
}
# Publishes from many connections; the line of wrk with what the store says.
measure() { # CONNECTIONS NOTIFICATIONS-PER-REQUEST-OR-NOTHING
  local first last commits_before commits_after ticks_before ticks_after line
  first=$(publish_one) commits_before=$(commits) ticks_before=$(cpu_ticks)
  line=$(run_wrk "$api$path" "$@")
  ticks_after=$(cpu_ticks) commits_after=$(commits) last=$(publish_one)
  jq -c --argjson stored $((last - first - 1)) --argjson each "${2:-1}" \
    --argjson connections "$1" --argjson commits $((commits_after - commits_before)) \
    --argjson ticks $((ticks_after - ticks_before)) '
    . + { rate: (.requests * $each / .seconds | floor),
          commits_per_second: ($commits / .seconds | floor),
          cpu_us: ($ticks * 1e4 / .requests * 10 | round / 10),
          # Requests that wrk gave up at its end may have been stored as well.
          ok: (.failed == 0 and $stored >= .requests * $each
               and $stored <= (.requests + $connections) * $each) }' <<<"$line"
}

for ((round = 1; round <= rounds; ++round)); do
  run_wrk "$receiver/publish" "$connections" >>"$dir/nginx.jsonl"
  measure "$connections" >>"$dir/single.jsonl"
done
measure 4 1000 >"$dir/batch.jsonl"

# A commit of the engine's own, like a checkpoint, may come in between: not five
# times, though.
jq -n '[range(1000) | {action: "pretix.event.order.placed"}]' >"$dir/batch.json"
for _ in {1..5}; do
  before=$(commits)
  call POST "$path" "@$dir/batch.json" >"$dir/ids.json"
  echo $(($(commits) - before))
done | sort -n | head -1 >"$dir/batch-commits"
stop_server

jq -nc --arg commit "$commit" --arg cpu "$cpu" --argjson connections "$connections" \
  --argjson per_batch "$(cat "$dir/batch-commits")" \
  --slurpfile nginx "$dir/nginx.jsonl" --slurpfile single "$dir/single.jsonl" \
  --slurpfile batch "$dir/batch.jsonl" '
  def median: sort | .[length / 2 | floor];
  ($nginx | map(.requests / .seconds | floor)) as $limits |
  { bench: "publish", $commit, $cpu, $connections,
    publishes_per_second: ($single | map(.rate)), wrk_per_second: $limits,
    median: ($single | map(.rate) | median), wrk_median: ($limits | median),
    ratio: ([range($limits | length) | $single[.].rate / $limits[.]] | median * 100 | round / 100),
    commits_per_second: ($single | map(.commits_per_second) | median),
    cpu_us_per_publish: ($single | map(.cpu_us) | median),
    p50_ms: ($single | map(.p50_ms) | median), p99_ms: ($single | map(.p99_ms) | median),
    batched_per_second: $batch[0].rate, commits_per_batch: $per_batch,
    all_202: ($single + $batch | all(.failed == 0)),
    all_stored: ($single + $batch | all(.ok)) }' | tee "$dir/line.json"
jq -e '.all_202 and .all_stored and .commits_per_batch == 1' "$dir/line.json" >/dev/null
