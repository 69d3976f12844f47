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
from console.language.binding import bind
from console.language.tokens import LanguageError
from console.tui.fields import Filled, as_line, as_texts, fill, free, hint
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
        Binding("ctrl+t", "turn"),
        Binding("ctrl+up", "recall(-1)"),
        Binding("ctrl+down", "recall(1)"),
    ]

    def __init__(
        self,
        verb: str,
        parameters: Sequence[Parameter] | None,
        texts: Mapping[str, str],
        about: str = "",
        past: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """TEXTS stand in the fields at first; PAST: what stood there when it was run before, the last at the end."""
        super().__init__(id="form")
        self._verb = verb
        self._parameters = parameters
        self._as_line = parameters is None
        self._turns = not any(parameter.secret for parameter in parameters or ())  # a line would show it
        self._initial = dict(texts)
        self._about = about
        self._past = [*past, {}]
        self._recalled = len(past)

    def compose(self) -> ComposeResult:
        """A field and an error line for each parameter, and how to run it."""
        if self._parameters is None or self._as_line:
            yield from self._field(FREE, self._about, label=len(FREE) + 2, secret=False)
        elif not self._parameters:
            yield Static(Text("no parameters", style=SOFT))
        else:
            label = min(24, max(len(p.name) for p in self._parameters) + 2)
            for parameter in self._parameters:
                yield from self._field(parameter.name, hint(parameter), label=label, secret=parameter.secret)
        yield Static(self._keys(), classes="run")

    def _keys(self) -> Text:
        said = [("Ctrl+R", self._verb), ("Esc", "back")]
        if self._parameters and self._turns:
            said.insert(1, ("Ctrl+T", "as fields" if self._as_line else "as text"))
        if len(self._past) > 1:
            said.insert(-1, ("↑", "history"))
        return Text.assemble(*(part for key, word in said for part in ((key, KEY), (f" {word}   ", SOFT))))

    def _field(self, name: str, about: str, *, label: int, secret: bool) -> Iterator[Field | Static]:
        yield Field(name, about, self._initial.get(name, ""), label, secret=secret)
        yield Static("", classes="error", name=name)

    def on_mount(self) -> None:
        """The first field takes the keys; without fields the form itself does."""
        self._focus_first()

    def _focus_first(self) -> None:
        inputs = list(self.query(Input))
        if inputs:
            inputs[0].focus()
        else:
            self.can_focus = True
            self.focus()

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the fields; of a line that cannot be understood, nothing."""
        if self._as_line and self._parameters:
            try:
                return as_texts(self._parameters, self._typed()[FREE])
            except LanguageError:
                return {}
        return self._typed()

    def _typed(self) -> dict[str, str]:
        return {field.parameter: field.query_one(Input).value for field in self.query(Field)}

    async def action_turn(self) -> None:
        """Fields into a line of text, and a line into fields."""
        if not self._parameters or not self._turns:
            return
        try:
            turned = (
                as_texts(self._parameters, self._typed()[FREE])
                if self._as_line
                else {FREE: as_line(self._parameters, self._typed())}
            )
        except LanguageError as error:
            self.show_errors({FREE: error.message})
            return
        self._as_line = not self._as_line
        self._initial = turned
        await self.recompose()
        self._focus_first()

    def action_recall(self, step: int) -> None:
        """What stood in the fields when it was run before, or after that."""
        if self._recalled == len(self._past) - 1:
            self._past[-1] = self.texts
        self._recalled = max(0, min(self._recalled + step, len(self._past) - 1))
        texts = self._past[self._recalled]
        if self._as_line and self._parameters:
            texts = {FREE: as_line(self._parameters, texts)}
        for field in self.query(Field):
            line = field.query_one(Input)
            line.value = texts.get(field.parameter, "")
            line.cursor_position = len(line.value)

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
        if self._parameters is not None and not self._as_line:
            return fill(self._parameters, self._typed())
        try:
            request = free(self._typed()[FREE])
            if self._parameters is not None:
                request = bind(request, self._parameters)
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
        """To the field above or below; above the first one is what was run before."""
        inputs = list(self.query(Input))
        focused = [index for index, field in enumerate(inputs) if field.has_focus]
        if focused and not 0 <= focused[0] + step < len(inputs):
            self.action_recall(step)
        elif focused:
            inputs[max(0, min(focused[0] + step, len(inputs) - 1))].focus()
