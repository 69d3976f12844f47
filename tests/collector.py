"""A real OpenTelemetry collector, offline: the agent in the wheel rotel, with a receiver of ours behind it.

with running(folder) as collector:
    collector.send(body, "application/json")
    wait_for(lambda: collector.spans())
"""

import gzip
import http.client
import importlib.util
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support import wait_for

_CANNOT_LOAD = 127
"""The exit status that the system's loader gives."""


def _agent() -> Path | None:
    spec = importlib.util.find_spec("rotel")
    return None if spec is None or spec.origin is None else Path(spec.origin).with_name("rotel-agent")


class Collector:
    """A running collector. `received` holds the bodies that came out of it; appended to by the receiver's thread."""

    def __init__(self, port: int, received: list[bytes]) -> None:
        self._port = port
        self._received = received

    def send(self, body: bytes, kind: str) -> None:
        """Post a message to it, as a client does."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        connection.request("POST", "/v1/traces", body, {"Content-Type": kind})
        response = connection.getresponse()
        assert response.status == 200, (response.status, response.read())
        connection.close()

    def spans(self) -> list[Any]:
        """The spans that came out, each with its resource's attributes, as protobuf messages."""
        from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

        groups = [group for body in list(self._received) for group in TracesData.FromString(body).resource_spans]
        return [(group.resource, span) for group in groups for scope in group.scope_spans for span in scope.spans]


@contextmanager
def running(folder: Path) -> Iterator[Collector]:
    """A collector that forwards what it gets; skips the test where there is none."""
    agent = _agent()
    if agent is None or not agent.exists():
        pytest.skip("the wheel rotel is not installed")
    if subprocess.run([agent, "--version"], capture_output=True, check=False).returncode == _CANNOT_LOAD:
        pytest.skip("the agent in the wheel rotel needs libpython as a shared library, which this Python has not")
    received: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    grpc, port = _free_port(), _free_port()
    command = [
        str(agent), "start", "--pid-file", str(folder / "pid"), "--log-file", str(folder / "log"),
        "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{port}", "--exporter", "otlp",
        "--otlp-exporter-endpoint", f"http://127.0.0.1:{server.server_port}", "--otlp-exporter-protocol", "http",
        "--batch-timeout", "10ms",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _listens(port))
            yield Collector(port, received)
        finally:
            process.terminate()
            server.shutdown()
            server.server_close()
            thread.join()


def _free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port: int = some.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as some:
        return some.connect_ex(("127.0.0.1", port)) == 0
