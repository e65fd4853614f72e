#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# c-ares 1.18.1 (Debian 12) reports a name server that answers SERVFAIL exactly as
# one that nobody listens for: ARES_ECONNREFUSED. With ARES_FLAG_NOCHECKRESP it
# reports ARES_ESERVFAIL, but then it takes the first server's SERVFAIL for the
# answer and does not ask the next one. So there is either the reason or the next
# server. ares_query(3): "ARES_ESERVFAIL: The query completed but the server claims
# to have experienced a failure".
#
# Seen:
#   SERVFAIL                            11 Could not contact DNS servers
#   nobody listens                      11 Could not contact DNS servers
#   SERVFAIL, then a server with it     0 Successful completion
#   NOCHECKRESP: SERVFAIL               3 DNS server returned general failure
#   NOCHECKRESP: SERVFAIL, then one     3 DNS server returned general failure
#
# protocol/dns/channel.* therefore looks at the header of each message itself.
# Needs Debian 12 with gcc and python3; installs nothing outside of a temporary
# folder. Traffic on loopback only.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet --quiet libc-ares2=1.18.1-3 libc-ares-dev=1.18.1-3 \
  >/dev/null
for package in ./*.deb; do
  dpkg-deb --extract "$package" .
done

# Two name servers: the first fails, the second knows each name. Prints their
# ports, and one at which nobody listens.
cat >servers.py <<'EOF'
import select
import socket
import struct

fails, knows, closed = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "123")
for each in (fails, knows, closed):
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in (fails, knows, closed)), flush=True)
closed.close()
while True:
    for at in select.select([fails, knows], [], [])[0]:
        query, client = at.recvfrom(512)
        number = query[:2]
        end = query.index(b"\0", 12) + 5
        question = query[12:end]
        if at is fails:
            answer = number + struct.pack(">HHHHH", 0x8182, 1, 0, 0, 0) + question
        else:
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
            answer = number + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question + record
        at.sendto(answer, client)
EOF
exec 3< <(exec python3 servers.py)
server=$!
read -r fails knows closed <&3

cat >ask.c <<'EOF'
#include <ares.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>

static void done(void* arg, int status, int timeouts, unsigned char* bytes, int size) {
  (void)timeouts, (void)bytes, (void)size;
  *(int*)arg = status;
}

/* ask FLAGS SERVERS */
int main(int argc, char** argv) {
  struct ares_options options = {.flags = atoi(argv[1]), .timeout = 1000, .tries = 1};
  ares_channel channel;
  int status = -1;
  (void)argc;
  ares_library_init(ARES_LIB_INIT_ALL);
  if (ares_init_options(&channel, &options,
                        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)
        != ARES_SUCCESS
      || ares_set_servers_ports_csv(channel, argv[2]) != ARES_SUCCESS)
    return 1;
  ares_query(channel, "host.example", 1, 1, done, &status);
  while (status == -1) {
    fd_set reads, writes;
    struct timeval wait = {.tv_usec = 100000};
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    int count = ares_fds(channel, &reads, &writes);
    select(count, &reads, &writes, NULL, &wait);
    ares_process(channel, &reads, &writes);
  }
  printf("%d %s\n", status, ares_strerror(status));
  ares_destroy(channel);
  return 0;
}
EOF
libraries=$(dirname "$(find usr/lib -name 'libcares.so.2' | head -n 1)")
gcc -isystem usr/include ask.c -o ask "$libraries/libcares.so.2"
export LD_LIBRARY_PATH=$PWD/$libraries

nocheckresp=128 # ARES_FLAG_NOCHECKRESP
seen=$(
  ./ask 0 "127.0.0.1:$fails"
  ./ask 0 "127.0.0.1:$closed"
  ./ask 0 "127.0.0.1:$fails,127.0.0.1:$knows"
  ./ask $nocheckresp "127.0.0.1:$fails"
  ./ask $nocheckresp "127.0.0.1:$fails,127.0.0.1:$knows"
)
printf 'c-ares 1.18.1 says:\n%s\n' "$seen"
expected='11 Could not contact DNS servers
11 Could not contact DNS servers
0 Successful completion
3 DNS server returned general failure
3 DNS server returned general failure'
if [[ $seen != "$expected" ]]; then
  echo "this has changed; expected:" >&2
  echo "$expected" >&2
  exit 1
fi
