"""A request to a program, on its way."""

from collections.abc import Callable
from concurrent.futures import Future

from bus.attach.protocol import Reply


class Pending(Future[Reply]):
    """Resolves to the `Reply`, also when that holds an error. `request`: the number by which it can be cancelled."""

    request: int = 0


def requested(ask: Callable[..., int], *what: object) -> Pending:
    """ASK a target for WHAT; raises what it raises."""
    pending = Pending()
    pending.set_running_or_notify_cancel()  # from here on only the reply can end it, see `Session.cancel`
    pending.request = ask(*what, pending.set_result)
    return pending
