"""A form made from a command's schema: a field a parameter, its type and default beside it, its error below."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Static

from bus.trace.records import Parameter
from bus.trace.redact import escape
from console.language.tokens import LanguageError
from console.tui.fields import Filled, fill, free, hint
from console.tui.look import AMBER, KEY, SOFT
from console.tui.messages import RunRequested

FREE = "arguments"


class Field(Horizontal):
    """One parameter."""

    def __init__(self, name: str, about: str, text: str, label: int, *, secret: bool) -> None:
        super().__init__(classes="field")
        self.parameter = name
        self._about, self._text, self._label, self._secret = about, text, label, secret

    def compose(self) -> ComposeResult:
        """Name, input, hint."""
        name = Static(Text(escape(self.parameter), style=SOFT), classes="label")
        name.styles.width = self._label
        yield name
        yield Input(self._text, password=self._secret, compact=True, select_on_focus=False)
        yield Static(Text(escape(self._about), style=SOFT), classes="hint")


class CallForm(VerticalScroll, can_focus=False):
    """The fields of one call. Without parameters known (an event), one free line of values."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "run"),
        Binding("enter", "next", priority=False),
        Binding("down", "focus(1)"),
        Binding("up", "focus(-1)"),
    ]

    def __init__(
        self, verb: str, parameters: Sequence[Parameter] | None, texts: Mapping[str, str], about: str = ""
    ) -> None:
        super().__init__(id="form")
        self._verb = verb
        self._parameters = parameters
        self._initial = dict(texts)
        self._about = about

    def compose(self) -> ComposeResult:
        """A field and an error line for each parameter, and how to run it."""
        if self._parameters is None:
            yield from self._field(FREE, self._about, label=len(FREE) + 2, secret=False)
        elif not self._parameters:
            yield Static(Text("no parameters", style=SOFT))
        else:
            label = min(24, max(len(p.name) for p in self._parameters) + 2)
            for parameter in self._parameters:
                yield from self._field(parameter.name, hint(parameter), label=label, secret=parameter.secret)
        keys = Text.assemble(("Ctrl+R", KEY), (f" {self._verb}   ", SOFT), ("Esc", KEY), (" back", SOFT))
        yield Static(keys, classes="run")

    def _field(self, name: str, about: str, *, label: int, secret: bool) -> Iterator[Field | Static]:
        yield Field(name, about, self._initial.get(name, ""), label, secret=secret)
        yield Static("", classes="error", name=name)

    def on_mount(self) -> None:
        """The first field takes the keys; without fields the form itself does."""
        inputs = list(self.query(Input))
        if inputs:
            inputs[0].focus()
        else:
            self.can_focus = True
            self.focus()

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the fields."""
        return {field.parameter: field.query_one(Input).value for field in self.query(Field)}

    def action_run(self) -> None:
        """Run it, or say under the fields what is wrong."""
        filled = self._filled()
        self.show_errors(filled.errors)
        if not filled.errors:
            self.post_message(RunRequested(filled.args, filled.kwargs))

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Put errors under their fields and the cursor into the first of them."""
        for line in self.query(Static).filter(".error"):
            message = errors.get(line.name or "", "")
            line.update(Text(escape(message), style=AMBER))
            line.display = bool(message)
        for field in self.query(Field):
            if field.parameter in errors:
                field.query_one(Input).focus()
                break

    def _filled(self) -> Filled:
        if self._parameters is not None:
            return fill(self._parameters, self.texts)
        try:
            request = free(self.texts[FREE])
        except LanguageError as error:
            return Filled(errors={FREE: error.message})
        return Filled(list(request.args), dict(request.kwargs))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field, and runs after the last."""
        event.stop()
        inputs = list(self.query(Input))
        if event.input is inputs[-1]:
            self.action_run()
        else:
            inputs[inputs.index(event.input) + 1].focus()

    def action_next(self) -> None:
        """Enter in a form without fields."""
        self.action_run()

    def action_focus(self, step: int) -> None:
        """To the field above or below."""
        inputs = list(self.query(Input))
        focused = [index for index, field in enumerate(inputs) if field.has_focus]
        if focused:
            inputs[max(0, min(focused[0] + step, len(inputs) - 1))].focus()
