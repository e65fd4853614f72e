#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# npm standardwebhooks 1.1.1 and svix 2.5.0 verify calls with an HMAC that is written in
# JavaScript (fast-sha256), not with node's crypto, although they run in node: three times
# slower at least, in the thread that serves all other requests. They also make a string
# of a Buffer and then bytes of the string. The same library for Go uses Go's crypto.
#
# Seen with node 20.20.2 for a body of 10 MB, the best of 7:
#   node:crypto        4.8 ms
#   standardwebhooks  91.3 ms, of it 11.5 for JSON.parse, which verify() calls as well
#   svix              74.6 ms, of it 15.0 for that
# and for a Uint8Array, as request.bytes() gives it, an error: "Expected payload to be of
# type string or Buffer."
#
# What a sender makes of it: a receiver that takes longer the larger the requests are,
# for all webhooks that it serves, and the more so on a small share of a processor. Large
# batches make it worse: small ones, or "body": "thin", spread it. The receiver can do
# the few lines itself: createHmac("sha256", KEY).update(`${id}.${timestamp}.`)
# .update(body), with KEY from the base64 after whsec_, and timingSafeEqual.
# Needs node 20 with npm; installs nothing outside of a temporary folder. No traffic.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --before=2026-11-30 \
  standardwebhooks@1.1.1 svix@2.5.0 >/dev/null

cat >speed.js <<'EOF'
const crypto = require("crypto");
const libraries = [require("standardwebhooks").Webhook, require("svix").Webhook];

const key = crypto.randomBytes(32);
const secret = `whsec_${key.toString("base64")}`;
const body = Buffer.from(JSON.stringify({ text: "x".repeat(10_000_000) }));
const now = new Date();
const id = "msg_1";
const timestamp = String(Math.floor(now / 1000));

function native() {
  const hmac = crypto.createHmac("sha256", key).update(`${id}.${timestamp}.`);
  return `v1,${hmac.update(body).digest("base64")}`;
}

function milliseconds(call) {
  let best = Infinity;
  for (let round = 0; round < 7; ++round) {
    const begin = performance.now();
    call();
    best = Math.min(best, performance.now() - begin);
  }
  return best;
}

const headers = {
  "webhook-id": id,
  "webhook-timestamp": timestamp,
  "webhook-signature": native(),
};
const atBest = milliseconds(native);
console.error(`node:crypto: ${atBest.toFixed(1)} ms`);
for (const Library of libraries) {
  const webhook = new Library(secret);
  const verifying = milliseconds(() => webhook.verify(body, headers));
  const parsing = milliseconds(() => JSON.parse(body));
  console.error(`verify: ${verifying.toFixed(1)} ms, of it JSON: ${parsing.toFixed(1)} ms`);
  let bytes = "taken";
  try {
    webhook.verify(new Uint8Array(body), headers);
  } catch (error) {
    bytes = error.message;
  }
  console.log(verifying - parsing > 3 * atBest ? "slow" : "fast", bytes);
}
EOF
seen=$(node speed.js)
printf 'npm standardwebhooks 1.1.1, svix 2.5.0, a body of 10 MB and a Uint8Array:\n%s\n' "$seen"
expected='slow Expected payload to be of type string or Buffer.
slow Expected payload to be of type string or Buffer.'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
