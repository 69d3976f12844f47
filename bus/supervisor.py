"""How often a service may crash, and how long to wait before it is started anew. Pure; the idea is OTP's."""

from collections import deque

from bus.runtime import NS

RESTARTS, WINDOW = 3, 60 * NS
"""So many restarts within so many ns."""
_FIRST, _LONGEST = 0.1, 5.0


class Budget:
    """Owned by the thread that restarts the service."""

    def __init__(self) -> None:
        self._crashes: deque[int] = deque()
        self._delay = _FIRST

    def spend(self, now: int) -> float | None:
        """Another crash at NOW (monotonic ns): the seconds to wait before the restart, None when there is none left.

        The wait doubles from crash to crash, and begins anew after a quiet window.
        """
        while self._crashes and self._crashes[0] <= now - WINDOW:
            self._crashes.popleft()
        if not self._crashes:
            self._delay = _FIRST
        self._crashes.append(now)
        if len(self._crashes) > RESTARTS:
            return None
        delay, self._delay = self._delay, min(_LONGEST, 2 * self._delay)
        return delay
