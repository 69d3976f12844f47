"""What widgets tell their screen; a later one of a kind replaces one that is still waiting."""

from dataclasses import dataclass

from textual.message import Message

from console.commands import Exporting


@dataclass
class RowSelected(Message):
    """The cursor of a list is on another row now."""

    key: str

    def can_replace(self, message: Message) -> bool:
        """Only the last row matters."""
        return isinstance(message, RowSelected)


@dataclass
class RowEntered(Message):
    """Enter, or a second click, on a row."""

    key: str


@dataclass
class CallChosen(Message):
    """A call was picked to be shown in the timeline."""

    call: int


@dataclass
class CallOpened(Message):
    """A call was picked to be shown with all that is known of it."""

    call: int


@dataclass
class LineEntered(Message):
    """A line was typed into the bar: KIND is the prompt, `:` for a command, `/` for a filter."""

    kind: str
    text: str


@dataclass
class FilterChanged(Message):
    """The text of the filter, at every key."""

    text: str

    def can_replace(self, message: Message) -> bool:
        """Only the last text matters."""
        return isinstance(message, FilterChanged)


@dataclass
class ExportBegan(Message):
    """An export was asked for; it goes on whatever is shown, and somebody must say how it ended."""

    exporting: Exporting


@dataclass
class RunRequested(Message):
    """The form is filled in and correct."""

    args: list[object]
    kwargs: dict[str, object]
