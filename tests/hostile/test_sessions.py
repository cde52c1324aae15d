"""Filters, certificates and sessions that are not what they should be, and what one peer can make a hub hold."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from morango.models.certificates import Certificate, Key
from morango.models.core import Buffer, RecordMaxCounterBuffer, Store, TransferSession

from course_assignment.facility.models import FULL_FACILITY, PROFILE, CourseAssignment, Role
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.hostile.conftest import OpenSession
from tests.hostile.town import Town, addressed, assignment, push, record
from tests.sync.peer import Peer


def _assignments(town: Town, number: int, **changes: Any) -> list[dict[str, Any]]:
    partition = town.partition(town.class_a)
    return [
        record("courseassignment", partition, f"{n:032x}", assignment(partition, course=f"{n:032x}"), **changes)
        for n in range(number)
    ]


def _ready_for(peer: Peer, town: Town, records: int) -> str:
    """A push that waits for this many records."""
    transfer_id = peer.create(town.own_partition("carol"), push=True).json()["id"]
    peer.proceed(transfer_id, "serializing")
    peer.proceed(transfer_id, "queuing", records_total=records)
    return str(transfer_id)


FILTERS: dict[str, Callable[[Town], str]] = {
    "the whole dataset": lambda town: town.dataset_id,
    "another user's partition": lambda town: town.own_partition("bob"),
    "a partition that only begins like one's own": lambda town: town.own_partition("ada") + "x",
    "a class, granted or not": lambda town: town.partition(town.class_a),
    "a wildcard": lambda town: town.own_partition("ada") + ":%",
    "a quote": lambda town: town.own_partition("ada") + "'",
    "nothing": lambda town: "",
    "more partitions than are taken": lambda town: "\n".join(f"{town.own_partition('ada')}:{n}" for n in range(101)),
}


@pytest.mark.parametrize("direction", [True, False], ids=["push", "pull"])
@pytest.mark.parametrize("name", FILTERS)
def test_filter_is_refused(name: str, direction: bool, guarded: Town, open_session: OpenSession) -> None:
    answer = open_session(guarded, "ada").create(FILTERS[name](guarded), push=direction)

    assert answer.status_code == 403
    with guarded.hub:
        assert not TransferSession.objects.exists()


def _signed_by_oneself(town: Town, databases: Databases, user_id: str) -> tuple[Device, Certificate]:
    """A certificate that Ada has signed with her own, that reaches no further, and that says it is somebody else's."""
    device, joined = town.device_of("ada", databases)
    with device:
        parent = joined.client_certificate()
        params = {"dataset_id": town.own_partition("ada"), "user_id": user_id}
        made = Certificate(
            parent=parent,
            profile=PROFILE,
            scope_definition_id=FULL_FACILITY,
            scope_version=1,
            scope_params=json.dumps(params),
            private_key=Key(),
            salt=uuid.uuid4().hex,
        )
        made.id = made.calculate_uuid()
        parent.sign_certificate(made)
        made.check_certificate()
        made.save()
    return device, made


def test_certificate_of_ones_own_making_is_granted_nothing_of_the_user_whom_it_names(
    guarded: Town, databases: Databases
) -> None:
    device, certificate = _signed_by_oneself(guarded, databases, guarded.users["dan"].id)

    with device, Peer(guarded.base_url, certificate, guarded.dataset_id) as peer:
        answer = peer.create(guarded.own_partition("ada"))

    assert answer.json()["filter"] == guarded.own_partition("ada")


def test_plain_morango_with_widening_grants_it_what_the_named_user_has(plain: Town, databases: Databases) -> None:
    device, certificate = _signed_by_oneself(plain, databases, plain.users["dan"].id)

    with device, Peer(plain.base_url, certificate, plain.dataset_id) as peer:
        answer = peer.create(plain.own_partition("ada"))

    assert plain.partition(plain.class_b) in answer.json()["filter"]


def test_session_of_somebody_else_cannot_be_told_from_none(guarded: Town, open_session: OpenSession) -> None:
    carols, adas = open_session(guarded, "carol"), open_session(guarded, "ada")
    _ready_for(carols, guarded, 1)

    guessed = uuid.uuid4().hex

    assert [adas.look(guessed).status_code, adas.close(guessed).status_code] == [404, 404]
    assert adas.proceed(guessed, "queuing").status_code == 404
    assert adas.rows(guessed).status_code == 403
    assert adas.send([addressed(_assignments(guarded, 1)[0], guessed)]).status_code == 404


def test_transfer_session_cannot_be_taken_over_by_its_id(guarded: Town, open_session: OpenSession) -> None:
    carols, adas = open_session(guarded, "carol"), open_session(guarded, "ada")
    transfer_id = _ready_for(carols, guarded, 1)

    answer = adas.create(guarded.own_partition("ada"), push=True, transfer_id=transfer_id)

    assert answer.status_code == 400
    assert carols.look(transfer_id).json()["transfer_stage"] == "queuing"


def test_chunk_cannot_hold_a_record_for_another_session(guarded: Town, open_session: OpenSession) -> None:
    carols, adas = open_session(guarded, "carol"), open_session(guarded, "ada")
    carols_id = _ready_for(carols, guarded, 2)
    adas_id = adas.create(guarded.own_partition("ada"), push=True).json()["id"]
    first, second = _assignments(guarded, 2)

    answer = adas.send([addressed(first, adas_id), addressed(second, carols_id)])

    assert answer.status_code == 400
    with guarded.hub:
        assert not Buffer.objects.exists()


def test_session_hoarded_before_leaving_is_worthless_after(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    hoarded = peer.create(f"{guarded.dataset_id}:user-ro:{guarded.users['carol'].id}").json()["id"]
    peer.proceed(hoarded, "queuing")
    with guarded.hub:
        assert Buffer.objects.filter(transfer_session_id=hoarded, model_name="courseassignment").exists()
        Role.objects.get(user__username="carol").delete()

    answer = peer.rows(hoarded)

    assert (answer.status_code, answer.json()["code"]) == (403, "grant_shrunk")
    with guarded.hub:
        assert not Buffer.objects.filter(transfer_session_id=hoarded).exists()
        assert not RecordMaxCounterBuffer.objects.filter(transfer_session_id=hoarded).exists()


def test_record_pushed_after_the_role_was_lost_is_refused(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    transfer_id = _ready_for(peer, guarded, 1)
    peer.send([addressed(_assignments(guarded, 1)[0], transfer_id)])
    with guarded.hub:
        Role.objects.get(user__username="carol").delete()

    answer = peer.proceed(transfer_id, "dequeuing")

    assert answer.json()["code"] == "grant_shrunk"
    with guarded.hub:
        assert not Store.objects.filter(id=_assignments(guarded, 1)[0]["model_uuid"]).exists()


def test_chunk_sent_twice_is_stored_once(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    transfer_id = _ready_for(peer, guarded, 3)
    rows = [addressed(row, transfer_id) for row in _assignments(guarded, 3)]

    statuses = [peer.send(rows).status_code for _ in range(2)] + [peer.proceed(transfer_id, "dequeuing").status_code]

    assert statuses == [201, 201, 200]
    with guarded.hub:
        assert Store.objects.filter(id__in=[row["model_uuid"] for row in rows]).count() == 3


@pytest.mark.parametrize("ended_by", ["cleanup", "refusal"])
def test_records_after_the_session_ended_are_not_taken(ended_by: str, guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    good, bad = _assignments(guarded, 1)[0], _assignments(guarded, 2, profile="another")[1]
    made = push(peer, guarded.own_partition("carol"), [good if ended_by == "cleanup" else bad])
    before = guarded.snapshot()

    answer = peer.send([addressed(_assignments(guarded, 3)[2], made.transfer_id)])
    peer.proceed(made.transfer_id, "dequeuing")

    assert answer.status_code in (403, 404)
    assert guarded.snapshot() == before
    with guarded.hub:
        assert not Buffer.objects.exists()


def test_buffer_replayed_in_a_later_session_changes_nothing(guarded: Town, open_session: OpenSession) -> None:
    rows = _assignments(guarded, 2)
    push(open_session(guarded, "carol"), guarded.own_partition("carol"), rows)
    with guarded.hub:
        newer = CourseAssignment.objects.get(id=rows[0]["model_uuid"])
        newer.title = "changed since"
        newer.save()

    push(open_session(guarded, "carol"), guarded.own_partition("carol"), rows)

    with guarded.hub:
        assert CourseAssignment.objects.get(id=rows[0]["model_uuid"]).title == "changed since"


def test_records_that_are_announced_and_never_sent_hold_nothing(guarded: Town, open_session: OpenSession) -> None:
    before = guarded.snapshot()

    made = push(open_session(guarded, "carol"), guarded.own_partition("carol"), [], announced=100_000)

    assert made.refusal is not None
    assert (made.refusal["code"], made.refusal["announced"]) == ("records_missing", 100_000)
    assert guarded.snapshot() == before
    with guarded.hub:
        assert not Buffer.objects.exists()


def test_more_records_than_were_announced_are_refused(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    transfer_id = _ready_for(peer, guarded, 1)

    answer = peer.send([addressed(row, transfer_id) for row in _assignments(guarded, 2)])

    assert answer.json()["code"] == "too_many_records"
    with guarded.hub:
        assert not Buffer.objects.exists()


@override_settings(COLLECTION_SYNC={**settings.COLLECTION_SYNC, "MAX_RECORDS_PER_SESSION": 3})
def test_more_records_than_a_session_may_have_are_refused_when_announced(
    guarded: Town, open_session: OpenSession
) -> None:
    made = push(open_session(guarded, "carol"), guarded.own_partition("carol"), _assignments(guarded, 4))

    assert made.refusal is not None
    assert (made.refusal["code"], made.refusal["limit"]) == ("too_many_records", 3)


@pytest.mark.parametrize("field", ["serialized", "conflicting_serialized_data"])
def test_record_that_is_too_large_is_refused(field: str, guarded: Town, open_session: OpenSession) -> None:
    row = _assignments(guarded, 1)[0]
    row[field] = json.dumps({**json.loads(row["serialized"]), "title": "x" * 2 * 2**20})

    made = push(open_session(guarded, "carol"), guarded.own_partition("carol"), [row])

    assert made.refusal is not None
    assert made.refusal["rule"] == "size"
    with guarded.hub:
        assert not Buffer.objects.exists()


def test_certificate_has_no_more_sessions_open_than_it_may(guarded: Town, open_session: OpenSession) -> None:
    opened = []
    for _ in range(10):
        peer = open_session(guarded, "carol")
        opened.append((peer, peer.create(guarded.own_partition("carol"), push=True).json()["id"]))

    peer, oldest = opened[0]
    assert peer.look(oldest).json()["code"] == "too_many_sessions"
    with guarded.hub:
        assert TransferSession.objects.filter(active=True).count() == 8


def test_sessions_of_others_stay_open_when_one_opens_too_many(guarded: Town, open_session: OpenSession) -> None:
    ada = open_session(guarded, "ada")
    adas = ada.create(guarded.own_partition("ada"), push=True).json()["id"]

    for _ in range(10):
        open_session(guarded, "carol").create(guarded.own_partition("carol"), push=True)

    assert ada.look(adas).status_code == 200


def test_certificate_chains_are_not_taken_from_anybody(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "ada")

    answer = peer.http.post(guarded.base_url + "api/morango/v1/certificatechain/", json="[]")

    assert answer.status_code == 403


def test_device_of_another_user_syncs_while_a_session_is_refused(
    guarded: Town, open_session: OpenSession, databases: Databases
) -> None:
    peer = open_session(guarded, "carol")
    transfer_id = _ready_for(peer, guarded, 1)
    bad = record("courseassignment", guarded.partition(guarded.class_a), "c0" * 16, "[]")
    peer.send([addressed(bad, transfer_id)])
    device, joined = guarded.device_of("bob", databases)

    with device:
        joined.sync()
        refused = peer.proceed(transfer_id, "dequeuing")
        joined.sync()

    assert refused.json()["code"] == "record_refused"
    with device:
        assert school.held_assignments() == {"B"}
