"""A filter says the same of a call's record and of the store's columns."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call, Error, Lane
from console.language.filter_fields import CALLS
from console.language.filter_parser import parse
from console.language.filters import ALL, And, Between, Compare, Is, Match, Not, Or, Phrase, Word, format_filter
from console.model import filters
from console.model.filters import StoreFilter, of_call
from console.model.store import Store
from tests import synthetic

KINDS = ("command", "event", "delivery")
OUTCOMES = ("ok", "error", "cancelled", "expired", "rejected", "aborted", "deadlock")
NAMES = st.sampled_from(["index.file", "Index.File", "file.found", "straße", "a b", ""])
SAID = st.text(st.sampled_from("aAbx*[ß\u017fK\0é '=") | st.characters(exclude_categories=("Cs",)), max_size=6)
TIMES = st.integers(0, 40)


def calls_of(number):
    """A call with this number, ended, and with anything else in it."""
    return st.builds(
        Call,
        id=st.just(number), parent=TIMES, root=st.integers(1, 40), kind=st.sampled_from(KINDS),
        name=NAMES, service=st.sampled_from(["", "indexer", "store"]), caller=st.integers(0, 3),
        lane=st.sampled_from([0, 1, 2, 3, 70_000]), queued=st.integers(1, 40), started=TIMES, ended=TIMES,
        cpu=st.none() | TIMES, waited=TIMES, outcome=st.sampled_from(OUTCOMES),
        error=st.none() | st.builds(Error, SAID, SAID, SAID), args=SAID, result=SAID,
        by=st.sampled_from(["code", "console", "replay"]), client=st.sampled_from(["", "pid 1"]),
        marks=st.sampled_from([(), ("late",)]),
    )  # fmt: skip


CALLS_ENDED = st.integers(1, 12).flatmap(lambda count: st.tuples(*map(calls_of, range(1, count + 1))))
PARTS = SAID | st.sampled_from(["a", "file", "SS", "ss", "k", "\0", ""])
PATTERNS = st.sampled_from(["*", "*a*", "[ab]*", "?", "index.*", "*[!a]", "stra*SSE"])
NUMBERS = {field.name: TIMES for field in CALLS if field.kind in ("time", "number")}


def term():
    """A filter of one term, of every kind."""
    texts = st.sampled_from([field.name for field in CALLS if field.kind == "text"])
    choices = [Is(field.name, choice) for field in CALLS for choice in field.choices]
    fields = st.sampled_from(sorted(NUMBERS))
    return (
        st.builds(Word, st.sampled_from(["file", "INDEX", "f*", "*.found", "STRASSE", "x"]))
        | st.builds(Phrase, PARTS)
        | st.builds(Match, texts, PARTS, st.sampled_from(["contains", "is"]))
        | st.builds(Match, texts, PATTERNS, st.just("pattern"))
        | st.sampled_from(choices)
        | st.builds(Compare, fields, st.sampled_from(["=", ">", ">=", "<", "<="]), TIMES)
        | st.builds(lambda field, two: Between(field, *sorted(two)), fields, st.tuples(TIMES, TIMES))
    )


FILTERS = st.just(ALL) | st.recursive(
    term(),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda some: And(tuple(some)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda some: Or(tuple(some)))
    ),
    max_leaves=6,
)
LANES = (Lane(key=1, name="indexer-0"), Lane(key=2, name="store-0"))


def filled(records):
    """A store that has taken these records."""
    store = Store()
    store.take(Batch(at=0, records=tuple(records)))
    return store


def by_columns(what, store, chosen=None):
    """The numbers of the calls that a filter finds in the store's columns."""
    chosen = chosen or StoreFilter(what, store)
    places = [*store.runs.values(), *store.instants.values()]
    return sorted(number for calls in places for number in calls["id"][chosen.positions(calls)].tolist())


def by_record(what, store):
    """The same, asked of each call."""
    fits = of_call(what, store.lane_name, lambda call: 1 / 0)
    numbers = (number for place in (*store.runs.values(), *store.instants.values()) for number in place["id"].tolist())
    return sorted(number for number in numbers if fits(store.call(number)))


@pytest.mark.parametrize("few", [0, 500])
def test_columns_and_records_agree(few, monkeypatch):
    """Whatever the calls and the filter, both ways find the same calls, searched or looked at one by one."""
    monkeypatch.setattr(filters, "_FEW", few)

    @given(CALLS_ENDED, FILTERS)
    @settings(max_examples=200)
    def law(calls, what):
        store = filled([*LANES, *calls])
        assert by_columns(what, store) == by_record(what, store)

    law()


@given(CALLS_ENDED, FILTERS, st.randoms(use_true_random=False), st.integers(4, 100))
@settings(max_examples=150)
def test_asked_again_it_finds_what_came_since(calls, what, chance, retain):
    """Calls come in any order, old ones are let go, lanes get their names late: the answer is that of a new filter."""
    store = Store(retain=retain)
    chosen = StoreFilter(what, store)
    records = [*calls, *LANES]
    chance.shuffle(records)
    while records:
        some, records = records[:3], records[3:]
        store.take(Batch(at=0, records=tuple(some)))
        assert by_columns(what, store, chosen) == by_columns(what, store) == by_record(what, store)


@pytest.mark.parametrize("what", [Phrase("Path"), Match("arg", "threading"), Match("result", "4"), Phrase("ŪTF")])
def test_texts_are_found_in_all_that_is_packed(what):
    """Also where a segment of texts is not ASCII, and where texts fill several segments."""
    calls = [record for record in synthetic.session(3_000) if isinstance(record, Call)]
    long = "x" * 2_000
    some = [structs.replace(call, args=call.args + (long if call.id % 5 else "ūtf")) for call in calls]
    store = Store()
    for start in range(0, len(some), 500):
        store.take(Batch(at=0, records=tuple(some[start : start + 500])))
    assert len(list(store.codec.heap.segments())) > 2
    found = by_columns(what, store)
    assert found == by_record(what, store)
    assert 0 < len(found) < len(calls) or what == Match("result", "4")


def ask(line, call, now=100):
    """Whether a line asks for a call on lane 1."""
    return of_call(parse(line), {0: "", 1: "indexer-0", 2: "main"}.__getitem__, lambda _call: now)(call)


ENDED = Call(
    id=7, parent=3, root=2, kind="command", name="index.file", service="indexer", caller=2, lane=1, queued=10_000_000,
    started=12_000_000, ended=20_000_000, cpu=3_000_000, waited=1_000_000, outcome="error",
    error=Error("ValueError", "Bad thing"), args="path='/A.py'", result="", by="console",
)  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "", "index", "INDEX.*", "name=index.file", "service:index", "lane:indexer-0", "caller:ma?n", "outcome:error",
        "outcome:failed", "outcome:ended", "kind:command", "error:valueerror", "error:thing", "error:*", "arg:a.py",
        'result=""', "by:console", "id:7", "parent=#3", "root:1..2", "took=10ms", "run=8ms", "queued=2ms", "wait=2ms",
        "computing=3ms", "waiting=1ms", "elsewhere=4ms", '"bad"', '"/a"', '"x.f"', "not other", "other or index",
    ],
)  # fmt: skip
def test_what_is_true_of_a_call(line):
    """Each field by its value; case matters with = only."""
    assert ask(line, ENDED)
    assert not ask(f"not({line})" if line else "other", ENDED)


@pytest.mark.parametrize(
    "line",
    [
        "index.fil?x", "name=Index.file", "service=index", "lane=indexer", "outcome:ok", "outcome:running",
        "outcome:in-flight", "error=valueerror", "arg=path", "took>10ms", "took<10ms", '"ValueError:"', "index other",
    ],
)  # fmt: skip
def test_what_is_not(line):
    """A pattern means the whole; = is exact."""
    assert not ask(line, ENDED)


def test_a_call_in_flight():
    """Its time counts to now, all of it in the queue until it starts."""
    queued = structs.replace(ENDED, started=0, ended=0, outcome=None, error=None, cpu=None, waited=0, lane=0)
    assert ask("outcome:queued outcome:in-flight not outcome:running queued=5ms took=5ms run=0s", queued, 15_000_000)
    running = structs.replace(queued, started=12_000_000, lane=1)
    assert ask("outcome:running outcome:in-flight queued=2ms run=3ms not outcome:ended", running, 15_000_000)


def test_what_was_not_measured_is_neither_more_nor_less():
    """Without the CPU time nothing is said of computing and elsewhere."""
    call = structs.replace(ENDED, cpu=None)
    for line in ("computing>=0s", "computing<1min", "elsewhere>=0s", "elsewhere:0s..1min"):
        assert not ask(line, call)
        assert by_columns(parse(line), filled([call])) == []
    assert ask("computing=0s elsewhere=0s", structs.replace(call, started=0, lane=0))


def test_failed_calls_beyond_those_kept_whole():
    """A failure whose error was let go is still found by its outcome, but not by its text."""
    store = filled([ENDED])
    store.codec.failed.clear()
    assert by_columns(parse("outcome:failed"), store) == [7]
    assert by_columns(parse("error:*"), store) == by_record(parse("error:*"), store) == []


@given(FILTERS)
def test_every_filter_of_these_can_be_written(what):
    """What is tested here is what can be typed."""
    assert parse(format_filter(what)) == what
