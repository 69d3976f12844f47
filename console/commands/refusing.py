"""How a command of the console says that it cannot do what was asked."""


class RefusedError(Exception):
    """The words of a command do not fit; the message says what to do. `argument`: which one, from 0; None: all."""

    def __init__(self, message: str, argument: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.argument = argument
