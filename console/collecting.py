"""When the garbage collector of Python may run: while all is made that stays, it searches in vain, again and again."""

import gc
from typing import Final

_YOUNG: Final = 5_000
"""Objects that are made until the collector looks at the young ones."""


def hold() -> None:
    """Not until `resume`: a fifth of the time of the imports, and a third of that to take in a backlog, were its."""
    gc.disable()


def resume() -> None:
    """As ever again, if it was held; but what there is now it leaves alone: that stays, and each look held up a key."""
    if gc.isenabled():
        return
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    gc.enable()
