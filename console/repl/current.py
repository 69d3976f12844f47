"""The session that the prompt works on: another one when the program was started anew."""

from collections.abc import Callable

from msgspec import Struct

from console.session import Session

Look = Callable[[str, int], Session | None]
"""Given the name and the pid of a program that ended: a session with it as it runs again; None if it does not.

Called on a thread of its own, as it may take seconds.
"""


class Current(Struct):
    """Owned by the front end's thread."""

    session: Session

    def replace(self, session: Session) -> None:
        """Go on with SESSION, which takes over what the person did and set; the former one is closed."""
        former, self.session = self.session, session
        session.past, session.last_reply, session.preferences = former.past, former.last_reply, former.preferences
        session.retain = former.retain
        if former.watch is not None:
            session.watch_calls(former.watch.what)
        former.close()
