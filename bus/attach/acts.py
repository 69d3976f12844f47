"""What a console asks for, done on the bus and answered; all of it is recorded with the console's uid and pid."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from bus.attach.client import Client
from bus.attach.frames import fits, json_depth
from bus.attach.protocol import (
    MAX_DEPTH,
    Cancel,
    ClientMessage,
    DeadLetters,
    Execute,
    Fire,
    Hello,
    ProtocolError,
    Question,
    Reply,
    SetLevel,
    Stacks,
)
from bus.context import Call
from bus.errors import BusError
from bus.runtime import Runtime
from bus.trace.doing import FRAMES, Onlooker
from bus.trace.jsonable import json_text
from bus.trace.recorder import Program, Recorder
from bus.trace.records import Error, Letter, Problem
from bus.trace.redact import bounded, value_text
from bus.trace.stacks import error_of
from bus.trace.timings import NAME_LIMIT

if TYPE_CHECKING:
    from bus.promise import Promise
    from bus.registry import DeadLetter, Entry
    from bus.waits import RunningCall

_MAX_LETTERS = 500
"""The newest ones that fit into a frame, however long their names are."""
_MAX_REPORTED = 20
"""Attempts of one client to act without the right to that are recorded one by one; then each time they have doubled."""


class Actor(Program, Protocol):
    """What the endpoint needs of a bus."""

    runtime: Runtime

    def dead_letters(self) -> "Sequence[DeadLetter]":
        """See `Bus`."""

    def running_calls(self) -> "Sequence[RunningCall]":
        """See `Bus`."""

    def execute_text(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, by: str = ..., client: str = ...
    ) -> "Promise[Any]":
        """See `Bus`."""

    def fire_text(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, by: str = ..., client: str = ...
    ) -> "tuple[Call, tuple[Entry, ...]]":
        """See `Bus`."""


class Acts:
    """Does what one client asks for, on that client's thread, which owns `_promises`."""

    def __init__(self, bus: Actor, recorder: Recorder, client: Client) -> None:
        self._bus = bus
        self._recorder = recorder
        self._client = client
        self._promises: dict[int, Promise[Any]] = {}
        self._refused = 0
        self._onlooker = Onlooker(bus.running_calls, bus.runtime.now)

    def do(self, message: ClientMessage) -> None:
        """Do it, and answer now or when it is done.

        A failure of what was asked for is an answer like any other; nothing is raised.
        """
        if isinstance(message, Cancel):
            self._cancel(message)
        elif isinstance(message, Hello):
            self._client.refuse("hello was said already")
        elif self._client.role != "act" and not isinstance(message, Question):
            self._refuse(message)
        else:
            try:
                self._act(message)
            except Exception as error:  # noqa: BLE001  converting values runs foreign code; its failure is an answer
                self._client.send(_failed(message.request, error))

    def _act(self, message: Execute | Fire | SetLevel | Question) -> None:
        if isinstance(message, Stacks):
            self._client.send(self._stacks(message))
        elif isinstance(message, DeadLetters):
            self._client.send(self._dead_letters(message))
        elif isinstance(message, SetLevel):
            self._note(
                "level set", f"the console {self._client.identity} set the level of recording to {message.level}"
            )
            self._recorder.set_level(message.level)
            self._client.send(Reply(request=message.request, result=message.level))
        elif isinstance(message, Execute):
            self._note_unseen(message)
            self._execute(message)
        else:
            self._note_unseen(message)
            self._fire(message)

    def _execute(self, message: Execute) -> None:
        args, kwargs = _arguments(message)
        hide = self._recorder.catalog.secrets_for(message.name, args, kwargs)
        promise = self._bus.execute_text(message.name, args, kwargs, by="console", client=self._client.identity)
        self._promises[message.request] = promise
        request, client = message.request, self._client

        def answer(done: "Future[Any]") -> None:
            del done  # it is the promise, by a less telling type
            client.send(_answer(request, promise, hide))
            client.do(lambda: self._forget(request))

        promise.add_done_callback(answer)

    def _fire(self, message: Fire) -> None:
        args, kwargs = _arguments(message)
        event, receivers = self._bus.fire_text(message.name, args, kwargs, by="console", client=self._client.identity)
        names = tuple(bounded(f"{entry.callback_name} on {entry.service}") for entry in receivers)
        self._client.send(Reply(request=message.request, call=event.id, receivers=names[:1_000]))

    def _stacks(self, message: Stacks) -> Reply:
        """As long stacks as a frame has room for."""
        frames = FRAMES
        while True:
            stacks, left_out = self._onlooker.look(message.lanes, message.calls, frames)
            reply = Reply(request=message.request, stacks=stacks, left_out=left_out)
            if not frames or fits(reply):
                return reply
            frames //= 2

    def _dead_letters(self, message: DeadLetters) -> Reply:
        every = self._bus.dead_letters()
        letters = tuple(
            Letter(at=one.at, kind=one.kind, name=bounded(one.name, NAME_LIMIT), reason=bounded(one.reason, NAME_LIMIT))
            for one in every[-_MAX_LETTERS:]
        )
        return Reply(request=message.request, letters=letters, left_out=every[-1].number - len(letters) if every else 0)

    def _cancel(self, message: Cancel) -> None:
        promise = self._promises.get(message.request)
        if promise is not None:
            promise.cancel()

    def _forget(self, request: int) -> None:
        self._promises.pop(request, None)

    def _refuse(self, message: Execute | Fire | SetLevel) -> None:
        text = "this console is attached for reading only; attach with the role act to do that"
        self._client.send(Reply(request=message.request, outcome="rejected", error=Error("PermissionError", text)))
        self._refused += 1
        if self._refused <= _MAX_REPORTED or not self._refused & (self._refused - 1):
            what = message.level if isinstance(message, SetLevel) else bounded(message.name, 200)
            problem = (
                f"the console {self._client.identity} is attached for reading and tried to {_verb(message)} {what}"
            )
            if self._refused > 1:
                problem += f" (its attempt {self._refused})"
            self._note("refused act", problem)

    def _note_unseen(self, message: Execute | Fire) -> None:
        """No act is without a trace: at this level the call itself leaves none."""
        if self._recorder.level == "off":
            text = f"the console {self._client.identity} asked to {_verb(message)} {bounded(message.name, 200)}"
            self._note("unrecorded act", f"{text} while the level of recording is off")

    def _note(self, rule: str, text: str) -> None:
        self._recorder.note(Problem(rule=rule, at=self._bus.runtime.now(), text=text))


def _verb(message: Execute | Fire | SetLevel) -> str:
    return {Execute: "execute", Fire: "fire", SetLevel: "set the level"}[type(message)]


def _arguments(message: Execute | Fire) -> tuple[list[Any], dict[str, Any]]:
    if max(json_depth(message.args), json_depth(message.kwargs)) > MAX_DEPTH:
        text = f"the arguments are nested more than {MAX_DEPTH} deep"
        raise ProtocolError(text)
    try:
        args = msgspec.json.decode(message.args, type=list[Any])
        return args, msgspec.json.decode(message.kwargs, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text = f"the arguments are not JSON: {error}"
        raise ProtocolError(text) from None


def _answer(request: int, promise: "Promise[Any]", hide: tuple[str, ...]) -> Reply:
    """On the thread that ended the call: its result may be changed by its owner from now on."""
    call = promise.call
    try:
        error = promise.exception()
    except BusError as cancelled:
        error = cancelled
    if error is not None:
        return Reply(request=request, call=call.id, outcome=call.outcome or "error", error=error_of(error, hide))
    result = promise.result()
    return Reply(request=request, call=call.id, result=value_text(result), value=json_text(result))


def _failed(request: int, error: Exception) -> Reply:
    """It never became a call. What the caller did wrong needs no traceback."""
    failure = error_of(error)
    return Reply(request=request, outcome="rejected", error=Error(failure.type, failure.message))
