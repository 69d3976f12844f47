"""Work that takes seconds, on a thread of its own, so that a front end goes on meanwhile."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
_SECONDS: Final = 5.0


class StoppedError(Exception):
    """The work was given up because nobody wants its result any more."""


class Job(Generic[T]):
    """Begins at once. Any thread may look how far it is, and stop it; `future` has what came of it.

    `progress`: what it is doing, and how much of that is done, 0.0 to 1.0; written by its own thread.
    """

    def __init__(self, name: str, work: Callable[["Job[T]"], T]) -> None:
        """Call WORK on a new thread called NAME; it has to call `step` now and then."""
        self.future: Future[T] = Future()
        self.progress = ("", 0.0)
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self.future.done()

    def step(self, doing: str, part: float) -> None:
        """On its own thread: tell how far it is.

        Raises:
            StoppedError: it shall end.
        """
        if self._stopping.is_set():
            raise StoppedError
        self.progress = doing, min(1.0, part)

    def stop(self) -> None:
        """Ask it to end at its next step."""
        self._stopping.set()

    def end(self, timeout: float) -> bool:
        """Stop it; whether it was over within TIMEOUT seconds."""
        self.stop()
        return not wait([self.future], timeout).not_done

    def _run(self) -> None:
        try:
            result = self._work(self)
        except BaseException as error:  # noqa: BLE001  the thread's edge: whoever asks for the result hears of it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Jobs:
    """Those of a session, which end with it. Owned by the front end's thread."""

    def __init__(self) -> None:
        self._jobs: list[Job[Any]] = []

    def take(self, job: Job[Any]) -> None:
        """Take charge of JOB."""
        self._jobs = [*(one for one in self._jobs if not one.done), job]

    def stop(self, timeout: float = _SECONDS) -> None:
        """Give up what is being done, and leave nothing half; those that do not end within TIMEOUT seconds are left."""
        for job in self._jobs:
            job.stop()
        for job in self._jobs:
            job.end(timeout)
