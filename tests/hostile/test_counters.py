"""Counters that a client declares: what they can do to plain Morango, and what they cannot do here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from morango.models.core import DatabaseMaxCounter, InstanceIDModel, RecordMaxCounter, Store

from tests import school
from tests.hostile.conftest import OpenSession
from tests.hostile.town import INSTANCE, Town, assignment, push, record

VICTIM = "d0" * 16
"""The instance id of a device that has never been here."""

GREATEST = 2**31 - 1


def _own_record(town: Town, **changes: Any) -> dict[str, Any]:
    partition = town.partition(town.class_a)
    return record("courseassignment", partition, "c0" * 16, assignment(partition), **changes)


def _in_own_filter(town: Town, counters: Any) -> dict[str, Any]:
    return {town.partition(town.class_a): counters}


BAD_COUNTERS: dict[str, Callable[[Town], Any]] = {
    "for another dataset": lambda town: {"e" * 32: {VICTIM: 5}},
    "for the whole dataset": lambda town: {town.dataset_id: {VICTIM: 5}},
    "for another class": lambda town: {town.partition(town.class_b): {VICTIM: 5}},
    "for a partition that only begins like one's own": lambda town: {town.partition(town.class_a) + "x": {VICTIM: 5}},
    "for a partition with a quote": lambda town: {town.partition(town.class_a) + ":'": {VICTIM: 5}},
    "for a partition with a wildcard": lambda town: {town.partition(town.class_a) + ":%": {VICTIM: 5}},
    "of an instance with a quote": lambda town: _in_own_filter(town, {"' OR '1'='1": 5}),
    "that is negative": lambda town: _in_own_filter(town, {VICTIM: -1}),
    "that is huge": lambda town: _in_own_filter(town, {VICTIM: GREATEST + 1}),
    "that is a text": lambda town: _in_own_filter(town, {VICTIM: "0 OR 1=1"}),
    "that is true": lambda town: _in_own_filter(town, {VICTIM: True}),
    "that is a fraction": lambda town: _in_own_filter(town, {VICTIM: 1.5}),
}


def test_plain_morango_takes_counters_of_any_partition(plain: Town, open_session: OpenSession) -> None:
    """Silent and for good: the hub never asks for that device's data again, and tells other hubs so."""
    peer = open_session(plain, "carol")

    push(
        peer,
        plain.own_partition("carol"),
        [_own_record(plain)],
        counters={plain.dataset_id: {VICTIM: GREATEST}, "e" * 32: {VICTIM: 5}},
    )

    with plain.hub:
        assert DatabaseMaxCounter.objects.filter(
            partition=plain.dataset_id, instance_id=VICTIM, counter=GREATEST
        ).exists()
        assert DatabaseMaxCounter.objects.filter(partition="e" * 32).exists()


@pytest.mark.parametrize("name", BAD_COUNTERS)
def test_session_is_refused_for_a_counter(
    name: str, guarded: Town, open_session: OpenSession, life_goes_on: Callable[[Town], None]
) -> None:
    peer = open_session(guarded, "carol")
    before = guarded.snapshot()

    made = push(peer, guarded.own_partition("carol"), [_own_record(guarded)], counters=BAD_COUNTERS[name](guarded))

    assert made.refusal is not None, made.statuses
    assert made.refusal["code"] == "counters_refused"
    assert guarded.snapshot() == before
    life_goes_on(guarded)


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", '{"sub": []}', '{"sub": {}, "super": {}, "more": {}}', "[" * 9999]
)
def test_session_is_refused_for_counters_of_another_form(text: str, guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    before = guarded.snapshot()

    made = push(peer, guarded.own_partition("carol"), [_own_record(guarded)], counters=text)

    assert made.refusal is not None, made.statuses
    assert guarded.snapshot() == before


def test_counter_is_believed_as_far_as_the_records_show_it(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    partition = guarded.partition(guarded.class_a)

    made = push(
        peer,
        guarded.own_partition("carol"),
        [_own_record(guarded)],
        counters={partition: {INSTANCE: GREATEST, VICTIM: GREATEST}},
    )

    assert made.refusal is None
    with guarded.hub:
        rows = DatabaseMaxCounter.objects.filter(instance_id__in=(INSTANCE, VICTIM))
        assert list(rows.values_list("partition", "instance_id", "counter")) == [(partition, INSTANCE, 7)]


def test_counter_of_the_hub_itself_is_not_taken_from_anybody(guarded: Town, open_session: OpenSession) -> None:
    with guarded.hub:
        own_id = InstanceIDModel.get_or_create_current_instance()[0].id
        before = set(DatabaseMaxCounter.objects.filter(instance_id=own_id).values_list("partition", "counter"))
    peer = open_session(guarded, "carol")
    partition = guarded.partition(guarded.class_a)

    push(
        peer,
        guarded.own_partition("carol"),
        [_own_record(guarded, last_saved_instance=own_id, last_saved_counter=1, counters={own_id: 1})],
        counters={partition: {own_id: 1}},
        until="dequeuing",
    )

    with guarded.hub:
        after = set(DatabaseMaxCounter.objects.filter(instance_id=own_id).values_list("partition", "counter"))
        assert after == before


def test_plain_morango_lets_a_record_speak_for_the_hub(plain: Town, open_session: OpenSession) -> None:
    with plain.hub:
        own = InstanceIDModel.get_or_create_current_instance()[0]
    peer = open_session(plain, "carol")

    push(peer, plain.own_partition("carol"), [_own_record(plain, counters={own.id: GREATEST, INSTANCE: 7})])

    with plain.hub:
        assert RecordMaxCounter.objects.filter(instance_id=own.id, counter=GREATEST).exists()


@pytest.mark.parametrize("where", ["counters", "last_saved"])
def test_record_that_speaks_for_the_hub_is_refused(where: str, guarded: Town, open_session: OpenSession) -> None:
    with guarded.hub:
        own = InstanceIDModel.get_or_create_current_instance()[0]
    peer = open_session(guarded, "carol")
    claims = {
        "counters": {"counters": {own.id: GREATEST, INSTANCE: 7}},
        "last_saved": {"last_saved_instance": own.id, "last_saved_counter": GREATEST},
    }
    before = guarded.snapshot()

    made = push(peer, guarded.own_partition("carol"), [_own_record(guarded, **claims[where])])

    assert made.refusal is not None
    assert made.refusal["rule"] == "counter"
    assert guarded.snapshot() == before


def test_older_counters_are_held_to_the_same(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "ada", capabilities="ASYNC_OPERATIONS")
    before = guarded.snapshot()["DatabaseMaxCounter"]

    push(peer, guarded.own_partition("ada"), [], counters=json.dumps({VICTIM: GREATEST}))

    assert guarded.snapshot()["DatabaseMaxCounter"] == before


@pytest.mark.parametrize("counters", ['{"\'": 1}', f'{{"{VICTIM}": "1"}}', '{"sub": {}, "super": {}}'])
def test_older_counters_of_another_form_are_refused(counters: str, guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "ada", capabilities="ASYNC_OPERATIONS")

    made = push(peer, guarded.own_partition("ada"), [], counters=counters)

    assert made.refusal is not None
    assert made.refusal["code"] == "counters_refused"


def _pull_with(peer: Any, sync_filter: str, declared: Any) -> Any:
    created = peer.create(sync_filter)
    transfer_id = created.json()["id"]
    answers = [
        peer.proceed(transfer_id, stage, client_fsic=json.dumps(declared)) for stage in ("serializing", "queuing")
    ]
    return answers[-1], peer.rows(transfer_id)


def _reading_everything(town: Town) -> dict[str, Any]:
    """Counters whose partition ends the pattern and goes on in SQL."""
    with town.hub:
        instance_id = Store.objects.values_list("last_saved_instance", flat=True)[0]
    own = f"{town.dataset_id}:user-ro:{town.users['ada'].id}"
    crafted = own + "%' OR partition LIKE '" + town.dataset_id
    return {"sub": {crafted: {instance_id: 0}}, "super": {}}


def _crafted(town: Town) -> str:
    """A partition that begins as Ada's own does, ends the text in SQL, and goes on with what is always true."""
    return town.own_partition("ada") + "%' OR 1=1 OR '1' LIKE '"


def test_plain_morango_serves_everybodys_rows_for_a_crafted_partition(plain: Town, open_session: OpenSession) -> None:
    """Users with their passwords' hashes among them; a record of that partition makes the hub believe in it."""
    peer = open_session(plain, "ada")
    planted = record("anything", _crafted(plain), "a", "{}")
    push(peer, plain.own_partition("ada"), [planted], counters={_crafted(plain): {INSTANCE: 7}})

    _, rows = _pull_with(peer, plain.own_partition("ada"), {"sub": {}, "super": {}})

    names = [json.loads(row["serialized"]).get("username") for row in rows.json()["results"]]
    assert "head" in names


def test_record_of_a_crafted_partition_is_refused(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "ada")
    before = guarded.snapshot()

    made = push(peer, guarded.own_partition("ada"), [record("facilityuser", _crafted(guarded), "a", "{}")])

    assert made.refusal is not None
    assert made.refusal["rule"] == "partition"
    assert guarded.snapshot() == before


def test_no_crafted_partition_gets_into_a_query(
    guarded: Town, open_session: OpenSession, life_goes_on: Callable[[Town], None]
) -> None:
    peer = open_session(guarded, "ada")
    reader = f"{guarded.dataset_id}:user-ro:{guarded.users['ada'].id}"

    answer, rows = _pull_with(peer, reader, _reading_everything(guarded))

    assert answer.json()["code"] == "counters_refused"
    assert rows.status_code == 403
    life_goes_on(guarded)


def test_stock_device_is_believed_of_its_own_counter_against_a_forged_one(
    guarded: Town, open_session: OpenSession
) -> None:
    partition = guarded.partition(guarded.class_a)
    with guarded.hub:
        DatabaseMaxCounter.objects.create(partition=partition, instance_id=VICTIM, counter=GREATEST)
    own = guarded.own_partition("carol")
    with guarded.hub:
        DatabaseMaxCounter.objects.create(partition=own, instance_id=VICTIM, counter=GREATEST)
    victim = open_session(guarded, "carol", instance={"id": VICTIM})

    created = victim.create(own, push=True).json()["id"]
    victim.proceed(created, "serializing", client_fsic=json.dumps({"sub": {own: {VICTIM: 12}}, "super": {}}))

    with guarded.hub:
        assert DatabaseMaxCounter.objects.get(partition=own, instance_id=VICTIM).counter == 12
        assert DatabaseMaxCounter.objects.get(partition=partition, instance_id=VICTIM).counter == GREATEST


def test_honest_device_sends_nothing_twice(guarded: Town, databases: Any) -> None:
    device, joined = guarded.device_of("dan", databases)
    with device:
        joined.sync()
        classroom = type(guarded.class_b).objects.get(id=guarded.class_b.id)
        school.assign(classroom, "once")
        pushed = [joined.sync().records(push=True) for _ in range(3)]

    assert pushed == [1, 0, 0]
