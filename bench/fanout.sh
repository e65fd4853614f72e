#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# The case "fanout" of script/bench, which says what it does and runs it.
set -euo pipefail
# shellcheck source=bench/common.sh
source bench/common.sh

webhooks=1000 notifications=300 seconds=5 threads=0 signed=1
read_options "webhooks notifications seconds threads signed" "$@"
settings=
((signed)) || settings=', \"delivery\": {\"signing\": {\"algorithm\": \"none\"}}'
build

start_receiver
requests() { # what the receiver has answered, without the questions for it
  asked=$((asked + 1))
  local n
  n=$(curl -s "$receiver/status" | awk 'NR == 3 { print $3 }')
  answered=$((n - asked))
}
asked=1

wrk_rate() {
  wrk -t2 -c64 -d"${seconds}s" -s bench/post.lua "$receiver/hook" \
    | awk '/Requests\/sec/ { print int($2) }'
}

start_server --threads "$threads"
for ((i = 0; i < webhooks; ++i)); do
  ((i == 0)) || echo next
  cat <<CONFIG
url = "$api/organizers/bench/webhooks/"
header = "Authorization: Token $FANFARE_ADMIN_TOKEN"
header = "Content-Type: application/json"
output = "$dir/ignore"
fail
silent
data = "{\"target_url\": \"$receiver/hook/$i\", \"all_events\": true, \"limit_events\": [], \"action_types\": [\"pretix.event.order.placed\"]$settings}"
CONFIG
done >"$dir/webhooks.curl"
curl -K "$dir/webhooks.curl"

one='{"action": "pretix.event.order.placed", "event": "democon", "code": "ABC23"}'
jq -n --argjson one "$one" --argjson n "$notifications" '[range($n) | $one]' >"$dir/batch.json"

before=$(wrk_rate)
requests
sent_before=$answered
total=$((webhooks * notifications))
ticks=$(server_ticks)
start=$(date +%s%N)
call POST /organizers/bench/notifications/ "@$dir/batch.json" >"$dir/ids.json"
deadline=$((start + 300 * 1000000000))
while :; do
  requests
  ((answered - sent_before < total)) || break
  (($(date +%s%N) < deadline)) || break
  sleep 0.02
done
end=$(date +%s%N)
ticks=$(($(server_ticks) - ticks))
memory=$(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$server/status")
delivered=$((answered - sent_before))
after=$(wrk_rate)

# The log must know each of them: the last page of a webhook's calls, and their number.
logged=true
for id in 1 $(((webhooks + 1) / 2)) "$webhooks"; do
  count=0 next="$api/organizers/bench/webhooks/$id/calls/"
  while [[ $next != null ]]; do
    page=$(curl -sf -H "Authorization: Token $FANFARE_ADMIN_TOKEN" "$next")
    count=$((count + $(jq '[.results[] | select(.success)] | length' <<<"$page")))
    next=$(jq -r .next <<<"$page")
  done
  [[ $count == "$notifications" ]] || logged=false
done
stop_server

jq -nc --arg commit "$commit" --arg cpu "$cpu" \
  --argjson webhooks "$webhooks" --argjson notifications "$notifications" \
  --argjson delivered "$delivered" --argjson ns "$((end - start))" \
  --argjson before "$before" --argjson after "$after" \
  --argjson ticks "$ticks" --argjson memory "$memory" --argjson logged "$logged" '
  ($delivered * 1e9 / $ns) as $rate | (($before + $after) / 2) as $limit |
  { bench: "fan-out", $commit, $cpu, $webhooks, $notifications, $delivered,
    deliveries_per_second: ($rate | floor), wrk_per_second: [$before, $after],
    ratio: ($rate / $limit * 100 | round / 100),
    cpu_us_per_delivery: ($ticks * 1e4 / $delivered * 10 | round / 10), memory_mib: $memory, all_logged: $logged }'
[[ $delivered -ge $total && $logged == true ]]
