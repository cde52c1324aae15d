"""A device, or a hub, put back from a backup that was made many syncs ago: no edit that anybody still has is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from morango.models.core import InstanceIDModel

from course_assignment.facility.leaving import leave
from course_assignment.facility.models import PROFILE, Collection, CourseAssignment
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.pending import serialize_pending
from morango_collection_sync.simulation.databases import Database, Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import Serve
from tests.release.conftest import Prepared
from tests.release.town import Elsewhere, Town, findings, stored_content, titles
from tests.school import Joined

SYNCS = 10
AT_BACKUP = {"a0", "a1", "a2"}
OF_THE_HUB = {f"of the hub {number}" for number in range(SYNCS)}
OF_ADA = {f"of ada {number}" for number in range(SYNCS)}

Copied = Callable[[str, Database], Device]


@dataclass(frozen=True)
class Lived:
    """A school ten syncs after a backup, in each of which ada, who coaches class A, and the hub assigned a course.

    Bob, who learns in class A, has synced a device of his own each time.
    """

    hub: Database
    hub_backup: Database
    tablet: Database
    tablet_backup: Database
    of_bob: Database
    bob_id: str


@pytest.fixture(scope="module")
def lived(databases: Databases, prepared: Prepared) -> Iterator[Lived]:
    """The databases that those of each test are copies of."""
    hub, tablet = Device("hub", prepared.hub.copy()), Device("tablet", prepared.tablet.copy())
    of_bob = Device("of bob", databases.new())
    with DeviceServer(hub) as server:
        town = prepared.town.on(hub, server.base_url)
        town.make_coach(town.ada, town.class_a)
        bob = town.new_user("bob")
        town.enrol(bob, town.class_a)
        adas = Joined(server.base_url, town.ada.id, town.dataset_id)
        with of_bob:
            bobs = school.join(server.base_url, "bob")
            bobs.sync()
        with tablet:
            adas.sync()
        hub_backup, tablet_backup = hub.database.copy(), tablet.database.copy()
        for number in range(SYNCS):
            town.assign(town.class_a, f"of the hub {number}", active=False)
            with tablet:
                _assign(f"of ada {number}")
                adas.sync()
            with of_bob:
                bobs.sync(push=False)
    lived = Lived(hub.database, hub_backup, tablet.database, tablet_backup, of_bob.database, bob.id)
    yield lived
    for database in (lived.hub, hub_backup, lived.tablet, tablet_backup):
        database.drop()


def _assign(title: str) -> None:
    school.assign(Collection.objects.get(name="A"), title, active=False)


def _rename(title: str, to: str) -> None:
    assignment = CourseAssignment.objects.get(title=title)
    assignment.title = to
    assignment.save()


def _instance_id() -> str:
    return str(InstanceIDModel.get_or_create_current_instance()[0].id)


class TestDevice:
    """Ada's tablet was put back."""

    @pytest.fixture
    def town(self, prepared: Prepared, lived: Lived, copied: Copied, serve: Serve) -> Town:
        hub = copied("hub", lived.hub)
        return prepared.town.on(hub, serve(hub))

    @pytest.fixture
    def ada(self, lived: Lived, copied: Copied, town: Town) -> Iterator[Joined]:
        """Ada's syncs, on the tablet that was put back."""
        with copied("tablet", lived.tablet_backup):
            yield Joined(town.base_url, town.ada.id, town.dataset_id)

    def test_every_edit_made_after_the_restore_is_everywhere(self, town: Town, ada: Joined) -> None:
        former = _instance_id()
        expected = AT_BACKUP | OF_THE_HUB | OF_ADA
        for number in range(3):
            _assign(f"after {number}")
            expected.add(f"after {number}")
            ada.sync()
            assert titles(town.class_a) == expected
            with town.hub:
                assert titles(town.class_a) == expected
        assert _instance_id() != former
        assert not findings(town.dataset_id)

    def test_an_edit_of_what_was_there_at_the_backup_is_not_lost(self, town: Town, ada: Joined) -> None:
        _rename("a0", "a0 after")
        ada.sync()
        with town.hub:
            assert titles(town.class_a) == {"a0 after", "a1", "a2"} | OF_THE_HUB | OF_ADA

    def test_a_push_alone_notices_too_and_carries_the_edits(self, town: Town, ada: Joined) -> None:
        _assign("after")
        ada.sync(pull=False)
        with town.hub:
            assert "after" in titles(town.class_a)

    def test_what_counts_before_the_first_sync_hides_nothing(self, town: Town, ada: Joined) -> None:
        _assign("after")
        # As releasing, leaving and pulls from other hubs count, until the hub has seen no more than this.
        for number in range(4 * SYNCS):
            serialize_pending(PROFILE, town.dataset_id)
            _rename("a0" if not number else f"a0 {number - 1}", f"a0 {number}")
        ada.sync()
        with town.hub:
            assert {"after", f"a0 {4 * SYNCS - 1}"} <= titles(town.class_a)

    def test_pulls_from_a_hub_that_has_missed_the_last_syncs_hide_nothing(
        self, town: Town, ada: Joined, lived: Lived, copied: Copied, serve: Serve
    ) -> None:
        # What is pushed to such a hub cannot be told from what was pushed before the backup was put back.
        stale = Elsewhere(ada, serve(copied("stale", lived.hub_backup)))
        for number in range(3):
            _rename("a0" if not number else f"a0 {number - 1}", f"a0 {number}")
            stale.sync(push=False)
        ada.sync()
        with town.hub:
            assert titles(town.class_a) == {"a0 2", "a1", "a2"} | OF_THE_HUB | OF_ADA

    def test_nothing_that_the_hub_has_is_set_aside(self, town: Town, ada: Joined) -> None:
        ada.sync(push=False)
        assert titles(town.class_a) == AT_BACKUP | OF_THE_HUB | OF_ADA
        assert leave("ada").quarantined == 0


def test_what_the_backup_had_serialized_and_not_pushed_is_the_same_on_both_sides_in_the_end(
    prepared: Prepared, lived: Lived, copied: Copied, serve: Serve
) -> None:
    hub, tablet = copied("hub", lived.hub_backup), copied("tablet", lived.tablet_backup)
    town = prepared.town.on(hub, serve(hub))
    ada = Joined(town.base_url, town.ada.id, town.dataset_id)
    with tablet:
        _assign("made before the backup")
        serialize_pending(PROFILE, town.dataset_id)
        backup = tablet.database.copy()
        for number in range(3):
            _rename("a0" if not number else f"a0 {number - 1}", f"a0 {number}")
            ada.sync()
    tablet.restore(backup)
    with tablet:
        ada.sync()
        here = stored_content(town.partition(town.class_a))
    with hub:
        assert titles(town.class_a) == {"a0 2", "a1", "a2", "made before the backup"}
        assert stored_content(town.partition(town.class_a)) == here


class TestHub:
    """The hub was put back, and its devices were not."""

    @pytest.fixture
    def town(self, prepared: Prepared, lived: Lived, copied: Copied, serve: Serve) -> Town:
        hub = copied("hub", lived.hub_backup)
        return prepared.town.on(hub, serve(hub))

    @pytest.fixture
    def adas(self, town: Town, lived: Lived, copied: Copied) -> tuple[Device, Joined]:
        """Ada's tablet and her syncs."""
        return copied("tablet", lived.tablet), Joined(town.base_url, town.ada.id, town.dataset_id)

    @pytest.fixture
    def bobs(self, town: Town, lived: Lived, copied: Copied) -> tuple[Device, Joined]:
        """Bob's device and his syncs."""
        return copied("of bob", lived.of_bob), Joined(town.base_url, lived.bob_id, town.dataset_id)

    @pytest.mark.parametrize("learner_first", [False, True])
    def test_it_gets_back_what_its_devices_may_give_it_and_loses_nothing_new(
        self, town: Town, adas: tuple[Device, Joined], bobs: tuple[Device, Joined], learner_first: bool
    ) -> None:
        with town.hub:
            former = _instance_id()
            assert titles(town.class_a) == AT_BACKUP
            _assign("after")
            _rename("a0", "a0 after")
        for device, joined in (*((bobs, adas) if learner_first else (adas, bobs)), adas, bobs):
            with device:
                joined.sync()
        expected = {"a0 after", "a1", "a2", "after"} | OF_THE_HUB | OF_ADA
        with town.hub:
            assert _instance_id() != former
            assert titles(town.class_a) == expected
            of_the_hub = stored_content(town.partition(town.class_a))
        for device, _ in (adas, bobs):
            with device:
                assert titles(town.class_a) == expected
                assert stored_content(town.partition(town.class_a)) == of_the_hub
                assert not findings(town.dataset_id)

    def test_what_is_changed_on_it_afterwards_reaches_every_device(
        self, town: Town, adas: tuple[Device, Joined], bobs: tuple[Device, Joined]
    ) -> None:
        for number in range(3):
            with town.hub:
                _rename("a0" if not number else f"a0 {number - 1}", f"a0 {number}")
            for device, joined in (bobs, adas):
                with device:
                    joined.sync()
                    assert f"a0 {number}" in titles(town.class_a)

    def test_what_it_had_stored_before_it_noticed_comes_with_the_first_pull(
        self, town: Town, bobs: tuple[Device, Joined]
    ) -> None:
        """It is saved again, and told of, in the request in which the hub takes its new instance id."""
        with town.hub:
            _assign("after")
            serialize_edits(PROFILE, [town.dataset_id])
        device, joined = bobs
        with device:
            joined.sync(push=False)
            assert "after" in titles(town.class_a)

    def test_what_a_learner_has_that_the_hub_lost_can_be_changed_again_on_the_hub(
        self, town: Town, adas: tuple[Device, Joined], bobs: tuple[Device, Joined]
    ) -> None:
        device, joined = bobs
        with device:
            joined.sync()
            assert titles(town.class_a) >= OF_THE_HUB, "a learner may not push them, and keeps them"
        with adas[0]:
            adas[1].sync()
        with town.hub:
            _rename("of the hub 3", "of the hub, changed")
        with device:
            joined.sync()
            assert "of the hub, changed" in titles(town.class_a)
