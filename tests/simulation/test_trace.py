"""Traces of two runs can be compared, and tell nothing about anybody."""

from __future__ import annotations

from morango_collection_sync.simulation.trace import Event, Trace

ONE, OTHER = "1" * 32, "2" * 32
URL = "http://hub.simulation/api/transfersessions/{}/"


def test_ids_are_numbered_by_their_first_appearance() -> None:
    trace = Trace()
    shapes = [trace.shape(URL.format(value)) for value in (ONE, OTHER, ONE)]
    assert shapes == [f"/api/transfersessions/{{{number}}}/" for number in (1, 2, 1)]


def test_same_shape_comes_from_other_ids() -> None:
    assert Trace().shape(URL.format(ONE)) == Trace().shape(URL.format(OTHER))


def test_query_keeps_numbers_and_ids_and_hides_words() -> None:
    shape = Trace().shape(f"http://hub.simulation/api/?username=ada&limit=500&of={ONE}")
    assert shape == "/api/?limit=500&of={1}&username=*"


def test_traces_are_equal_when_the_same_happened_in_the_same_order() -> None:
    events = [Event("tablet", "GET /", 200), Event("tablet", "GET /", None, "cut")]
    one, same, other = Trace(), Trace(), Trace()
    for event in events:
        one.add(event)
        same.add(event)
    for event in reversed(events):
        other.add(event)
    assert one == same
    assert one != other
