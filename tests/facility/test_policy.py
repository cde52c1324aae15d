"""The embedded host's policy, on its database, against the same table as the rule itself."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from morango.models.certificates import Certificate
from morango.models.core import SyncSession
from morango.models.fields.crypto import Key

from course_assignment.facility.models import (
    PROFILE,
    SINGLE_USER,
    Collection,
    CollectionKind,
    FacilityUser,
    Membership,
    Role,
)
from course_assignment.facility.policy import FacilityPolicy
from morango_collection_sync.grants import Grant
from morango_collection_sync.policy import get_policy
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.access_table import (
    CASES,
    FACILITY,
    PARENTS,
    ROLE_KINDS,
    Case,
    Known,
    expected_reads,
    expected_writes,
    known_worlds,
)

NAMES = tuple("abcdef")


@pytest.fixture
def facility(device: Device) -> Collection:
    """The facility of the only device."""
    return school.new_facility()


def _small_school(facility: Collection) -> dict[str, Collection]:
    made = {FACILITY: facility}
    for name, parent in PARENTS.items():
        if parent == FACILITY:
            made[name] = school.new_classroom(facility, name)
        elif parent is not None:
            made[name] = school.new_group(made[parent], name)
    return made


def _tie(
    user: FacilityUser, places: dict[str, Collection], memberships: Iterable[str], roles: Iterable[tuple[str, str]]
) -> None:
    # As rows that have come by a sync: what a person may not enter does not matter to the policy.
    for name in memberships:
        Membership(dataset_id=user.dataset_id, user=user, collection=places[name]).save()
    for name, kind in roles:
        school.new_role(user, places[name], kind)


def _names(grant: Grant, places: dict[str, Collection], *, push: bool) -> set[str]:
    by_id = {collection.id: name for name, collection in places.items()}
    return {by_id[collection_id] for collection_id in grant.collections(push=push)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_of_the_table(facility: Collection, case: Case) -> None:
    places = _small_school(facility)
    user = school.new_user(facility, "ada")
    _tie(user, places, case.memberships, case.roles)

    grant = FacilityPolicy().grant_for(user.id, facility.dataset_id)

    assert grant.dataset_id == facility.dataset_id
    assert _names(grant, places, push=False) == case.reads
    assert _names(grant, places, push=True) == case.writes


@given(
    known=known_worlds(NAMES),
    somebody_elses_memberships=st.frozensets(st.sampled_from(NAMES), max_size=3),
    somebody_elses_roles=st.frozensets(st.tuples(st.sampled_from(NAMES), st.sampled_from(ROLE_KINDS)), max_size=2),
)
# Each example is rolled back, so that one database serves them all.
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_facility_gives_what_the_table_says(
    facility: Collection,
    known: Known,
    somebody_elses_memberships: frozenset[str],
    somebody_elses_roles: frozenset[tuple[str, str]],
) -> None:
    with transaction.atomic():
        user, somebody_else = (school.new_user(facility, name) for name in ("ada", "ben"))
        ids = {name: uuid.uuid4().hex for name in NAMES}
        _insert_collections(facility.dataset_id, known, ids)
        _insert_ties(user, ids, known.memberships, known.roles)
        _insert_ties(somebody_else, ids, somebody_elses_memberships, somebody_elses_roles)

        grant = FacilityPolicy().grant_for(user.id, facility.dataset_id)

        # The facility of the fixture is another one, in which nobody here has a role.
        assert grant.readable == {ids[name] for name in expected_reads(known)}
        assert grant.writable == {ids[name] for name in expected_writes(known)}
        # Foreign keys are checked when a transaction ends, and this one never does: rows may be missing in it.
        transaction.set_rollback(True)


def _insert_collections(dataset_id: str, known: Known, ids: dict[str, str]) -> None:
    Collection.objects.bulk_create(
        Collection(
            id=ids[name],
            dataset_id=dataset_id,
            name=name,
            kind=CollectionKind.FACILITY if name in known.facilities else CollectionKind.CLASSROOM,
            parent_id=parent and ids[parent],
            lft=0,
            rght=0,
            tree_id=0,
            level=0,
        )
        for name, parent in known.parents.items()
    )


def _insert_ties(
    user: FacilityUser, ids: dict[str, str], memberships: Iterable[str], roles: Iterable[tuple[str, str]]
) -> None:
    dataset_id = user.dataset_id
    Membership.objects.bulk_create(
        Membership(id=uuid.uuid4().hex, dataset_id=dataset_id, user=user, collection_id=ids[name])
        for name in memberships
    )
    Role.objects.bulk_create(
        Role(id=uuid.uuid4().hex, dataset_id=dataset_id, user=user, collection_id=ids[name], kind=kind)
        for name, kind in roles
    )


def test_a_deleted_user_has_nothing_however_many_ties(facility: Collection) -> None:
    classroom = school.new_classroom(facility, "A")
    user = school.new_user(facility, "ada")
    school.enrol(user, classroom)
    school.new_role(user, facility)
    user.date_deleted = timezone.now()
    user.save()
    assert FacilityPolicy().grant_for(user.id, facility.dataset_id) == Grant(facility.dataset_id)


def test_an_unknown_user_has_nothing(facility: Collection) -> None:
    school.new_classroom(facility, "A")
    assert FacilityPolicy().grant_for(uuid.uuid4().hex, facility.dataset_id) == Grant(facility.dataset_id)


def test_a_deleted_membership_role_or_collection_gives_nothing(facility: Collection) -> None:
    places = _small_school(facility)
    user = school.new_user(facility, "ada")
    _tie(user, places, ["class A", "class B"], [("class B", "coach")])
    policy = FacilityPolicy()

    Role.objects.get(user=user).delete()
    grant = policy.grant_for(user.id, facility.dataset_id)
    assert _names(grant, places, push=False) == {"class A", "class B"}
    assert _names(grant, places, push=True) == set()

    school.withdraw(user, places["class A"])
    grant = policy.grant_for(user.id, facility.dataset_id)
    assert _names(grant, places, push=False) == {"class B"}

    Collection.objects.get(id=places["class B"].id).delete()
    assert policy.grant_for(user.id, facility.dataset_id) == Grant(facility.dataset_id)


def test_a_user_has_nothing_in_another_dataset(facility: Collection) -> None:
    elsewhere = school.new_facility("Riverside", admin="chief")
    classroom = school.new_classroom(elsewhere, "A")
    user = school.new_user(facility, "ada")
    school.new_role(user, facility)
    # Nobody may enter these two; they could come from a peer that is not honest.
    Membership(dataset_id=elsewhere.dataset_id, user=user, collection=classroom).save()
    Role(dataset_id=elsewhere.dataset_id, user=user, collection=elsewhere, kind="admin").save()

    policy = FacilityPolicy()
    assert policy.grant_for(user.id, elsewhere.dataset_id) == Grant(elsewhere.dataset_id)
    assert policy.grant_for(user.id, facility.dataset_id) == Grant(facility.dataset_id)


def test_ties_of_another_dataset_and_its_collections_do_not_count(facility: Collection) -> None:
    elsewhere = school.new_facility("Riverside", admin="chief")
    classroom = school.new_classroom(elsewhere, "A")
    user = school.new_user(facility, "ada")
    Membership(dataset_id=facility.dataset_id, user=user, collection=classroom).save()
    Role(dataset_id=facility.dataset_id, user=user, collection=elsewhere, kind="admin").save()
    Role(dataset_id=elsewhere.dataset_id, user=user, collection=facility, kind="admin").save()
    school.new_classroom(facility, "B")
    assert FacilityPolicy().grant_for(user.id, facility.dataset_id) == Grant(facility.dataset_id)


def test_no_flag_of_a_user_gives_more_than_the_table() -> None:
    # Whatever could make somebody a superuser would have to be a field that syncs, or hub and device would disagree.
    flags = {field.name for field in FacilityUser._meta.get_fields() if field.get_internal_type() == "BooleanField"}
    assert flags == {"_morango_dirty_bit"}
    assert not hasattr(FacilityUser, "is_superuser")


def test_asking_takes_one_query_however_large_the_facility(facility: Collection) -> None:
    user = school.new_user(facility, "ada")
    for name in "ABCD":
        school.enrol(user, school.new_classroom(facility, name))
    with CaptureQueriesContext(connection) as queries:
        grant = FacilityPolicy().grant_for(user.id, facility.dataset_id)
    assert len(grant.readable) == 4
    assert len(queries) == 1


def test_this_device_syncs_for_the_users_whose_certificates_are_its_own(facility: Collection) -> None:
    ada, ben = (school.new_user(facility, name) for name in ("ada", "ben"))
    policy = FacilityPolicy()
    assert policy.local_user_ids(facility.dataset_id) == frozenset()

    _certify(facility, ada, own=True)
    assert policy.local_user_ids(facility.dataset_id) == {ada.id}

    # A hub has those of its clients, too, without their private keys.
    _certify(facility, school.new_user(facility, "cleo"), own=False)
    _certify(facility, ben, own=True)
    assert policy.local_user_ids(facility.dataset_id) == {ada.id, ben.id}


def test_the_users_of_a_device_are_those_of_the_dataset(facility: Collection) -> None:
    elsewhere = school.new_facility("Riverside", admin="chief")
    _certify(facility, school.new_user(facility, "ada"), own=True)
    assert FacilityPolicy().local_user_ids(elsewhere.dataset_id) == frozenset()


def test_a_device_may_what_its_users_may_together(facility: Collection) -> None:
    places = _small_school(facility)
    ada, ben, cleo = (school.new_user(facility, name) for name in ("ada", "ben", "cleo"))
    _tie(ada, places, ["group A1"], [])
    _tie(ben, places, [], [("class B", "coach")])
    _tie(cleo, places, ["group A2"], [])
    for user in (ada, ben):
        _certify(facility, user, own=True)

    grant = FacilityPolicy().local_grant(facility.dataset_id)

    assert _names(grant, places, push=False) == {"group A1", "class A", "class B", "group B1"}
    assert _names(grant, places, push=True) == {"class B", "group B1"}


def test_the_client_of_a_session_syncs_for_the_user_in_its_certificate(facility: Collection) -> None:
    ada = school.new_user(facility, "ada")
    root = Certificate.objects.get(id=facility.dataset_id)
    policy = FacilityPolicy()
    for_ada = SyncSession(client_certificate=_certify(facility, ada, own=False), server_certificate=root)
    assert policy.syncing_user_id(for_ada) == ada.id
    assert policy.syncing_user_id(SyncSession(client_certificate=root, server_certificate=root)) is None


def test_the_settings_name_this_policy_and_one_serves_the_process() -> None:
    assert type(get_policy()) is FacilityPolicy
    assert get_policy() is get_policy()


def _certify(facility: Collection, user: FacilityUser, *, own: bool) -> Certificate:
    root = Certificate.objects.get(id=facility.dataset_id)
    key = Key()
    certificate = Certificate(
        parent=root,
        profile=PROFILE,
        scope_definition_id=SINGLE_USER,
        scope_version=1,
        scope_params=json.dumps({"dataset_id": user.dataset_id, "user_id": user.id}),
        public_key=Key(public_key_string=key.get_public_key_string()),
        private_key=key if own else None,
    )
    root.sign_certificate(certificate)
    certificate.save()
    return certificate
