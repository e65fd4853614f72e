# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""/metrics of a real server: what it says in which format, to whom, and that it counts
what happens. The page of documentation, the dashboard and the alerts speak of what is
exported.

Run by CTest, which sets FANFARE_PROGRAM to the program."""

import json
import os
import re
import socket
import subprocess
import unittest

from prometheus_client.openmetrics import parser as openmetrics
from server import ADMIN, PATIENCE, PROGRAM, SOURCE, ServerTest, parse, types_of

# As Prometheus 2 sends it.
SCRAPE = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
EXPORTED = re.compile(r"\b(?:fanfare|process)_\w+")
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\|", re.MULTILINE)


def promtool(*words, text=None):
    """Its exit code, and what it says."""
    done = subprocess.run(
        ["promtool", *map(str, words)],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout


def family(name, types):
    """The metric that a sample belongs to."""
    for suffix in ("_bucket", "_sum", "_count"):
        if name.endswith(suffix) and types.get(name.removesuffix(suffix)) == "histogram":
            return name.removesuffix(suffix)
    return name


class Formats(ServerTest):
    def setUp(self):
        super().setUp()
        self.webhook()
        self.webhook(f"http://127.0.0.1:{free_port()}/")
        self.publish(5)
        self.expect(5, "fanfare_calls_total", outcome="delivered")

    def test_promtool_has_nothing_to_say(self):
        for query in "", "?organizer=acme":
            head, text = self.page(query)
            self.assertEqual(head["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            self.assertEqual(promtool("check", "metrics", text=text), (0, ""))
        # It does say something if there is.
        self.assertNotEqual(promtool("check", "metrics", text="# TYPE a counter\na 1\n"), (0, ""))

    def test_openmetrics_is_read_by_its_parser(self):
        for query in "", "?organizer=acme":
            head, text = self.page(query, Accept=SCRAPE)
            self.assertEqual(
                head["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8"
            )
            self.assertEqual(head["Vary"], "Accept")
            families = list(openmetrics.text_string_to_metric_families(text))
            plain = types_of(self.page(query)[1])
            read = {
                each.name + ("_total" if each.type == "counter" else ""): each.type
                for each in families
            }
            self.assertEqual(read, plain)
            for each in families:
                self.assertTrue(each.documentation, each.name)
                if each.name.endswith(("_seconds", "_bytes")):
                    self.assertEqual(each.unit, each.name.rsplit("_", 1)[1])

    def test_the_client_chooses(self):
        for accept, open_one in (
            ("*/*", False),
            ("text/plain", False),
            ("text/html", False),
            ("application/openmetrics-text", True),
            ("application/openmetrics-text; version=1.0.0; q=0.4, text/plain; q=0.5", False),
            ("application/openmetrics-text; version=2.0.0, text/plain; q=0.1", False),
            ("application/openmetrics-text; q=0", False),
        ):
            head, text = self.page(Accept=accept)
            self.assertEqual("openmetrics" in head["Content-Type"], open_one, accept)
            self.assertEqual(text.endswith("\n# EOF\n"), open_one, accept)

    def test_histograms_add_up(self):
        text = self.page()[1]
        samples = parse(text)
        for name in (n for n, kind in types_of(text).items() if kind == "histogram"):
            buckets = [
                (float(dict(labels)["le"]), value)
                for (sample, labels), value in samples.items()
                if sample == name + "_bucket"
            ]
            self.assertEqual(buckets, sorted(buckets), name)
            self.assertEqual([v for _, v in buckets], sorted(v for _, v in buckets), name)
            self.assertEqual(buckets[-1], (float("inf"), samples[(name + "_count", ())]), name)
            self.assertGreater(samples[(name + "_sum", ())], 0, name)


class Access(ServerTest):
    def status(self, key=None, path="/metrics", scheme="Token", method="GET"):
        headers = {} if key is None else {"Authorization": f"{scheme} {key}"}
        return self.ask(method, path, **headers)[0]

    def test_needs_a_token_that_may(self):
        metrics = self.token("metrics")
        for key, wanted in (
            (None, 401),
            ("wrong", 401),
            (self.token("webhooks", "notifications"), 403),
            (self.token("admin"), 403),
            (self.token("webhooks", "metrics"), 200),
            (metrics, 200),
            (ADMIN, 200),
        ):
            for scheme in "Token", "Bearer", "bearer":
                self.assertEqual(self.status(key, scheme=scheme), wanted, (key, scheme))
        self.assertEqual(self.status(metrics, scheme="Basic"), 401)
        # It shows figures and nothing else.
        for path in "organizers/", "organizers/acme/webhooks/", "organizers/acme/tokens/":
            self.assertEqual(self.api("GET", path, key=metrics)[0], 403, path)

    def test_is_one_resource_with_two_methods(self):
        status, head, text = self.ask("HEAD", "/metrics", Authorization=f"Token {ADMIN}")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(head["Content-Length"]), 1000)
        self.assertEqual(self.status(ADMIN, method="POST"), 405)
        self.assertEqual(self.status(ADMIN, "/metrics/"), 404)

    def test_shows_a_token_the_webhooks_of_its_organizer(self):
        self.api("POST", "organizers/", {"slug": "globex", "name": "Globex"})
        hook = self.webhook(organizer="globex")
        key = self.token("metrics")
        self.assertEqual(self.status(key, "/metrics?organizer=acme"), 200)
        for other in "globex", "nobody":
            self.assertEqual(self.status(key, f"/metrics?organizer={other}"), 403)
        self.assertEqual(self.status(ADMIN, "/metrics?organizer=nobody"), 404)
        status, _, text = self.ask(
            "GET", "/metrics?organizer=globex", Authorization=f"Bearer {ADMIN}"
        )
        self.assertEqual(status, 200)
        of_hook = (("organizer", "globex"), ("webhook", str(hook)))
        self.assertEqual(parse(text)[("fanfare_webhook_enabled", of_hook)], 1)
        # The server's own figures are not in it, nor the other way round.
        of_organizers = ("fanfare_webhook_", "fanfare_organizer_")
        self.assertFalse([name for name, _ in parse(text) if not name.startswith(of_organizers)])
        self.assertNotIn("globex", self.page()[1])

    def test_the_permission_is_given_by_the_servers_admin_only(self):
        owner = self.token("admin")
        body = {"name": "mine", "permissions": ["webhooks", "metrics"]}
        status, answer = self.api("POST", "organizers/acme/tokens/", body, key=owner)
        self.assertEqual(status, 403)
        self.assertIn('only the server\'s admin gives "metrics"', answer["detail"])
        self.assertEqual(self.api("POST", "organizers/acme/tokens/", body)[0], 201)
        shown = self.api("GET", "organizers/acme/tokens/", key=owner)[1]["results"]
        self.assertEqual(shown[-1]["permissions"], ["webhooks", "metrics"])


class Listener(ServerTest):
    def test_serves_metrics_and_nothing_else(self):
        status, head, text = self.ask("HEAD", "/metrics", port=self.metrics_port)
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(head["Content-Length"]), 1000)
        for path in (
            "/",
            "/healthz",
            "/readyz",
            "/api/v1/organizers/",
            "/api/docs/",
            "/metrics/",
            "/metrics.json",
            "/Metrics",
        ):
            status, _, text = self.ask(
                "GET", path, port=self.metrics_port, Authorization=f"Token {ADMIN}"
            )
            self.assertEqual((status, text), (404, '{"detail":"Not found."}'), path)
        status, head, _ = self.ask("POST", "/metrics", port=self.metrics_port)
        self.assertEqual((status, head["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(self.ask("POST", "/metrics", "x" * 100, port=self.metrics_port)[0], 413)
        self.assertEqual(
            self.ask("GET", "/metrics?organizer=nobody", port=self.metrics_port)[0], 404
        )

    def test_says_what_is_wrong_with_its_address(self):
        for address, said in (
            ("nowhere", "--metrics-listen nowhere"),
            (f"127.0.0.1:{self.port}", f"cannot listen on 127.0.0.1:{self.port}"),
        ):
            done = subprocess.run(
                [PROGRAM, "serve", "--data", self.dir / "other", "--listen", "127.0.0.1:0"]
                + ["--metrics-listen", address],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stdout, "")
            self.assertIn(said, done.stderr)

    def test_stops_with_the_server(self):
        self.server.terminate()
        self.assertEqual(self.server.wait(PATIENCE), 0)


def free_port():
    """Nobody listens there: a moment ago somebody could."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Counts(ServerTest):
    OPTIONS = ("--schedule", "50ms,50ms", "--total-timeout", "1s")

    def test_successes(self):
        hook = self.webhook(self.receiver.url.replace("127.0.0.1", "localhost"))
        self.publish(3)
        self.expect(3, "fanfare_calls_total", outcome="delivered")
        self.publish(2)
        self.expect(5, "fanfare_calls_total", outcome="delivered")
        for outcome in "retried", "given_up", "gone":
            self.assertEqual(self.value("fanfare_calls_total", outcome=outcome), 0)
        for name in "fanfare_call_duration_seconds", "fanfare_publish_to_call_seconds":
            self.assertEqual(self.value(name + "_count"), 5)
        self.assertEqual(self.value("fanfare_notifications_total"), 5)
        self.assertGreater(self.value("fanfare_notification_bytes_total"), 5 * 50)
        self.assertGreater(self.value("fanfare_log_written_bytes_total"), 5 * 100)
        self.assertGreater(self.value("fanfare_commit_duration_seconds_count"), 1)
        self.assertGreater(self.value("fanfare_commit_operations_total"), 5)
        self.assertEqual(self.value("fanfare_commit_failures_total"), 0)
        opened = self.value("fanfare_receiver_connections_opened_total")
        reused = self.value("fanfare_receiver_connections_reused_total")
        self.assertGreater(opened, 0)
        self.assertEqual(opened + reused, 5)
        self.expect(opened, "fanfare_receiver_connections_idle")
        self.assertGreater(self.value("fanfare_dns_lookups_total", result="found"), 0)
        self.expect(0, "fanfare_calls_in_flight")
        for held in "true", "false":
            self.assertEqual(self.value("fanfare_oldest_waiting_seconds", held=held), 0)
        of_hook = {"organizer": "acme", "webhook": str(hook)}
        self.expect(
            5, "fanfare_webhook_calls_total", "?organizer=acme", outcome="delivered", **of_hook
        )

    def test_failures_by_kind_and_giving_up(self):
        self.receiver.status = 500
        hook = self.webhook()
        self.publish()
        # The first attempt and two retries.
        self.expect(1, "fanfare_calls_total", outcome="given_up")
        self.assertEqual(self.value("fanfare_calls_total", outcome="retried"), 2)
        self.assertEqual(self.value("fanfare_call_failures_total", kind="http_5xx"), 3)
        self.assertEqual(self.value("fanfare_call_duration_seconds_count"), 3)
        self.assertEqual(self.value("fanfare_publish_to_call_seconds_count"), 1)
        of_hook = {"organizer": "acme", "webhook": str(hook)}
        for outcome, count in ("retried", 2), ("given_up", 1), ("delivered", 0):
            self.assertEqual(
                self.value(
                    "fanfare_webhook_calls_total", "?organizer=acme", outcome=outcome, **of_hook
                ),
                count,
            )

    def test_kinds_of_failure(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        no_http = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(no_http.close)
        self.receiver.status = 404
        for kind, url in (
            ("connect", f"http://127.0.0.1:{free_port()}/"),
            ("timeout", f"http://127.0.0.1:{silent.getsockname()[1]}/"),
            ("tls", f"https://127.0.0.1:{self.receiver.port}/"),
            ("dns", "http://nobody.invalid/"),
            ("policy", "http://10.1.2.3/"),
            ("http_4xx", self.receiver.url),
        ):
            hook = self.webhook(url, schedule=[])
            self.publish()
            self.expect(1, "fanfare_call_failures_total", kind=kind)
            self.api("DELETE", f"organizers/acme/webhooks/{hook}/")
        self.assertEqual(self.value("fanfare_calls_total", outcome="given_up"), 6)
        for status, kind in (410, "http_410"), (302, "http_3xx"), (429, "http_429"):
            self.receiver.status = status
            hook = self.webhook(schedule=[])
            self.publish()
            self.expect(1, "fanfare_call_failures_total", kind=kind)
            self.api("DELETE", f"organizers/acme/webhooks/{hook}/")
        self.assertEqual(self.value("fanfare_calls_total", outcome="gone"), 1)

    def test_requests_by_route_and_status_however_many_paths(self):
        route = "/api/v1/organizers/{organizer}/webhooks/{id}/"
        before = len(parse(self.page()[1]))
        for i in range(50):
            self.api("GET", f"organizers/acme/webhooks/{i + 100}/")
            self.ask("GET", f"/made/up/{i}")
            self.api("GET", f"organizers/nobody-{i}/webhooks/")
        self.expect(50, "fanfare_api_requests_total", route=route, status="4xx")
        self.expect(50, "fanfare_api_requests_total", route="other", status="4xx")
        self.publish(2)
        self.assertEqual(
            self.value(
                "fanfare_api_requests_total",
                route="/api/v1/organizers/{organizer}/notifications/",
                status="2xx",
            ),
            1,
        )
        self.assertEqual(len(parse(self.page()[1])), before)
        self.assertGreater(self.value("fanfare_api_connections_accepted_total"), 150)
        self.expect(0, "fanfare_api_connections")

    def test_the_process(self):
        # It counts the connection that asks, and may have closed an earlier one since.
        files = len(os.listdir(f"/proc/{self.server.pid}/fd"))
        self.assertAlmostEqual(self.value("process_open_fds"), files, delta=3)
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as status:
            threads = int(re.search(r"^Threads:\s+(\d+)$", status.read(), re.MULTILINE)[1])
        self.assertEqual(self.value("process_threads"), threads)
        started = self.value("process_start_time_seconds")
        self.assertLess(abs(started - self.dir.stat().st_ctime), 60)
        self.assertGreater(self.value("process_cpu_seconds_total"), 0)
        self.assertGreater(self.value("process_resident_memory_bytes"), 1e6)
        self.assertEqual(self.value("fanfare_ready"), 1)


class Trouble(ServerTest):
    OPTIONS = (
        *("--schedule", "1h", "--max-in-flight", "1", "--breaker-failures", "3"),
        *("--breaker-pause", "60s", "--checkpoint-interval", "100ms"),
    )

    def test_what_waits_and_what_holds_it(self):
        self.receiver.status = 500
        broken = self.webhook()
        self.publish(8)
        self.expect(1, "fanfare_breakers_open")
        self.expect(1, "fanfare_webhooks_held", reason="breaker")
        self.expect(3, "fanfare_retries_waiting")
        self.assertEqual(self.value("fanfare_deliveries_waiting"), 5)
        self.assertGreater(self.value("fanfare_oldest_waiting_seconds", held="true"), 0)
        self.assertEqual(self.value("fanfare_oldest_waiting_seconds", held="false"), 0)
        of_hook = {"organizer": "acme", "webhook": str(broken)}
        for name, wanted in (
            ("fanfare_webhook_breaker_open", 1),
            ("fanfare_webhook_retries_waiting", 3),
            ("fanfare_webhook_enabled", 1),
            ("fanfare_webhook_paused", 0),
        ):
            self.expect(wanted, name, "?organizer=acme", **of_hook)

        # Who is paused waits by choice.
        paused = f"organizers/acme/webhooks/{broken}/delivery/"
        self.assertEqual(self.api("PATCH", paused, {"paused": True})[0], 200)
        self.expect(1, "fanfare_webhooks_held", reason="pause")
        self.expect(0, "fanfare_webhooks_held", reason="breaker")
        self.expect(0, "fanfare_oldest_waiting_seconds", held="true")
        self.expect(1, "fanfare_webhook_paused", "?organizer=acme", **of_hook)

        # And what is disabled has nothing left to do.
        self.assertEqual(self.api("DELETE", f"organizers/acme/webhooks/{broken}/")[0], 204)
        for name in "fanfare_breakers_open", "fanfare_retries_waiting", "fanfare_deliveries_waiting":
            self.expect(0, name)
        self.expect(0, "fanfare_webhooks_held", reason="pause")
        self.expect(0, "fanfare_webhook_enabled", "?organizer=acme", **of_hook)


class Names(ServerTest):
    maxDiff = None

    def test_each_is_documented_and_each_that_is_documented_exists(self):
        self.webhook()
        self.publish()
        self.expect(1, "fanfare_calls_total", outcome="delivered")
        exported = {}
        for query in "", "?organizer=acme":
            text = self.page(query)[1]
            types = types_of(text)
            for name, labels in parse(text):
                known = exported.setdefault(family(name, types), (types[family(name, types)], set()))
                known[1].update(label for label, _ in labels if label != "le")
        page = (SOURCE / "docs/metrics.md").read_text(encoding="utf-8")
        documented = {
            name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(page)
        }
        self.assertEqual(exported, documented)

    def test_each_value_of_a_label_is_documented(self):
        page = (SOURCE / "docs/metrics.md").read_text(encoding="utf-8")
        for _, labels in parse(self.page()[1]):
            for label, value in labels:
                if label in ("kind", "outcome", "reason", "result"):
                    self.assertIn(f"`{value}`", page)


class Dashboard(ServerTest):
    def test_shows_only_what_there_is(self):
        board = json.loads((SOURCE / "packaging/grafana/fanfare.json").read_text(encoding="utf-8"))
        text = self.page()[1]
        types = types_of(text)
        samples = {name for name, _ in parse(text)}
        labels = {label for _, labels in parse(text) for label, _ in labels}
        queries = [
            target["expr"]
            for panel in board["panels"]
            for target in panel.get("targets", ())
        ]
        self.assertGreater(len(queries), 15)
        for query in queries:
            used = set(EXPORTED.findall(query))
            self.assertTrue(used, query)
            self.assertFalse(used - samples, query)
            for name in used:
                if types[family(name, types)] in ("counter", "histogram"):
                    self.assertRegex(query, r"rate\(|increase\(", query)
            grouped = re.findall(r"by \(([\w, ]+)\)", query)
            for group in grouped:
                for label in group.split(", "):
                    self.assertIn(label, labels | {"instance"}, query)
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in board["panels"]:
            self.assertTrue(panel["title"])


class Alerts(ServerTest):
    FOLDER = SOURCE / "packaging/prometheus"

    def test_are_about_what_there_is(self):
        code, said = promtool("check", "rules", self.FOLDER / "alerts.yml")
        self.assertEqual(code, 0, said)
        rules = (self.FOLDER / "alerts.yml").read_text(encoding="utf-8")
        samples = {name for name, _ in parse(self.page()[1])}
        kinds = {name for name in types_of(self.page()[1])}
        for name in set(EXPORTED.findall(rules)):
            self.assertIn(name, samples | kinds)

    def test_fire_and_rest_as_their_tests_say(self):
        code, said = promtool("test", "rules", self.FOLDER / "alerts_test.yml")
        self.assertEqual(code, 0, said)
        # Each fires in one of them.
        tests = (self.FOLDER / "alerts_test.yml").read_text(encoding="utf-8")
        rules = (self.FOLDER / "alerts.yml").read_text(encoding="utf-8")
        fired = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", tests))
        self.assertEqual(set(re.findall(r"alert: (\w+)", rules)), fired)

    def test_are_documented(self):
        page = (SOURCE / "docs/metrics.md").read_text(encoding="utf-8")
        rules = (self.FOLDER / "alerts.yml").read_text(encoding="utf-8")
        self.assertEqual(
            set(re.findall(r"alert: (\w+)", rules)), set(re.findall(r"`(Fanfare\w+)`", page))
        )


if __name__ == "__main__":
    unittest.main()
