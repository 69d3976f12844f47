"""A list on the left, what is selected on the right: the Commands and the Events screen."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.widget import Widget

from bus.trace.records import Parameter
from console.language.filter_fields import Fields
from console.language.filter_parser import Typed, parse_typed
from console.language.filters import ALL
from console.language.grammar import Execute, Fire
from console.model.predicates import Predicate, Reader, predicate
from console.model.slices import Sliced
from console.model.views import CallDetail
from console.tui import messages
from console.tui.invocation import Invocation
from console.tui.lines import Line
from console.tui.listed import Listed, Wish
from console.tui.look import HIDDEN, KEY, SOFT, TEXT
from console.tui.namespaces import MANY, Namespaces
from console.tui.order import Sort
from console.tui.screens.calm import CalmScreen
from console.tui.suggest import FilterSuggester
from console.tui.widgets.act_lines import act_strips
from console.tui.widgets.bar import Bar
from console.tui.widgets.call_lines import as_text
from console.tui.widgets.canvas import Canvas
from console.tui.widgets.details import Details, Shown
from console.tui.widgets.form import CallForm
from console.tui.widgets.namespace_lines import about_namespace
from console.tui.widgets.rows import RowList

Row = TypeVar("Row")
_RECENT = 20
_PAST = 50


class Rule(Canvas):
    """The line between list and details."""

    def on_resize(self) -> None:
        """As long as it is high."""
        self.show([Line(self.size.width).gap().put("│", HIDDEN).strip()] * self.size.height)


class ListScreen(CalmScreen, Generic[Row]):
    """Rows by key; `x` opens a form for the selected one, and what came of it stands below the form."""

    VERB: ClassVar[str] = ""
    NOUN: ClassVar[str] = ""
    SORTS: ClassVar[Sequence[Sort[Any]]] = ()
    FIELDS: ClassVar[Fields]
    """What its filter can ask of a row, and how to read that."""
    READER: ClassVar[Reader[Any]]
    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ PgUp PgDn", "move"),
        ("/", "only rows that match: a word, service:store, failed>0, …"),
        ("s S", "sort by the next column, the other way round"),
        ("→ ←", "open and close a namespace, where there are many names"),
        ("Enter", "into the details; there, Enter shows a call in the timeline"),
        ("x", "execute the command or fire the event by hand"),
        ("Ctrl+R Ctrl+T", "in the form: run; fields or one line of text"),
        ("↑ Ctrl+↑", "in the form: what was run before (↑ in the first field)"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", show=False, priority=True),
        Binding("x", "act", show=False),
        Binding("s", "sort(1)", show=False),
        Binding("S", "sort(-1)", show=False),
        Binding("right", "unfold(1)", show=False),
        Binding("left", "unfold(-1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._typed, self._filter = "", Typed(ALL, "")
        self._fits: Predicate[Row] | None = None
        self._sort, self._turned = 0, False
        self.namespaces: Namespaces[Row] = Namespaces(self.total)
        self._listed: Listed[Row] = Listed(self.key_of, self.namespaces)
        self._fetched: Sequence[Row] = ()
        self._acts: dict[str, Invocation] = {}
        self._texts: dict[str, dict[str, str]] = {}
        self._past: dict[str, list[dict[str, str]]] = {}
        self._form_for = ""
        self._secret: set[str] = set()
        self._answered = 0

    # ---- what a subclass says

    def make_rows(self) -> RowList[Row]:
        """A new list."""
        raise NotImplementedError

    def total(self, key: str, rows: Sequence[Row]) -> Row:
        """The row that stands for a namespace."""
        raise NotImplementedError

    def parameters(self, row: Row) -> tuple[Sequence[Parameter] | None, str]:
        """The fields of the form for ROW, None for a free line, and a hint for that."""
        raise NotImplementedError

    def about(self, width: int, row: Row) -> list[Strip]:
        """What stands above the form."""
        raise NotImplementedError

    def below(self, width: int, row: Row) -> list[Shown]:
        """What stands below it."""
        raise NotImplementedError

    def known_names(self) -> Iterable[str]:
        """The names that its filter may be about."""
        raise NotImplementedError

    def fetching(self) -> Sliced[list[Row]]:
        """All rows with the newest figures, in slices where they may be many."""
        raise NotImplementedError

    def key_of(self, row: Row) -> str:
        """What a row is known by."""
        name: str = row.name  # type: ignore[attr-defined]  # all rows here have one
        return name

    def empty(self) -> Sequence[tuple[str, Style]]:
        """What an empty list says."""
        raise NotImplementedError

    # ---- the frame

    def body(self) -> Iterator[Widget]:
        """List, rule, details."""
        side = Vertical(Canvas(id="about"), Details(id="details"), id="side")
        yield Horizontal(self.make_rows(), Rule(id="rule"), side, id="body")

    def main(self) -> Widget:
        """The form while it is open, the details where only they are shown, else the list."""
        form = self.query(CallForm)
        if form:
            inputs = form.first().query("Input")
            return inputs.first() if inputs else form.first()
        return self.query_one(Details) if self.has_class("entered") else self.rows

    @property
    def rows(self) -> RowList[Row]:
        """The list."""
        found: RowList[Any] = self.query_one(RowList)
        return found

    @property
    def act(self) -> Invocation | None:
        """What was last executed or fired by hand on the selected row."""
        return self._acts.get(self.rows.selected)

    def tick(self, *, changed: bool) -> None:
        """The running time of an act counts ten times a second; the rest is calmer."""
        super().tick(changed=changed)
        act = self.act
        if act is not None and act.running:
            self.refresh_side()

    def refresh_side(self) -> None:
        """The right-hand side only."""
        row = self.rows.row
        about, details = self.query_one("#about", Canvas), self.query_one(Details)
        width = details.inner_width
        if row is None:
            about.styles.height = 0
            details.show_lines([])
            return
        if size := self.namespaces.size(self.rows.selected):
            about.styles.height = 2
            about.show(about_namespace(width, self.rows.selected, size, self.NOUN))
            details.show_lines([])
            return
        strips = self.about(width, row)
        if self.has_class("short") and self.query(CallForm):
            strips = strips[: next(y for y, strip in enumerate(strips) if not strip.text.strip()) + 1]
        about.styles.height = len(strips)
        about.show(strips)
        act = self.act
        acted = [*_shown_act(width, act), Shown(Line(width).strip())] if act else []
        if acted and acted[0].call not in {0, self._answered}:
            self._answered = details.selected = acted[0].call
        details.show_lines([*acted, *self.below(width, row)])

    # ---- selecting

    @on(messages.RowSelected)
    async def _row_selected(self) -> None:
        if self._form_for and self._form_for != self.rows.selected:
            await self._close_form()
        self.refresh_side()

    @on(messages.RowEntered)
    def _row_entered(self) -> None:
        if self.namespaces.size(self.rows.selected):
            self._unfold(self.rows.selected)
            return
        self.add_class("entered")
        self.call_after_refresh(self._entered)

    def _entered(self) -> None:
        self.refresh_side()
        self.query_one(Details).focus()

    async def action_back(self) -> None:
        """Out of the form, out of the details, out of the filter, in this order."""
        await super().action_back()
        if self.query(CallForm):
            await self._close_form()
        elif self.has_class("entered"):
            self.remove_class("entered")
        elif self._typed:
            self._filter_changed(messages.FilterChanged(""))
        self.call_after_refresh(self._focus_main)

    def _focus_main(self) -> None:
        self.main().focus()
        self.refresh_side()

    def find(self, name: str) -> None:
        """Put the cursor on NAME, out of the filter if need be."""
        self._choose("")
        self.refresh_body()
        if home := self.namespaces.home(name):
            self.namespaces.set(home, opened=True)
            self.refresh_body()
        self.rows.choose(name)

    def copied(self) -> str:
        """The call that is marked on the right, else the name."""
        details = self.query_one(Details)
        if details.has_focus and details.selected:
            detail = self.console_app.session.call(details.selected)
            return as_text(detail.call) if detail else ""
        return self.rows.selected

    # ---- filter and order

    def action_filter(self) -> None:
        """Show only rows that match."""
        suggester = FilterSuggester(self.console_app.session, self.known_names(), self.FIELDS)
        self.query_one(Bar).open("/", self._typed, suggester)

    @on(messages.FilterChanged)
    def _filter_changed(self, message: messages.FilterChanged) -> None:
        self._choose(message.text.strip())
        self.calmly(self._showing())
        problem = self._filter.problem
        self.query_one(Bar).say(problem.message if problem else "", warn=True)

    def _choose(self, text: str) -> None:
        """What cannot be understood of TEXT is left out."""
        self._typed, self._filter = text, parse_typed(text, self.FIELDS)
        what = self._filter.what
        self._fits = None if what == ALL else predicate(what, self.READER)

    def idle_text(self) -> str:
        """The filter, as long as there is one."""
        if not self._typed:
            return super().idle_text()
        used, problem = self._filter.used, self._filter.problem
        only = f"only rows with “{used}”" if used else "all rows"
        return f"{only}: {problem.message}" if problem else f"{only} · Esc shows all"

    def action_sort(self, step: int) -> None:
        """`s`: by the next column; `S`: the other way round."""
        if step < 0:
            self._turned = not self._turned
        else:
            self._sort, self._turned = (self._sort + 1) % len(self.SORTS), False
        self.calmly(self._showing())

    @property
    def many(self) -> bool:
        """See `CalmScreen`."""
        return len(self._fetched) > MANY

    def refreshing(self) -> Sliced[None]:
        """See `CalmScreen`."""
        self._fetched = yield from self.fetching()
        yield from self._showing()

    def _showing(self) -> Sliced[None]:
        """What was fetched last, as it is wanted now."""
        shown = self.rows
        wish = Wish(self.SORTS[self._sort], self._turned, self._fits, self._filter.used, shown.touched)
        listed = yield from self._listed.listing(self._fetched, wish)
        second = self.console_app.session.now() // 1_000_000_000, self.namespaces.version
        shown.show(listed, sorted_by=wish.sort.title, second=second, empty=self._empty())
        self.refresh_side()

    # ---- namespaces

    def action_unfold(self, step: int) -> None:
        """`→`: open the namespace; `←`: close it, with the cursor on it."""
        home = self.namespaces.home(self.rows.selected)
        if home and self.rows.has_focus:
            self.namespaces.set(home, opened=step > 0)
            self.at_once(self._showing())
            self.rows.choose(home)

    def _unfold(self, key: str) -> None:
        self.namespaces.toggle(key)
        self.at_once(self._showing())

    def _empty(self) -> Sequence[tuple[str, Style]]:
        if self._filter.used:
            return [(f"Nothing here matches “{self._filter.used}”.", TEXT), ("Esc shows everything.", SOFT)]
        if self.console_app.session.info.state == "connecting":
            return [("Connecting to the program …", TEXT)]
        return self.empty()

    def recent(self, name: str) -> list[CallDetail]:
        """The last calls of a name, the newest first."""
        session = self.console_app.session
        details = (session.call(call.id) for call in session.recent(name, _RECENT))
        return [detail for detail in details if detail is not None]

    # ---- acting

    async def action_act(self) -> None:
        """Open the form of the selected row, or say why nothing can be done."""
        row, session = self.rows.row, self.console_app.session
        if row is None:
            return
        if self.namespaces.size(self.rows.selected):
            self.query_one(Bar).note(f"this is a namespace: Enter opens it, then choose one {self.NOUN}", warn=True)
            return
        if not session.info.can_act:
            self.query_one(Bar).note(self._cannot(), warn=True)
            return
        self.rows.touched += 1  # the row with the form must stay the selected one
        await self._close_form()
        parameters, about = self.parameters(row)
        self._form_for = self.rows.selected
        self._secret = {each.name for each in parameters or () if each.secret}
        texts, past = self._texts.get(self._form_for, {}), self._past.get(self._form_for, [])
        form = CallForm(self.VERB, parameters, texts, about, past)
        self.add_class("entered")
        await self.query_one("#side", Vertical).mount(form, after="#about")
        self.refresh_side()

    def _cannot(self) -> str:
        info = self.console_app.session.info
        reasons = {"recorded": "this is a recording", "ended": "the program has ended"}
        why = reasons.get(info.state, "this console may only read")
        return f"cannot {self.VERB}: {why}"

    async def _close_form(self) -> None:
        for form in self.query(CallForm):
            self._texts[self._form_for] = form.texts
            await form.remove()
        self._form_for = ""

    @on(messages.RunRequested)
    def _run_requested(self, message: messages.RunRequested) -> None:
        name, session = self._form_for, self.console_app.session
        running = self._acts.get(name)
        if running is not None and running.running:
            return
        self._remember(name, self.query_one(CallForm).texts)
        kind = Fire if self.VERB == "fire" else Execute
        self._acts[name] = Invocation.send(session, kind(name, tuple(message.args), message.kwargs))
        self.refresh_side()

    def _remember(self, name: str, texts: dict[str, str]) -> None:
        """For the form's history, without what is secret."""
        kept = {key: text for key, text in texts.items() if key not in self._secret}
        past = self._past.setdefault(name, [])
        past[:] = [*(each for each in past if each != kept), kept][-_PAST:]

    def acts(self) -> tuple[Invocation | None, ...]:
        """That of the selected row first."""
        return (self.act, *super().acts())


def _shown_act(width: int, act: Invocation) -> list[Shown]:
    """What came of ACT; its first line opens the call in the timeline, as soon as there is one."""
    strips = act_strips(width, act)
    call = act.ended.reply.call if act.ended and act.ended.detail else 0
    shown = [Shown(strips[0], call), *map(Shown, strips[1:])]
    if call:
        shown.append(Shown(Line(width).put("Enter", KEY).put(" shows it in the timeline", SOFT).strip()))
    return shown
