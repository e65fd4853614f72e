#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# @nestjs/throttler 6.7.1 (npm, with NestJS 11.2.10) says in a header of another name
# how long to wait as soon as its throttlers have names, as those of its own
# documentation have: the throttler "long" answers 429 with Retry-After-long, and
# without Retry-After. RFC 9110, 10.2.3, knows the latter only.
#
# Seen, the second call within the minute:
#   one throttler, no name        429 retry-after: 60
#   throttlers "short" and "long" 429 retry-after-long: 60
#   "short" and "default"         429 retry-after: 60
#
# What a sender makes of it: a 429 that says nothing. Fanfare uses an attempt of the
# schedule for each, where with Retry-After it would wait and use none, and its other
# calls to that webhook go on. A throttler that is named "default" gets the header's
# right name: one of several should be, the longest.
# Needs node 20 with npm; installs nothing outside of a temporary folder. Traffic on
# loopback only.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --before=2026-11-30 \
  @nestjs/throttler@6.7.1 @nestjs/{core,common,platform-express}@11.2.10 \
  reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null

cat >throttled.js <<'EOF'
require("reflect-metadata");
const { Controller, Module, Post } = require("@nestjs/common");
const { APP_GUARD, NestFactory } = require("@nestjs/core");
const { ThrottlerGuard, ThrottlerModule } = require("@nestjs/throttler");

class Hooks {
  take() {}
}
const take = Object.getOwnPropertyDescriptor(Hooks.prototype, "take");
Post("hook")(Hooks.prototype, "take", take);
Controller()(Hooks);

async function secondCall(throttlers) {
  class Receiver {}
  Module({
    imports: [ThrottlerModule.forRoot(throttlers)],
    controllers: [Hooks],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
  })(Receiver);
  const receiver = await NestFactory.create(Receiver, { logger: false });
  await receiver.listen(0, "127.0.0.1");
  const { port } = receiver.getHttpServer().address();
  let answer;
  for (let call = 0; call < 2; ++call)
    answer = await fetch(`http://127.0.0.1:${port}/hook`, { method: "POST" });
  await receiver.close();
  const waits = [...answer.headers].filter(([name]) => name.startsWith("retry-after"));
  return [answer.status, ...waits.map((header) => header.join(": "))].join(" ");
}

(async () => {
  const long = { ttl: 60000, limit: 1 };
  const short = { name: "short", ttl: 1000, limit: 3 };
  console.log(await secondCall([long]));
  console.log(await secondCall([short, { name: "long", ...long }]));
  console.log(await secondCall([short, { name: "default", ...long }]));
})();
EOF
seen=$(node throttled.js)
printf '@nestjs/throttler 6.7.1 answers the second call with:\n%s\n' "$seen"
expected='429 retry-after: 60
429 retry-after-long: 60
429 retry-after: 60'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
