"""What can go wrong on the bus: one class per situation, each message says what happened and what to do."""

from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bus.waits import Step


class BusError(Exception):
    """Everything that the bus itself raises."""


class CommandNotFound(BusError):
    """No command has this name; the message offers up to three close ones."""


class CommandExists(BusError):
    """The name is taken, the message says by whom and where; use another name or `if_exists="replace"`."""


class BadArguments(BusError, TypeError):
    """The arguments do not fit the command's signature; the message names what is missing or unexpected."""


class CallTimeout(BusError, TimeoutError):
    """The result did not come in time; the message says whether the call is queued or running, and where."""


class CallCancelled(BusError, CancelledError):
    """The call never started, because its promise was cancelled; execute it again if it is wanted after all."""


class HandlerAborted(BusError):
    """A handler raised SystemExit, KeyboardInterrupt or GeneratorExit; its thread lives on."""


class MailboxFull(BusError):
    """The service has as many calls queued as it accepts; call it less often, or give it more workers."""


class HopLimitExceeded(BusError):
    """A causal chain of more than 100 calls and deliveries: most likely an event that fires itself."""


class DeadlockError(BusError):
    """The wait would close a cycle of services that wait for each other; the message names the calls.

    `cycle`: a `bus.waits.Step` for each call in it, the one that would have closed it first.
    """

    cycle: "tuple[Step, ...]" = ()


class SelfCallError(DeadlockError):
    """A service with one thread waits for a call to itself; call the method directly, or do not wait."""


class PoolStarvation(DeadlockError):
    """Every worker of a pool waits for calls queued to the same pool; move these to another service."""


class BusClosed(BusError):
    """The bus is closed, or closed before the call was done; make a new one."""


class ServiceStopped(BusError):
    """The service has stopped, or stopped before the call was done; add it again if it is needed."""


class ServiceDied(BusError):
    """The service failed for good; its last error is in the message: mend that, remove the service, add it anew."""


class ServiceCrash(BusError):
    """The service itself is broken: raise it in a handler to have the service started anew."""


class ServiceExists(BusError):
    """A service of this name is already on the bus; remove it first, or give the new one another name."""


class ServiceNotFound(BusError):
    """No service of this name is on the bus; add it first, or use one of those that the message names."""


class ForkedBusError(BusError):
    """The bus was made in the parent process, and threads do not survive `fork`: make a new one in the child."""
