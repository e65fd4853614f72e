#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# tinyproxy 1.11.1 (Debian 12: tinyproxy-bin 1.11.1-2.1+deb12u1) asks with 407 for a
# password, but answers a wrong one as if it were the receiver: with 401 and
# WWW-Authenticate. RFC 9110, 15.5.2 and 15.5.8: 401 is about the target, 407 about the
# proxy. It does so for CONNECT and for requests in the absolute form.
#
# Seen:
#   CONNECT, right password            200
#   CONNECT, none                      407 Proxy-Authenticate
#   CONNECT, wrong password            401 WWW-Authenticate
#   CONNECT, port not allowed, right   403
#   CONNECT, port not allowed, wrong   401 WWW-Authenticate
#   POST, right password               204
#   POST, wrong password               401 WWW-Authenticate
#
# What a sender makes of it: after CONNECT it can tell, since no receiver was reached.
# Fanfare says `proxy: refused with 401`, and does not ask for the receiver's other
# addresses, as with 407. In the absolute form, which most clients use for http://,
# nobody can: it looks as if the receiver refused its caller. Fanfare uses that form
# only after a CONNECT that was refused with 403, and so never with a wrong password.
# Needs Debian 12 with curl and python3; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
pids=()
trap '((${#pids[@]} == 0)) || kill "${pids[@]}"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet --quiet tinyproxy-bin=1.11.1-2.1+deb12u1 >/dev/null
dpkg-deb --extract tinyproxy-bin_*.deb .

cat >receiver.py <<'EOF'
import http.server


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
EOF
exec 3< <(exec python3 receiver.py)
pids+=($!)
read -r receiver <&3
proxy=$(python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
cat >conf <<EOF
Port $proxy
Listen 127.0.0.1
Allow 127.0.0.1
Timeout 10
MaxClients 10
BasicAuth sender right
ConnectPort $receiver
EOF
usr/bin/tinyproxy -d -c conf &>log &
pids+=($!)
for ((tries = 0; tries < 50; ++tries)); do
  ! curl --silent --output /dev/null "http://127.0.0.1:$proxy/" || break
  sleep 0.1
done

# The proxy's status, and the header in which it asks for a password.
call() { # USER PORT [OPTION...]
  curl --silent --max-time 10 --include --output answer --data '{}' \
    --write-out '%{http_connect} %{http_code}' --noproxy '' \
    --proxy "http://${1:+$1@}127.0.0.1:$proxy" "${@:3}" \
    "http://127.0.0.1:$2/" >status || true
  local connect final
  read -r connect final <status
  [[ $connect == 000 ]] && connect=$final
  local asks
  asks=$(grep --only-matching --extended-regexp '^(WWW|Proxy)-Authenticate' answer || true)
  echo "$connect${asks:+ $asks}"
}
seen=$(
  call sender:right "$receiver" --proxytunnel
  call '' "$receiver" --proxytunnel
  call sender:wrong "$receiver" --proxytunnel
  call sender:right "$proxy" --proxytunnel
  call sender:wrong "$proxy" --proxytunnel
  call sender:right "$receiver"
  call sender:wrong "$receiver"
)
printf 'tinyproxy 1.11.1 answers:\n%s\n' "$seen"
expected='200
407 Proxy-Authenticate
401 WWW-Authenticate
403
401 WWW-Authenticate
204
401 WWW-Authenticate'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
