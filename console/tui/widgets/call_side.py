"""Beside the list of calls: what is known of the selected one, and what came of making it once more."""

from collections.abc import Iterator

from textual.containers import Vertical
from textual.widget import Widget

from console.clock import clock
from console.session import Session
from console.tui.invocation import Invocation
from console.tui.lines import Line, wrapped
from console.tui.live_stacks import LiveStacks
from console.tui.look import SOFT, TEXT, WARN, ServiceColors
from console.tui.pace import Pace
from console.tui.widgets.act_lines import act_strips
from console.tui.widgets.call_about import about_call, below_call
from console.tui.widgets.call_details import CallDetails
from console.tui.widgets.canvas import Canvas
from console.tui.widgets.details import Shown
from console.tui.widgets.service_lines import stack_lines

_SILENT = 2.5
"""Seconds without an answer that are worth a word: the program may be stopped."""


class CallSide(Vertical):
    """About one call at a time; with none, it says how to choose one."""

    def __init__(self, session: Session, colors: ServiceColors) -> None:
        super().__init__(id="side")
        self.call = 0
        self.act: Invocation | None = None
        """What was made from here: a call once more, or another one of its name."""
        self.notice = ""
        """What a person should know about the form that is open."""
        self._live: LiveStacks | None = None
        self._session, self._colors = session, colors
        self._pace = Pace()

    def compose(self) -> Iterator[Widget]:
        """What always stands there, and what is scrolled."""
        yield Canvas(id="about")
        yield CallDetails(id="details")

    def on_resize(self) -> None:
        """Draw it for the new width."""
        self.call_after_refresh(self.draw)

    @property
    def details(self) -> CallDetails:
        """The part that is scrolled."""
        return self.query_one(CallDetails)

    def choose(self, call: int) -> None:
        """Another call, from its top; at once."""
        if call != self.call:
            self.call = self.details.origin = call
            self._live = None
            self.details.selected = 0
            self.details.scroll_home(animate=False)
        self.draw()

    @property
    def watches(self) -> bool:
        """Whether the live stack of the call is shown."""
        return self._live is not None

    def show_stack(self, *, on: bool) -> None:
        """Show what the thread that runs the call is doing, or no longer."""
        self._live = LiveStacks(self._session, (self.call,)) if on else None
        self.turn()
        self.draw()

    def turn(self) -> None:
        """Ten times a second: ask anew about once a second, and show what is new."""
        live = self._live
        if live is None:
            return
        call = self._session.record(self.call)
        if call is None or call.outcome is not None:
            self._live = None
            self.draw()
        elif live.turn():
            self.draw()

    def renew(self) -> None:
        """The same call as it is now, when it is time."""
        if self._pace.due:
            self.draw()

    def draw(self) -> None:
        """Take what the session knows now."""
        about, width = self.query_one("#about", Canvas), self.details.inner_width
        detail = self._session.call(self.call) if self.call else None
        place = self._session.lineage(self.call) if detail else None
        if detail is None or place is None:
            about.styles.height = 0
            self.details.show_lines([*self._acted(width), *self._nothing(width)])
            return
        with self._pace:
            strips = about_call(width, detail, self._session.info.session, self._colors)
            about.styles.height = len(strips)
            about.show(strips)
            self.details.show_lines(
                [*self._acted(width), *self._stack(width), *below_call(width, detail, place, self._session)]
            )

    def _acted(self, width: int) -> Iterator[Shown]:
        if self.notice:
            yield from (Shown(Line(width).put(text, WARN).strip()) for text in wrapped(self.notice, width))
        if self.act is not None:
            yield from map(Shown, act_strips(width, self.act))
        if self.notice or self.act is not None:
            yield Shown(Line(width).strip())

    def _stack(self, width: int) -> Iterator[Shown]:
        live = self._live
        if live is None:
            return
        stack = next((stack for stack in live.stacks if stack.call == self.call), None)
        if live.refused:
            yield from (Shown(Line(width).put(text, WARN).strip()) for text in wrapped(live.refused, width))
        elif stack is None:
            said = "no thread runs it at this moment" if live.at else "asking the program what it is doing …"
            yield Shown(Line(width).put(said, SOFT).strip())
        else:
            at = clock(stack.at, self._session.info.session)
            yield Shown(Line(width).put("live stack ", SOFT).put(stack.name, TEXT).put(f" at {at}", SOFT).strip())
            yield from map(Shown, stack_lines(width, stack))
        if live.silent > _SILENT:
            yield Shown(Line(width).put(f"no answer for {live.silent:.0f} s", WARN).strip())
        yield Shown(Line(width).strip())

    def _nothing(self, width: int) -> Iterator[Shown]:
        if self.call:
            yield Shown(Line(width).put(f"#{self.call} is not kept any more", SOFT).strip())
            return
        for look, text in (
            (TEXT, "↑ ↓ choose a call: the list stands still meanwhile."),
            (SOFT, "Here stand its arguments and result, where its time went,"),
            (SOFT, "what caused it and what it caused."),
        ):
            yield from (Shown(Line(width).put(row, look).strip()) for row in wrapped(text, width))
