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
import time
import urllib.parse
from dataclasses import dataclass, field

from harness.process_trees import KINDS as PROCESS_KINDS
from harness.process_trees import ProcessTrees, Tree
from harness.processes import BenchError, in_parallel

PLACEHOLDER = re.compile(r"(\$?)\{(\w+)\}")
HEADER = re.compile(r"[A-Za-z0-9-]+")
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
        self._only(settings, "", "name headers prepare register publish signature"
                   " processes webhooks notifications connections settle seconds")  # fmt: skip
        self.name = self._take(settings, "name", str)
        self.webhooks = self._count(settings, "webhooks", 1000)
        self.notifications = self._count(settings, "notifications", None)
        self.connections = self._count(settings, "connections", 4)
        self.seconds = self._count(settings, "seconds", 600)  # of a round, at most
        self.settle = self._count(settings, "settle", 0)  # seconds after `register`
        self._headers = self._strings(settings, "headers")
        self.signature = self._header(settings, "signature")
        self._names = {"run": f"bench-{secrets.token_hex(4)}"}
        known = {"run"}
        self._prepare = self._requests(settings, "prepare", known, optional=True)
        self._register = self._requests(settings, "register", {*known, "n", "target_url"})
        self._publish = self._requests(settings, "publish", {*known, "n"})
        self._registered = 0
        self.published = 0  # the number of the next notification
        # None if the file names none: what they use is not known then.
        self.processes = ProcessTrees(trees) if (trees := self._trees(settings)) else None

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
        """A webhook per URL; waits until the server knows of them."""
        first, self._registered = self._registered, self._registered + len(target_urls)
        self._each(
            self._register,
            [{"n": first + at, "target_url": url} for at, url in enumerate(target_urls)],
        )
        time.sleep(self.settle)

    def publish(self, count):
        """So many notifications; returns when the server has answered all of them."""
        first, self.published = self.published, self.published + count
        self._each(self._publish, [{"n": first + at} for at in range(count)])

    @contextlib.contextmanager
    def publisher(self):
        """A function that publishes the notification of a number, on a connection of
        its own."""
        with contextlib.closing(Client(self)) as client:
            yield lambda number: client.run(self._publish, {**self._names, "n": number})

    def shows_number(self):
        """Whether a call can be told from others: "number-{n}" is in what is published."""
        return "number-{n}" in json.dumps(self._publish[-1].body)

    def publishes_at_once(self):
        """Whether a publish is one request."""
        return len(self._publish) == 1

    def publish_request(self):
        """(method, URL, headers, body with its {n}) of such a publish, after `prepare`."""
        (request,) = self._publish
        names = {**self._names, "n": "{n}"}
        body, headers = encoded(self.fill(request.body, names), self.fill(request.headers, names))
        return request.method, self.fill(request.url, {**names, "n": 0}), headers, body or ""

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

    def _header(self, settings, name):
        """The name of one; "" if the file has none."""
        found = self._take(settings, name, str, default="")
        if found and not HEADER.fullmatch(found):
            self._refuse(name, "has to be the name of a header, as in webhook-signature")
        return found

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

    def _trees(self, settings):
        described = settings.get("processes", [])
        if not isinstance(described, list):
            self._refuse("processes", "has to be a list")
        return [self._tree(one, f"processes[{at}]") for at, one in enumerate(described)]

    def _tree(self, settings, key):
        self._check(settings, key, dict)
        self._only(settings, key, " ".join(["name", *PROCESS_KINDS]))
        name = self._take(settings, "name", str, within=key)
        kinds = [kind for kind in PROCESS_KINDS if kind in settings]
        if len(kinds) != 1:
            self._refuse(key, f"needs one of {', '.join(PROCESS_KINDS)}, and only one")
        (kind,) = kinds
        where = self._take(settings, kind, str, within=key)
        self._known(where, f"{key}.{kind}", set())
        return Tree(name, kind, self.fill(where, {}))

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
                    there_are = ", ".join(f"{{{one}}}" for one in sorted(known)) or "none"
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
        body, headers = encoded(fill(request.body, names), fill(request.headers, names))
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


def encoded(body, headers):
    """As they are sent: what is no string is JSON."""
    if body is None or isinstance(body, str):
        return body, headers
    return json.dumps(body), {"Content-Type": "application/json", **headers}


def kept(text, path, what):
    """What is at `path`, e.g. "data.0.id", in an answer."""
    try:
        value = json.loads(text)
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value
    except (ValueError, LookupError, TypeError):
        raise BenchError(f"{what}: there is no {path} in the answer {text[:500]}") from None
