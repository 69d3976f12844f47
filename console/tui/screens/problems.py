"""Screen 6: what is wrong, worst first, with the proof and what to do; rules that found nothing are one quiet line."""

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from bus.trace.records import Stack
from console.model.problems import RULES, ProblemReport, ProblemView, Proof, setting_name
from console.tui import messages
from console.tui.lines import Line
from console.tui.live_stacks import LiveStacks
from console.tui.look import SOFT, TEXT
from console.tui.screens.base import BusScreen
from console.tui.screens.listing import Rule
from console.tui.widgets.bar import Bar
from console.tui.widgets.canvas import Canvas
from console.tui.widgets.details import Details, Shown
from console.tui.widgets.problem_lines import (
    about_problem,
    as_text,
    columns,
    healthy_lines,
    proof_lines,
    summary,
    watched_lines,
)
from console.tui.widgets.rows import RowList
from console.tui.widgets.service_lines import thread_lines

_ABOUT = {rule.name: rule.explanation() for rule in RULES}
_SORTS = ("", "problem", "since", "times")
_CROWDED = ("starved", "queue growth", "waits more than works")
"""What is wrong with a service: what its threads do now says why."""


class ProblemRows(RowList[ProblemView], inherit_bindings=False):
    """As `RowList`, but `g` is for the timeline, and Enter leads to what is watched where nothing is wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)"),
        Binding("down,j", "move(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home", "edge(0)"),
        Binding("end,G", "edge(-1)"),
        Binding("enter", "enter"),
    ]

    def action_enter(self) -> None:
        """To the right-hand side."""
        self.post_message(messages.RowEntered(self.selected))


class ProofDetails(Details, inherit_bindings=False):
    """As `Details`, but Enter says all about a call; only `g` shows it in the timeline."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)"),
        Binding("down,j", "move(1)"),
        Binding("pageup", "page_up"),
        Binding("pagedown", "page_down"),
        Binding("enter", "open"),
    ]


class ProblemsScreen(BusScreen):
    """The list on the left, the proof on the right."""

    MODE = "problems"
    KEYS: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("⏎", "proof", "screen.enter"),
        ("t", "tree", "screen.tree"),
        ("g", "timeline", "screen.timeline"),
        ("a", "allow", "screen.allow"),
        ("/", "filter", "screen.filter"),
        ("s", "sort", "screen.sort"),
    )
    KEYS_IN_WORDS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ PgUp PgDn", "choose a problem"),
        ("Enter", "into the proof; there, Enter shows all about a call"),
        ("t", "causal tree of the call"),
        ("g", "the stretch of time in the timeline; in the proof, the call"),
        ("a", "allow this for this name: it is not counted any more"),
        ("/", "only problems that contain a text"),
        ("s", "worst first, by rule, newest first, most often first"),
        ("y e", "copy the problem; export the evidence"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", show=False, priority=True),
        Binding("s", "sort", show=False),
        Binding("t", "tree", show=False),
        Binding("g", "timeline", show=False),
        Binding("a", "allow", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._filter = ""
        self._sort = 0
        self._live: LiveStacks | None = None

    # ---- the frame

    def body(self) -> Iterator[Widget]:
        """How many, list, rule, proof."""
        rows = ProblemRows(columns(self.console_app.session.info.session), lambda row: row.id, id="list")
        left = Vertical(Canvas(id="count"), rows, Canvas(id="healthy"), id="left")
        side = Vertical(Canvas(id="about"), ProofDetails(id="details"), id="side")
        yield Horizontal(left, Rule(id="rule"), side, id="body")

    def main(self) -> Widget:
        """The proof where it was entered, else the list."""
        return self.details if self.has_class("entered") else self.rows

    @property
    def rows(self) -> ProblemRows:
        """The list."""
        return self.query_one(ProblemRows)

    @property
    def details(self) -> ProofDetails:
        """The proof."""
        return self.query_one(ProofDetails)

    @property
    def problem(self) -> ProblemView | None:
        """The selected problem; None: nothing is wrong."""
        return self.rows.row

    def tick(self, *, changed: bool) -> None:
        """A call that is stuck, a service that is late: stacks as they are now, which are asked for only then."""
        super().tick(changed=changed)
        if self._wants_stacks() and not self.console_app.frozen:
            self._live = self._live or LiveStacks(self.console_app.session)
            if self._live.turn():
                self._refresh_side()

    def refresh_body(self) -> None:
        """What the rules have found up to now."""
        session = self.console_app.session
        report = session.problems()
        rows = [row for row in self._arranged(report) if self._filter in _searched(row)]
        count = self.query_one("#count", Canvas)
        hidden = len(report.problems) - len(rows)
        count.show([summary(count.size.width, report, session.info.session, hidden), Line(count.size.width).strip()])
        empty = [(f"No problem contains “{self._filter}”.", TEXT), ("Esc shows all.", SOFT)] if hidden else []
        self.rows.show(rows, sorted_by=_SORTS[self._sort], empty=empty)
        self._share_room(len(rows) or len(empty) + bool(empty), report)
        self._refresh_side(report)

    def _share_room(self, lines: int, report: ProblemReport) -> None:
        """The list is as high as its LINES need, so that the healthy rules stand right below it."""
        left, healthy = self.query_one("#left"), self.query_one("#healthy", Canvas)
        room = left.size.height - self.query_one("#count").size.height
        strips = healthy_lines(left.size.width, report, max(1, room - lines - 1))
        height = min(lines + 1 if lines else 0, max(2, room - len(strips)))
        self.rows.styles.height, healthy.styles.height = height, len(strips)
        healthy.show(strips)

    def _arranged(self, report: ProblemReport) -> list[ProblemView]:
        problems = list(report.problems)
        if self._sort == 1:
            problems.sort(key=lambda row: (row.rule, row.subject))
        elif self._sort:
            problems.sort(key=lambda row: row.since if _SORTS[self._sort] == "since" else row.count, reverse=True)
        return problems

    def _refresh_side(self, report: ProblemReport | None = None) -> None:
        row, session = self.rows.row, self.console_app.session
        about, details = self.query_one("#about", Canvas), self.details
        width, record = details.inner_width, session.info.session
        if row is not None:
            strips = about_problem(width, row, record)
            calls = [detail for detail in map(session.call, row.proof.calls) if detail is not None]
            now = self._stack(row) or self._threads(width, row)
            details.show_lines([*proof_lines(width, row, calls, now, self.console_app.service_colors)])
        else:
            strips = []
            healthy = () if self._filter else (report or session.problems()).healthy
            details.show_lines([*watched_lines(width, healthy, record, _ABOUT)])
        about.styles.height = len(strips)
        about.show(strips)

    def find(self, problem: str) -> None:
        """Put the cursor on a problem, out of the filter if need be."""
        self.remove_class("entered")
        self._filter = ""
        self.refresh_frame()
        self.refresh_body()
        self.rows.choose(problem)
        self._focus_main()

    # ---- the live stack

    def _wants_stacks(self) -> bool:
        problem = self.problem
        return (
            problem is not None
            and problem.rule in {"stuck", *_CROWDED}
            and not problem.over
            and self.console_app.lively
        )

    def _stack(self, row: ProblemView) -> Stack | None:
        if self._live is None or row.rule != "stuck" or not self._wants_stacks():
            return None
        return next((stack for stack in self._live.stacks if stack.call and stack.call in row.proof.calls), None)

    def _threads(self, width: int, row: ProblemView) -> list[Shown]:
        """What the threads of the service do now, and where; none before they were asked."""
        if self._live is None or not self._live.stacks or row.rule not in _CROWDED or not self._wants_stacks():
            return []
        session = self.console_app.session
        service = next((each for each in session.services() if each.name == row.proof.service), None)
        return [*thread_lines(width, service, self._live.stacks, session.now())] if service is not None else []

    # ---- selecting

    @on(messages.RowSelected)
    def _row_selected(self) -> None:
        self._refresh_side()

    @on(messages.RowEntered)
    def _row_entered(self) -> None:
        self.action_enter()

    def action_enter(self) -> None:
        """Into the proof."""
        self.add_class("entered")
        self.call_after_refresh(self._entered)

    def _entered(self) -> None:
        self._refresh_side()
        self.details.focus()

    async def action_back(self) -> None:
        """Out of the proof, out of the filter."""
        await super().action_back()
        if self.has_class("entered"):
            self.remove_class("entered")
        elif self._filter:
            self._filter_changed(messages.FilterChanged(""))
        self.call_after_refresh(self._focus_main)

    def _focus_main(self) -> None:
        self.main().focus()
        self._refresh_side()

    @on(messages.CallChosen)
    def _call_chosen(self, message: messages.CallChosen) -> None:
        message.prevent_default()
        self.console_app.open_call(message.call)

    def chosen(self) -> int:
        """The call that a key is about: the marked one of the proof, else the best one; 0: none is kept."""
        if self.details.has_focus and self.details.selected:
            return self.details.selected
        kept = self.console_app.session.record
        return next((call for call in (self.problem.proof.calls if self.problem else ()) if kept(call)), 0)

    def copied(self) -> str:
        """The selected problem with its proof."""
        return as_text(self.problem) if self.problem else ""

    # ---- keys

    def action_tree(self) -> None:
        """The causal tree of the call."""
        if self.chosen():
            self.console_app.open_tree(self.chosen())
        else:
            self._note("no call of this is kept")

    def action_timeline(self) -> None:
        """In the proof, the marked call; else the stretch of time in which it happened; without one, the call."""
        proof = self.problem.proof if self.problem else None
        if self.details.has_focus and self.details.selected:
            self.console_app.show_call(self.details.selected)
        elif proof is not None and proof.end > proof.start > 0:
            self.console_app.show_range(proof.start, self._until(proof), self.chosen())
        elif self.chosen():
            self.console_app.show_call(self.chosen())
        else:
            self._note("there is nothing of this in the timeline")

    def _until(self, proof: Proof) -> int:
        """When the first call of a cycle failed of it: that is not known yet when the cycle is found."""
        calls = [self.console_app.session.record(step.call) for step in proof.cycle]
        return min((call.ended + 1 for call in calls if call and call.ended >= proof.end), default=proof.end)

    def action_allow(self) -> None:
        """Do not count this any more for this name, as long as the console runs; and how to keep it so."""
        problem = self.problem
        if problem is None:
            self._note("choose a problem first")
            return
        self.console_app.session.allow(problem.rule, problem.name)
        self.refresh_frame()
        self.refresh_body()
        keep = f'[problems.{setting_name(problem.rule)}] allow = ["{problem.name}"]'
        self._note(f"allowed for {problem.name}; to keep it so, in the config file: {keep}", warn=False)

    def action_export(self) -> None:
        """The causal tree of the call, else the calls of the name: the bar has the line."""
        problem = self.problem
        chosen = self.chosen()
        what = f"#{chosen}" if chosen else f'name:"{problem.name}"' if problem and problem.name else ""
        name = setting_name(problem.rule).replace("_", "-") if problem else "session"
        self.action_command(f"export {name}.{'txt' if chosen else 'html'} {what}")

    def _note(self, text: str, *, warn: bool = True) -> None:
        self.query_one(Bar).note(text, warn=warn)

    # ---- filter and order

    def action_filter(self) -> None:
        """Show only rows that contain a text."""
        self.query_one(Bar).open("/", self._filter)

    @on(messages.FilterChanged)
    def _filter_changed(self, message: messages.FilterChanged) -> None:
        self._filter = message.text.strip().casefold()
        self.refresh_body()

    def action_sort(self) -> None:
        """By the next column."""
        self._sort = (self._sort + 1) % len(_SORTS)
        self.refresh_body()

    def idle_text(self) -> str:
        """The filter, as long as there is one."""
        return f"only problems with “{self._filter}” · Esc shows all" if self._filter else super().idle_text()


def _searched(row: ProblemView) -> str:
    return f"{row.rule} {row.subject} {row.name} {row.text}".casefold()
