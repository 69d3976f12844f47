"""Making calls by hand from a screen that shows calls: the same one once more, or another of its name."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from bus.trace.records import Call, Parameter
from console.commands import VERBS
from console.language import captured
from console.language.binding import bind
from console.language.grammar import Execute, Fire, format_request
from console.language.tokens import LanguageError
from console.tui import messages
from console.tui.invocation import Invocation
from console.tui.screens.base import BusScreen
from console.tui.widgets.bar import Bar
from console.tui.widgets.call_side import CallSide
from console.tui.widgets.form import FREE, CallForm


class CallActing(BusScreen):
    """`r` and `x`, the form, and what came of it; beside the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", show=False),
        Binding("x", "act", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.form_for: Call | None = None
        """The call whose name the open form is for."""

    def chosen(self) -> int:
        """The call that a key is about, 0 for none."""
        raise NotImplementedError

    def find(self, call_id: int) -> None:
        """Put the cursor on a call and show all about it."""
        raise NotImplementedError

    @property
    def side(self) -> CallSide:
        """What stands beside the list."""
        return self.query_one(CallSide)

    def _parameters(self, call: Call) -> Sequence[Parameter] | None:
        """Of the command; None for an event, and where the registration was never seen."""
        rows = self.console_app.session.commands() if call.kind == "command" else []
        entry = next((row.entry for row in rows if row.name == call.name), None)
        return entry.parameters if entry else None

    def _acted_on(self, verb: str) -> Call | None:
        """The chosen call, if it can be made by hand here; else the bar says why not."""
        session = self.console_app.session
        call = session.record(self.chosen())
        if call is None:
            why = "choose a call first"
        elif call.kind == "delivery":
            why = f"only its event makes a delivery: go to #{call.parent}"
        elif not session.info.can_act:
            reasons = {"recorded": "this is a recording", "ended": "the program has ended"}
            why = f"cannot {verb}: {reasons.get(session.info.state, 'this console may only read')}"
        else:
            return call
        self.query_one(Bar).note(why, warn=True)
        return None

    async def action_again(self) -> None:
        """The same call in the bar, to be run with Enter; in a form where not all of it is known."""
        call = self._acted_on("run it again")
        if call is None:
            return
        parameters = self._parameters(call)
        request = _request(call, parameters)
        if request is None:
            found = captured.arguments(call.args)
            await self._open_form(call, _texts(found, parameters), _missing(call, found))
            return
        self.action_command(format_request(request, VERBS))
        self.query_one(Bar).say("Enter makes the call again, Esc does not")

    async def action_act(self) -> None:
        """A form for another call of the same name."""
        call = self._acted_on("execute")
        if call is not None:
            await self._open_form(call, {}, "")

    async def _open_form(self, call: Call, texts: dict[str, str], notice: str) -> None:
        await self.close_form()
        self.find(call.id)
        self.form_for, self.side.notice = call, notice
        verb = "fire" if call.kind == "event" else "execute"
        self.add_class("entered")
        await self.side.mount(CallForm(verb, self._parameters(call), texts, "value … name=value …"), after="#about")
        self.side.draw()

    async def close_form(self) -> None:
        """Without running it."""
        for form in self.query(CallForm):
            await form.remove()
        self.form_for, self.side.notice = None, ""

    @on(messages.RunRequested)
    def _run_requested(self, message: messages.RunRequested) -> None:
        call, act = self.form_for, self.side.act
        if call is None or (act is not None and act.running):
            return
        kind = Fire if call.kind == "event" else Execute
        request = kind(call.name, tuple(message.args), message.kwargs)
        self.side.act = Invocation.send(self.console_app.session, request)
        self.side.draw()

    def acts(self) -> tuple[Invocation | None, ...]:
        """That of the form first."""
        return (self.side.act, *super().acts())


def _request(call: Call, parameters: Sequence[Parameter] | None) -> Execute | Fire | None:
    """What makes the call once more; None if it is not known, or its arguments do not fit the command as it is now."""
    request = captured.again(call)
    if not isinstance(request, Execute) or parameters is None:
        return request
    try:
        return bind(request, parameters)
    except LanguageError:
        return None


def _texts(found: Sequence[captured.Argument], parameters: Sequence[Parameter] | None) -> dict[str, str]:
    if parameters is not None:
        return dict(captured.texts(found, parameters))
    return {FREE: captured.typed(found)}


def _missing(call: Call, found: Sequence[captured.Argument]) -> str:
    """Why the form is open instead of the line."""
    unknown = [each.name or f"value {at}" for at, each in enumerate(found, 1) if not each.known]
    if unknown:
        return (
            f"of #{call.id} this is not known any more: {', '.join(unknown)}; it was cut, hidden, or is no plain value"
        )
    return f"the arguments of #{call.id} were not recorded, or do not fit any more"
