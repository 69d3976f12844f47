"""Problems found by themselves: rules over the model, and a board of what they found. Pure: no UI, no I/O."""

from console.model.problems.board import HealthyRule, ProblemReport, Problems, ProblemView, Settings
from console.model.problems.rule import Limits, Proof, Severity, setting_name
from console.model.problems.sightings import Sighting
from console.model.problems.table import RULES

__all__ = [
    "RULES",
    "HealthyRule",
    "Limits",
    "ProblemReport",
    "ProblemView",
    "Problems",
    "Proof",
    "Settings",
    "Severity",
    "Sighting",
    "setting_name",
]
