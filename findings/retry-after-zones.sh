#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Two rate limiters tell their callers when to come back in dates that are none in
# HTTP, since each takes its language's nearest function. RFC 9110, 5.6.7: an
# HTTP-date ends with GMT.
#   go-limiter 0.7.1 (Go, github.com/sethvargo/go-limiter): always; time.RFC1123 of a
#     time in UTC ends with UTC. http.ParseTime of Go itself refuses it.
#   slowapi 0.1.10 (PyPI, for FastAPI): with retry_after="http-date"; formatdate() of
#     email.utils without usegmt ends with -0000.
#
# Seen, the second call within a minute:
#   go-limiter  429 Retry-After: Mon, 30 Nov 2026 23:45:41 UTC
#   slowapi     429 Retry-After: Mon, 30 Nov 2026 23:51:08 -0000
#
# A strict sender has a 429 without a time and retries by its own schedule.
# protocol/client/retry_after.cpp therefore reads these endings as GMT.
# Needs Go 1.22 and python3 with venv; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder" && rm -rf "$folder"' EXIT
cd "$folder"
cat >go.mod <<'EOF'
module limited

go 1.22

require github.com/sethvargo/go-limiter v0.7.1
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"
)

func main() {
	store, err := memorystore.New(&memorystore.Config{Tokens: 1, Interval: time.Minute})
	if err != nil {
		panic(err)
	}
	limit, err := httplimit.NewMiddleware(store, httplimit.IPKeyFunc())
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(limit.Handle(http.NotFoundHandler()))
	defer server.Close()
	var answer *http.Response
	for call := 0; call < 2; call++ {
		if answer, err = http.Post(server.URL, "application/json", nil); err != nil {
			panic(err)
		}
		answer.Body.Close()
	}
	date := answer.Header.Get("Retry-After")
	fmt.Println(answer.StatusCode, date)
	if _, err = http.ParseTime(date); err == nil {
		fmt.Println("http.ParseTime takes it")
	}
}
EOF
export GOPATH=$folder/go GOCACHE=$folder/cache GOFLAGS=-mod=mod
go_limiter=$(go run . 2>errors) || { cat errors >&2; exit 1; }

python3 -m venv slow
slow/bin/pip install --quiet --disable-pip-version-check slowapi==0.1.10 limits==5.8.0 \
  starlette==1.10.0
cat >limited.py <<'EOF'
import asyncio

from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

limiter = Limiter(key_func=lambda: "sender", headers_enabled=True, retry_after="http-date")


@limiter.limit("1/minute")
async def take(request: Request):
    return Response(status_code=204)


receiver = Starlette(routes=[Route("/", take, methods=["POST"])])
receiver.state.limiter = limiter
receiver.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
POST = {
    "type": "http", "http_version": "1.1", "scheme": "http", "method": "POST",
    "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"", "headers": [],
    "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
}  # fmt: skip


async def call():
    answer = []

    async def receive():
        return {"type": "http.request", "body": b"{}"}

    async def send(message):
        answer.append(message)

    await receiver(dict(POST), receive, send)
    return answer[0]["status"], dict(answer[0]["headers"])[b"retry-after"].decode()


asyncio.run(call())
print(*asyncio.run(call()))
EOF
slowapi=$(slow/bin/python -B limited.py)

printf 'go-limiter 0.7.1: %s\nslowapi 0.1.10: %s\n' "$go_limiter" "$slowapi"
date='429 [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8}'
if [[ ! $go_limiter =~ ^$date\ UTC$ || ! $slowapi =~ ^$date\ -0000$ ]]; then
  echo "this has changed; expected dates that end with UTC and with -0000" >&2
  exit 1
fi
