"""Ctrl+P: everything that can be done, found by a few letters of its name."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider

from bus.trace.redact import escape
from console.model.slices import Sliced, parts
from console.tui.pace import in_slices
from console.tui.themes import THEMES

if TYPE_CHECKING:
    from console.tui.app import ConsoleApp

_Action = tuple[str, str, str]
"""What it is called, what it does, and how Textual is told to do it."""
_MOST: Final = 100
"""Names that are offered."""
_AT_ONCE: Final = 200
"""Names that are compared in one slice: some 3 ms."""


class Palette(CommandPalette):
    """As Textual's, whose list fails on a page up or down where the terminal is too small to show any of it."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is done in a list that cannot be seen."""
        if action == "command_list" and not self.query_one(CommandList).scrollable_content_region.area:
            return False
        return super().check_action(action, parameters)


class ActionsProvider(Provider):
    """The screens, the verbs of the view, and every command and event of the program."""

    @property
    def _console(self) -> "ConsoleApp":
        return self.app  # type: ignore[return-value]  # there is only one App class here

    async def discover(self) -> Hits:
        """What there is before anything is typed: not the program's own names, they may be thousands."""
        for text, about, action in self._fixed():
            yield DiscoveryHit(text, partial(self.app.run_action, action), help=about)

    async def search(self, query: str) -> Hits:
        """The names that match QUERY best: of ten thousand nobody reads all, and their list takes a second to fill."""
        matcher = self.matcher(query)
        found = await in_slices(_matching([*self._fixed(), *self._names()], matcher.match))
        for score, (text, about, action) in nlargest(_MOST, found, key=itemgetter(0)):
            yield Hit(score, matcher.highlight(text), partial(self.app.run_action, action), text=text, help=about)

    def _fixed(self) -> Iterator[_Action]:
        yield "Commands", "every command with its figures", "app.show('commands')"
        yield "Events", "every event and who listens", "app.show('events')"
        yield "Timeline", "what every thread was doing, when", "app.show('timeline')"
        yield "Calls", "every call, those in flight first; causal trees", "app.show('calls')"
        yield "Services", "what each thread is doing now, and who waits for whom", "app.show('services')"
        yield "Problems", "what is wrong, with the proof and what to do", "app.show('problems')"
        yield "Output", "what the program printed and logged, and which call did", "app.show('output')"
        if self._console.session.info.state == "live":
            yield "Freeze or go on", "the view only; the program runs on", "app.freeze"
        for theme in THEMES.values():
            yield f"Theme {theme.name}", theme.about, f"app.use_theme('{theme.name}')"
        if self._console.successor:
            yield "Attach again", "to the program that has ended and runs again", "app.attach_again"
        yield "Export", "calls to a file, for another tool", "screen.export"
        yield "Copy", "what is selected, or the result that is shown", "screen.copy"
        yield "Type a command", "execute, fire, watch, record …; help lists them", "screen.command"
        yield "Help", "every key", "app.help"
        yield "Quit", "leave the console", "app.quit"

    def _names(self) -> Iterator[_Action]:
        known = self._console.session.names()
        for kind, names in (("command", known.commands), ("event", known.events), ("service", known.services)):
            for name in names:
                yield f"{kind} {escape(name)}", "show it", f"app.find('{kind}s', {name!r})"


def _matching(actions: Sequence[_Action], match: Callable[[str], float]) -> Sliced[list[tuple[float, _Action]]]:
    """Those that match, each with how well."""
    found: list[tuple[float, _Action]] = []
    for some in parts(actions, _AT_ONCE):
        found += [(score, action) for action in some if (score := match(action[0])) > 0]
        yield
    return found
