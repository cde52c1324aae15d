"""The hub adds to a session's filter what its user may sync: for whom, and for whom not. Over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.utils import timezone
from morango.models.certificates import Filter

from course_assignment.facility.models import FULL_FACILITY, FacilityUser, RoleKind
from course_assignment.facility.policy import FacilityPolicy
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.grants import Grant
from morango_collection_sync.partitions import is_collection_partition
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import NewDevice, Serve
from tests.sync.peer import ANNOUNCES, MODERN, Peer

EVERYTHING = {"class A", "group A1", "group A2", "class B", "group B1"}
CLASS_A = {"class A", "group A1", "group A2"}


class Town(NamedTuple):
    """A hub that answers, with a user of each kind."""

    hub: Device
    base_url: str
    names: dict[str, str]
    """Each collection's partition with its name."""


@pytest.fixture(scope="module")
def town(databases: Databases) -> Iterator[Town]:
    hub = Device("hub", databases.new())
    with hub:
        facility = school.new_facility(admin="head")
        class_a, class_b = (school.new_classroom(facility, name) for name in ("class A", "class B"))
        groups = [
            school.new_group(parent, name)
            for parent, name in ((class_a, "group A1"), (class_a, "group A2"), (class_b, "group B1"))
        ]
        users = {
            name: school.new_user(facility, name)
            for name in ("learner", "grouped", "coach", "class_admin", "facility_coach", "nobody", "assignable", "gone")
        }
        for name in ("learner", "grouped", "gone"):
            school.enrol(users[name], class_a)
        school.enrol(users["grouped"], groups[0])
        school.new_role(users["coach"], class_a, RoleKind.COACH)
        school.new_role(users["class_admin"], class_b, RoleKind.ADMIN)
        school.new_role(users["facility_coach"], facility, RoleKind.COACH)
        school.new_role(users["assignable"], facility, RoleKind.ASSIGNABLE_COACH)
        names = {f"{facility.dataset_id}:{row.id}": row.name for row in (class_a, class_b, *groups)}
    with DeviceServer(hub) as server:
        yield Town(hub, server.base_url, names)
    hub.database.drop()


def _added(town: Town, report: SyncReport, *, push: bool) -> set[str]:
    (transfer,) = [transfer for transfer in report.transfers if transfer.push is push]
    return {town.names[partition] for partition in transfer.partitions if is_collection_partition(partition)}


@pytest.mark.parametrize(
    ("username", "reads", "writes"),
    [
        ("learner", {"class A"}, set()),
        ("grouped", {"class A", "group A1"}, set()),
        ("coach", CLASS_A, CLASS_A),
        ("class_admin", {"class B", "group B1"}, {"class B", "group B1"}),
        ("head", EVERYTHING, EVERYTHING),
        ("facility_coach", EVERYTHING, EVERYTHING),
        ("nobody", set(), set()),
        ("assignable", set(), set()),
    ],
)
def test_pull_carries_what_the_user_reads_and_push_what_they_write(
    town: Town, new_device: NewDevice, username: str, reads: set[str], writes: set[str]
) -> None:
    with new_device("tablet"):
        report = school.join(town.base_url, username).sync()

    assert _added(town, report, push=False) == reads
    assert _added(town, report, push=True) == writes


def test_deleted_user_is_granted_nothing(town: Town, new_device: NewDevice) -> None:
    with new_device("tablet"):
        joined = school.join(town.base_url, "gone")
        assert _added(town, joined.sync(push=False), push=False) == {"class A"}
        with town.hub:
            FacilityUser.objects.filter(username="gone").update(date_deleted=timezone.now())

        assert _added(town, joined.sync(push=False), push=False) == set()


def _own_and_answered(joined: school.Joined, **peer: Any) -> tuple[set[str], set[str]]:
    own = f"{joined.dataset_id}:user-ro:{joined.user_id}"
    with Peer(joined.base_url, joined.client_certificate(), joined.dataset_id, **peer) as client:
        return {own}, set(Filter(client.create(own).json()["filter"]))


def test_client_that_announces_itself_is_granted_its_class(town: Town, new_device: NewDevice) -> None:
    with new_device("tablet"):
        own, answered = _own_and_answered(school.join(town.base_url, "learner"), instance=ANNOUNCES)

    assert {town.names[partition] for partition in answered - own} == {"class A"}


@pytest.mark.parametrize(
    "announced",
    [{}, {"collection_sync": 0}, {"collection_sync": True}, {"collection_sync": "1"}, {"collection_sync": [1]}],
)
def test_client_that_does_not_announce_itself_is_granted_nothing(
    town: Town, new_device: NewDevice, announced: dict[str, Any]
) -> None:
    with new_device("tablet"):
        joined = school.join(town.base_url, "learner")
        own, answered = _own_and_answered(joined, instance={"id": ANNOUNCES["id"], **announced})

    assert answered == own


@pytest.mark.parametrize("capabilities", MODERN.split())
def test_client_of_the_older_protocol_is_granted_nothing(town: Town, new_device: NewDevice, capabilities: str) -> None:
    with new_device("tablet"):
        own, answered = _own_and_answered(school.join(town.base_url, "learner"), capabilities=capabilities)

    assert answered == own


def test_member_device_that_answers_grants_nothing(new_device: NewDevice, serve: Serve) -> None:
    hub, laptop, tablet = new_device("hub"), new_device("laptop"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        carol = school.new_user(facility, "carol")
        school.new_role(carol, classroom)
        school.assign(classroom, "a")
    hub_url = serve(hub)
    for device in (laptop, tablet):
        with device:
            joined = school.join(hub_url, "carol")
            joined.sync()
    with laptop:
        laptops_certificate = joined.client_certificate().id
    laptop_url = serve(laptop)

    # All that both certificates allow in either direction.
    own = f"{joined.dataset_id}:user-rw:{joined.user_id}"
    with tablet, Peer(laptop_url, joined.client_certificate(), laptops_certificate) as client:
        answers = [client.create(own, push=push).json()["filter"] for push in (False, True)]

    assert answers == [own, own]


def test_client_that_is_a_hub_itself_gets_no_addition(town: Town, new_device: NewDevice) -> None:
    with new_device("second hub"), SyncDriver.connect(town.base_url) as driver:
        dataset_id = _dataset_id(town)
        (root,) = driver.connection.get_remote_certificates(dataset_id, scope_def_id=FULL_FACILITY)
        own = driver.connection.certificate_signing_request(
            root, FULL_FACILITY, {"dataset_id": dataset_id}, userargs="head", password=school.PASSWORD
        )
        report = driver.sync(own, root)

    assert [transfer.partitions for transfer in report.transfers] == [(dataset_id,), (dataset_id,)]


def test_policy_that_answers_for_another_dataset_grants_nothing(
    town: Town, new_device: NewDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "e" * 32
    with new_device("tablet"):
        joined = school.join(town.base_url, "learner")
        monkeypatch.setattr(FacilityPolicy, "grant_for", lambda *args: Grant(other, frozenset({"c" * 32})))
        with Peer(town.base_url, joined.client_certificate(), joined.dataset_id) as client:
            answer = client.create(f"{joined.dataset_id}:user-ro:{joined.user_id}")

    assert answer.status_code == 500
    assert other not in answer.text


def test_grant_that_has_grown_waits_for_the_next_sync(new_device: NewDevice, serve: Serve) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        class_a, class_b = (school.new_classroom(facility, name) for name in ("A", "B"))
        ada = school.new_user(facility, "ada")
        school.enrol(ada, class_a)
        school.assign(class_a, "a")
        school.assign(class_b, "b")
    base_url = serve(hub)
    with tablet:
        joined = school.join(base_url, "ada")
        own = f"{joined.dataset_id}:user-ro:{joined.user_id}"
        with Peer(base_url, joined.client_certificate(), joined.dataset_id) as client:
            transfer_id = client.create(own).json()["id"]
            with hub:
                school.enrol(ada, class_b)
            asked_again = client.create(own, transfer_id=transfer_id).json()
            client.proceed(transfer_id, "queuing")
            rows = client.rows(transfer_id).json()["results"]

        assert set(Filter(asked_again["filter"])) == {own, f"{joined.dataset_id}:{class_a.id}"}
        assert not any(class_b.id in row["partition"] for row in rows)
        assert class_a.id in {row["partition"][-32:] for row in rows}
        joined.sync(push=False)
        assert school.held_assignments() == {"a", "b"}


def _dataset_id(town: Town) -> str:
    return next(iter(town.names))[:32]
