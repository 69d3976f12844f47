"""Which lanes were there when."""

from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Lane, State, Wait
from console.model import timeline
from console.model.presence import absent, present
from console.model.store import Store


def store_of(*records: AnyRecord) -> Store:
    store = Store()
    store.take(Batch(at=1_000, records=records))
    return store


def call(number: int, lane: int, started: int, ended: int) -> Call:
    return Call(
        id=number, root=number, kind="command", name="n", service="a", lane=lane, queued=started, started=started,
        ended=ended, outcome="ok" if ended else None,
    )  # fmt: skip


def worker(key: int, number: int = 0, service: str = "a") -> Lane:
    return Lane(key=key, name=f"{service}-{number}", service=service, worker=number)


def test_a_service_has_the_newest_thread_of_each_number_and_those_that_still_run_something() -> None:
    """A thread that was replaced is gone, but not while it is stuck in a call; nor is a pool larger than it is."""
    lanes = [worker(1), worker(2, 1), worker(3), worker(4, 1), worker(5, 2)]
    assert present(lanes, (), 0) == {3, 4, 5}
    assert present(lanes, (), 2) == {3, 4}
    assert present(lanes, {1}, 2) == {1, 3, 4}


def test_a_worker_is_there_until_its_service_stops() -> None:
    """Whether it does anything or not."""
    running = store_of(worker(1), State(service="a", state="running", at=5))
    assert absent(running, [1], 900, 950, {}) == set()
    stopped = store_of(worker(1), State(service="a", state="stopped", at=500))
    assert absent(stopped, [1], 400, 450, {}) == set()
    assert absent(stopped, [1], 600, 700, {}) == {1}


def test_a_worker_that_was_replaced_was_there_as_long_as_it_did_something() -> None:
    """From the first to the last of its calls, also between them."""
    store = store_of(worker(1), worker(2), call(1, 1, 100, 110), call(2, 1, 200, 210))
    assert absent(store, [1, 2], 120, 190, {}) == set()
    assert absent(store, [1, 2], 300, 400, {}) == {1}
    assert absent(store, [1, 2], 10, 90, {}) == {1}


def test_a_thread_outside_was_there_from_the_first_to_the_last_thing_that_is_known_of_it() -> None:
    """What it ran or waited for."""
    lane = Lane(key=7, name="thread-7")
    store = store_of(lane, Wait(call=0, lane=7, target=1, began=300, ended=400), call(9, 8, 1, 2))
    assert absent(store, [7], 350, 360, {}) == set()
    assert absent(store, [7], 410, 500, {}) == {7}


def test_a_lane_that_runs_something_is_there() -> None:
    """However long ago the call began."""
    store = store_of(worker(1), worker(2), call(1, 1, 100, 110), call(2, 1, 200, 0))
    assert absent(store, [1], 900, 950, {1: store.live[2]}) == set()
    assert absent(store, [1], 900, 950, {}) == {1}


def test_the_timeline_leaves_out_lanes_that_were_not_there() -> None:
    """If they are several, but for those that are to be kept; they are counted. Without a wish, all are shown."""
    lanes = [Lane(key=key, name=f"thread-{key}") for key in range(1, 6)]
    store = store_of(*lanes, *(call(key, key, 100 * key, 100 * key + 10) for key in range(1, 6)))

    def keys(keep: set[int] | None) -> tuple[list[int], int]:
        view = timeline.view(store, 100, 205, 10, 1_000, keep=keep)
        return [lane.key for lane in view.lanes], view.lineup.absent

    assert keys(set()) == ([1, 2], 3)
    assert keys(None) == ([1, 2, 3, 4, 5], 0)
    assert keys({5}) == ([1, 2, 3, 4, 5], 0), "two lanes take hardly more room than a line about them"
    assert timeline.view(store, 100, 110, 10, 1_000, keep={5}).lineup.absent == 3


def test_what_a_record_says_of_a_thread_is_true() -> None:
    """It is there from when it began until it ended, whatever it did; without an end, until now."""
    store = store_of(
        Lane(key=1, name="t", began=100, ended=200), Lane(key=2, name="t", began=100), call(1, 1, 110, 120),
        call(2, 2, 110, 120),
    )  # fmt: skip
    assert absent(store, [1, 2], 150, 160, {}) == set()
    assert absent(store, [1, 2], 201, 300, {}) == {1}
    assert absent(store, [1, 2], 10, 99, {}) == {1, 2}
    assert absent(store, [1, 2], 190, 300, {}) == set()


def test_the_threads_of_a_service_are_those_that_have_not_ended() -> None:
    """Where that is told, the number of workers and the newest of each number do not matter."""
    lanes = [
        structs.replace(worker(1), began=1, ended=50), structs.replace(worker(2, 1), began=1),
        structs.replace(worker(3), began=60), structs.replace(worker(4, 2), began=1, ended=9),
    ]  # fmt: skip
    assert present(lanes, (), 3) == {2, 3}
    assert present(lanes, (), 1) == {2, 3}
    assert present(lanes, {4}, 1) == {2, 3, 4}


def test_a_thread_that_has_ended_stays_so() -> None:
    """When what was before is told again, as to who attaches."""
    store = store_of(Lane(key=1, name="t", began=1, ended=50))
    before = store.lanes_version
    store.take(Batch(at=1_000, records=(Lane(key=1, name="t", began=1),)))
    assert store.lanes[1].ended == 50
    assert store.lanes_version == before
