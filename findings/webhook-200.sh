#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# webhook 2.8.0 (Debian 12: webhook 2.8.0-4+b6), which runs commands for the calls that
# it gets, answers 200 to most calls for which nothing was run: with a wrong token,
# without a signature, with several notifications in an array, or if the command does
# not exist. Only a signature that is there and wrong gets 500, and only with
# include-command-output-in-response does a command that fails.
#
# Seen:
#   right token                       200 done
#   wrong token                       200 Hook rules were not satisfied.
#   right signature                   200 done
#   wrong signature                   500 Error occurred while evaluating hook rules.
#   no signature                      200 Hook rules were not satisfied.
#   an array, rule about its member   200 Hook rules were not satisfied.
#   command fails                     200 done
#   command does not exist            200 done
#   command fails, with its output    500 Error occurred while executing the hook's c…
#
# What a sender makes of it: success, as RFC 9110, 15.3.1, says. Fanfare tries none of
# them again, and after a rotation or a typing error all is lost without a trace but the
# body in the call log. So give each hook
# "trigger-rule-mismatch-http-response-code": 400 and
# "include-command-output-in-response": true, and use no "batch" with rules about the
# payload: it arrives as {"root": […]}.
# Needs Debian 12 with curl and openssl; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
receiver=
trap '[[ -z $receiver ]] || kill "$receiver"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet --quiet webhook=2.8.0-4+b6 >/dev/null
dpkg-deb --extract webhook_*.deb .

cat >hooks.json <<'EOF'
[
  {"id": "token", "execute-command": "/bin/true", "response-message": "done",
   "trigger-rule": {"match": {"type": "value", "value": "right",
     "parameter": {"source": "header", "name": "X-Token"}}}},
  {"id": "signed", "execute-command": "/bin/true", "response-message": "done",
   "trigger-rule": {"match": {"type": "payload-hmac-sha256", "secret": "key",
     "parameter": {"source": "header", "name": "X-Signature"}}}},
  {"id": "paid", "execute-command": "/bin/true", "response-message": "done",
   "trigger-rule": {"match": {"type": "value", "value": "order.paid",
     "parameter": {"source": "payload", "name": "action"}}}},
  {"id": "fails", "execute-command": "/bin/false", "response-message": "done"},
  {"id": "absent", "execute-command": "/no/such/command", "response-message": "done"},
  {"id": "tells", "execute-command": "/bin/false",
   "include-command-output-in-response": true}
]
EOF
port=$(python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
usr/bin/webhook -hooks hooks.json -ip 127.0.0.1 -port "$port" &>log &
receiver=$!
for ((tries = 0; tries < 50; ++tries)); do
  ! curl --silent --output /dev/null "http://127.0.0.1:$port/" || break
  sleep 0.1
done

body='{"action":"order.paid"}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac key -r | cut -d ' ' -f 1)
call() { # HOOK BODY [HEADER]
  curl --silent --max-time 10 --write-out '%{stderr}%{http_code} ' --data "$2" \
    --header 'Content-Type: application/json' ${3:+--header "$3"} \
    "http://127.0.0.1:$port/hooks/$1" >answer 2>status
  echo "$(cat status)$(cut -c 1-50 answer)"
}
seen=$(
  call token "$body" 'X-Token: right'
  call token "$body" 'X-Token: wrong'
  call signed "$body" "X-Signature: sha256=$signature"
  call signed "$body" "X-Signature: sha256=${signature//[0-9]/0}"
  call signed "$body"
  call paid "[$body]"
  call fails "$body"
  call absent "$body"
  call tells "$body"
)
printf 'webhook 2.8.0 answers:\n%s\n' "$seen"
expected="200 done
200 Hook rules were not satisfied.
200 done
500 Error occurred while evaluating hook rules.
200 Hook rules were not satisfied.
200 Hook rules were not satisfied.
200 done
200 done
500 Error occurred while executing the hook's command."
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
