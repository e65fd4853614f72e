#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Five middlewares that run a request once for each Idempotency-Key, each told by its own
# option to look at webhook-id, which has the same purpose. With none of them do the
# second calls end well in all of three plain cases.
#   PyPI asgi-idempotency-header 0.2.0, idemkit 1.0.2, django-idempotency-key 1.3.0
#   npm express-idempotency 1.0.6, @node-idempotency/nestjs 1.0.4 (with NestJS 10.4.20)
#
# Seen, the statuses of two calls with one key, and how often the handler ran. It answers
# 204; or 503 first and would then answer 204; or raises an error first and would then:
#                             204              503              error
#   asgi-idempotency-header   204 204, twice   503 503, once    500 409, once
#   idemkit                   204 204, twice   503 204, twice   500 204, twice
#   django-idempotency-key    204 409, once    503 204, twice   500 204, twice
#   express-idempotency       204 409, once    503 204, twice   500 409, once
#   @node-idempotency/nestjs  204 500, once    503 503, once    500 500, once
#
# Why: what is to be kept is looked for in a JSON body (asgi-idempotency-header), only
# among 200, 201 and 202 (idemkit), or in send(), which end() and Express' own answer to
# an error do not call (express-idempotency, where such a key stays "in progress"); what
# is kept is sent again with 409 for its status (django-idempotency-key, by default), or
# cannot be sent since undefined is lost in JSON (NestJS). asgi-idempotency-header and
# NestJS keep failures too, and the former takes a key whose call raised an error for one
# that is in progress as long as it lives.
#
# What a sender makes of it: every retry of one notification has the same webhook-id. So
# a handler that has failed once is not asked again, and the notification is given up
# after days of 409 or 503 from a receiver that works; or what was done, but whose answer
# was lost, is done twice or counts as a failure for days. Who receives should write the
# webhook-id down in the transaction that does the work, and answer 2xx to one that is
# there.
# Needs node 20 with npm, and python3 with venv; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check \
  asgi-idempotency-header==0.2.0 idemkit==1.0.2 django-idempotency-key==1.3.0 \
  fastapi==0.165.0 starlette==1.10.0 Django==5.2.19
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --before=2026-11-30 \
  express-idempotency@1.0.6 express@5.3.0 @node-idempotency/{nestjs@1.0.4,core@1.0.7} \
  @node-idempotency/shared@1.0.3 @nestjs/{core,common,platform-express}@10.4.20 \
  reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null

cat >calls.py <<'EOF'
import asyncio

import django
from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from fastapi.responses import JSONResponse, Response
from idempotency_header_middleware import IdempotencyHeaderMiddleware
from idempotency_header_middleware.backends import MemoryBackend
from idempotency_key.decorators import idempotency_key
from idemkit import HttpConfig, IdempotencyMiddleware, InMemoryBackend
from starlette.applications import Starlette
from starlette.routing import Route

runs = {}


def handle(case, empty, json):
    """The first run fails, unless the case is 204."""
    runs[case] = runs.get(case, 0) + 1
    if case == "204" or runs[case] > 1:
        return empty()
    if case == "503":
        return json()
    raise RuntimeError("database is away")


def show(name, call):
    runs.clear()
    seen = [f"{call(case)} {call(case)} ({runs[case]})" for case in ("204", "503", "error")]
    print(name, *seen, sep=", ")


async def take(request):
    return handle(
        request.headers["webhook-id"],
        lambda: Response(status_code=204),
        lambda: JSONResponse({"detail": "database is away"}, 503),
    )


def asgi(name, middleware, **options):
    receiver = Starlette(routes=[Route("/", take, methods=["POST"])])
    receiver.add_middleware(middleware, **options)

    def call(case):
        answer = []
        post = {
            "type": "http", "http_version": "1.1", "scheme": "http", "method": "POST",
            "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"",
            "headers": [(b"webhook-id", case.encode())],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        }  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": b"{}"}

        async def send(message):
            answer.append(message)

        try:
            asyncio.run(receiver(post, receive, send))
        except RuntimeError:
            pass  # raised again after the 500, for the server's log
        return answer[0]["status"]

    show(name, call)


asgi(
    "asgi-idempotency-header",
    IdempotencyHeaderMiddleware,
    backend=MemoryBackend(),
    idempotency_header_key="webhook-id",
)
key = HttpConfig(
    key=lambda request: request.headers["webhook-id"], scope_mode="single_tenant"
)
asgi("idemkit", IdempotencyMiddleware, backend=InMemoryBackend(), config=key)


@idempotency_key
def view(request):
    return handle(
        request.headers["webhook-id"],
        lambda: HttpResponse(status=204),
        lambda: JsonResponse({"detail": "database is away"}, status=503),
    )


urlpatterns = [path("", view)]
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    MIDDLEWARE=["idempotency_key.middleware.ExemptIdempotencyKeyMiddleware"],
    IDEMPOTENCY_KEY={"HEADER": "HTTP_WEBHOOK_ID"},
    LOGGING_CONFIG=None,
)
django.setup()
client = Client(raise_request_exception=False)


def post(case):
    headers = {"webhook-id": case}
    return client.post("/", {}, "application/json", headers=headers).status_code


show("django-idempotency-key", post)
EOF
cat >calls.js <<'EOF'
require("reflect-metadata");
const express = require("express");
const { getSharedIdempotencyService, idempotency } = require("express-idempotency");
const { Controller, Headers, HttpCode, HttpException, Module, Post } =
  require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { Idempotent, NodeIdempotencyModule } = require("@node-idempotency/nestjs");
const { StorageAdapterEnum } = require("@node-idempotency/shared");

let runs = {};

// The first run fails, unless the case is 204.
function handle(id) {
  runs[id] = (runs[id] ?? 0) + 1;
  if (id === "204" || runs[id] > 1) return 204;
  if (id === "503") return 503;
  throw new Error("database is away");
}

async function show(name, { port }) {
  const seen = [name];
  runs = {};
  for (const id of ["204", "503", "error"]) {
    const statuses = [];
    for (let call = 0; call < 2; ++call) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: { "webhook-id": id, "content-type": "application/json" },
        body: "{}",
      });
      await answer.text();
      statuses.push(answer.status);
    }
    seen.push(`${statuses.join(" ")} (${runs[id]})`);
  }
  console.log(seen.join(", "));
}

async function ofExpress() {
  const receiver = express();
  receiver.set("env", "test"); // no stack traces
  receiver.use(express.json(), idempotency({ idempotencyKeyHeader: "webhook-id" }));
  receiver.post("/", (request, response) => {
    if (getSharedIdempotencyService().isHit(request)) return;
    const status = handle(request.get("webhook-id"));
    if (status === 204) response.status(204).end();
    else response.status(status).json({ detail: "database is away" });
  });
  const server = receiver.listen(0, "127.0.0.1");
  await new Promise((done) => server.on("listening", done));
  await show("express-idempotency", server.address());
  server.close();
}

async function ofNest() {
  class Hooks {
    take(id) {
      if (handle(id) === 503) throw new HttpException("database is away", 503);
    }
  }
  const take = Object.getOwnPropertyDescriptor(Hooks.prototype, "take");
  Headers("webhook-id")(Hooks.prototype, "take", 0);
  for (const decorate of [Post(), HttpCode(204), Idempotent()])
    decorate(Hooks.prototype, "take", take);
  Controller()(Hooks);
  class Receiver {}
  const module = NodeIdempotencyModule.forRootAsync({
    storage: { adapter: StorageAdapterEnum.memory },
    idempotencyKey: "webhook-id",
  });
  Module({ imports: [module], controllers: [Hooks] })(Receiver);
  const receiver = await NestFactory.create(Receiver, { logger: false });
  await receiver.listen(0, "127.0.0.1");
  await show("@node-idempotency/nestjs", receiver.getHttpServer().address());
  await receiver.close();
}

ofExpress().then(ofNest);
EOF
seen=$(
  python/bin/python -B calls.py 2>log
  node calls.js 2>>log
) || { cat log >&2; exit 1; }
printf 'statuses of two calls and (runs), for 204, 503 and an error:\n%s\n' "$seen"
expected='asgi-idempotency-header, 204 204 (2), 503 503 (1), 500 409 (1)
idemkit, 204 204 (2), 503 204 (2), 500 204 (2)
django-idempotency-key, 204 409 (1), 503 204 (2), 500 204 (2)
express-idempotency, 204 409 (1), 503 204 (2), 500 409 (1)
@node-idempotency/nestjs, 204 500 (1), 503 503 (1), 500 500 (1)'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
