"""The keys of the lanes, and what they do."""

from typing import Final

KEYS: Final = (
    ("a", "pan(-1)"),
    ("d", "pan(1)"),
    ("w", "zoom(1)"),
    ("s", "zoom(-1)"),
    ("plus,equals_sign", "zoom(1)"),
    ("minus", "zoom(-1)"),
    ("left", "across(-1)"),
    ("right", "across(1)"),
    ("shift+left", "across(-10)"),
    ("shift+right", "across(10)"),
    ("up", "lane(-1)"),
    ("down", "lane(1)"),
    ("comma", "neighbour(-1)"),
    ("full_stop", "neighbour(1)"),
    ("left_square_bracket", "cause"),
    ("right_square_bracket", "effect"),
    ("f", "fit"),
    ("0", "all"),
    ("end", "follow"),
    ("v", "mark"),
    ("g", "slowest"),
    ("t", "axis"),
    ("p", "pin"),
    ("h", "absent"),
    ("pageup", "scroll_lanes(-5)"),
    ("pagedown", "scroll_lanes(5)"),
)
"""Key and action."""
