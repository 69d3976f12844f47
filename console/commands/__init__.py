"""The console's commands: what a line does, the same in the REPL and in the TUI's command bar."""

from console.commands.results import (
    CallList,
    CallShown,
    Description,
    Ended,
    Exported,
    Exporting,
    Help,
    Listing,
    Mistake,
    Outcome,
    Quit,
    Started,
    TreeShown,
)
from console.commands.running import (
    candidates,
    catalogue,
    export_ended,
    finish,
    may_be_kept,
    remember,
    run,
    send,
)
from console.commands.table import VERBS

__all__ = [
    "VERBS",
    "CallList",
    "CallShown",
    "Description",
    "Ended",
    "Exported",
    "Exporting",
    "Help",
    "Listing",
    "Mistake",
    "Outcome",
    "Quit",
    "Started",
    "TreeShown",
    "candidates",
    "catalogue",
    "export_ended",
    "finish",
    "may_be_kept",
    "remember",
    "run",
    "send",
]
