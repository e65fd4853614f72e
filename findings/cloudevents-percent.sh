#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# The CloudEvents SDKs for JavaScript (npm cloudevents 10.0.0) and Python (PyPI
# cloudevents 2.2.0) do not read each other's headers. The HTTP binding, 3.1.3.2, wants
# blanks, quotes, percent signs and all beyond ASCII in an attribute encoded by the
# sender and decoded by the receiver: Python does, JavaScript does neither.
#
# Seen in binary mode, what arrives for the subject that was sent:
#   Python to Python          Bär 5 % off -> Bär 5 % off
#   Python to JavaScript      Bär 5 % off -> B%C3%A4r%205%20%25%20off
#   JavaScript to Python      50%20off    -> 50 off
#   JavaScript to JavaScript  50%20off    -> 50%20off
#   JavaScript sends          5 €         -> TypeError ERR_INVALID_CHAR
#
# What a sender makes of it: no spelling of such a value is read alike by all its
# receivers, and no signature shows it, since Standard Webhooks do not sign ce-*
# headers. Who sets them with Fanfare's `headers` should keep to visible ASCII without "
# and %, or send events as application/cloudevents+json, where both SDKs agree.
# Needs node 20 with npm, and python3 with venv; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --before=2026-11-30 \
  cloudevents@10.0.0 >/dev/null
python3 -m venv sdk
sdk/bin/pip install --quiet --disable-pip-version-check cloudevents==2.2.0 \
  python-dateutil==4.0.0

# event.* send SUBJECT | receive: events are files of JSON, {"headers", "body"}.
cat >event.py <<'EOF'
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

if sys.argv[1] == "send":
    names = {"specversion": "1.0", "id": "1", "source": "/orders", "type": "order.paid"}
    event = CloudEvent({**names, "subject": sys.argv[2]}, {})
    print(json.dumps({"headers": to_binary_event(event).headers, "body": "{}"}))
else:
    sent = json.load(sys.stdin)
    message = HTTPMessage(sent["headers"], sent["body"].encode())
    print(from_http_event(message).get_subject())
EOF
cat >event.js <<'EOF'
const fs = require("fs");
const http = require("http");
const { CloudEvent, HTTP } = require("cloudevents");

const [, , what, subject] = process.argv;
if (what === "send") {
  const names = { id: "1", source: "/orders", type: "order.paid" };
  const event = new CloudEvent({ ...names, subject, data: {} });
  const { headers, body } = HTTP.binary(event);
  for (const [name, value] of Object.entries(headers)) {
    try {
      http.validateHeaderValue(name, value);
    } catch (error) {
      console.log(`${error.name} ${error.code}`);
      process.exit();
    }
  }
  console.log(JSON.stringify({ headers, body }));
} else {
  const { headers, body } = JSON.parse(fs.readFileSync(0));
  console.log(HTTP.toEvent({ headers, body }).subject);
}
EOF
python() { PYTHONIOENCODING=utf-8 sdk/bin/python -B event.py "$@"; }
seen=$(
  python send 'Bär 5 % off' | python receive
  python send 'Bär 5 % off' | node event.js receive
  node event.js send '50%20off' | python receive
  node event.js send '50%20off' | node event.js receive
  node event.js send '5 €'
)
printf 'cloudevents of PyPI 2.2.0 and npm 10.0.0 read:\n%s\n' "$seen"
expected='Bär 5 % off
B%C3%A4r%205%20%25%20off
50 off
50%20off
TypeError ERR_INVALID_CHAR'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
