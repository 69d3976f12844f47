"""What a person who selects a call in another tool wants to read of it."""

from typing import Any

from bus.trace.records import Call
from console.model.split import parts


def arguments(call: Call) -> dict[str, Any]:
    """All that a call's place and length do not say, by name; what is empty is left out."""
    error = call.error
    all_of_them = {
        "id": call.id, "parent": call.parent, "root": call.root, "service": call.service,
        "outcome": call.outcome or "unended", "args": call.args, "result": call.result,
        "waited_ns": call.waited, "by": call.by if call.by != "code" else "", "client": call.client,
        "error": error.type if error else "", "message": error.message if error else "",
        "traceback": error.traceback.splitlines() if error else [],
    }  # fmt: skip
    shown = {name: value for name, value in all_of_them.items() if value}
    return {**shown, **measured(call)}


def measured(call: Call) -> dict[str, int]:
    """What was measured of a call that ended: CPU time, and the parts of its time that follow from it."""
    if call.cpu is None:
        return {}
    split = parts(call, call.ended)
    return {"cpu_ns": call.cpu, "computing_ns": split.computing, "elsewhere_ns": split.elsewhere}


def failure_name(call: Call) -> str:
    """What the instant of a failure is called."""
    return f"failed: {call.error.type if call.error else call.outcome}"
