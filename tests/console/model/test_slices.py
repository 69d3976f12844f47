"""Long work in slices."""

from console.model.slices import Sliced, whole


def test_all_slices_are_done_at_once() -> None:
    """And what comes of the work is returned."""
    done: list[int] = []

    def work() -> Sliced[str]:
        for number in range(3):
            done.append(number)
            yield
        return "all"

    assert whole(work()) == "all"
    assert done == [0, 1, 2]


def test_work_may_be_one_slice() -> None:
    """Then it never stops."""

    def work() -> Sliced[int]:
        yield from ()
        return 5

    assert whole(work()) == 5
