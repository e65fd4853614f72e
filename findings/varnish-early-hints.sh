#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Varnish 7.1.1 (Debian 12: varnish 7.1.1-2+deb12u1) takes an interim answer of its
# backend, 100, 102 or 103, for a fault: the call ends with 503 and Retry-After: 5,
# although the backend has done its work and says 200 right after it. RFC 9110, 15.2:
# a client "MUST be able to parse one or more 1xx responses received prior to a final
# response", and a proxy forwards them. Since the built-in VCL has the Retry-After, each
# answer that Varnish makes itself for its backend has it.
#
# Seen, and how often the backend's handler ran:
#   200                         200
#   100, then 200               503 Retry-After: 5
#   102, then 200               503 Retry-After: 5
#   103, then 200               503 Retry-After: 5
#   backend not there           503 Retry-After: 5
#   runs of the handler         4
#
# What a sender makes of it: a receiver that is busy. Fanfare waits for 5 s, uses no
# attempt of the schedule as Retry-After asks for the pause, and calls again and again
# until max_age: a handler that sends early hints, as with node's
# response.writeEarlyHints(), runs each time. So a receiver behind Varnish should send
# none in answer to a POST, act on each webhook-id once, and set the header itself in
# vcl_backend_error.
# Needs Debian 12 with gcc, curl and python3; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
pids=()
trap '((${#pids[@]} == 0)) || kill "${pids[@]}"; wait; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet --quiet varnish=7.1.1-2+deb12u1 \
  libvarnishapi3=7.1.1-2+deb12u1 >/dev/null
for package in ./*.deb; do
  dpkg-deb --extract "$package" .
done
libraries=$PWD/$(dirname "$(find usr/lib -name 'libvarnishapi.so.3' | head -n 1)")
export LD_LIBRARY_PATH=$libraries:$libraries/varnish

# The path names the status before the final one. Prints its port, and one at which
# nobody listens.
cat >backend.py <<'EOF'
import http.server
import socket


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    runs = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Backend.runs += 1
        interim = int(self.path[1:])
        if interim:
            self.send_response_only(interim)
            self.end_headers()
        self.answer(b"done")

    def do_GET(self):
        self.answer(b"%d" % Backend.runs)

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


closed = socket.create_server(("127.0.0.1", 0))
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
print(server.server_port, closed.getsockname()[1], flush=True)
closed.close()
server.serve_forever()
EOF
exec 3< <(exec python3 backend.py)
pids+=($!)
read -r backend closed <&3

start() { # NAME BACKEND_PORT
  usr/sbin/varnishd -F -j none -n "$folder/$1" -a "$folder/$1.socket" \
    -b "127.0.0.1:$2" -s malloc,10m -p vmod_path="$libraries/varnish/vmods" &>"$1.log" &
  pids+=($!)
}
call() { # NAME PATH
  for ((tries = 0; tries < 150; ++tries)); do
    ! curl --silent --unix-socket "$1.socket" --output /dev/null http://receiver.example/ \
      || break
    sleep 0.2
  done
  curl --silent --max-time 10 --unix-socket "$1.socket" --data '{}' --output /dev/null \
    --dump-header head "http://receiver.example/$2"
  tr -d '\r' <head | awk '/^HTTP/ { status = $2 } /^Retry-After/ { wait = " " $0 }
    END { print status wait }'
}
start varnish "$backend"
start alone "$closed"
seen=$(
  for interim in 0 100 102 103; do
    call varnish $interim
  done
  call alone 0
  curl --silent "http://127.0.0.1:$backend/"
)
printf 'Varnish 7.1.1 answers, then the runs:\n%s\n' "$seen"
expected='200
503 Retry-After: 5
503 Retry-After: 5
503 Retry-After: 5
503 Retry-After: 5
4'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
