"""`bus-console complete`: what the script that `bus-console completion` prints asks, at every Tab."""

import argparse
import re
import sys
from typing import Final

from bus.trace.redact import escape
from console.cli.shell_words import Offer, offers, split

_BREAKS: Final = "=:"
"""Signs at which bash cuts words, beside white space."""
_SAFE: Final = re.compile(r"[\w@%+=:,./#*?\[\]-]+", re.ASCII)


def complete(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print what could stand next, one a line, as the script of that shell wants it."""
    typed = given.words[1:] if given.words[:1] == ["--"] else given.words
    if given.shell == "bash":
        words, quote = split(typed[-1] if typed else "")
        lines = [_for_bash(text, words[-1], quote) for text, _ in offers(parser, words[1:])]
    else:
        lines = [_with_note(offer) for offer in offers(parser, typed[1:])]
    sys.stdout.writelines(f"{line}\n" for line in lines if line.isprintable() or "\t" in line)
    return 0


def _with_note(offer: Offer) -> str:
    text, note = offer
    return f"{escape(text)}\t{escape(note)}" if note else escape(text)


def _for_bash(text: str, typed: str, quote: str) -> str:
    """TEXT without what bash takes for other words, quoted as the shell needs it."""
    if quote:
        return text
    done = max((typed.rfind(sign) for sign in _BREAKS), default=-1) + 1
    rest = text[done:] if text.startswith(typed[:done]) else text
    return rest if _SAFE.fullmatch(rest) else re.sub(r"([^\w@%+=:,./-])", r"\\\1", rest, flags=re.ASCII)
