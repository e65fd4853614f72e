#!/usr/bin/env bash
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Apache 2.4.71 (Debian 12: apache2-bin 2.4.71-1~deb12u1) with mod_cgid, which Debian
# uses for CGI beside mpm_event, loses the answer of a script that does not read the
# request's body: often the connection ends without a byte of it, or in the middle. That
# happens even with 2 bytes, less often. RFC 3875, 4.2, lets a script leave the body alone, as one
# does that refuses its caller. A script that reads first is always heard.
#
# Seen, 20 calls each to a script that answers 401 at once; the counts vary:
#   body                         whole   cut   nothing
#   2 bytes                          9    10         1
#   1 MB                             8     0        12
#   1 MB, to one that reads it      20     0         0
# The log of errors says of each that is lost, at most: "(104)Connection reset by peer:
# AH00574: ap_content_length_filter: apr_bucket_read() failed". What resets is the
# socket between Apache and the script, whose unread bytes are thrown away at its end.
#
# What a sender makes of it: a receiver that is down. Fanfare says `reset: connection
# closed before an answer` and tries again for days, where the 401 would have told its
# owner what is wrong; `final_statuses` do not help, and 410 may never be seen. So the
# script should read all of its standard input before anything else.
# Needs Debian 12 with python3; installs nothing outside of a temporary folder. Traffic
# on loopback only.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || { kill "$server"; wait "$server"; } || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet --quiet apache2-bin=2.4.71-1~deb12u1 >/dev/null
dpkg-deb --extract apache2-bin_*.deb .

mkdir scripts
cat >scripts/refuses <<'EOF'
#!/bin/sh
printf 'Status: 401 Unauthorized\r\nContent-Type: text/plain\r\n\r\nno\n'
EOF
cat >scripts/reads <<'EOF'
#!/bin/sh
cat >/dev/null
printf 'Status: 401 Unauthorized\r\nContent-Type: text/plain\r\n\r\nno\n'
EOF
# The scripts run as another user if Apache is started by root.
chmod 755 . scripts scripts/*
port=$(python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
modules=usr/lib/apache2/modules
cat >httpd.conf <<EOF
ServerRoot $folder
DefaultRuntimeDir $folder
PidFile $folder/pid
ErrorLog $folder/errors
ServerName receiver.example
Listen 127.0.0.1:$port
KeepAliveTimeout 1
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule alias_module $modules/mod_alias.so
LoadModule cgid_module $modules/mod_cgid.so
User www-data
Group www-data
ScriptSock $folder/cgid
ScriptAlias / $folder/scripts/
EOF
usr/sbin/apache2 -d "$folder" -f httpd.conf -DFOREGROUND &>log &
server=$!

cat >call.py <<'EOF'
import socket
import sys
import time

port, script, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
HEAD = "POST /%s HTTP/1.1\r\nHost: receiver.example\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"3\r\nno\n\r\n0\r\n\r\n"


def call():
    answer = b""
    whole = False
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        try:
            connection.sendall((HEAD % (script, size)).encode() + b"x" * size)
        except OSError:
            pass  # the answer may be there all the same
        try:
            while not whole and (more := connection.recv(4096)):
                answer += more
                head, _, body = answer.partition(b"\r\n\r\n")
                whole = body == (b"no\n" if b"Content-Length: 3" in head else CHUNKED)
        except OSError:
            pass
    return "whole" if whole else "cut" if answer else "nothing"


for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        break
    except OSError:
        time.sleep(0.1)
seen = [call() for _ in range(20)]
print(*(seen.count(how) for how in ("whole", "cut", "nothing")))
EOF
small=$(python3 call.py "$port" refuses 2)
large=$(python3 call.py "$port" refuses 1000000)
read_first=$(python3 call.py "$port" reads 1000000)
printf 'Apache 2.4.71, whole, cut, nothing:\n%s\n%s\n%s\n' "$small" "$large" "$read_first"
if [[ $large == '20 0 0' || $read_first != '20 0 0' ]]; then
  echo "this has changed; expected lost answers, but none of a script that reads" >&2
  cat log errors >&2
  exit 1
fi
