#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# aws-lambda-go-api-proxy 0.16.2 (Go, github.com/awslabs/aws-lambda-go-api-proxy), which
# runs handlers of net/http, chi, gin and others in AWS Lambda, cuts each header of a
# request at its commas and makes several headers of it, but only in format 2.0 of the
# event, that of HTTP APIs. In format 1.0 (REST APIs) and behind a load balancer it does
# not. RFC 9110, 5.3, lets recipients combine lines, not take a value apart whose field is
# no list. webhook-signature is none: its signatures, each "v1,BASE64", are separated by
# blanks.
#
# Seen by a handler with Standard Webhooks' own library (libraries 0.0.1), for a call with
# the signatures of an old and a new secret:
#   REST API           1 value   verified
#   load balancer      1 value   verified
#   HTTP API           3 values  unable to verify payload, err: no matching signature…
#   HTTP API, joined   1 value   verified
# The Date of an HTTP API has two values, the first of which is the day of the week.
#
# http.Header.Get returns the first value only, for the signature always "v1".
#
# What a sender makes of it: a receiver whose secret is wrong. The same handler verifies
# all calls in its own tests, on a server, and behind a REST API. Signatures of the form
# "t=TIMESTAMP,v1=HEX", as Fanfare's "legacy" can make them, are cut likewise. Before it
# verifies, the receiver should join what belongs together:
# header.Set(name, strings.Join(header.Values(name), ",")).
# Needs Go 1.22; installs nothing outside of a temporary folder. No traffic but for the
# modules.
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder" && rm -rf "$folder"' EXIT
cd "$folder"
cat >go.mod <<'EOF'
module receiver

go 1.22

require (
	github.com/aws/aws-lambda-go v1.41.0
	github.com/awslabs/aws-lambda-go-api-proxy v0.16.2
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
)
EOF
cat >main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const body = `{"action":"order.paid"}`

var joins bool

func newWebhook(secret string) *webhooks.Webhook {
	webhook, err := webhooks.NewWebhookRaw([]byte(secret))
	if err != nil {
		panic(err)
	}
	return webhook
}

func sign(webhook *webhooks.Webhook, at time.Time) string {
	signature, err := webhook.Sign("msg_1", at, []byte(body))
	if err != nil {
		panic(err)
	}
	return signature
}

func take(answer http.ResponseWriter, request *http.Request) {
	const name = "webhook-signature"
	if joins {
		request.Header.Set(name, strings.Join(request.Header.Values(name), ","))
	}
	payload, err := io.ReadAll(request.Body)
	if err == nil {
		err = newWebhook("of yesterday").Verify(payload, request.Header)
	}
	verdict := "verified"
	if err != nil {
		verdict = err.Error()
	}
	fmt.Println(len(request.Header.Values(name)), verdict, len(request.Header.Values("Date")))
	answer.WriteHeader(http.StatusNoContent)
}

func check[Answer any](_ Answer, err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	now := time.Now()
	headers := map[string]string{
		"date":              now.UTC().Format(http.TimeFormat),
		"webhook-id":        "msg_1",
		"webhook-timestamp": strconv.FormatInt(now.Unix(), 10),
		"webhook-signature": sign(newWebhook("of today"), now) + " " +
			sign(newWebhook("of yesterday"), now),
	}
	handler := http.HandlerFunc(take)
	ctx := context.Background()
	check(httpadapter.New(handler).ProxyWithContext(ctx, events.APIGatewayProxyRequest{
		HTTPMethod: "POST", Path: "/", Headers: headers, Body: body,
	}))
	check(httpadapter.NewALB(handler).ProxyWithContext(ctx, events.ALBTargetGroupRequest{
		HTTPMethod: "POST", Path: "/", Headers: headers, Body: body,
	}))
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RawPath: "/", Headers: headers, Body: body,
	}
	event.RequestContext.HTTP.Method = "POST"
	event.RequestContext.HTTP.Path = "/"
	httpAPI := httpadapter.NewV2(handler)
	check(httpAPI.ProxyWithContext(ctx, event))
	joins = true
	check(httpAPI.ProxyWithContext(ctx, event))
}
EOF
export GOPATH=$folder/go GOCACHE=$folder/cache GOFLAGS=-mod=mod
seen=$(go run . 2>errors) || { cat errors >&2; exit 1; }
printf 'REST API, load balancer, HTTP API, and joined; signatures and dates:\n%s\n' "$seen"
expected='1 verified 1
1 verified 1
3 unable to verify payload, err: no matching signature found 2
1 verified 2'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
