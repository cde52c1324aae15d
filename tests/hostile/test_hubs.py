"""A hub that is not honest, or was poisoned before: what its answers do on a device."""

from __future__ import annotations

import json

import pytest
from django.test import override_settings
from morango.models.core import Buffer, DatabaseMaxCounter, Store

from course_assignment.facility.models import CourseAssignment, FacilityUser
from morango_collection_sync.refusals import SessionRefused
from morango_collection_sync.simulation.databases import Databases
from tests import school
from tests.hostile.town import Town

STRANGER = "d0" * 16


def test_record_whose_content_is_of_another_class_is_not_taken_from_a_hub(guarded: Town, databases: Databases) -> None:
    device, joined = guarded.device_of("ada", databases)
    with guarded.hub:
        stored = Store.objects.get(id=guarded.assigned_a.id)
        content = {**json.loads(stored.serialized), "collection_id": guarded.class_b.id}
        Store.objects.filter(id=stored.id).update(serialized=json.dumps(content))

    with device:
        with pytest.raises(SessionRefused) as refused:
            joined.sync(push=False)

        assert refused.value.facts == {"record_id": guarded.assigned_a.id, "rule": "envelope"}
        assert not CourseAssignment.objects.exists()
        assert not Store.objects.exists()
        assert not Buffer.objects.exists()


@override_settings(MORANGO_DISABLE_FSIC_REDUCTION=True)
@pytest.mark.parametrize("ending", ["x", ":'", "%' OR 1=1 OR '1' LIKE '"])
def test_partition_that_a_hub_was_made_to_believe_in_breaks_no_sync(
    ending: str, guarded: Town, databases: Databases
) -> None:
    partition = guarded.partition(guarded.class_a)
    with guarded.hub:
        instance_id = Store.objects.values_list("last_saved_instance", flat=True)[0]
        DatabaseMaxCounter.objects.create(partition=partition + ending, instance_id=instance_id, counter=9)
    device, joined = guarded.device_of("carol", databases)

    with device:
        joined.sync()

        assert school.held_assignments() == {"A"}
        assert not FacilityUser.objects.filter(username="bob").exists()
        assert not DatabaseMaxCounter.objects.filter(partition=partition + ending).exists()


def test_device_believes_a_hub_as_far_as_its_records_show(guarded: Town, databases: Databases) -> None:
    partition = guarded.partition(guarded.class_a)
    with guarded.hub:
        Store.objects.get(id=guarded.assigned_a.id).recordmaxcounter_set.create(instance_id=STRANGER, counter=3)
        Store.objects.filter(id=guarded.assigned_a.id).update(last_saved_instance=STRANGER, last_saved_counter=3)
        DatabaseMaxCounter.objects.create(partition=partition, instance_id=STRANGER, counter=2**31 - 1)
    device, joined = guarded.device_of("ada", databases)

    with device:
        joined.sync(push=False)

        assert DatabaseMaxCounter.objects.get(instance_id=STRANGER).counter == 3
