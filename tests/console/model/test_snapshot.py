"""A store as records again."""

from bus.trace.records import Call, Entry, Lane, State
from console.model.snapshot import records
from console.model.store import Store
from tests import synthetic


def filled(played):
    store = Store()
    for batch in synthetic.batches(played):
        store.take(batch)
    return store


def test_every_call_comes_back():
    """Each call that is kept is as it was recorded, by its end; lanes, registrations and states come before."""
    played = synthetic.session(400)
    found = [record for some in records(filled(played)) for record in some]
    wanted = [record for record in played if isinstance(record, Call)]
    calls = [record for record in found if isinstance(record, Call)]
    assert sorted(calls, key=lambda call: call.id) == sorted(wanted, key=lambda call: call.id)
    assert [call.ended for call in calls] == sorted(call.ended for call in calls)
    for kind in (Lane, Entry, State):
        assert [each for each in found if isinstance(each, kind)] == [each for each in played if isinstance(each, kind)]


def test_calls_in_flight_come_last():
    """They are part of a snapshot, without an end."""
    store = Store()
    first, *_ = (batch for batch in synthetic.batches(synthetic.session(400)) if batch.live)
    store.take(first)
    *_, last = records(store)
    assert set(last) == set(first.live)


def test_an_empty_store():
    """Nothing happened yet, and that is no error."""
    assert [record for some in records(Store()) for record in some] == []
