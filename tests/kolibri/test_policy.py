"""Kolibri's policy against the one table of who may read and write what, and what only Kolibri knows of."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from kolibri.core.auth.models import Collection, FacilityUser, Membership, Role

from course_assignment.kolibri.policy import KolibriPolicy
from morango_collection_sync.grants import Grant
from tests.access_table import CASES, FACILITY, PARENTS, Case
from tests.kolibri import school

pytestmark = pytest.mark.django_db(databases="__all__")


def _small_school() -> dict[str, Collection]:
    rows: dict[str, Collection] = {FACILITY: school.new_facility()}
    for name, parent in PARENTS.items():
        if parent is not None:
            make = school.new_classroom if parent == FACILITY else school.new_group
            rows[name] = make(rows[parent], name)
    return rows


def _tie(model: type, user: FacilityUser, collection: Collection, **fields: str) -> None:
    # As a sync leaves them: Kolibri's own interfaces allow no membership of a group without that of its class.
    row: Any = model(dataset_id=user.dataset_id, user=user, collection_id=collection.id, **fields)
    row.id = row.calculate_uuid()
    row.save_base(raw=True, force_insert=True)


def _grant(user: FacilityUser) -> Grant:
    return KolibriPolicy().grant_for(user.id, user.dataset_id)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_of_the_table(case: Case) -> None:
    rows = _small_school()
    user = school.new_user(rows[FACILITY], "somebody")
    for name in case.memberships:
        _tie(Membership, user, rows[name])
    for name, kind in case.roles:
        _tie(Role, user, rows[name], kind=kind)

    grant = _grant(user)

    assert grant.readable == {rows[name].id for name in case.reads}
    assert grant.writable == {rows[name].id for name in case.writes}


def test_superuser_of_the_device_is_granted_nothing_by_that() -> None:
    rows = _small_school()
    assert _grant(school.new_superuser(rows[FACILITY])) == Grant(rows[FACILITY].dataset_id)


def test_user_whom_kolibri_has_deleted_softly_is_granted_nothing() -> None:
    rows = _small_school()
    user = school.new_user(rows[FACILITY], "gone")
    rows["class A"].add_role(user, "coach")
    assert _grant(user).writable

    user.date_deleted = timezone.now()
    user.save()

    assert Role.objects.filter(user_id=user.id).exists()
    assert _grant(user) == Grant(user.dataset_id)


def test_local_users_are_those_of_the_single_user_certificates_with_a_key_here() -> None:
    facility = school.new_facility()
    mine, theirs = (school.new_user(facility, name) for name in ("mine", "theirs"))
    for user in (mine, theirs):
        certificate = school.single_user_certificate(user)
        if user is theirs:
            certificate.private_key = None
        certificate.save()

    assert KolibriPolicy().local_user_ids(facility.dataset_id) == {mine.id}


@pytest.mark.parametrize(
    ("suffix", "accepted"),
    [
        (":{collection}", True),
        (":classroom:{collection}", True),
        (":classroom:{collection}:coach-rw", True),
        (":classroom:{collection}:learner-rw", True),
        ("", False),
        (":classroom", False),
        (":classroom:{collection}:all", False),
        (":user-rw:{collection}", False),
    ],
)
def test_device_takes_of_a_hub_collections_and_kolibris_classrooms_alone(suffix: str, accepted: bool) -> None:
    dataset_id, collection_id = "d" * 32, "c" * 32
    partition = dataset_id + suffix.format(collection=collection_id)
    policy = KolibriPolicy()
    assert policy.accepts_partition(partition, dataset_id) is accepted
    assert not policy.accepts_partition(partition, "e" * 32)


def test_host_partitions_are_what_kolibri_adds_for_a_learner_and_a_coach() -> None:
    facility = school.new_facility()
    classroom = school.new_classroom(facility, "A")
    learner, coach = (school.new_user(facility, name) for name in ("learner", "coach"))
    classroom.add_member(learner)
    classroom.add_role(coach, "coach")
    prefix = f"{facility.dataset_id}:classroom:{classroom.id}"

    def added(user: FacilityUser, *, push: bool) -> tuple[str, ...]:
        return KolibriPolicy().host_partitions(user.id, facility.dataset_id, push=push)

    assert added(learner, push=False) == (prefix,)
    assert added(learner, push=True) == (f"{prefix}:learner-rw",)
    assert added(coach, push=True) == (f"{prefix}:coach-rw",)
    assert added(school.new_user(facility, "nobody"), push=False) == ()
