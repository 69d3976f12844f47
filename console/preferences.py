"""What a person can set, in the config file and with `set`: how much is kept, recorded and shown, and how."""

from msgspec import Struct

from bus.trace.records import Level


class Preferences(Struct, frozen=True):
    """`level`: None leaves the program as it is. `listed`: rows of a list; `watched`: lines of `watch` in a second.

    `theme`: "" is the first one. `vi`, `complete_while_typing`: how the REPL takes keys.
    """

    retain: int = 1_000_000
    level: Level | None = None
    listed: int = 20
    watched: int = 20
    theme: str = ""
    ascii_only: bool = False
    vi: bool = False
    complete_while_typing: bool = True
