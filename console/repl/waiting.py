"""Waiting for answers while the session is kept up to date; all of it on the front end's one thread."""

import time
from concurrent.futures import wait

from console import commands
from console.commands import Asked, Ended, Exporting, Mistake, Outcome, Started
from console.session import Session

_TICK = 0.02
_RECORD_SECONDS = 0.5
"""How long the record of a call may come after its answer; batches are sent 20 times a second."""
_READY_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_STARTING_SECONDS = 5.0


def until_ready(session: Session) -> None:
    """Wait until all that the target had at the start has come in, or it ended; for a program a few seconds at most.

    A recording is read whole, however long that takes: it has no other news.
    """
    give_up = time.monotonic() + _READY_SECONDS
    session.pump()
    while not session.complete and session.info.state != "ended":
        if session.info.state != "recorded" and time.monotonic() > give_up:
            return
        time.sleep(_TICK)
        session.pump()


def until_ended(session: Session, started: Started) -> Ended:
    """Wait for the answer, and a moment for the call's record, which tells where its time went."""
    while not wait([started.pending], _TICK).done:
        session.pump()
    session.pump()
    give_up = time.monotonic() + _RECORD_SECONDS
    while not _is_complete(ended := commands.finish(session, started)) and time.monotonic() < give_up:
        time.sleep(_TICK)
        session.pump()
    return ended


def until_exported(session: Session, exporting: Exporting) -> Outcome:
    """Wait for the end of an export."""
    while not wait([exporting.job.future], _TICK).done:
        session.pump()
    return commands.export_ended(exporting)


def settled(session: Session, outcome: commands.Outcome) -> commands.Outcome:
    """OUTCOME; where the program was asked something, its answer, which is awaited for some seconds."""
    if not isinstance(outcome, Asked):
        return outcome
    give_up = time.monotonic() + _ANSWER_SECONDS
    while not wait([outcome.pending], _TICK).done:
        session.pump()
        if time.monotonic() > give_up:
            return Mistake("the program does not answer; is it stopped?", "")
    return commands.answered(outcome)


def run_patiently(session: Session, line: str) -> commands.Outcome | None:
    """Carry out LINE; while the program is just starting, give it time to register the name that is missing."""
    result = commands.run(session, line)
    while isinstance(result, Mistake) and result.unknown_name and _is_starting(session):
        time.sleep(_TICK)
        session.pump()
        result = commands.run(session, line)
    return result


def _is_complete(ended: Ended) -> bool:
    return ended.reply.call == 0 or ended.detail is not None


def _is_starting(session: Session) -> bool:
    age = session.now() - session.info.session.start_monotonic
    return session.info.state == "live" and age < _STARTING_SECONDS * 1e9
