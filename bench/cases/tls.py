# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
"""tls: fanout to 1,000 webhooks over HTTPS, kept alive and with the certificate
verified, beside wrk over HTTPS. Timed like fanout: first publish to last delivery."""

import subprocess

from cases.fanout import one_size
from harness.processes import ANSWER, BenchError, free_port

# wrk and Fanfare agree on the same version and cipher with it: both OpenSSL's
# first choice.
HTTPS = """\
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.3;
{answer}
  }}
"""


def make_certificate(folder):
    """One that vouches for itself, and its key."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["openssl", "req", "-x509", "-days", "30", "-subj", "/CN=bench"]
        + ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise BenchError(f"openssl failed: {done.stderr}")


def run(bench):
    folder, port = bench.folder("certificate"), free_port()
    make_certificate(folder)
    yield one_size(
        bench,
        1000,
        bench.size(300_000, 30_000),
        case="tls",
        base=f"https://127.0.0.1:{port}",
        more=HTTPS.format(port=port, folder=folder, answer=ANSWER),
        options=("--ca-file", folder / "certificate.pem"),
    )
