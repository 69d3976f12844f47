"""Long work beside the front end: it says how far it is, ends when it is asked to, and its failure is told."""

import threading

import pytest

from console.jobs import Job, StoppedError


def test_the_result_comes_when_it_is_done() -> None:
    """With the progress that it had told meanwhile; never more than all of it."""
    go_on = threading.Event()

    def work(job: Job[int]) -> int:
        job.step("reading", 0.5)
        told.set()
        go_on.wait(10)
        job.step("writing", 1.2)
        return 7

    told = threading.Event()
    job = Job("work", work)
    assert told.wait(10)
    assert (job.done, job.progress) == (False, ("reading", 0.5))
    go_on.set()
    assert job.future.result(10) == 7
    assert (job.done, job.progress) == (True, ("writing", 1.0))


def test_it_ends_at_its_next_step() -> None:
    """Nobody has to wait for all of it."""

    def work(job: Job[None]) -> None:
        while True:
            job.step("", 0)

    job = Job("work", work)
    assert job.end(10)
    with pytest.raises(StoppedError):
        job.future.result()


def test_a_failure_is_the_result() -> None:
    """Whatever it is: the thread does not die with it unheard."""

    def work(_job: Job[None]) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        Job("work", work).future.result(10)


def test_one_that_does_not_end_in_time_is_said_to_be_on() -> None:
    """Who quits does not wait for ever."""
    go_on = threading.Event()
    job = Job("work", lambda _job: go_on.wait(10))
    assert not job.end(0.01)
    go_on.set()
    assert job.future.result(10)
