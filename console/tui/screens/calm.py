"""A screen whose rows may be ten thousand: shown in slices, so that no key waits for them."""

from console.model.slices import Sliced, whole
from console.tui.pace import in_slices, timed
from console.tui.screens.base import BusScreen

_GROUP = "slices"
"""Of the workers: one at a time, as the next one shows all that the one before would have."""


class CalmScreen(BusScreen):
    """Few rows are shown at once, many a little later."""

    def __init__(self) -> None:
        super().__init__()
        self._under_way = 0

    @property
    def many(self) -> bool:
        """Whether there are so many rows that a key would wait for them."""
        raise NotImplementedError

    def refreshing(self) -> Sliced[None]:
        """Take the newest figures and show them, in slices."""
        raise NotImplementedError

    def refresh_body(self) -> None:
        """All of it, at once."""
        self.at_once(self.refreshing())

    def refresh_slowly(self, *, changed: bool) -> None:
        """See `BusScreen`; what is still under way is not begun again."""
        if (changed or self.console_app.lively) and not self._under_way:
            self.refresh_calmly()

    def refresh_calmly(self) -> None:
        """See `BusScreen`."""
        self.calmly(self.refreshing())

    def calmly(self, work: Sliced[None]) -> None:
        """Do WORK, which shows the rows, instead of what else is under way; keys are handled meanwhile."""
        if self.many:
            self.run_worker(self._in_slices(work), group=_GROUP, exclusive=True)
        else:
            self.at_once(work)

    def at_once(self, work: Sliced[None]) -> None:
        """The same, for who goes on with the rows that it shows."""
        self.workers.cancel_group(self, _GROUP)
        whole(work)

    async def _in_slices(self, work: Sliced[None]) -> None:
        took: list[float] = []
        self._under_way += 1
        try:
            await in_slices(timed(self._while_here(work), took.append))
        finally:
            self._under_way -= 1
            self.rest_after(sum(took))

    def _while_here(self, work: Sliced[None]) -> Sliced[None]:
        """WORK until the app ends: then the widgets that it is for go one by one."""
        while self.console_app.is_running:
            try:
                next(work)
            except StopIteration:
                return
            yield
