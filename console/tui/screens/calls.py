"""Screen 4: every call, those in flight first; what is known of one; its causal tree; making it once more."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from console.language.filter_parser import parse
from console.language.tokens import LanguageError
from console.tui import messages
from console.tui.call_list import SORTS, CallList, CallRow
from console.tui.lines import Line
from console.tui.look import SOFT, TEXT
from console.tui.screens.call_acting import CallActing
from console.tui.screens.listing import Rule
from console.tui.widgets.bar import Bar
from console.tui.widgets.call_columns import columns
from console.tui.widgets.call_lines import as_text
from console.tui.widgets.call_side import CallSide
from console.tui.widgets.canvas import Canvas
from console.tui.widgets.form import CallForm
from console.tui.widgets.rows import RowList
from console.tui.widgets.tree_pane import TreePane

_LONG = 1_000_000_000
"""Ns for which a call is in flight before it is shown beside the list without being chosen."""
_TITLES = ("", "run", "wait", "outcome")


class CallRows(RowList[CallRow], inherit_bindings=False):
    """As `RowList`, but `g` is for the timeline."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)"),
        Binding("down,j", "move(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home", "edge(0)"),
        Binding("end,G", "edge(-1)"),
        Binding("enter", "enter"),
    ]

    class ToTop(Message):
        """Somebody wants to see the newest again."""

    def action_edge(self, index: int) -> None:
        """Home lets go of the call, also where the cursor is on the first row already."""
        super().action_edge(index)
        if not index:
            self.post_message(self.ToTop())


class CallsScreen(CallActing):
    """The list follows the program until somebody looks at a call; then it stands still."""

    MODE = "calls"
    ACTING: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("r", "again", "screen.again"),
        ("x", "execute", "screen.act"),
    )
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("/", "filter", "screen.filter"),
        ("s", "sort", "screen.sort(1)"),
        ("⏎", "details", "screen.enter"),
        ("t", "tree", "screen.tree"),
        ("w", "stack", "screen.stack"),
        ("g", "timeline", "screen.timeline"),
    )
    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ PgUp PgDn", "choose a call; the list stands still, Home follows the program again"),
        ("/", "only calls that match: service:indexer outcome:failed took>10ms arg:foo …"),
        ("s S", "newest, slowest, longest wait, failed first; and back"),
        ("Enter", "into the details; there, Enter goes to another call"),
        ("t", "causal tree, with what decided when the call ended; there, Enter shows what is folded"),
        ("w", "live stack of a running call, anew every second; again: no longer"),
        ("g", "show it in the timeline"),
        ("r", "make the same call again: shows it first"),
        ("x", "execute the command, or fire the event, with other arguments"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", show=False, priority=True),
        Binding("s", "sort(1)", show=False),
        Binding("S", "sort(-1)", show=False),
        Binding("t", "tree", show=False),
        Binding("w", "stack", show=False),
        Binding("g", "timeline", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._calls = CallList(self.console_app.session)
        self._kept = 0
        """The call that somebody came for from elsewhere: it stays in the list while it is the selected one."""
        self._filter, self._wrong = "", ""

    # ---- the frame

    def body(self) -> Iterator[Widget]:
        """How many, list, rule, details; or the tree."""
        app = self.console_app
        rows = CallRows(columns(app.service_colors), lambda row: str(row.call.id), id="list")
        left = Vertical(Canvas(id="count"), rows, id="left")
        yield Horizontal(left, Rule(id="rule"), CallSide(app.session, app.service_colors), id="body")
        yield TreePane(app.session, app.service_colors)

    def main(self) -> Widget:
        """The form while it is open, the tree, the details where they were entered, else the list."""
        form = self.query(CallForm)
        if form:
            inputs = form.first().query("Input")
            return inputs.first() if inputs else form.first()
        if self.has_class("treed"):
            return self.pane
        return self.side.details if self.has_class("entered") else self.rows

    @property
    def rows(self) -> CallRows:
        """The list."""
        return self.query_one(CallRows)

    @property
    def pane(self) -> TreePane:
        """The causal tree."""
        return self.query_one(TreePane)

    def tick(self, *, changed: bool) -> None:
        """The running time of what was made from here counts ten times a second; the rest is calmer."""
        super().tick(changed=changed)
        if not self.console_app.frozen:
            self.side.turn()
        act = self.side.act
        if act is not None and act.running:
            self.side.draw()

    def refresh_body(self) -> None:
        """The newest calls, and the selected one as it is now."""
        self._calls.held = self._holds()
        self._calls.refresh()
        self._show_rows()
        if self.has_class("treed"):
            self.pane.renew()
        elif self._wanted() == self.side.call:
            self.side.renew()
        else:
            self.side.choose(self._wanted())

    def _show_rows(self) -> None:
        if self._kept:
            self._calls.include(self._kept)
        count = self.query_one("#count", Canvas)
        count.show([Line(count.size.width).gap().put(self._calls.said(), SOFT).strip()])
        self.rows.show(self._calls.rows, sorted_by=_TITLES[self._calls.sort], empty=self._empty())

    def _empty(self) -> Sequence[tuple[str, Style]]:
        state = self.console_app.session.info.state
        if self._filter:
            return [(f"No call matches “{self._filter}”.", TEXT), ("Esc shows all, / changes it.", SOFT)]
        if state == "connecting":
            return [("Connecting to the program …", TEXT)]
        if self.console_app.session.info.can_act:
            return [
                ("Nothing was called yet: calls appear here as they are made.", TEXT),
                ("1 lists the commands, x there executes one.", SOFT),
            ]
        if state == "live":
            return [("Nothing was called yet: calls appear here as they are made.", TEXT)]
        return [("No calls were recorded.", TEXT), ("Was the program started with BUS_TRACE=off?", SOFT)]

    # ---- which call

    def _holds(self) -> bool:
        """Whether the list stands still: somebody looks at a call that is not simply the first one."""
        if self.console_app.session.info.state != "live":
            return False
        opened = self.has_class("entered") or self.has_class("treed") or self.form_for is not None
        selected, first = self.rows.selected, self._calls.rows[:1]
        away = bool(self.rows.touched) and bool(first) and selected != str(first[0].call.id)
        return opened or away or (self._kept > 0 and selected == str(self._kept))

    def _wanted(self) -> int:
        """The call to show beside the list: what merely passes by on top of it is not."""
        row = self.rows.row
        if row is None:
            return 0
        passes = row.call.outcome is not None or row.wait + row.run < _LONG
        if passes and not self._holds() and self.console_app.session.info.state == "live":
            return 0
        return row.call.id

    def find(self, call_id: int) -> None:
        """Put the cursor on a call, whatever the list shows, and show all about it."""
        self.remove_class("treed")
        self._kept = call_id
        if not self._calls.rows:
            self._calls.refresh(at_once=True)
        self._show_rows()
        self.rows.choose(str(call_id))
        self.side.choose(call_id)
        self.call_after_refresh(self._focus_main)

    def _focus_main(self) -> None:
        self.main().focus()

    @on(messages.RowSelected)
    async def _row_selected(self, message: messages.RowSelected) -> None:
        if self.form_for is not None and message.key != str(self.form_for.id):
            await self.close_form()
        if message.key != str(self._kept):
            self._kept = 0
        if self._calls.rows and message.key == str(self._calls.rows[0].call.id):
            self.rows.touched = 0  # at the top again: the list goes on, and the cursor stays there
        if self._wanted() != self.side.call:
            self.side.act = None
            self.side.choose(self._wanted())

    @on(CallRows.ToTop)
    def _to_top(self) -> None:
        self._kept, self.rows.touched = 0, 0
        self.refresh_body()

    @on(messages.RowEntered)
    def _row_entered(self) -> None:
        self.action_enter()

    def action_enter(self) -> None:
        """Into the details."""
        row = self.rows.row
        if row is None:
            return
        self.add_class("entered")
        self.side.choose(row.call.id)
        self.call_after_refresh(self._entered)

    def _entered(self) -> None:
        self.side.draw()
        self._focus_main()

    @on(messages.CallOpened)
    def _call_opened(self, message: messages.CallOpened) -> None:
        self.find(message.call)

    async def action_back(self) -> None:
        """Out of the form, the tree, the details, the filter, and back to the top, in this order."""
        await super().action_back()
        if self.form_for is not None:
            await self.close_form()
        elif self.has_class("treed"):
            self.remove_class("treed")
            self.pane.close()
        elif self.has_class("entered"):
            self.remove_class("entered")
        elif self._filter:
            self._filter_changed(messages.FilterChanged(""))
        else:
            self.rows.action_edge(0)
        self.refresh_body()
        self.call_after_refresh(self._focus_main)

    def chosen(self) -> int:
        """The call that a key is about: the marked one of the tree or the details, else that of the list."""
        for pane in (self.pane, self.side.details):
            if pane.has_focus:
                return max(pane.selected, 0) or pane.origin
        row = self.rows.row
        return row.call.id if row else 0

    def copied(self) -> str:
        """The chosen call."""
        call = self.console_app.session.record(self.chosen())
        return as_text(call) if call else ""

    def action_export(self) -> None:
        """Of the chosen call, its sequence diagram; the bar has the line."""
        chosen = self.chosen()
        self.action_command(f"export call-{chosen}.txt #{chosen}" if chosen else "export ")

    def action_timeline(self) -> None:
        """The chosen call in the timeline."""
        if self.chosen():
            self.console_app.show_call(self.chosen())

    def action_tree(self) -> None:
        """The causal tree of the chosen call; again: close it."""
        if self.has_class("treed"):
            self.run_worker(self.action_back())
        elif self.chosen():
            self._open_tree(self.chosen())

    def show_tree(self, call_id: int) -> None:
        """Put the cursor on a call, and show its causal tree."""
        self.find(call_id)
        self._open_tree(call_id)

    def _open_tree(self, call_id: int) -> None:
        self.add_class("treed")
        self.pane.open(call_id)
        self.call_after_refresh(self._focus_main)

    def action_stack(self) -> None:
        """What the thread that runs the chosen call is doing now; again: no longer."""
        call = self.console_app.session.record(self.chosen())
        if call is None or call.outcome is not None or not call.started:
            what = "has ended" if call and call.outcome else "is queued: no thread runs it yet"
            said = f"w shows the stack of a running call: #{call.id} {what}" if call else "choose a running call first"
            self.query_one(Bar).note(said, warn=True)
        elif self.side.call == call.id and self.side.watches:
            self.side.show_stack(on=False)
        else:
            self.find(call.id)
            self.side.show_stack(on=True)

    # ---- filter and order

    def action_filter(self) -> None:
        """Show only calls that match."""
        self.query_one(Bar).open("/", self._filter)

    @on(messages.FilterChanged)
    def _filter_changed(self, message: messages.FilterChanged) -> None:
        text = message.text.strip()
        try:
            what = parse(text)
        except LanguageError as error:
            self._wrong = error.message
        else:
            self._filter, self._wrong = text, ""
            self._calls.what = what
            self._ask_anew()
        self.query_one(Bar).say(self._wrong or self._calls.said(), warn=bool(self._wrong))

    def idle_text(self) -> str:
        """The filter, as long as there is one."""
        if self._wrong:
            return f"not understood, and not used: {self._wrong}"
        return f"only calls that match “{self._filter}” · Esc shows all" if self._filter else super().idle_text()

    def action_sort(self, step: int) -> None:
        """`s`: by the next of the orders; `S`: the one before."""
        self._calls.sort = (self._calls.sort + step) % len(SORTS)
        self._ask_anew()

    def _ask_anew(self) -> None:
        self._kept, self.rows.touched = 0, 0
        self._calls.refresh(at_once=True)
        self.refresh_body()
