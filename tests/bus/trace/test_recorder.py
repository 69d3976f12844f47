import gc
import threading
import weakref
from collections import Counter
from contextlib import closing

import pytest
from msgspec import structs

from bus import Bus, CallCancelled, CallTimeout, DeadlockError, Service, ServiceCrash, command, lanes, listener
from bus.context import Call as LiveCall
from bus.context import Source, label_of
from bus.trace import timings
from bus.trace.chunk import Chunk
from bus.trace.recorder import Recorder
from bus.trace.records import AnyRecord, Call, Depth, Dropped, Entry, Lane, Problem, State, Wait
from tests.support import wait_for


class Memory:
    """A sink that keeps all it is given."""

    cpu = 0
    alive = True

    def __init__(self):
        self.records: list[AnyRecord] = []
        self.live: list[tuple[Call, ...]] = []
        self.left = False

    def join(self, opening, history):
        self.records += opening
        for chunk in history:
            self.records += chunk.records()

    def offer(self, chunk: Chunk):
        self.records += chunk.records()
        self.live.append(chunk.unended())

    def leave(self, chunk: Chunk):
        self.left = True

    def flush(self, timeout):
        return True

    def of(self, kind):
        return [record for record in self.records if isinstance(record, kind)]

    def call(self, name):
        return next(call for call in self.of(Call) if call.name == name)


class Shop(Service):
    def __init__(self):
        super().__init__("shop")
        self.entered, self.leave = threading.Event(), threading.Event()

    @command("sell")
    def sell(self, item: str, count: int = 1, password: str = "") -> str:
        return f"{count} {item}"

    @command("fail")
    def fail(self, password: str) -> None:
        raise ValueError(f"wrong password: {password}")

    @command("hold")
    def hold(self) -> None:
        self.entered.set()
        self.leave.wait(10)

    @listener("sold")
    def on_sold(self, item: str, token: str = "") -> None:
        pass


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def bus(shop):
    with Bus("test") as bus:
        bus.add(shop)
        yield bus
        shop.leave.set()


@pytest.fixture
def recorder(bus):
    recorder = Recorder(bus, "full")
    yield recorder
    assert recorder.close()


@pytest.fixture
def memory(recorder):
    memory = Memory()
    recorder.add(memory)
    assert recorder.flush()
    return memory


def test_a_call_is_one_record_with_all_that_is_known(bus, recorder, memory):
    """Ids, lanes, the three times, cpu, outcome, arguments and result."""
    bus.execute_command("sell", "tea", count=2).result()
    assert recorder.flush()
    (call,) = memory.of(Call)
    lanes = {lane.key: lane for lane in memory.of(Lane)}
    assert (call.kind, call.name, call.service, call.outcome, call.by) == ("command", "sell", "shop", "ok", "code")
    assert (call.args, call.result) == ("'tea', count=2", "'2 tea'")
    assert call.queued <= call.started <= call.ended
    assert call.cpu is not None
    assert 0 <= call.cpu <= call.ended - call.started
    assert lanes[call.lane].name == "shop-0"
    assert lanes[call.lane].service == "shop"
    assert lanes[call.caller].name == "MainThread"


def test_lanes_and_entries_come_before_their_first_use(bus, recorder, memory):
    """A reader never has to look ahead; threads and commands that come later are no exception."""
    bus.register_command("late", lambda: None, service="shop")
    thread = threading.Thread(target=lambda: bus.execute_command("late").result(), name="late-caller")
    thread.start()
    thread.join()
    assert recorder.flush()
    known: set[tuple[str, int]] = {("lane", 0), ("entry", 0)}
    for record in memory.records:
        if isinstance(record, Lane):
            known.add(("lane", record.key))
        elif isinstance(record, Entry):
            known.add(("entry", record.entry))
        elif isinstance(record, Call):
            assert {("lane", record.lane), ("lane", record.caller), ("entry", record.entry)} <= known
    assert "late" in {call.name for call in memory.of(Call)}


def test_a_lane_is_said_again_when_its_thread_has_ended(bus, recorder, memory):
    """With the same name and when that was, after its last call; who joins later is told at once."""
    bus.register_command("late", lambda: None, service="shop")
    go, keys = threading.Event(), []

    def guest():
        keys.append(lanes.current_lane())
        bus.execute_command("late").result()
        go.wait(10)

    def said():
        return [lane for lane in memory.of(Lane) if lane.key in keys]

    thread = threading.Thread(target=guest, name="guest")
    thread.start()
    wait_for(lambda: recorder.flush() and said() and memory.of(Call))
    assert not any(lane.ended for lane in said())
    go.set()
    thread.join()
    wait_for(lambda: recorder.flush() and any(lane.ended for lane in said()))
    first, last = said()
    call = memory.call("late")
    assert 0 < first.began <= call.queued <= call.ended <= last.ended
    assert last == structs.replace(first, ended=last.ended)
    later = Memory()
    assert recorder.add(later, 10)
    known = {lane.key: lane for lane in later.of(Lane)}
    assert known[first.key].ended == last.ended
    assert known[call.lane].began
    assert not known[call.lane].ended


def test_a_thread_that_came_and_went_between_two_turns_has_both_times(bus, recorder, memory):
    """However short it was; a recorder that is made later knows it, too."""
    bus.register_command("late", lambda: None, service="shop")
    keys = set()
    for _ in range(20):
        thread = threading.Thread(target=lambda: (keys.add(lanes.current_lane()), bus.execute_command("late").result()))
        thread.start()
        thread.join()

    def ended():
        return {lane.key: lane.ended for lane in memory.of(Lane) if lane.key in keys and lane.began < lane.ended}

    wait_for(lambda: recorder.flush() and ended().keys() == keys)
    assert max(Counter(lane.key for lane in memory.of(Lane) if lane.key in keys).values()) <= 2
    with closing(Recorder(bus, "times")) as other:
        also = Memory()
        assert other.add(also, 10)
        assert ended().items() <= {lane.key: lane.ended for lane in also.of(Lane)}.items()


def test_an_event_and_its_deliveries_are_tied_together(bus, recorder, memory):
    """The event ends when it is fired; its deliveries name it as their parent."""
    bus.fire_event("sold", "tea", "hunter2")
    wait_for(lambda: recorder.flush() and len(memory.of(Call)) == 2)
    event, delivery = sorted(memory.of(Call), key=lambda call: call.kind != "event")
    assert event.queued == event.started == event.ended
    assert (delivery.kind, delivery.parent, delivery.root, delivery.outcome) == ("delivery", event.id, event.id, "ok")


def test_secrets_are_in_no_record(bus, recorder, memory):
    """Not in arguments, not in those of an event whose listener calls them secret, not in errors."""
    bus.execute_command("sell", "tea", 1, "hunter2").result()
    bus.execute_command("sell", "tea", password="hunter2").result()
    bus.fire_event("sold", "tea", "hunter2")
    assert bus.execute_command("fail", "hunter2").exception() is not None
    assert recorder.flush()
    assert len(memory.of(Call)) >= 4
    assert "hunter2" not in repr(memory.records)


def test_a_failure_has_its_error_and_traceback(bus, recorder, memory):
    """Type, message, and where it was raised."""
    bus.execute_command("fail", "x").exception()
    assert recorder.flush()
    error = memory.call("fail").error
    assert error is not None
    assert error.type == "ValueError"
    assert "in Shop.fail" in error.traceback
    assert memory.call("fail").outcome == "error"


def test_a_cancelled_call_is_recorded(bus, shop, recorder, memory):
    """It was queued, never started, and ended."""
    bus.execute_command("hold")
    assert shop.entered.wait(5)
    promise = bus.execute_command("sell", "tea")
    assert promise.cancel()
    with pytest.raises(CallCancelled):
        promise.result()
    assert recorder.flush()
    call = memory.call("sell")
    assert (call.outcome, call.started) == ("cancelled", 0)
    assert call.ended >= call.queued


def test_calls_in_flight_are_listed_oldest_first_until_they_end(bus, shop, recorder, memory):
    """Running ones with a start, queued ones without; then they are records, once."""
    held, queued = bus.execute_command("hold"), bus.execute_command("sell", "tea")
    assert shop.entered.wait(5)
    assert recorder.flush()
    running, waiting = memory.live[-1]
    assert (running.name, running.outcome, bool(running.started)) == ("hold", None, True)
    assert (waiting.name, waiting.started, waiting.args) == ("sell", 0, "'tea'")
    shop.leave.set()
    held.result()
    queued.result()
    assert recorder.flush()
    assert memory.live[-1] == ()
    assert sorted(call.name for call in memory.of(Call)) == ["hold", "sell"]


def test_a_wait_that_blocked_is_recorded(bus, shop, recorder, memory):
    """Who waited, on which lane, for which call, from when to when."""
    bus.register_command("ask", lambda: bus.execute_command("sell", "tea").result())
    bus.execute_command("ask").result()
    assert recorder.flush()
    ask, sell = memory.call("ask"), memory.call("sell")
    waits = {wait.call: wait for wait in memory.of(Wait)}
    if ask.id in waits:  # the answer may have come before it was waited for
        assert (waits[ask.id].target, waits[ask.id].lane) == (sell.id, ask.lane)
        assert 0 < ask.waited <= waits[ask.id].ended - waits[ask.id].began
    assert sell.parent == ask.id


def test_services_depths_and_drops_are_recorded(bus, recorder, memory):
    """States as they change, depths when they do, drops counted per service."""
    entered, release = threading.Event(), threading.Event()
    bus.add(Service("narrow", capacity=2))
    bus.register_listener("flood", lambda: (entered.set(), release.wait(10)), service="narrow")
    bus.fire_event("flood")
    assert entered.wait(5)
    for _ in range(20):
        bus.fire_event("flood")
    wait_for(lambda: recorder.flush() and any(one.where == "narrow" for one in memory.of(Dropped)))
    wait_for(lambda: any(depth.service == "narrow" and depth.depth == 2 for depth in memory.of(Depth)))
    release.set()
    wait_for(lambda: recorder.flush() and memory.of(Depth)[-1].depth == 0)
    dropped = sum(one.count for one in memory.of(Dropped) if one.where == "narrow")
    assert dropped == 18
    last = memory.of(Depth)[-1]
    assert (last.capacity, last.dropped, last.restarts, last.stuck) == (2, 18, 0, 0)
    assert sum(call.outcome == "rejected" for call in memory.of(Call)) == dropped
    bus.remove("narrow")
    assert recorder.flush()
    assert [one.state for one in memory.of(State) if one.service == "narrow"] == [
        "starting",
        "running",
        "draining",
        "stopped",
    ]


def test_mailboxes_are_looked_at_in_some_turns_only(bus, recorder, memory, monkeypatch):
    """A look at hundreds of them takes longer than all else in a turn; who asks for all gets it at once."""
    services, looks = bus.services, []
    monkeypatch.setattr(bus, "services", lambda: looks.append(1) or services())
    assert recorder.flush()
    looks.clear()
    before = len(memory.live)
    wait_for(lambda: len(memory.live) >= before + 12)
    assert 1 <= len(looks) <= (len(memory.live) - before) // 4 + 1
    looks.clear()
    assert recorder.flush()
    assert looks


def test_ten_thousand_commands_called_in_turns_are_named_once_each(bus, recorder, memory, monkeypatch):
    """What a record says of a command is worked out at its first call, not whenever 4,000 others were called since."""
    asked = Counter()
    monkeypatch.setattr(timings, "label_of", lambda key: asked.update([key]) or label_of(key))
    bus.add(Service("many", capacity=10_000))
    names = [f"many.{number}" for number in range(10_000)]
    for name in names:
        bus.register_command(name, lambda: None, service="many")
    for _ in range(2):
        for promise in [bus.execute_command(name) for name in names]:
            promise.result(30)
        assert recorder.flush()
    assert Counter(call.name for call in memory.of(Call)) == dict.fromkeys(names, 2)
    assert max(asked.values()) == 1


def test_restarts_are_recorded_with_the_depth(bus, recorder, memory):
    """One who comes later knows how often a service was started anew, and how much its mailbox holds."""
    bus.add(Service("frail", capacity=7))

    def crash():
        raise ServiceCrash("on purpose")

    bus.register_command("crash", crash, service="frail")
    with pytest.raises(ServiceCrash):
        bus.execute_command("crash").result(10)
    wait_for(lambda: recorder.flush() and any(one.restarts for one in memory.of(Depth)))
    of_frail = [one for one in memory.of(Depth) if one.service == "frail"]
    assert [one.restarts for one in of_frail] == sorted(one.restarts for one in of_frail)
    assert {one.capacity for one in of_frail} == {7}
    late = Memory()
    assert recorder.add(late, 5)
    assert next(one.restarts for one in late.of(Depth) if one.service == "frail") == 1  # before the past is told


def test_one_who_joins_late_gets_the_past_and_no_gap(bus, recorder):
    """Every call is either in the snapshot or in what follows, exactly once."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            bus.execute_command("sell", "tea").result()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    sinks = [Memory() for _ in range(5)]
    for sink in sinks:
        recorder.add(sink)
        recorder.flush()
    stop.set()
    for worker in workers:
        worker.join()
    assert recorder.flush()
    expected = sorted(call.id for call in sinks[0].of(Call))
    assert expected == list(range(1, expected[-1] + 1))
    for sink in sinks:
        assert sorted(call.id for call in sink.of(Call)) == expected


def test_the_level_says_how_much_is_recorded(bus, recorder, memory):
    """`times` without texts and cpu, `off` without calls; switched while the program runs."""
    recorder.set_level("times")
    bus.execute_command("sell", "times").result()
    recorder.set_level("off")
    bus.execute_command("sell", "off").result()
    recorder.set_level("full")
    bus.execute_command("sell", "full").result()
    assert recorder.flush()
    first, second = memory.of(Call)
    assert (first.args, first.result, first.cpu) == ("", "", None)
    assert second.args == "'full'"
    assert recorder.session.level == "full"


def test_lowering_the_level_under_a_running_call_leaves_no_nonsense(bus, shop, recorder, memory):
    """Its cpu time was begun under `full`; it is right, not the raw reading of the clock."""
    promise = bus.execute_command("hold")
    assert shop.entered.wait(5)
    recorder.set_level("times")
    shop.leave.set()
    promise.result()
    assert recorder.flush()
    call = memory.call("hold")
    assert call.cpu is not None
    assert call.cpu <= call.ended - call.started


@pytest.mark.parametrize("level", ["times", "full"])
def test_recording_keeps_no_argument_result_or_promise_alive(bus, recorder, memory, level):
    """The ring holds the last 30 seconds of calls, but nothing of the program's."""

    class Big:
        pass

    recorder.set_level(level)
    bus.register_command("echo", lambda big: big, service="shop")
    big = Big()
    gone = weakref.ref(big)
    promise = bus.execute_command("echo", big)
    promise.result()
    late = weakref.ref(promise)
    del big, promise
    assert recorder.flush()
    bus.execute_command("sell", "tea").result()  # the worker has let go of the last call
    gc.collect()
    assert gone() is None
    assert late() is None


def test_an_error_keeps_no_frame_alive(bus, recorder, memory):
    """Its text was taken when it ended."""

    class Big:
        pass

    seen: list[weakref.ref[Big]] = []

    def fail():
        big = Big()
        seen.append(weakref.ref(big))
        raise ValueError

    bus.register_command("boom", fail, service="shop")
    bus.execute_command("boom").exception()
    assert recorder.flush()
    bus.execute_command("sell", "tea").result()
    gc.collect()
    assert seen[0]() is None


def test_what_a_full_buffer_loses_is_counted(bus, recorder, memory):
    """A pump that gets no time costs evidence, not memory."""
    for shard in recorder._buffers._shards:
        shard.limit = 0
    for _ in range(5):
        bus.execute_command("sell", "tea").result()
    wait_for(lambda: recorder.flush() and memory.of(Dropped))
    lost = sum(one.count for one in memory.of(Dropped) if (one.kind, one.where) == ("record", "recorder"))
    assert lost >= 5
    assert not memory.of(Call)


def test_a_dead_sink_is_taken_out_and_the_others_go_on(bus, recorder, memory):
    """It is not even asked any more."""
    dead = Memory()
    recorder.add(dead)
    assert recorder.flush()
    dead.alive = False
    bus.execute_command("sell", "tea").result()
    assert recorder.flush()
    assert not dead.of(Call)
    assert len(memory.of(Call)) == 1


def test_a_pump_that_fails_stops_recording_and_not_the_program(bus, recorder, memory, monkeypatch, caplog):
    """It says so once."""
    broken = threading.Event()

    def fail(self, at):
        broken.set()
        raise RuntimeError("no services")

    original = Recorder._cost
    monkeypatch.setattr(Recorder, "_cost", fail)
    assert broken.wait(5)
    monkeypatch.setattr(Recorder, "_cost", original)
    wait_for(lambda: recorder.level == "off")
    assert bus.execute_command("sell", "tea").result() == "1 tea"
    assert caplog.text.count("stops recording") == 1


def test_closing_lets_sinks_leave_and_takes_the_hooks_out(bus):
    """Nothing is left behind in the bus."""
    recorder, memory = Recorder(bus, "full"), Memory()
    recorder.add(memory)
    assert recorder.flush()
    assert recorder.close()
    assert memory.left
    assert bus.hooks.ended == bus.hooks.queued == bus.hooks.registered == ()
    assert not recorder.flush(0.1)


def test_notes_reach_the_sinks(recorder, memory):
    """What other parts saw go wrong."""
    recorder.note(Problem(rule="r", at=1, text="t"))
    assert recorder.flush()
    assert memory.of(Problem) == [Problem(rule="r", at=1, text="t")]


def test_the_cost_of_recording_is_measured(bus, recorder):
    """Part of one CPU, with the meters that were added."""
    used = [0]
    costs: list[float] = []

    class Watching(Memory):
        def offer(self, chunk):
            costs.append(chunk.cost)

    recorder.add_meter(lambda: used[0])
    recorder.add(Watching())
    assert recorder.flush()
    used[0] += 10_000_000_000
    assert recorder.flush()
    assert max(costs) == 1.0
    assert all(0.0 <= cost <= 1.0 for cost in costs)


def test_who_takes_a_source_away_waits_for_no_sink(bus, recorder, memory):
    """A console that is stopped must not hold up the end of a program; nothing of the source is lost."""
    asked = []
    memory.flush = asked.append
    told = [State(service="told", at=1, state="running")]
    source = lambda: [told.pop()] if told else []  # noqa: E731  the recorder removes this very object
    recorder.add_source(source)
    recorder.remove_source(source)
    assert not asked
    assert [record.service for record in memory.of(State)][-1] == "told"


def test_a_live_call_is_never_listed_after_its_end():
    """A callback of the promise may keep the worker in the call long after it ended."""
    with Bus("test") as bus:
        shop = Shop()
        bus.add(shop)
        recorder, memory = Recorder(bus, "times"), Memory()
        recorder.add(memory)
        entered, leave = threading.Event(), threading.Event()
        promise = bus.execute_command("hold")
        assert shop.entered.wait(5)
        promise.add_done_callback(lambda _: (entered.set(), leave.wait(10)))
        shop.leave.set()
        assert entered.wait(5)
        assert recorder.flush()
        assert recorder.flush()
        assert len(memory.of(Call)) == 1
        assert memory.live[-1] == ()
        leave.set()
        recorder.close()


def test_live_calls_are_plain_calls():
    """The sink sees records, never the bus's own objects."""
    call = LiveCall(1, Source("command", "x", "s"), (1, 0, 0, 0), 5)
    (record,) = Chunk(9, (), [call]).unended()
    assert isinstance(record, Call)
    assert (record.id, record.outcome, record.ended) == (1, None, 0)


def ask_each_other(bus, timeout=None):
    """Two services that wait for each other."""
    bus.add(Service("a"))
    bus.add(Service("b"))
    bus.register_command("a.ask", lambda: bus.execute_command("b.ask").result(), service="a")

    def ask_back():
        wait_for(lambda: any(call.name == "a.ask" and call.waiting_for for call in bus.live_calls()))
        bus.execute_command("a.answer").result(timeout)

    bus.register_command("b.ask", ask_back, service="b")
    bus.register_command("a.answer", lambda: 1, service="a")
    return bus.execute_command("a.ask")


@pytest.mark.parametrize(("timeout", "error"), [(None, DeadlockError), (0.01, CallTimeout)])
def test_a_deadlock_is_a_problem_with_its_cycle(bus, recorder, memory, timeout, error):
    """Refused or only suspected: each call, the lane that it runs on, the line, and what it waits for."""
    with pytest.raises(error):
        ask_each_other(bus, timeout).result(10)
    assert recorder.flush()
    (problem,) = memory.of(Problem)
    assert (problem.rule, problem.suspected, problem.calls) == ("deadlock", timeout is not None, (2, 1))
    lanes = {lane.key: lane.name for lane in memory.of(Lane)}
    steps = [(step.call, step.name, lanes[step.lane], step.thread, step.target) for step in problem.cycle]
    assert steps == [(2, "b.ask", "b-0", "b-0", 3), (1, "a.ask", "a-0", "a-0", 2)]
    assert all(step.where.startswith(f"{__file__}:") for step in problem.cycle)


def test_a_call_in_flight_says_whom_it_waits_for(bus, shop, recorder, memory):
    """From outside nobody can tell a call that waits from one that works."""
    bus.add(Service("front"))
    bus.register_command("front.hold", lambda: bus.execute_command("hold").result(), service="front")
    promise = bus.execute_command("front.hold")
    assert shop.entered.wait(10)
    waiting = wait_for(lambda: [call for call in memory.live[-1] if call.waiting_for])
    assert [(call.name, call.waiting_for) for call in waiting] == [("front.hold", 2)]
    shop.leave.set()
    promise.result(10)
    assert recorder.flush()
    assert [call.waiting_for for call in memory.of(Call)] == [0, 0]


def test_registrations_say_when(bus, recorder, memory):
    """Those that were there before have the moment at which recording began."""
    before = bus.runtime.now()
    bus.register_listener("late", lambda: None).dispose()
    assert recorder.flush()
    come, gone = (entry for entry in memory.of(Entry) if entry.name == "late")
    assert before <= come.at <= gone.at
    early = next(entry for entry in memory.of(Entry) if entry.name == "sell")
    assert 0 < early.at < before
