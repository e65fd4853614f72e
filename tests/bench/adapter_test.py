# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""Adapters: what is read, what is refused and how, what reaches the server."""

import copy
import json
import pathlib
import re
import tempfile
import unittest

from support import ROOT, NaiveServer

from harness.adapter import Adapter
from harness.processes import BenchError, free_port

ENVIRONMENT = {"NAIVE_URL": "http://127.0.0.1:9", "NAIVE_TOKEN": "naive"}


def adapter(environment=None, **changes):
    """The naive server's adapter with some keys changed, those of None removed."""
    settings = {**copy.deepcopy(NaiveServer.ADAPTER), **changes}
    settings = {key: value for key, value in settings.items() if value is not None}
    return Adapter("peer.json", json.dumps(settings), environment or ENVIRONMENT)


class ReadingTest(unittest.TestCase):
    def refused(self, *said, **changes):
        with self.assertRaises(BenchError) as caught:
            adapter(**changes)
        for words in ("peer.json: ", *said):
            self.assertIn(words, str(caught.exception))

    def test_has_defaults_for_what_may_be_left_out(self):
        read = adapter()
        self.assertEqual(
            (read.name, read.webhooks, read.notifications, read.connections, read.seconds),
            ("naive", 1000, None, 4, 600),
        )
        self.assertEqual((read.settle, read.signature, read.processes), (0, "", None))

    def test_takes_sizes(self):
        read = adapter(webhooks=5, notifications=6, connections=7, seconds=8, settle=9)
        self.assertEqual(
            (read.webhooks, read.notifications, read.connections, read.seconds, read.settle),
            (5, 6, 7, 8, 9),
        )

    def test_names_what_is_missing(self):
        for key in ("name", "register", "publish"):
            self.refused(f"{key}: is missing", **{key: None})
        self.refused("publish.url: is missing", publish={"body": {}})
        self.refused("register[1].url: is missing", register=[{"url": "http://a/"}, {}])

    def test_names_what_it_does_not_know(self):
        self.refused("webhook: there is no such key", "publish", webhook=1)
        self.refused("publish.uri: there is no such key", publish={"uri": "http://a/"})

    def test_names_what_has_the_wrong_type(self):
        self.refused("name: has to be a string", name=1)
        self.refused("webhooks: has to be a whole number", webhooks="many")
        self.refused("webhooks: has to be a whole number", webhooks=True)
        self.refused("webhooks: has to be at least 1", webhooks=0)
        self.refused("headers.X: has to be a string", headers={"X": 1})
        self.refused("publish: has to be an object", publish="http://a/")
        self.refused(
            "publish.headers.X: has to be a string",
            publish={"url": "http://a/", "headers": {"X": None}},
        )

    def test_refuses_a_url_that_is_none(self):
        self.refused("publish.url: has to begin with http", publish={"url": "a/b"})
        self.refused("publish.url: has to begin with http", publish={"url": "ftp://a/b"})

    def test_names_a_variable_that_is_not_set(self):
        self.refused(
            "publish.body.deep.1: the environment variable NOT_SET is not set",
            publish={"url": "http://a/", "body": {"deep": ["", "${NOT_SET}"]}},
        )

    def test_names_a_placeholder_that_nothing_stands_for(self):
        self.refused(
            "publish.url: there is no {target_url} here; there are {app}, {n}, {run}",
            publish={"url": "http://a/{target_url}"},
        )
        self.refused(
            "register.headers.X: there is no {app}",
            prepare=None,
            register={"url": "http://a/", "headers": {"X": "{app}"}},
        )

    def test_says_that_it_is_not_json(self):
        with self.assertRaisesRegex(BenchError, "peer.json: this is not JSON: .*line 1"):
            Adapter("peer.json", "{", {})
        with self.assertRaisesRegex(BenchError, "peer.json: has to be an object"):
            Adapter("peer.json", "[]", {})

    def test_says_that_there_is_no_file(self):
        with self.assertRaisesRegex(BenchError, "the adapter /none.json cannot be read"):
            Adapter.read("/none.json")

    def test_reads_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "peer.json"
            file.write_text(json.dumps(NaiveServer.ADAPTER))
            self.assertEqual(Adapter.read(file, ENVIRONMENT).name, "naive")

    def test_reads_those_that_come_with_it(self):
        variables, names = {}, []
        files = sorted((ROOT / "bench/peers").glob("*.json"))
        for file in files:
            for name in re.findall(r"\$\{(\w+)\}", file.read_text()):
                variables[name] = f"http://127.0.0.1/{name}"
        for file in files:
            read = Adapter.read(file, variables)
            names.append(read.name)
            # As its publishes are compared with those of the others.
            self.assertTrue(read.shows_number(), file)
            self.assertTrue(read.publishes_at_once(), file)
            if read.name != "Fanfare":  # which script/bench starts itself
                self.assertTrue(read.signature, file)
                self.assertIn(read.name, read.processes.names, file)
        self.assertEqual(names, ["BullMQ", "Fanfare", "Outpost", "Svix", "WebhookX"])

    def test_takes_processes(self):
        read = adapter(
            processes=[{"name": "a", "pid": "1"}, {"name": "b", "pid_file": "${NAIVE_TOKEN}"}]
        )
        self.assertEqual(read.processes.names, ["a", "b"])

    def test_refuses_processes_that_are_none(self):
        self.refused("processes: has to be a list", processes={"name": "a", "pid": "1"})
        self.refused("processes[0].name: is missing", processes=[{"pid": "1"}])
        for one in ({"name": "a"}, {"name": "a", "pid": "1", "cgroup": "b"}):
            self.refused("processes[0]: needs one of pid, pid_file, cgroup", processes=[one])
        self.refused("processes[0].pid: has to be a string", processes=[{"name": "a", "pid": 1}])
        self.refused(
            "processes[0].pid: the environment variable NOT_SET is not set",
            processes=[{"name": "a", "pid": "${NOT_SET}"}],
        )
        self.refused(
            "processes[0].pid: there is no {run} here; there are none",
            processes=[{"name": "a", "pid": "{run}"}],
        )

    def test_refuses_a_signature_that_is_no_header(self):
        self.refused("signature: has to be the name of a header", signature="a b")


class RequestsTest(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(NaiveServer())

    def adapter(self, **changes):
        return adapter(self.server.environment, **changes)

    def test_fill_in_what_they_stand_for(self):
        peer = self.adapter(connections=1)
        peer.prepare()
        peer.register(["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"])
        (path, first), *others = self.server.requests
        self.assertEqual(path, "/apps")
        self.assertRegex(first["name"], "^bench-[0-9a-f]{8}$")
        self.assertEqual(
            others,
            [
                ("/apps/7/hooks", {"url": "http://127.0.0.1:1/a"}),
                ("/apps/7/hooks", {"url": "http://127.0.0.1:1/b"}),
            ],
        )

    def test_count_on_over_several_publishes(self):
        peer = self.adapter()
        peer.prepare()
        peer.publish(6)
        peer.publish(5)
        keys = sorted(body["key"] for path, body in self.server.requests[1:])
        self.assertEqual(keys, sorted(f"event-{n}" for n in range(11)))

    def test_can_be_sent_by_another_load(self):
        peer = self.adapter()
        peer.prepare()
        self.assertTrue(peer.publishes_at_once())
        method, url, headers, body = peer.publish_request()
        self.assertEqual((method, body), ("POST", '{"key": "event-{n}"}'))
        self.assertEqual(url, f"{self.server.url}/apps/7/events")
        self.assertEqual(headers["Authorization"], "Bearer naive")
        self.assertEqual(headers["Content-Type"], "application/json")
        several = self.adapter(publish=[{"url": "http://a/"}, {"url": "http://b/"}])
        self.assertFalse(several.publishes_at_once())

    def test_can_be_sent_one_by_one(self):
        peer = self.adapter()
        self.assertFalse(peer.shows_number())
        peer.prepare()
        with peer.publisher() as publish:
            publish(5)
        self.assertEqual(self.server.requests[-1], ("/apps/7/events", {"key": "event-5"}))

    def test_are_sent_in_order_and_know_what_was_kept_before(self):
        url = self.server.url
        peer = self.adapter(
            prepare=None,
            register=[
                {"url": f"{url}/a", "body": {}, "keep": {"a": "data.0.id"}},
                {"url": f"{url}/b/{{a}}/{{n}}", "body": {}},
            ],
            publish={"url": f"{url}/c", "body": {}},
        )
        peer.register(["http://127.0.0.1:1/"])
        self.assertEqual([path for path, _ in self.server.requests], ["/a", "/b/7/0"])

    def test_have_a_run_of_their_own(self):
        for peer in (self.adapter(), self.adapter()):
            peer.prepare()
        (_, one), (_, other) = self.server.requests
        self.assertNotEqual(one["name"], other["name"])

    def failure(self, act, **changes):
        with self.assertRaises(BenchError) as caught:
            act(self.adapter(**changes))
        return str(caught.exception)

    def test_fail_unless_answered_with_2xx_and_tell_no_secret(self):
        said = self.failure(
            lambda peer: peer.prepare(), headers={"Authorization": "Bearer ${NAIVE_TOKEN}2"}
        )
        self.assertEqual(
            said, 'naive: prepare: POST ${NAIVE_URL}/apps was answered with 401: "no"'
        )

    def test_fail_without_a_server(self):
        said = self.failure(
            lambda peer: peer.publish(1),
            publish={"url": f"http://127.0.0.1:{free_port()}/"},
            prepare=None,
            register={"url": "http://a/"},
        )
        self.assertIn("naive: publish: POST http://127.0.0.1:", said)
        self.assertIn("Connection refused", said)

    def test_fail_if_there_is_nothing_to_keep(self):
        for path in ("data.1.id", "data.id", "other", "data.0.id.more"):
            said = self.failure(
                lambda peer: peer.prepare(),
                prepare={"url": "${NAIVE_URL}/a", "body": {}, "keep": {"app": path}},
            )
            self.assertIn(f'there is no {path} in the answer {{"data"', said)


if __name__ == "__main__":
    unittest.main()
