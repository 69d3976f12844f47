"""What `--json` prints: rows of the model as JSON objects, one a line; `json_fields` says what each field is."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from bus.attach.protocol import Reply
from bus.trace.records import Call, Error, Session
from console.model.problems import ProblemView
from console.model.split import parts
from console.model.views import CommandRow, ServiceRow
from console.target.discover import Program

Json = Mapping[str, Any]


def line(record: Json) -> str:
    """RECORD as a line: nothing but ASCII, so that no terminal takes a text of the program for an order."""
    return json.dumps(record) + "\n"


def call(it: Call, session: Session, lane: Callable[[int], str], now: int) -> Json:
    """See json_fields.CALL. LANE: names of threads; NOW: up to when a call in flight took."""
    times = parts(it, now)
    whole = times.queued + times.computing + times.waiting + times.elsewhere
    split = times.measured
    return {
        "id": it.id, "parent": it.parent or None, "root": it.root, "kind": it.kind, "name": it.name,
        "service": it.service or None, "caller": lane(it.caller) or None, "lane": lane(it.lane) or None, "by": it.by,
        "queued_at": _day(it.queued, session), "outcome": it.outcome, "took_ms": _ms(whole),
        "queued_ms": _ms(times.queued), "computing_ms": _ms(times.computing) if split else None,
        "waiting_ms": _ms(times.waiting), "elsewhere_ms": _ms(times.elsewhere) if split else None,
        "args": it.args, "result": it.result, "error": _error(it.error),
    }  # fmt: skip


def reply(name: str, it: Reply, took: int | None) -> Json:
    """See json_fields.REPLY. TOOK: ns."""
    value = msgspec.json.decode(it.value) if it.value else None
    return {
        "call": it.call or None, "name": name, "outcome": it.outcome, "result": value, "text": it.result,
        "error": _error(it.error), "took_ms": _ms(took),
    }  # fmt: skip


def fired(name: str, it: Reply) -> Json:
    """See json_fields.FIRE."""
    return {"event": it.call or None, "name": name, "receivers": list(it.receivers), "error": _error(it.error)}


def top(row: CommandRow) -> Json:
    """See json_fields.TOP."""
    return {
        "name": row.name, "service": row.service, "calls": row.calls, "rate": round(row.rate, 3),
        "running": row.running, "queued": row.queued, "wait_p50_ms": _ms(row.wait_p50),
        "wait_p99_ms": _ms(row.wait_p99), "run_p50_ms": _ms(row.run_p50), "run_p99_ms": _ms(row.run_p99),
        "errors": row.errors,
    }  # fmt: skip


def service(row: ServiceRow) -> Json:
    """See json_fields.SERVICE."""
    return {
        "name": row.name, "state": row.state, "workers": row.workers, "running": len(row.running), "depth": row.depth,
        "capacity": row.capacity or None, "busy": round(row.busy, 3), "rate": round(row.rate, 3), "calls": row.calls,
        "errors": row.errors, "restarts": row.restarts, "dropped": row.dropped, "error": row.error or None,
    }  # fmt: skip


def problem(it: ProblemView, session: Session) -> Json:
    """See json_fields.PROBLEM."""
    return {
        "rule": it.rule, "severity": it.severity, "subject": it.subject, "text": it.text, "advice": it.advice,
        "since": _day(it.since, session), "last": _day(it.last, session), "count": it.count, "over": it.over,
        "uncertain": it.uncertain, "calls": list(it.proof.calls), "lines": list(it.proof.lines),
    }  # fmt: skip


def program(it: Program) -> Json:
    """See json_fields.PROGRAM."""
    return {
        "name": it.name, "pid": it.pid, "age_s": round(it.age, 3), "services": list(it.services),
        "socket": str(it.socket),
    }  # fmt: skip


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1_000_000


def _day(at: int, session: Session) -> float | None:
    return (session.start_unix + at - session.start_monotonic) / 1_000_000_000 if at else None


def _error(error: Error | None) -> Json | None:
    if error is None:
        return None
    return {"type": error.type, "message": error.message, "traceback": error.traceback or None}
