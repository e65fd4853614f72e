#!/usr/bin/env python3
# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""shop.py DIR: publishes from Python, through <fanfare/fanfare.h> and ctypes, to a
receiver in the same program, which checks the signature of what it gets.

FANFARE_LIBRARY names the library if it is not installed."""

import base64
import ctypes
import hashlib
import hmac
import http.server
import os
import queue
import sys
import threading
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

lib = ctypes.CDLL(os.environ.get("FANFARE_LIBRARY", "libfanfare.so.0.1"))


# -- the structs of fanfare.h: as many members as are used, the size says so ------


class Error(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("code", c_int32),
        ("detail", ctypes.c_char * 512),
        ("field", ctypes.c_char * 64),
    ]


class Options(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("data", c_char_p),
        ("threads", c_uint32),
        ("allow_networks", c_char_p),
    ]


class Webhook(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("id", c_uint64),
        ("organizer", c_uint32),
        ("enabled", c_int32),
        ("all_events", c_int32),
        ("target_url", c_char_p),
        ("action_types", c_char_p),
    ]


class Publication(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("action", c_char_p),
        ("event", c_char_p),
        ("payload", c_char_p),
    ]


Published = ctypes.CFUNCTYPE(None, c_void_p, c_uint64, c_size_t, POINTER(Error))


class FanfareError(Exception):
    pass


def call(name, *arguments):
    """Calls a function whose last parameter is the error."""
    error = Error(size=ctypes.sizeof(Error))
    if getattr(lib, name)(*arguments, byref(error)) != 0:
        raise FanfareError(f"{name}: {error.detail.decode()} {error.field.decode()}")


def made(struct, init):
    it = struct()
    getattr(lib, init)(byref(it), c_size_t(ctypes.sizeof(it)))
    return it


# -- the receiver --------------------------------------------------------------------

arrived = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        arrived.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def is_genuine(headers, body, secret):
    """As Standard Webhooks has it: HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    lower = {name.lower(): value for name, value in headers.items()}
    signed = f"{lower['webhook-id']}.{lower['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(
        hmac.compare_digest(one, wanted) for one in lower["webhook-signature"].split(" ")
    )


# -- the shop ------------------------------------------------------------------------


def main(directory):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    options = made(Options, "fanfare_options_init")
    options.data = directory.encode()
    options.allow_networks = b"127.0.0.0/8"
    engine = c_void_p()
    call("fanfare_start", byref(options), byref(engine))
    shop = c_uint32()
    call("fanfare_ensure_organizer", engine, b"shop", byref(shop))
    call("fanfare_ensure_action_type", engine, b"shop.order.*")
    webhook = made(Webhook, "fanfare_webhook_init")
    webhook.target_url = f"http://127.0.0.1:{server.server_port}/hook".encode()
    webhook.action_types = b"shop.order.*"
    hook = c_uint64()
    call("fanfare_add_webhook", engine, shop, byref(webhook), byref(hook))
    secret = c_char_p()
    call("fanfare_get_secret", engine, shop, hook, byref(secret))

    durable = queue.Queue()

    @Published  # on a thread of the engine: hand it over, and do no more
    def done(_user, first, count, error):
        durable.put((first, count) if not error else error.contents.detail.decode())

    item = Publication(
        size=ctypes.sizeof(Publication), action=b"shop.order.placed", payload=b'{"code": "A1"}'
    )
    call("fanfare_try_publish", engine, shop, byref(item), c_size_t(1), done, None)
    print("on disk:", durable.get(timeout=30))
    headers, body = arrived.get(timeout=30)
    print("arrived:", body.decode())
    print("genuine:", is_genuine(headers, body, secret.value.decode()))

    lib.fanfare_free_text(secret)
    lib.fanfare_stop(engine, c_int64(5000))
    lib.fanfare_free(engine)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: shop.py DIR", file=sys.stderr)
        sys.exit(2)
    main(sys.argv[1])
