# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""The spans of a real server: which there are and what they say, how they hang together
over retries and restarts, which are recorded, and that a collector in trouble troubles
nobody else.

Run by CTest, which sets FANFARE_PROGRAM to the program."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "metrics"))

from collector import MISSING, Collector, until
from server import ADMIN, PATIENCE, ServerTest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{PARENT}-01"
PRODUCER, CLIENT = "SPAN_KIND_PRODUCER", "SPAN_KIND_CLIENT"
FAILED = "STATUS_CODE_ERROR"
SPANS = "fanfare_trace_spans_total"


@unittest.skipIf(MISSING, MISSING)
class TracedTest(ServerTest):
    MORE = ()

    def setUp(self):
        self.collector = Collector()
        self.addCleanup(self.collector.close)
        self.OPTIONS = ("--otlp-endpoint", self.collector.url, *self.MORE)
        super().setUp()

    def publish_one(self, trace=None, state=None, **members):
        headers = {"Content_Type": "application/json", "Authorization": f"Token {ADMIN}"}
        if trace is not None:
            headers["traceparent"] = trace
        if state is not None:
            headers["tracestate"] = state
        status, _, text = self.ask(
            "POST",
            "/api/v1/organizers/acme/notifications/",
            '{"action": "shop.order.placed", "code": "A1"'
            + "".join(f', "{k}": "{v}"' for k, v in members.items())
            + "}",
            **headers,
        )
        self.assertEqual(status, 202, text)
        return int(re.search(r"\d+", text)[0])

    def sent_to_receiver(self, count=1):
        """The `traceparent` of each request that arrived."""
        self.assertTrue(until(lambda: len(self.receiver.heads) >= count))
        return [head["traceparent"] for head in self.receiver.heads]

    def of_kind(self, kind, count=1):
        found = self.collector.wait_for(count, kind)
        self.assertEqual(len(found), count, found)
        self.assertEqual(self.collector.faults, [])
        return found


class Spans(TracedTest):
    def test_a_publish_and_its_call(self):
        hook = self.webhook(self.receiver.url.replace("//", "//user:SECRET@") + "?key=SECRET")
        subject = self.publish_one(GIVEN, "vendor=1", event="spring", note="SECRET")
        [publish] = self.of_kind(PRODUCER)
        [call] = self.of_kind(CLIENT)

        self.assertEqual((publish.trace, publish.parent, publish.state), (TRACE, PARENT, "vendor=1"))
        self.assertEqual(publish.flags, 0x301)  # sampled, and its parent is remote
        self.assertEqual(publish.name, "publish shop.order.placed")
        self.assertLessEqual(publish.start, publish.end)
        size = publish.attributes.pop("messaging.message.body.size")
        self.assertGreater(size, 50)
        self.assertEqual(
            publish.attributes,
            {
                "messaging.system": "fanfare",
                "messaging.operation.name": "publish",
                "messaging.operation.type": "send",
                "messaging.destination.name": "shop.order.placed",
                "messaging.message.id": str(subject),
                "fanfare.notification.id": subject,
                "fanfare.organizer": "acme",
                "fanfare.event": "spring",
            },
        )
        self.assertEqual(publish.status, "STATUS_CODE_UNSET")

        self.assertEqual((call.trace, call.parent, call.state), (TRACE, publish.id, "vendor=1"))
        self.assertEqual(call.flags, 0x101)  # its parent is of this process
        self.assertEqual(call.links, [(TRACE, publish.id)])
        self.assertEqual(call.name, "POST")
        self.assertLess(call.start, call.end)
        self.assertGreaterEqual(call.start, publish.start)
        for phase in "fanfare.phase.connect", "fanfare.phase.first_byte":
            self.assertGreater(call.attributes.pop(phase), 0)
        self.assertEqual(
            call.attributes,
            {
                "http.request.method": "POST",
                "http.response.status_code": 200,
                "url.full": self.receiver.url,
                "server.address": "127.0.0.1",
                "server.port": self.receiver.port,
                "fanfare.organizer": "acme",
                "fanfare.webhook.id": hook,
                "fanfare.notification.id": subject,
                "fanfare.action": "shop.order.placed",
                "fanfare.attempt": 1,
                "fanfare.outcome": "delivered",
            },
        )
        self.assertEqual(call.status, "STATUS_CODE_UNSET")
        # The receiver continues the call's span.
        self.assertEqual(self.sent_to_receiver(), [f"00-{TRACE}-{call.id}-01"])
        self.assertEqual(self.receiver.heads[0]["tracestate"], "vendor=1")
        for span in publish, call:
            self.assertNotIn("SECRET", repr(vars(span)))

    def test_who_made_them(self):
        self.webhook()
        self.publish_one()
        [publish] = self.of_kind(PRODUCER)
        version = self.api("GET", "status/")[1]["version"]
        self.assertEqual(publish.scope, "fanfare")
        self.assertRegex(publish.resource.pop("service.instance.id"), r"^[0-9a-f-]{36}$")
        self.assertEqual(
            publish.resource,
            {
                "service.name": "fanfare",
                "service.version": version,
                "process.pid": self.server.pid,
                "host.name": socket.gethostname(),
            },
        )
        [request] = self.collector.wait_for_requests(1)[:1]
        self.assertEqual(request.path, "/v1/traces")
        self.assertEqual(request.headers["Content-Type"], "application/x-protobuf")

    def test_a_publish_without_a_trace_begins_one(self):
        self.webhook()
        self.publish(3)
        publishes = self.of_kind(PRODUCER, 3)
        calls = self.of_kind(CLIENT, 3)
        self.assertEqual(len({span.trace for span in publishes}), 3)
        self.assertEqual({span.parent for span in publishes}, {""})
        self.assertEqual(
            {(span.trace, span.id) for span in publishes},
            {(span.trace, span.parent) for span in calls},
        )
        self.assertEqual(
            set(self.sent_to_receiver(3)), {f"00-{span.trace}-{span.id}-01" for span in calls}
        )

    def test_what_shares_a_trace_has_spans_of_its_own(self):
        self.webhook()
        self.webhook()
        for _ in range(3):
            self.publish_one(GIVEN)
        publishes = self.of_kind(PRODUCER, 3)
        calls = self.of_kind(CLIENT, 6)
        self.assertEqual(len({span.id for span in publishes + calls}), 9)
        for publish in publishes:
            mine = [call for call in calls if call.parent == publish.id]
            self.assertEqual(len(mine), 2)
            self.assertEqual(
                {call["fanfare.notification.id"] for call in mine},
                {publish["fanfare.notification.id"]},
            )

    def test_a_retry_is_a_span_beside_the_failure(self):
        self.receiver.status = 503
        hook = self.webhook(schedule=[0.01])
        self.publish_one(GIVEN)
        first, second = sorted(self.of_kind(CLIENT, 2), key=lambda span: span["fanfare.attempt"])
        [publish] = self.of_kind(PRODUCER)
        for span in first, second:
            self.assertEqual((span.trace, span.parent), (TRACE, publish.id))
            self.assertEqual(span.status, FAILED)
            self.assertEqual(span.why, "answered 503")
            self.assertEqual(span["error.type"], "503")
            self.assertEqual(span["fanfare.webhook.id"], hook)
        self.assertEqual((first["fanfare.attempt"], second["fanfare.attempt"]), (1, 2))
        self.assertIsNone(first["http.request.resend_count"])
        self.assertEqual(second["http.request.resend_count"], 1)
        self.assertEqual(
            (first["fanfare.outcome"], second["fanfare.outcome"]), ("retried", "given_up")
        )
        self.assertEqual(
            self.sent_to_receiver(2), [f"00-{TRACE}-{span.id}-01" for span in (first, second)]
        )

    def test_no_answer_says_why(self):
        self.webhook(f"http://127.0.0.1:{free_port()}/", schedule=[])
        self.publish_one()
        [call] = self.of_kind(CLIENT)
        self.assertEqual(call.status, FAILED)
        self.assertEqual(call["error.type"], "connect")
        self.assertTrue(call.why.startswith("connect: "), call.why)
        self.assertIsNone(call["http.response.status_code"])

    def test_a_batch_links_to_all_its_members(self):
        self.webhook(batch={"max_count": 3, "max_wait_ms": 60000})
        subjects = [self.publish_one(GIVEN), self.publish_one(), self.publish_one(GIVEN)]
        publishes = self.of_kind(PRODUCER, 3)
        [call] = self.of_kind(CLIENT)
        self.assertEqual(
            set(call.links), {(publish.trace, publish.id) for publish in publishes}
        )
        self.assertEqual(call.parent, "")
        self.assertNotIn(call.trace, {publish.trace for publish in publishes})
        self.assertEqual(call["messaging.batch.message_count"], 3)
        self.assertEqual(call["fanfare.notification.id"], subjects[0])
        self.assertEqual(self.sent_to_receiver(), [f"00-{call.trace}-{call.id}-01"])

    def test_tests_are_traced_too(self):
        hook = self.webhook()
        status, _ = self.api("POST", f"organizers/acme/webhooks/{hook}/test/", {})
        self.assertEqual(status, 200)
        [publish] = self.of_kind(PRODUCER)
        [call] = self.of_kind(CLIENT)
        self.assertEqual((call.trace, call.parent), (publish.trace, publish.id))

    def test_the_log_of_calls_names_the_trace(self):
        hook = self.webhook()
        self.publish_one()
        [publish] = self.of_kind(PRODUCER)
        self.of_kind(CLIENT)
        _, calls = self.api("GET", f"organizers/acme/webhooks/{hook}/calls/")
        self.assertEqual(calls["results"][0]["traceparent"].split("-")[1], publish.trace)


class Sampling(TracedTest):
    MORE = ("--otlp-sample", "0")

    def test_publishers_decide_for_their_traces(self):
        self.webhook()
        self.publish_one()
        self.publish_one(f"00-{TRACE}-{PARENT}-00")
        self.publish_one(GIVEN)
        [publish] = self.of_kind(PRODUCER)
        [call] = self.of_kind(CLIENT)
        self.assertEqual((publish.trace, call.trace), (TRACE, TRACE))
        told = set(self.sent_to_receiver(3))  # in any order
        mine = {f"00-{TRACE}-{PARENT}-00", f"00-{TRACE}-{call.id}-01"}
        self.assertLess(mine, told)
        # Receivers are told to record nothing either.
        self.assertRegex((told - mine).pop(), r"^00-[0-9a-f]{32}-[0-9a-f]{16}-00$")
        self.expect(2, SPANS, result="exported")

    def test_half_is_about_half(self):
        self.stop()
        self.OPTIONS = ("--otlp-endpoint", self.collector.url, "--otlp-sample", "0.5")
        self.start()
        self.publish(1000)
        # Once this one is here, all before it are.
        last = self.publish_one(GIVEN)
        self.assertTrue(
            until(lambda: any(s["fanfare.notification.id"] == last for s in self.collector.spans()))
        )
        found = self.collector.spans()
        # Off by more than six standard deviations: less than once in a hundred million runs.
        self.assertTrue(400 < len(found) < 600, len(found))
        refused = 1 << 55
        for span in found:
            if span.trace != TRACE:
                self.assertGreaterEqual(int(span.trace[-14:], 16), refused)


class Restart(TracedTest):
    def test_a_trace_goes_on(self):
        self.receiver.status = 503
        self.webhook(schedule=[1] * 20)
        self.publish_one(GIVEN)
        [publish] = self.of_kind(PRODUCER)
        self.assertTrue(until(lambda: self.receiver.heads))
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait(PATIENCE)
        self.receiver.status = 200
        self.start()
        self.assertTrue(
            until(
                lambda: any(
                    s["http.response.status_code"] == 200 for s in self.collector.spans()
                )
            )
        )
        [delivered] = [
            s for s in self.collector.spans() if s["http.response.status_code"] == 200
        ]
        self.assertEqual((delivered.trace, delivered.parent), (TRACE, publish.id))
        self.assertNotEqual(
            delivered.resource["service.instance.id"], publish.resource["service.instance.id"]
        )

    def test_a_trace_that_began_here_goes_on_as_it_was_decided(self):
        self.receiver.status = 503
        self.webhook(schedule=[1] * 20)
        self.publish_one()
        [publish] = self.of_kind(PRODUCER)
        self.assertTrue(until(lambda: self.receiver.heads))
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait(PATIENCE)
        self.receiver.status = 200
        self.OPTIONS = ("--otlp-endpoint", self.collector.url, "--otlp-sample", "0")
        self.start()
        self.assertTrue(
            until(
                lambda: any(
                    s["http.response.status_code"] == 200 for s in self.collector.spans()
                )
            )
        )
        self.assertEqual(
            {s.trace for s in self.collector.spans()}, {publish.trace}, "no new decision"
        )

    def test_a_stop_sends_what_waits(self):
        self.webhook()
        self.expect(0, SPANS, result="exported")
        self.publish(20)
        self.expect(20, "fanfare_calls_total", outcome="delivered")
        self.stop()  # sooner than spans wait for others
        self.assertEqual(len(self.collector.spans()), 40)


class Trouble(TracedTest):
    MORE = ("--otlp-queue", "100", "--otlp-timeout", "300ms")

    def lost(self):
        return self.value(SPANS, result="dropped") + self.value(SPANS, result="failed")

    def test_a_dead_collector_costs_nothing(self):
        port = self.collector.port
        self.collector.close()
        self.webhook()
        for _ in range(5):
            self.publish(200)
        self.expect(1000, "fanfare_calls_total", outcome="delivered")
        # 2,000 spans, of which 100 wait and at most 512 are being sent.
        self.assertTrue(until(lambda: self.lost() >= 2000 - 100 - 512), self.lost())
        self.assertEqual(self.value(SPANS, result="exported"), 0)
        self.assertTrue(until(lambda: "traces cannot be exported" in self.said()))
        self.collector = Collector(port)
        self.addCleanup(self.collector.close)
        self.assertTrue(until(lambda: self.value(SPANS, result="exported") > 0))
        self.assertTrue(until(lambda: "again; " in self.said()), self.said())
        said = self.said()
        self.assertEqual(said.count("traces cannot be exported"), 1, said)
        self.assertRegex(said, r"traces are exported to http://\S+/v1/traces again; \d+ spans were")

    def test_a_stop_does_not_wait_for_a_dead_one(self):
        self.collector.close()
        self.webhook()
        self.publish(5)
        self.expect(5, "fanfare_calls_total", outcome="delivered")
        self.stop()

    def test_a_slow_one_keeps_nobody_waiting(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def hang(*_):
            release.wait(PATIENCE)
            return True

        self.collector.answer = hang
        self.webhook()
        for _ in range(5):
            self.publish(200)
        self.expect(1000, "fanfare_calls_total", outcome="delivered")
        self.assertTrue(until(lambda: "timeout: " in self.said()), self.said())
        self.assertGreater(self.value(SPANS, result="dropped"), 0)
        self.stop()  # within its own time, though one is hanging

    def test_it_is_asked_again(self):
        answers = [(503, {}), (429, {"Retry_After": "1"}), (502, {})]
        seen = []

        def refuse(handler, request):
            seen.append([span.id for span in request.spans])
            if len(seen) > len(answers):
                return False
            status, headers = answers[len(seen) - 1]
            handler.send(status, **headers)
            return True

        self.collector.answer = refuse
        self.publish_one()
        self.of_kind(PRODUCER)
        self.assertEqual(len(seen), 4)
        self.assertEqual(len({tuple(each) for each in seen}), 1, "the same spans each time")
        self.expect(1, SPANS, result="exported")
        self.assertEqual(self.lost(), 0)

    def test_what_it_refuses_is_not_sent_again(self):
        def refuse(handler, _):
            handler.send(400)
            return True

        self.collector.answer = refuse
        self.publish_one()
        self.expect(1, SPANS, result="failed")
        self.collector.answer = None
        self.publish_one(GIVEN)
        [publish] = self.of_kind(PRODUCER)
        self.assertEqual(publish.trace, TRACE)
        self.assertIn("it answered 400", self.said())

    def test_what_it_takes_in_part_is_counted(self):
        self.collector.response.partial_success.rejected_spans = 1
        self.collector.response.partial_success.error_message = "too old"
        self.publish(3)
        self.expect(2, SPANS, result="exported")
        self.expect(1, SPANS, result="failed")
        self.assertIn("has not taken 1 spans of a request: too old", self.said())


class Options(TracedTest):
    def setUp(self):
        super().setUp()
        self.stop()
        self.ENVIRONMENT = {
            "FANFARE_OTLP_HEADERS": "x-env=E1,x-two=E2",
            "OTEL_SERVICE_NAME": "hooks",
        }

    def refused(self, *options):
        self.OPTIONS = options
        with self.assertRaises(AssertionError) as refused:
            self.start()
        self.assertEqual(self.server.wait(PATIENCE), 2)
        return self.said() + str(refused.exception)

    def test_headers_and_paths(self):
        file = self.dir / "headers"
        file.write_text("# of the vendor\nAuthorization=Bearer FILE\n\n")
        file.chmod(0o600)
        self.OPTIONS = (
            *("--otlp-endpoint", self.collector.url + "/team/a/", "--otlp-header", "x-one=1"),
            *("--otlp-header-file", file),
        )
        self.start()
        self.publish_one()
        [publish] = self.of_kind(PRODUCER)
        [request] = self.collector.wait_for_requests(1)
        self.assertEqual(request.path, "/team/a/v1/traces")
        self.assertEqual(
            [request.headers[name] for name in ("x-one", "x-env", "x-two", "Authorization")],
            ["1", "E1", "E2", "Bearer FILE"],
        )
        self.assertEqual(publish.resource["service.name"], "hooks")

    def test_a_file_of_options(self):
        file = self.dir / "options.toml"
        file.write_text(
            f'otlp-endpoint = "{self.collector.url}"\notlp-header = ["x-one=1", "x-two=2"]\n'
            "otlp-sample = 0.0\notlp-queue = 1_000\n"
        )
        self.OPTIONS = ("--config", file)
        self.ENVIRONMENT = {}
        self.start()
        self.publish_one()
        self.publish_one(GIVEN)
        self.of_kind(PRODUCER)
        [request] = self.collector.wait_for_requests(1)
        self.assertEqual([request.headers[name] for name in ("x-one", "x-two")], ["1", "2"])
        file.write_text(f'otlp-endpoint = "{self.collector.url}"\notlp-sample = 1.5\n')
        self.assertIn("options.toml:2:15: --otlp-sample: must be a number", self.refused(*self.OPTIONS))

    def test_a_collector_with_https_is_verified(self):
        certificate, key = self.dir / "certificate.pem", self.dir / "key.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=collector"),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
                *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
            ],
            check=True,
            capture_output=True,
        )
        self.collector = Collector(identity=(certificate, key))
        self.addCleanup(self.collector.close)
        self.OPTIONS = ("--otlp-endpoint", self.collector.url)
        self.start()
        self.publish_one()
        self.assertTrue(until(lambda: "traces cannot be exported" in self.said()))
        self.assertIn("/v1/traces: tls: ", self.said())
        self.stop()
        self.assertEqual(self.collector.spans(), [])
        self.assertIn("1 spans could not be exported", self.said())
        self.OPTIONS += ("--ca-file", certificate)
        self.start()
        self.publish_one()
        self.of_kind(PRODUCER)

    def test_what_makes_no_sense(self):
        endpoint = "--otlp-endpoint", self.collector.url
        self.assertIn("otlp-endpoint is missing", self.refused())  # but headers are there
        self.assertIn("no address of a collector", self.refused("--otlp-endpoint", "collector:4318"))
        self.assertIn("neither a query", self.refused("--otlp-endpoint", "http://a/?key=SECRET"))
        said = self.refused(*endpoint, "--otlp-header", "no name: SECRET")
        self.assertIn("otlp-header must be NAME=VALUE", said)
        self.assertIn("is reserved", self.refused(*endpoint, "--otlp-header", "Host=a"))
        for ratio in "1.5", "-1", "nan", "half":
            said += self.refused(*endpoint, f"--otlp-sample={ratio}")
            self.assertIn("from 0 to 1", said)
        file = self.dir / "headers"
        file.write_text("a=SECRET\n")
        file.chmod(0o644)
        said += self.refused(*endpoint, "--otlp-header-file", file)
        self.assertIn("chmod 600", said)
        self.assertNotIn("SECRET", said)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    unittest.main()
