"""The one table of the formats: it feeds the export itself, the help of every front end, and completion."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from console import format as fmt
from console.export.source import ExportError, Source

Write = Callable[[Sequence[Source], Path], int]
"""Writes sources to a path and returns how many calls it wrote."""


class Format(Struct, frozen=True):
    """A format: its name, the endings of its files, what it is for, and the module of `console.export` that writes it.

    The module is imported when it is used, and only then; so is `needs`, a module of `library`, which has to be
    installed besides. `several`: more than one session can be in one file.
    """

    name: str
    endings: tuple[str, ...]
    what: str
    module: str
    writer: str = "write"
    library: str = ""
    needs: str = ""
    several: bool = True

    def load(self) -> Write:
        """The function that writes it.

        Raises:
            ExportError: a library that it needs is not installed.
        """
        try:
            if self.needs:
                import_module(self.needs)
        except ModuleNotFoundError:
            raise ExportError(
                f"{self.name} needs the library {self.library}, which is not installed: "
                "pip install 'bus-console[export]'"
            ) from None
        write: Write = getattr(import_module(f"console.export.{self.module}"), self.writer)
        return write


FORMATS: Final = (
    Format(
        "perfetto", (".pftrace", ".perfetto-trace"), "for ui.perfetto.dev", "perfetto",
        library="perfetto", needs="perfetto.protos.perfetto.trace.perfetto_trace_pb2",
    ),
    Format("chrome", (".json",), "Chrome trace JSON, for ui.perfetto.dev and chrome://tracing", "chrome"),
    Format(
        "parquet", (".parquet",), "a table of the calls, for DuckDB and pandas", "tables", "write_parquet",
        library="pyarrow", needs="pyarrow.parquet",
    ),
    Format("sqlite", (".sqlite", ".db"), "calls, lanes, waits, problems as tables, for SQL", "tables", "write_sqlite"),
    Format("csv", (".csv",), "a table of the calls, for a spreadsheet", "tables", "write_csv"),
    Format(
        "otlp", (".otlp",), "for OpenTelemetry collectors", "otlp", "write_protobuf",
        library="opentelemetry-proto", needs="opentelemetry.proto.trace.v1.trace_pb2",
    ),
    Format("otlp-json", (".otlp.json",), "the same as lines of JSON", "otlp", "write_json"),
    Format("html", (".html", ".htm"), "a report to send to somebody: one file, no network", "report", several=False),
    Format(
        "mermaid", (".mmd", ".mermaid"), "a sequence diagram of one call tree, for documentation", "sequence",
        "write_mermaid", several=False,
    ),
    Format("text", (".txt",), "the same in plain text", "sequence", "write_text", several=False),
)  # fmt: skip
BY_NAME: Final[Mapping[str, Format]] = MappingProxyType({form.name: form for form in FORMATS})


def choose(path: Path, name: str = "") -> Format:
    """The format called NAME, or that of PATH's ending when NAME is "".

    Raises:
        ExportError: there is none.
    """
    if name:
        if name in BY_NAME:
            return BY_NAME[name]
        raise ExportError(f"there is no format {name!r}: choose one of {', '.join(BY_NAME)}")
    lower = path.name.lower()
    fitting = [(len(ending), form) for form in FORMATS for ending in form.endings if lower.endswith(ending)]
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    ending = f"the ending {path.suffix!r}" if path.suffix else "a name without an ending"
    raise ExportError(f"cannot export to {ending}: name the file with one of {described()}")


def described() -> str:
    """All endings with what they stand for, in a sentence."""
    return "; ".join(f"{form.endings[0]} ({form.what})" for form in FORMATS)


def table() -> str:
    """One line for each format: its name, its endings, what it is for."""
    return fmt.columns([(f"  {form.name}", " ".join(form.endings), form.what) for form in FORMATS])
