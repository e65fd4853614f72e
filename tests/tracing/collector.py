# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""A collector of OTLP over HTTP, built from the published definitions of the protocol."""

import collections
import http.server
import pathlib
import ssl
import sys
import threading
import time

# What script/bootstrap installs, for the Python that runs the tests.
for place in pathlib.Path(__file__).parent.glob("venv/lib/python3*/site-packages"):
    sys.path.insert(0, str(place))
try:
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
    from opentelemetry.proto.trace.v1 import trace_pb2 as trace

    MISSING = None
except ImportError:
    MISSING = "opentelemetry-proto is not installed; script/bootstrap does it"

PATIENCE = 30
Request = collections.namedtuple("Request", "path headers spans")


def value_of(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def attributes_of(owner):
    found = {each.key: value_of(each.value) for each in owner.attributes}
    assert len(found) == len(owner.attributes), "an attribute is there twice"
    return found


class Span:
    """One span as plain values."""

    def __init__(self, span, resource, scope):
        self.trace, self.id = span.trace_id.hex(), span.span_id.hex()
        self.parent, self.state = span.parent_span_id.hex(), span.trace_state
        self.name, self.kind = span.name, trace.Span.SpanKind.Name(span.kind)
        self.start, self.end = span.start_time_unix_nano, span.end_time_unix_nano
        self.flags = span.flags
        self.attributes = attributes_of(span)
        self.links = [(each.trace_id.hex(), each.span_id.hex()) for each in span.links]
        self.status = trace.Status.StatusCode.Name(span.status.code)
        self.why = span.status.message
        self.resource, self.scope = resource, scope

    def __getitem__(self, name):
        return self.attributes.get(name)

    def __repr__(self):
        return f"{self.name} {self.attributes} {self.status} {self.why}"


class Collector:
    """Keeps what it gets. `answer(handler, request)` may answer instead: true if it has.
    `identity`: the files of its certificate and key; it speaks HTTPS then."""

    def __init__(self, port=0, identity=None):
        self.requests, self.faults, self.answer = [], [], None
        self.response = service.ExportTraceServiceResponse()
        self.changed = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                spans = outer.read(body)
                request = Request(self.path, self.headers, spans)
                if outer.answer is not None and outer.answer(self, request):
                    return
                with outer.changed:
                    outer.requests.append(request)
                    outer.changed.notify_all()
                self.send(200, outer.response.SerializeToString())

            def send(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """Its client has ended."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        if identity is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*identity)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'http' if identity is None else 'https'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self, body):
        request = service.ExportTraceServiceRequest()
        try:
            request.ParseFromString(body)
        except DecodeError as fault:
            self.faults.append(fault)
            return []
        found = []
        for of_resource in request.resource_spans:
            resource = attributes_of(of_resource.resource)
            for of_scope in of_resource.scope_spans:
                scope = of_scope.scope.name
                found += [Span(each, resource, scope) for each in of_scope.spans]
        return found

    def spans(self):
        with self.changed:
            return [span for request in self.requests for span in request.spans]

    def wait_for(self, count, kind=None):
        """All spans, of that kind, once there are so many."""

        def found():
            return [
                span
                for request in self.requests
                for span in request.spans
                if kind in (None, span.kind)
            ]

        with self.changed:
            self.changed.wait_for(lambda: len(found()) >= count, PATIENCE)
            return found()

    def wait_for_requests(self, count):
        with self.changed:
            self.changed.wait_for(lambda: len(self.requests) >= count, PATIENCE)
            return list(self.requests)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def until(done, patience=PATIENCE):
    """Whether it has become so in time."""
    end = time.monotonic() + patience
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
