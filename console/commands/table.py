"""The one table of the console's commands: it feeds completion, help, the palette and the README."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from console.commands import going_on, handlers, live
from console.commands.results import Help, Outcome
from console.commands.settings import SETTINGS, set_to
from console.export.formats import FORMATS
from console.language import filter_help
from console.language.completion import VerbInfo
from console.language.grammar import EXECUTE, FIRE
from console.language.values import LAST
from console.session import Session

_FILTER: Final = "filter"
Handler = Callable[[Session, Sequence[str]], Outcome]


class ConsoleCommand(Struct, frozen=True):
    """A command of the console: how many words it takes at least and at most, and what does it."""

    info: VerbInfo
    handler: Handler
    least: int = 0
    most: int = 0
    aliases: tuple[str, ...] = ()


def _help(session: Session, args: Sequence[str]) -> Outcome:
    if not args:
        return Help(tuple(VERBS.values()))
    if args[0] == _FILTER:
        return Help((), filter_help.text())
    info = BY_NAME[args[0]].info if args[0] in BY_NAME else VERBS.get(args[0])
    if info is None:
        return handlers.show(session, args)
    return Help((info,), "" if info.filter_at is None else filter_help.text())


COMMANDS: Final = (
    ConsoleCommand(
        VerbInfo("ls", "ls [PATTERN]", "list commands and events, those that match PATTERN (file.*)", "names"),
        handlers.ls,
        most=1,
    ),
    ConsoleCommand(
        VerbInfo("show", "show NAME", "a command or event: signature, figures, last calls", "names"),
        handlers.show,
        least=1,
        most=1,
    ),
    ConsoleCommand(
        VerbInfo("calls", "calls [FILTER]", "calls in flight and the last ones that FILTER asks for", filter_at=0),
        handlers.calls,
        most=1,
    ),
    ConsoleCommand(
        VerbInfo("call", "call ID", "one call: times, arguments, result, cause, effects", "calls"),
        handlers.call,
        least=1,
        most=1,
    ),
    ConsoleCommand(
        VerbInfo("tree", "tree ID", "what caused a call and what it caused, and what decided when it ended", "calls"),
        handlers.tree,
        least=1,
        most=1,
    ),
    ConsoleCommand(VerbInfo("services", "services", "each service: state, figures, what it does now"), live.services),
    ConsoleCommand(VerbInfo("threads", "threads", "each thread: what it runs, for how long, and where"), live.threads),
    ConsoleCommand(
        VerbInfo(
            "stack", "stack ID|THREAD", "the live stack of the thread that runs a call, or of a thread", "calls|lanes"
        ),
        live.stack,
        least=1,
        most=1,
    ),
    ConsoleCommand(VerbInfo("waits", "waits", "who waits for whom now, cycles first"), live.waits),
    ConsoleCommand(VerbInfo("dead", "dead", "dead letters: what nobody could receive, and why"), live.dead),
    ConsoleCommand(
        VerbInfo("problems", "problems [TEXT]", "what is wrong, worst first, with the proof and what to do", "names"),
        handlers.problems,
        most=1,
    ),
    ConsoleCommand(VerbInfo("top", "top", "the busiest commands of the last 10 s"), going_on.top),
    ConsoleCommand(
        VerbInfo("watch", "watch [FILTER]", "show calls as they end, those that FILTER asks for", filter_at=0),
        going_on.watch,
        most=1,
    ),
    ConsoleCommand(
        VerbInfo("record", "record FILE", "write what happens from now on to a session file (.jsonl)", "files"),
        going_on.record,
        least=1,
        most=1,
    ),
    ConsoleCommand(VerbInfo("stop", "stop", "end what watch and record began"), going_on.stop),
    ConsoleCommand(
        VerbInfo("dump", "dump FILE", "write all that is kept to a session file (.jsonl)", "files"),
        going_on.dump,
        least=1,
        most=1,
    ),
    ConsoleCommand(
        VerbInfo(
            "export",
            "export FILE [FILTER|#ID]",
            f"write calls to a file for another tool, by its ending: {' '.join(form.endings[0] for form in FORMATS)}",
            "files",
            filter_at=1,
        ),
        handlers.export,
        least=1,
        most=2,
    ),
    ConsoleCommand(
        VerbInfo("set", "set [NAME [VALUE]]", f"what is set, or set it: {', '.join(SETTINGS)}", "settings values"),
        set_to,
        most=2,
    ),
    ConsoleCommand(
        VerbInfo(LAST, "_", "the last result; also a value, as in search.query _"),
        going_on.last,
    ),
    ConsoleCommand(
        VerbInfo("help", "help [NAME]", "this list, or one name of it or of the program; help filter", "topics"),
        _help,
        most=1,
        aliases=("?",),
    ),
    ConsoleCommand(VerbInfo("quit", "quit", "leave; Ctrl-D does the same"), handlers.leave, aliases=("exit",)),
)
BY_NAME: Final = {name: command for command in COMMANDS for name in (command.info.name, *command.aliases)}
"""Each under its name and its aliases."""
RESTS: Final = {name: each.info.filter_at for name, each in BY_NAME.items() if each.info.filter_at is not None}
"""Where in a line the filter begins; see `grammar.parse`."""

VERBS: Final[Mapping[str, VerbInfo]] = MappingProxyType(
    {
        EXECUTE: VerbInfo(
            EXECUTE,
            "[execute] NAME VALUE… KEY=VALUE… [&]",
            "execute a command and show its result; with & at the end, do not wait",
            "commands",
        ),
        FIRE: VerbInfo(FIRE, "fire NAME VALUE… KEY=VALUE…", "fire an event", "events"),
        **{command.info.name: command.info for command in COMMANDS},
    }
)
"""All that works, in the order in which help shows it."""
