# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests that are timed one by one: http.client takes longer than what it asks."""

import socket
import time

from harness.processes import BenchError


class Wire:
    """A kept connection to a program on the loopback."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request):
        """(seconds, body) of a whole request; another status than 2xx is an error."""
        began = time.perf_counter()
        self._socket.sendall(request)
        data, size = b"", None
        while size is None or len(data) < size:
            more = self._socket.recv(1 << 18)
            if not more:
                raise BenchError(f"no whole answer to {request[:80]!r}: {data[:200]!r}")
            data += more
            if size is None and (end := data.find(b"\r\n\r\n")) >= 0:
                head = data[:end].lower()
                length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r")[0]
                size = end + 4 + int(length)
        seconds = time.perf_counter() - began
        if data[9:10] != b"2":
            raise BenchError(f"{request[:80]!r} was answered: {data[:500]!r}")
        return seconds, data[end + 4 :]

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(method, path, *, token=None, body=b""):
    """The bytes of one."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Token {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))]
