"""How long a program has said nothing."""

from console.hearing import Hearing


def test_silence_counts_once_something_came_regularly() -> None:
    """Who says little at the start is not silent; who said something regularly is, as long as nothing comes."""
    now = 0
    hearing = Hearing(lambda: now)
    for _ in range(5):
        now += 50
        hearing.note()
    now += 1_000
    assert hearing.silence == 0
    hearing.note()
    now += 70
    assert hearing.silence == 70
    hearing.note()
    assert hearing.silence == 0
