"""Records that do not belong: each attack first succeeds on plain Morango, and is then refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import pytest
from django.db import connection
from morango.models.core import DatabaseMaxCounter, Store, TransferSession
from morango.models.fields.uuids import sha2_uuid

from course_assignment.facility.models import (
    Collection,
    CourseAssignment,
    FacilityDataset,
    FacilityUser,
    Membership,
    Role,
    RoleKind,
)
from morango_collection_sync.verifier import Finding, RecordVerifier
from tests.hostile.conftest import OpenSession
from tests.hostile.town import Town, assignment, push, record

OTHER = "ee" * 16


class Attack(NamedTuple):
    """Something that a user tries to push.

    :param username: who
    :param sync_filter: makes the filter that is asked for
    :param rows: makes the records
    :param harm: whether the hub has come to harm, asked on the hub
    :param rule: by which it is refused
    """

    username: str
    sync_filter: Callable[[Town], str]
    rows: Callable[[Town], list[dict[str, Any]]]
    harm: Callable[[Town], bool]
    rule: str


def _own(town: Town) -> str:
    return town.own_partition("ada")


def _coachs(town: Town) -> str:
    return town.own_partition("carol")


def _role(town: Town) -> list[dict[str, Any]]:
    facility = town.class_a.parent_id
    content = {
        "dataset_id": town.dataset_id,
        "user_id": town.users["ada"].id,
        "collection_id": facility,
        "kind": "admin",
    }
    return [record("role", _own(town), f"{facility}:admin", content)]


def _membership(town: Town) -> list[dict[str, Any]]:
    content = {"dataset_id": town.dataset_id, "user_id": town.users["ada"].id, "collection_id": town.class_b.id}
    return [record("membership", _own(town), town.class_b.id, content)]


def _user_of_own_partition(town: Town) -> list[dict[str, Any]]:
    """A second row for the head, with a password that the attacker knows."""
    content = {"dataset_id": town.dataset_id, "username": "intruder", "password": "!"}
    return [record("facilityuser", _own(town), OTHER, content)]


def _of_another_class(town: Town) -> list[dict[str, Any]]:
    return [
        record("courseassignment", town.partition(town.class_a), "c0" * 16, assignment(town.partition(town.class_b)))
    ]


def _of_another_dataset(town: Town) -> list[dict[str, Any]]:
    content = assignment(town.partition(town.class_a), dataset_id=OTHER)
    return [record("courseassignment", town.partition(town.class_a), "c0" * 16, content)]


def _collection_scoped_in_own(town: Town) -> list[dict[str, Any]]:
    return [record("courseassignment", _own(town), "c0" * 16, assignment(town.partition(town.class_b)))]


def _other_id_inside(town: Town) -> list[dict[str, Any]]:
    """Kept under an id of one's own, applied to the row of somebody else's record."""
    content = assignment(town.partition(town.class_a), id=town.assigned_b.id, title="hijacked")
    return [record("courseassignment", town.partition(town.class_a), "c0" * 16, content)]


def _dataset_in_words(town: Town) -> list[dict[str, Any]]:
    """The dataset's id goes on into the attacker's own partition, so that the content seems to belong there."""
    content = {"dataset_id": _own(town), "user_id": town.users["ada"].id, "collection_id": town.class_b.id}
    return [record("membership", _own(town), town.class_b.id, content)]


def _colliding(town: Town) -> list[dict[str, Any]]:
    """A dataset's id is its source, nothing else: as a dataset, a record takes any place in the Store."""
    victim = town.assigned_b.id
    with town.hub:
        counters = {row.instance_id: row.counter for row in Store.objects.get(id=victim).recordmaxcounter_set.all()}
    content = {"id": victim}
    return [
        record("facilitydataset", _own(town), victim, content, model_uuid=victim, counters={**counters, "ab" * 16: 7})
    ]


def _deletion_of_the_facility(town: Town) -> list[dict[str, Any]]:
    victim = town.dataset_id
    with town.hub:
        counters = {row.instance_id: row.counter for row in Store.objects.get(id=victim).recordmaxcounter_set.all()}
    row = record("facilitydataset", _own(town), victim, model_uuid=victim, deleted=True, counters=counters)
    return [row]


def _crashing_content(town: Town) -> list[dict[str, Any]]:
    """What Morango cannot even fail to apply: every later sync of the class fails with it."""
    return [record("courseassignment", town.partition(town.class_a), "c0" * 16, "[]")]


def _infinite(town: Town) -> list[dict[str, Any]]:
    """A number that is JSON to Python and that no field takes, in a way that Morango does not expect."""
    partition = town.partition(town.class_a)
    content = assignment(partition, channel_version=float("inf"))
    return [record("courseassignment", partition, "c0" * 16, content)]


def _row(model: Any, **fields: Any) -> Callable[[Town], bool]:
    return lambda town: model.objects.filter(**fields).exists()


def _kept_for_the_other_class(town: Town) -> bool:
    """Whether the Store has it, and so gives it to whoever syncs the declared partition; this model is not fooled."""
    return Store.objects.filter(serialized__contains=town.class_b.id, deserialization_error__isnull=False).exists()


def _stays_dirty(town: Town) -> bool:
    return Store.objects.filter(serialized="[]", dirty_bit=True).exists()


ATTACKS = {
    "a role for oneself": Attack(
        "ada", _own, _role, _row(Role, kind=RoleKind.ADMIN, user__username="ada"), "content_outside"
    ),
    "a membership for oneself": Attack(
        "ada",
        _own,
        _membership,
        lambda town: Membership.objects.filter(user__username="ada", collection=town.class_b).exists(),
        "content_outside",
    ),
    "a user of one's own making": Attack(
        "ada", _own, _user_of_own_partition, _row(FacilityUser, username="intruder"), "content_outside"
    ),
    "a record of another class": Attack(
        "carol",
        _coachs,
        _of_another_class,
        _kept_for_the_other_class,
        "envelope",
    ),
    "a record of another class in one's own partition": Attack(
        "ada",
        _own,
        _collection_scoped_in_own,
        _kept_for_the_other_class,
        "envelope",
    ),
    "a record of another facility": Attack(
        "carol",
        _coachs,
        _of_another_dataset,
        lambda town: Store.objects.filter(serialized__contains=OTHER).exists(),
        "dataset",
    ),
    "a record whose content has another record's id": Attack(
        "carol",
        _coachs,
        _other_id_inside,
        lambda town: (
            CourseAssignment.objects.filter(id=town.assigned_b.id, title="hijacked").exists()
            or Store.objects.filter(serialized__contains="hijacked").exists()
        ),
        "content_id",
    ),
    "a dataset id that makes the content seem one's own": Attack(
        "ada",
        _own,
        _dataset_in_words,
        lambda town: Store.objects.filter(serialized__contains="user-rw").exists(),
        "dataset",
    ),
    "an id that collides with an existing record": Attack(
        "ada",
        _own,
        _colliding,
        lambda town: (
            Store.objects.get(id=town.assigned_b.id).conflicting_serialized_data != ""
            or Store.objects.get(id=town.assigned_b.id).model_name != "courseassignment"
        ),
        "collision",
    ),
    "a deletion of the whole facility": Attack(
        "ada", _own, _deletion_of_the_facility, lambda town: not FacilityDataset.objects.exists(), "collision"
    ),
    "a number that breaks the applying of records": Attack(
        "carol",
        _coachs,
        _infinite,
        lambda town: Store.objects.filter(serialized__contains="Infinity", deserialization_error=None).exists(),
        "fields",
    ),
    "content that breaks the applying of records": Attack("carol", _coachs, _crashing_content, _stays_dirty, "json"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_plain_morango_falls_for(name: str, plain: Town, open_session: OpenSession) -> None:
    attack = ATTACKS[name]
    peer = open_session(plain, attack.username)

    push(peer, attack.sync_filter(plain), attack.rows(plain))

    with plain.hub:
        assert attack.harm(plain)


@pytest.mark.parametrize("name", ATTACKS)
def test_is_refused(name: str, guarded: Town, open_session: OpenSession, life_goes_on: Callable[[Town], None]) -> None:
    attack = ATTACKS[name]
    peer = open_session(guarded, attack.username)
    rows = attack.rows(guarded)
    before = guarded.snapshot()

    made = push(peer, attack.sync_filter(guarded), rows)

    assert made.refusal is not None, made.statuses
    assert (made.refusal["code"], made.refusal["rule"]) == ("record_refused", attack.rule)
    assert made.refusal["record_id"] == rows[0]["model_uuid"]
    assert guarded.snapshot() == before
    life_goes_on(guarded)


def test_deletion_of_another_classs_record_is_refused_by_its_id(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    forged = record(
        "courseassignment",
        guarded.partition(guarded.class_a),
        guarded.assigned_b.course,
        model_uuid=guarded.assigned_b.id,
        deleted=True,
    )
    before = guarded.snapshot()

    push(peer, guarded.own_partition("carol"), [forged])

    assert guarded.snapshot() == before


def test_nothing_of_a_session_with_one_bad_record_is_stored(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    partition = guarded.partition(guarded.class_a)
    good = [
        record("courseassignment", partition, f"{n:032x}", assignment(partition, course=f"{n:032x}")) for n in range(5)
    ]
    before = guarded.snapshot()

    made = push(peer, guarded.own_partition("carol"), [*good, *_of_another_class(guarded)])

    assert made.refusal is not None
    assert guarded.snapshot() == before


def test_honest_records_made_by_hand_are_stored(guarded: Town, open_session: OpenSession) -> None:
    peer = open_session(guarded, "carol")
    partition = guarded.partition(guarded.class_a)
    row = record("courseassignment", partition, "c0" * 16, assignment(partition))
    assert row["model_uuid"] == sha2_uuid(partition, "c0" * 16, "courseassignment")

    made = push(peer, guarded.own_partition("carol"), [row])

    assert made.refusal is None
    with guarded.hub:
        assert CourseAssignment.objects.get(id=row["model_uuid"]).title == "pushed"
        assert Collection.objects.get(id=guarded.class_a.id)


def test_records_are_verified_in_the_transaction_that_stores_them(guarded: Town, open_session: OpenSession) -> None:
    """Another worker of the hub could let a record in between the two."""
    peer = open_session(guarded, "carol")
    partition = guarded.partition(guarded.class_a)
    row = record("courseassignment", partition, "c0" * 16, assignment(partition))
    inside = []

    def verify(verifier: RecordVerifier) -> Finding | None:
        inside.append(connection.in_atomic_block)
        return None

    crash = mock.patch.object(DatabaseMaxCounter, "update_fsics", side_effect=RuntimeError("the process ends here"))
    with mock.patch.object(RecordVerifier, "first_finding", verify), crash:
        push(peer, guarded.own_partition("carol"), [row])

    assert inside == [True]
    with guarded.hub:
        transfer_session = TransferSession.objects.get()
        assert transfer_session.client_fsic == '{"sub": {}, "super": {}}'
        assert transfer_session.buffer_set.count() == 1
