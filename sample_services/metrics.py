"""Counts every event of the program."""

from collections import Counter

from bus import Service, command, current_call, listener


class Metrics(Service):
    """Old events make room for new ones: a count that lags behind must not slow the program."""

    overflow = "drop_oldest"

    def on_start(self) -> None:
        """Nothing is counted yet."""
        self._counts: Counter[str] = Counter()

    @command("metrics.snapshot")
    def snapshot(self) -> dict[str, int]:
        """How often each event was seen."""
        return dict(self._counts.most_common())

    @listener("*")
    def on_any(self, *_args: object, **_kwargs: object) -> None:
        """One more of whatever it is."""
        call = current_call()
        if call is not None:
            self._counts[call.name] += 1
