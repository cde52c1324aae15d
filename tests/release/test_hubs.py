"""Two hubs, one of which has not heard of everything: what it says or lacks is no reason to release anything."""

from __future__ import annotations

from itertools import permutations

import pytest

from course_assignment.facility.models import Collection, CourseAssignment, RoleKind
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.release.town import (
    Elsewhere,
    Town,
    findings,
    held,
    pulled,
    quarantined,
    stored_content,
    sync_hubs,
    titles,
)
from tests.school import Joined

ORDERS = [*map("".join, permutations("fsh")), "fsfs", "sfsf", "fshs"]
"""f: the device syncs with the hub that has heard, s: with the stale one, h: the stale one with the other."""


@pytest.mark.parametrize("order", ORDERS)
def test_the_device_holds_what_it_knows_itself_entitled_to_after_every_sync(
    town: Town, joined: Joined, second: Device, elsewhere: Elsewhere, order: str
) -> None:
    town.make_coach(town.ada, town.class_a)
    with second:
        sync_hubs(town.base_url)
    joined.sync()
    town.end_coach(town.ada, town.class_a)
    town.make_coach(town.ada, town.class_b)
    town.withdraw(town.ada, town.class_a)
    town.enrol(town.ada, town.class_b)
    has_heard = second_has_heard = False
    for step in order:
        if step == "h":
            with second:
                sync_hubs(town.base_url)
            second_has_heard = True
            continue
        (joined if step == "f" else elsewhere).sync()
        has_heard = has_heard or step == "f" or second_has_heard
        left, right = map(town.partition, (town.class_a, town.class_b))
        if has_heard:
            assert titles(town.class_b) == {"b0", "b1", "b2"}
            assert not held(left), f"after {step} of {order}"
        else:
            assert titles(town.class_a) == {"a0", "a1", "a2"}
            assert not held(right)
        assert not findings(town.dataset_id), f"after {step} of {order}"


def test_what_a_stale_hub_grants_too_much_is_gone_at_the_end_of_that_sync(
    town: Town, joined: Joined, second: Device, elsewhere: Elsewhere
) -> None:
    town.withdraw(town.ada, town.class_a)
    joined.sync()
    report = elsewhere.sync()
    assert town.partition(town.class_a) in report.transfers[0].partitions
    assert pulled(report).released == {town.class_a.id: 3}
    assert not held(town.partition(town.class_a))


def test_own_records_come_back_although_a_hub_without_them_was_met_first(
    town: Town, joined: Joined, second: Device, elsewhere: Elsewhere
) -> None:
    town.make_coach(town.ada, town.class_a)
    joined.sync()
    mine = school.assign(Collection.objects.get(name="A"), "mine")
    joined.sync()
    town.end_coach(town.ada, town.class_a)
    town.withdraw(town.ada, town.class_a)
    joined.sync()
    # She comes back on the hub that has never had what she wrote, and writes there at once.
    with second:
        school.new_role(town.ada, town.class_a, RoleKind.ADMIN)
    elsewhere.sync()
    school.assign(Collection.objects.get(name="A"), "new")
    elsewhere.sync()
    assert titles(town.class_a) == {"a0", "a1", "a2", "new"}
    with town.hub:
        school.new_role(town.ada, town.class_a, RoleKind.ADMIN)

    joined.sync()

    assert titles(town.class_a) == {"a0", "a1", "a2", "new", "mine"}
    elsewhere.sync()
    with second:
        assert CourseAssignment.objects.filter(id=mine.id).exists()


def test_a_learner_ends_with_what_the_hubs_agree_on_about_a_record_that_they_changed_apart(
    town: Town, joined: Joined, second: Device, elsewhere: Elsewhere
) -> None:
    record_id = CourseAssignment.objects.get(title="a0").id

    def change(hub: Device, title: str) -> None:
        with hub:
            assignment = CourseAssignment.objects.get(id=record_id)
            assignment.title = title
            assignment.save()

    change(town.hub, "by the first")
    change(second, "by the second")
    for syncs, expected in ((joined, "by the first"), (elsewhere, "by the second")):
        syncs.sync()
        assert CourseAssignment.objects.get(id=record_id).title == expected
    change(town.hub, "by the first again")
    joined.sync()
    assert CourseAssignment.objects.get(id=record_id).title == "by the first again"
    with second:
        sync_hubs(town.base_url)
    for syncs in (joined, elsewhere):
        syncs.sync()
    mine = stored_content(town.partition(town.class_a))
    for hub in (town.hub, second):
        with hub:
            assert mine == stored_content(town.partition(town.class_a))
    assert not quarantined(), "nobody has edited anything on this device"
