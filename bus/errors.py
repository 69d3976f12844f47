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
    """The name is taken; the message says by whom and where. Use another name or `if_exists="replace"`."""


class BadArguments(BusError, TypeError):
    """The arguments do not fit the command's signature; the message names what is missing or unexpected."""


class CallTimeout(BusError, TimeoutError):
    """The result did not come in time; the message says whether the call is queued or running, and where."""


class CallCancelled(BusError, CancelledError):
    """The call was taken out of the queue before it started, because its promise was cancelled."""


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
    """A service with one thread waits for a call to itself, which that thread would have to run."""


class PoolStarvation(DeadlockError):
    """Every worker of a pool waits for calls that are queued to the same pool."""


class BusClosed(BusError):
    """The bus is closed, or closed before the call was done."""


class ServiceStopped(BusError):
    """The service has stopped, or stopped before the call was done."""


class ServiceDied(BusError):
    """The service failed for good while the call was queued or running."""


class ServiceCrash(BusError):
    """Raise it in a handler to say that the service itself is broken and has to be started anew."""


class ServiceExists(BusError):
    """A service of this name is already on the bus; remove it first, or give the new one another name."""


class ServiceNotFound(BusError):
    """No service of this name is on the bus."""


class ForkedBusError(BusError):
    """The bus was made in the parent process, and threads do not survive `fork`: make a new one in the child."""
