#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# The libraries of Standard Webhooks do not know the Ed25519 of Standard Webhooks.
# Its text, version 1.0.0, "Signature scheme", defines v1a with keys whsk_ and whpk_,
# and advises: "Prefer asymmetric signature schemes over symmetric ones." But npm
# standardwebhooks 1.1.1, PyPI standardwebhooks 1.1.0, npm svix 2.5.0 and PyPI svix
# 2.9.1 take each key for the base64 of an HMAC key and look at v1 only.
#
# Seen, for a call with a valid v1a (Ed25519 of node itself says so):
#   npm both, whpk_ key                   Error, from the constructor
#   npm both, whsec_ key, v1a beside v1   taken, for its v1
#   npm both, whsec_ key, v1a alone       WebhookVerificationError
#   PyPI both, whpk_ key                  WebhookVerificationError
#
# What a sender makes of it: "algorithm": "ed25519" is for receivers that verify by
# themselves. With these libraries every call is refused, by npm's with an error that
# handlers do not expect and answer with 500; and a public key, which is no secret, must
# not be given to one that takes it for a secret. Verifying takes a few lines: Ed25519
# over ID.TIMESTAMP.BODY, with the 32 bytes after whpk_, for one of the signatures in
# webhook-signature that begin with v1a.
# Needs node 20 with npm, and python3 with venv; installs nothing outside of a temporary
# folder. No traffic.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --before=2026-11-30 \
  standardwebhooks@1.1.1 svix@2.5.0 >/dev/null
python3 -m venv libraries
libraries/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0 \
  svix==2.9.1

# Prints the call for Python on the last line.
cat >verify.js <<'EOF'
const crypto = require("crypto");
const libraries = [require("standardwebhooks").Webhook, require("svix").Webhook];

const { publicKey, privateKey } = crypto.generateKeyPairSync("ed25519");
const bytes = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url");
const whpk = `whpk_${bytes.toString("base64")}`;
const whsec = `whsec_${crypto.randomBytes(32).toString("base64")}`;

const id = "msg_1";
const now = new Date();
const timestamp = String(Math.floor(now / 1000));
const body = '{"action":"order.paid"}';
const signed = Buffer.from(`${id}.${timestamp}.${body}`);
const v1a = `v1a,${crypto.sign(null, signed, privateKey).toString("base64")}`;
const v1 = new libraries[0](whsec).sign(id, now, body);
const headers = { "webhook-id": id, "webhook-timestamp": timestamp };

function result(Library, key, signature) {
  try {
    new Library(key).verify(body, { ...headers, "webhook-signature": signature });
    return "taken";
  } catch (error) {
    return error.constructor.name;
  }
}
const ofBoth = (...call) => libraries.map((Library) => result(Library, ...call)).join(", ");

console.log(crypto.verify(null, signed, publicKey, Buffer.from(v1a.slice(4), "base64")));
console.log(ofBoth(whpk, v1a));
console.log(ofBoth(whsec, `${v1a} ${v1}`));
console.log(ofBoth(whsec, v1a));
headers["webhook-signature"] = v1a;
console.log(JSON.stringify({ whpk, body, headers }));
EOF
cat >verify.py <<'EOF'
import json
import sys

import standardwebhooks
import svix

call = json.load(sys.stdin)
for library in standardwebhooks, svix:
    try:
        library.Webhook(call["whpk"]).verify(call["body"], call["headers"])
        print("taken")
    except Exception as error:
        print(type(error).__name__)
EOF
node verify.js >lines
seen=$(
  head -n -1 lines
  tail -n 1 lines | libraries/bin/python -B verify.py
)
printf 'node, npm standardwebhooks 1.1.1 and svix 2.5.0, PyPI 1.1.0, 2.9.1:\n%s\n' "$seen"
expected='true
Error, Error
taken, taken
WebhookVerificationError, WebhookVerificationError
WebhookVerificationError
WebhookVerificationError'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
