"""Above the bar: what came of the last line that was typed into it."""

from console import commands
from console.commands import Asked, Exporting, Outcome, Quit, Started, Watching
from console.render import results
from console.session import Session
from console.tui import rich_lines
from console.tui.invocation import Invocation
from console.tui.messages import ExportBegan
from console.tui.widgets.act_lines import act_strips
from console.tui.widgets.canvas import Pane


class OutcomePane(Pane):
    """Hidden until a line was entered; Esc hides it again."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._session: Session | None = None
        self._outcome: Outcome | None = None
        self._act: Invocation | None = None
        self._final = False

    def run(self, session: Session, line: str) -> None:
        """Carry out LINE and show what comes of it."""
        outcome = commands.run(session, line)
        if isinstance(outcome, Quit):
            self.app.exit(0)
            return
        if outcome is None:
            return
        self._session, self._outcome, self._final = session, outcome, False
        self._act = Invocation(session, outcome) if isinstance(outcome, Started) else None
        if isinstance(outcome, Exporting):
            self.app.post_message(ExportBegan(outcome))  # what the screen has us do does not bubble to it
        self.add_class("open")
        self.call_after_refresh(self._draw)

    @property
    def is_open(self) -> bool:
        """Whether something is shown."""
        return self._outcome is not None

    @property
    def act(self) -> Invocation | None:
        """What the line executed or fired, if it did."""
        return self._act

    @property
    def exporting(self) -> Exporting | None:
        """The export that is shown while it goes on."""
        return self._outcome if isinstance(self._outcome, Exporting) else None

    def tick(self) -> None:
        """Count the time of a running call; take in its record, which may come after the answer."""
        if (self._act is not None and not self._final) or isinstance(self._outcome, Asked | Exporting | Watching):
            self._draw()

    def close(self) -> None:
        """Hide it; what it showed of calls as they end is not watched any more."""
        if isinstance(self._outcome, Watching) and self._session and self._session.watch is self._outcome.watch:
            self._session.watch = None
        self.remove_class("open")
        self._outcome, self._act = None, None

    def on_resize(self) -> None:
        """Draw it for the new width."""
        self._draw()

    def _draw(self) -> None:
        if self._outcome is None or self._session is None:
            return
        if isinstance(self._outcome, Asked) and self._outcome.pending.done():
            self._outcome = commands.answered(self._outcome)
        width = self.inner_width
        if self.exporting is not None and self.exporting.job.done:
            self._outcome = commands.export_ended(self.exporting)
        if self._act is not None:
            ended = self._act.ended
            self._final = ended is not None and (not ended.reply.call or ended.detail is not None)
            strips = act_strips(width, self._act)
        else:
            strips = rich_lines.strips(results.outcome(self._outcome), width)
        self.styles.height = len(strips) + 1
        self.show(strips)
