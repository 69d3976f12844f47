"""Fields with few values, and the numbers that stand for them in columns: each one's place in its tuple."""

from typing import Final, get_args

from bus.trace.records import CallKind, Origin, Outcome

KINDS: Final[tuple[CallKind, ...]] = get_args(CallKind)
OUTCOMES: Final[tuple[Outcome | None, ...]] = (
    None, "ok", "cancelled", "error", "expired", "rejected", "aborted", "deadlock",
)  # fmt: skip
"""From `error` on they are failures; a cancelled call is what somebody asked for."""
FAILED: Final = frozenset(OUTCOMES[3:])
CANCELLED: Final = 2
"""The last one in `OUTCOMES` that is no failure."""
ORIGINS: Final[tuple[Origin, ...]] = get_args(Origin)
