"""Honest peers lose nothing to verification: full-facility syncs, stock clients, what they delete and move."""

from __future__ import annotations

import json

import pytest
from morango.models.certificates import Certificate
from morango.models.core import DatabaseMaxCounter, Store
from morango.sync.controller import MorangoProfileController

from course_assignment.facility.models import (
    FULL_FACILITY,
    PROFILE,
    Collection,
    CourseAssignment,
    FacilityUser,
    Membership,
)
from course_assignment.simulation.stock import extended_morango
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.conftest import NewDevice
from tests.hostile.conftest import OpenSession
from tests.hostile.town import INSTANCE, Town, assignment, push, record
from tests.stock.in_process import stock_morango


class SecondHub:
    """Another hub of the town's facility, on which this process is while it syncs."""

    def __init__(self, where: Town, device: Device) -> None:
        self.where = where
        with device:
            driver = SyncDriver.connect(where.base_url)
            (root,) = driver.connection.get_remote_certificates(where.dataset_id, scope_def_id=FULL_FACILITY)
            driver.connection.certificate_signing_request(
                root, FULL_FACILITY, {"dataset_id": where.dataset_id}, userargs="head", password=school.PASSWORD
            )
            driver.close()

    def sync(self) -> SyncReport:
        """Pull everything and push everything."""
        driver = SyncDriver.connect(self.where.base_url)
        try:
            own = Certificate.objects.exclude(_private_key=None).get(scope_definition_id=FULL_FACILITY)
            return driver.sync(own, Certificate.objects.get(id=self.where.dataset_id))
        finally:
            driver.close()


@pytest.mark.parametrize("stock", [False, True], ids=["with the extension", "stock"])
def test_full_facility_syncs_bring_everything_both_ways(stock: bool, guarded: Town, new_device: NewDevice) -> None:
    device = new_device("second")
    device.while_active = (stock_morango,) if stock else ()
    guarded.hub.while_active += (extended_morango,)
    second = SecondHub(guarded, device)
    with device:
        second.sync()
        facility = Collection.objects.get(kind="facility")
        new_class = school.new_classroom(facility, "C")
        group = school.new_group(new_class, "C1")
        learner = school.new_user(facility, "eve")
        school.enrol(learner, new_class)
        school.enrol(learner, group)
        school.new_role(FacilityUser.objects.get(username="carol"), new_class)
        made = {school.assign(new_class, "c").id, school.assign(group, "c1").id}
        Membership.objects.get(user__username="ada").delete()
        CourseAssignment.objects.get(id=guarded.assigned_b.id).delete()

        report = second.sync()

        assert report.records(push=True) >= 8
    with guarded.hub:
        assert made <= school.stored_assignment_ids()
        assert Membership.objects.filter(user__username="eve").count() == 2
        assert not Membership.objects.filter(user__username="ada").exists()
        assert not CourseAssignment.objects.filter(id=guarded.assigned_b.id).exists()


def test_hub_passes_on_records_of_a_model_that_it_does_not_have(guarded: Town, new_device: NewDevice) -> None:
    """As a hub of a later version sends them: Morango keeps them for those who know the model."""
    device = new_device("second")
    second = SecondHub(guarded, device)
    with device:
        second.sync()
        row = record("frompresenttofuture", f"{guarded.dataset_id}:allusers-ro", "1", {"new": True})
        Store.objects.create(
            id=row["model_uuid"],
            **{
                name: row[name]
                for name in ("serialized", "partition", "source_id", "model_name", "profile", "last_saved_counter")
            },
            last_saved_instance=INSTANCE,
        ).recordmaxcounter_set.create(instance_id=INSTANCE, counter=7)
        DatabaseMaxCounter.objects.create(partition=guarded.dataset_id, instance_id=INSTANCE, counter=7)
        second.sync()
    with guarded.hub:
        assert Store.objects.filter(id=row["model_uuid"]).exists()


def test_stock_device_syncs_as_it_does_today(guarded: Town, new_device: NewDevice) -> None:
    device = new_device("stock")
    device.while_active = (stock_morango,)
    guarded.hub.while_active += (extended_morango,)
    with device:
        joined = school.join(guarded.base_url, "ada")
        reports = [joined.sync() for _ in range(2)]

        assert FacilityUser.objects.filter(username="ada").exists()
        assert [report.records(push=False) > 0 for report in reports] == [True, False]


def test_field_of_a_later_version_is_kept(guarded: Town, open_session: OpenSession) -> None:
    """Morango keeps fields that it does not know, for a later version; it applies none of them."""
    partition = guarded.partition(guarded.class_a)
    row = record("courseassignment", partition, "c0" * 16, assignment(partition, due="2030-01-01"))

    made = push(open_session(guarded, "carol"), guarded.own_partition("carol"), [row])

    assert made.refusal is None
    with guarded.hub:
        assert json.loads(Store.objects.get(id=row["model_uuid"]).serialized)["due"] == "2030-01-01"


def test_deletion_by_a_coach_arrives(guarded: Town, databases: Databases) -> None:
    device, joined = guarded.device_of("carol", databases)
    with device:
        joined.sync()
        CourseAssignment.objects.get(id=guarded.assigned_a.id).delete()
        joined.sync()
    with guarded.hub:
        assert not CourseAssignment.objects.filter(id=guarded.assigned_a.id).exists()


def test_record_that_is_erased_arrives(guarded: Town, databases: Databases) -> None:
    device, joined = guarded.device_of("carol", databases)
    with device:
        joined.sync()
        CourseAssignment.objects.get(id=guarded.assigned_a.id).delete(hard_delete=True)
        joined.sync()
    with guarded.hub:
        stored = Store.objects.get(id=guarded.assigned_a.id)
        assert (stored.deleted, stored.hard_deleted, stored.serialized) == (True, True, "{}")


def test_edit_that_conflicts_arrives_with_both_versions(guarded: Town, databases: Databases) -> None:
    device, joined = guarded.device_of("carol", databases)
    with device:
        joined.sync()
        _retitle(guarded.assigned_a.id, "by Carol")
    with guarded.hub:
        _retitle(guarded.assigned_a.id, "by the hub")
        MorangoProfileController(PROFILE).serialize_into_store()
    with device:
        joined.sync()
    with guarded.hub:
        stored = Store.objects.get(id=guarded.assigned_a.id)
        titles = {json.loads(line).get("title") for line in [stored.serialized, *_lines(stored)]}
        assert {"by Carol", "by the hub"} <= titles


def _retitle(record_id: str, title: str) -> None:
    row = CourseAssignment.objects.get(id=record_id)
    row.title = title
    row.save()


def _lines(stored: Store) -> list[str]:
    return [line for line in stored.conflicting_serialized_data.split("\n") if line]
