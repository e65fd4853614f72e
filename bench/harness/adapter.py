# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""How to speak to a webhook server that runs: an adapter, read from a JSON file.

bench/peers/README.md says what may be in such a file.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import secrets
import urllib.parse
from dataclasses import dataclass, field

from harness.processes import BenchError, in_parallel

PLACEHOLDER = re.compile(r"(\$?)\{(\w+)\}")
KINDS = {str: "a string", int: "a whole number", dict: "an object"}


@dataclass
class Request:
    """One request as the file describes it, its placeholders not filled in."""

    key: str  # where it is in the file, e.g. "publish" or "register[1]"
    url: str
    method: str = "POST"
    headers: dict = field(default_factory=dict)
    body: object = None
    keep: dict = field(default_factory=dict)  # placeholder -> path in the answer


class Adapter:
    """What a file says, checked; `prepare`, `register` and `publish` do it.

    Everything that a server does not answer with 2xx is a BenchError.
    """

    def __init__(self, file, text, environment):
        self._file, self._environment = file, environment
        try:
            settings = json.loads(text)
        except ValueError as error:
            self._refuse("", f"this is not JSON: {error}")
        self._check(settings, "", dict)
        self._only(settings, "", "name headers prepare register publish"
                   " webhooks notifications connections seconds")  # fmt: skip
        self.name = self._take(settings, "name", str)
        self.webhooks = self._count(settings, "webhooks", 1000)
        self.notifications = self._count(settings, "notifications", None)
        self.connections = self._count(settings, "connections", 4)
        self.seconds = self._count(settings, "seconds", 600)  # of a round, at most
        self._headers = self._strings(settings, "headers")
        self._names = {"run": f"bench-{secrets.token_hex(4)}"}
        known = {"run"}
        self._prepare = self._requests(settings, "prepare", known, optional=True)
        self._register = self._requests(settings, "register", {*known, "n", "target_url"})
        self._publish = self._requests(settings, "publish", {*known, "n"})
        self._registered = self._published = 0

    @staticmethod
    def read(file, environment=None):
        """Values of `environment`, os.environ if None, are what ${NAME} stands for."""
        try:
            text = pathlib.Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BenchError(f"the adapter {file} cannot be read: {error}") from None
        return Adapter(file, text, os.environ if environment is None else environment)

    # -- what a run does, in this order ------------------------------------------

    def prepare(self):
        """Once, before anything is registered."""
        with contextlib.closing(Client(self)) as client:
            self._names = client.run(self._prepare, self._names)

    def register(self, target_urls):
        """A webhook per URL."""
        first, self._registered = self._registered, self._registered + len(target_urls)
        self._each(
            self._register,
            [{"n": first + at, "target_url": url} for at, url in enumerate(target_urls)],
        )

    def publish(self, count):
        """So many notifications; returns when the server has answered all of them."""
        first, self._published = self._published, self._published + count
        self._each(self._publish, [{"n": first + at} for at in range(count)])

    def _each(self, requests, items):
        def work(first):
            with contextlib.closing(Client(self)) as client:
                for names in items[first :: self.connections]:
                    client.run(requests, {**self._names, **names})

        in_parallel(min(self.connections, len(items)), work)

    def fill(self, value, names):
        """`value` with all placeholders in its strings replaced."""
        if isinstance(value, dict):
            return {key: self.fill(item, names) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, names) for item in value]
        if not isinstance(value, str):
            return value
        return PLACEHOLDER.sub(
            lambda found: str((self._environment if found[1] else names)[found[2]]), value
        )

    # -- reading; `key` is where in the file something is ------------------------

    def _refuse(self, key, why):
        raise BenchError(f"{self._file}: {key}{': ' if key else ''}{why}")

    def _check(self, value, key, kind):
        if not isinstance(value, kind) or isinstance(value, bool):
            self._refuse(key, f"has to be {KINDS[kind]}")
        return value

    def _only(self, settings, key, allowed):
        for name in settings:
            if name not in allowed.split():
                at = f"{key}.{name}" if key else name
                self._refuse(at, f"there is no such key; there are {', '.join(allowed.split())}")

    def _take(self, settings, name, kind, *, within="", default=None):
        key = f"{within}.{name}" if within else name
        if name not in settings:
            return self._refuse(key, "is missing") if default is None else default
        return self._check(settings[name], key, kind)

    def _count(self, settings, name, default):
        if name not in settings:
            return default
        if self._check(settings[name], name, int) < 1:
            self._refuse(name, "has to be at least 1")
        return settings[name]

    def _strings(self, settings, name, *, within=""):
        found = self._take(settings, name, dict, within=within, default={})
        for item in found:
            self._take(found, item, str, within=f"{within}.{name}" if within else name)
        return found

    def _requests(self, settings, name, known, *, optional=False):
        """A request or a list of them. Each knows what those before it keep; what
        `prepare` keeps is added to `known` itself, for all that follows."""
        if name not in settings:
            return [] if optional else self._refuse(name, "is missing")
        described = settings[name]
        if not isinstance(described, list):
            return [self._request(described, name, known)]
        return [self._request(d, f"{name}[{at}]", known) for at, d in enumerate(described)]

    def _request(self, settings, key, known):
        self._check(settings, key, dict)
        self._only(settings, key, "method url headers body keep")
        request = Request(
            key=key,
            url=self._take(settings, "url", str, within=key),
            method=self._take(settings, "method", str, within=key, default="POST"),
            headers={**self._headers, **self._strings(settings, "headers", within=key)},
            body=settings.get("body"),
            keep=self._strings(settings, "keep", within=key),
        )
        self._known(request.url, f"{key}.url", known)
        self._known(request.headers, f"{key}.headers", known)
        self._known(request.body, f"{key}.body", known)
        url = urllib.parse.urlsplit(self.fill(request.url, dict.fromkeys(known, "x")))
        if url.scheme not in ("http", "https") or not url.hostname:
            self._refuse(f"{key}.url", "has to begin with http:// or https:// and a host")
        known.update(request.keep)
        return request

    def _known(self, value, key, known):
        """Refuses placeholders that nothing will stand for."""
        if isinstance(value, (dict, list)):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for at, item in items:
                self._known(item, f"{key}.{at}", known)
        elif isinstance(value, str):
            for variable, name in PLACEHOLDER.findall(value):
                if variable and name not in self._environment:
                    self._refuse(key, f"the environment variable {name} is not set")
                if not variable and name not in known:
                    there_are = ", ".join(f"{{{one}}}" for one in sorted(known))
                    self._refuse(key, f"there is no {{{name}}} here; there are {there_are}")


class Client:
    """Sends requests of an adapter, one after the other, on kept connections."""

    def __init__(self, adapter):
        self._adapter = adapter
        self._connections = {}

    def close(self):
        for connection in self._connections.values():
            connection.close()

    def run(self, requests, names):
        """Answers `names` with what the requests keep."""
        for request in requests:
            names = {**names, **self._send(request, names)}
        return names

    def _send(self, request, names):
        fill = self._adapter.fill
        url = urllib.parse.urlsplit(fill(request.url, names))
        body, headers = fill(request.body, names), fill(request.headers, names)
        if body is not None and not isinstance(body, str):
            body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        # Without its variables: they are secrets.
        what = f"{self._adapter.name}: {request.key}: {request.method} {request.url}"
        path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
        try:
            connection = self._connection(url)
            connection.request(request.method, path, body and body.encode(), headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise BenchError(f"{what}: {error or type(error).__name__}") from None
        if not 200 <= answer.status < 300:
            raise BenchError(f"{what} was answered with {answer.status}: {text[:500]}")
        return {name: kept(text, path, what) for name, path in request.keep.items()}

    def _connection(self, url):
        at = (url.scheme, url.netloc)
        if at not in self._connections:
            of = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
            self._connections[at] = of[url.scheme](url.hostname, url.port, timeout=120)
        return self._connections[at]


def kept(text, path, what):
    """What is at `path`, e.g. "data.0.id", in an answer."""
    try:
        value = json.loads(text)
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value
    except (ValueError, LookupError, TypeError):
        raise BenchError(f"{what}: there is no {path} in the answer {text[:500]}") from None
