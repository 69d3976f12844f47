"""Services on threads of their own that talk only through commands and events. Importing this loads no UI."""

from bus.context import Call
from bus.core import Bus
from bus.errors import (
    BadArguments,
    BusClosed,
    BusError,
    CallCancelled,
    CallTimeout,
    CommandExists,
    CommandNotFound,
    DeadlockError,
    ForkedBusError,
    HandlerAborted,
    HopLimitExceeded,
    MailboxFull,
    PoolStarvation,
    SelfCallError,
    ServiceCrash,
    ServiceDied,
    ServiceExists,
    ServiceNotFound,
    ServiceStopped,
)
from bus.hooks import Hook
from bus.lanes import current_call
from bus.promise import Promise
from bus.registry import DeadLetter, Registration
from bus.secret import Secret
from bus.service import Service, ServiceInfo, command, every, listener

__all__ = [
    "BadArguments",
    "Bus",
    "BusClosed",
    "BusError",
    "Call",
    "CallCancelled",
    "CallTimeout",
    "CommandExists",
    "CommandNotFound",
    "DeadLetter",
    "DeadlockError",
    "ForkedBusError",
    "HandlerAborted",
    "Hook",
    "HopLimitExceeded",
    "MailboxFull",
    "PoolStarvation",
    "Promise",
    "Registration",
    "Secret",
    "SelfCallError",
    "Service",
    "ServiceCrash",
    "ServiceDied",
    "ServiceExists",
    "ServiceInfo",
    "ServiceNotFound",
    "ServiceStopped",
    "command",
    "current_call",
    "every",
    "listener",
]
