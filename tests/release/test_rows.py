"""Releasing: every kind of row goes, whole and at once, and no other device loses any."""

from __future__ import annotations

import uuid

from django.utils import timezone
from morango.models.core import (
    Buffer,
    DatabaseMaxCounter,
    DeletedModels,
    HardDeletedModels,
    RecordMaxCounter,
    RecordMaxCounterBuffer,
    Store,
    SyncSession,
    TransferSession,
)

from course_assignment.facility.models import PROFILE, Collection, CourseAssignment, Membership
from morango_collection_sync.release import release_unreadable
from tests import school
from tests.conftest import NewDevice
from tests.release.town import Stopped, Town, counted, everything, findings, held, pulled, release, titles
from tests.school import Joined


def _buffer_rows_of(partition: str, joined: Joined) -> TransferSession:
    """Leave an interrupted pull behind, with its rows in the buffers."""
    now = timezone.now()
    sync_session = SyncSession.objects.create(
        id=uuid.uuid4().hex,
        profile=PROFILE,
        last_activity_timestamp=now,
        connection_kind="network",
        client_certificate=joined.client_certificate(),
    )
    transfer_session = TransferSession.objects.create(
        id=uuid.uuid4().hex, filter=partition, push=False, sync_session=sync_session, last_activity_timestamp=now
    )
    record_id = uuid.uuid4().hex
    Buffer.objects.create(
        transfer_session=transfer_session,
        model_uuid=record_id,
        partition=partition,
        profile=PROFILE,
        serialized="{}",
        last_saved_instance=uuid.uuid4().hex,
        last_saved_counter=1,
        model_name="courseassignment",
        source_id="1",
    )
    RecordMaxCounterBuffer.objects.create(
        transfer_session=transfer_session, model_uuid=record_id, instance_id=uuid.uuid4().hex, counter=1
    )
    return transfer_session


def _mark_as_deleted(partition: str) -> None:
    for marks in (DeletedModels, HardDeletedModels):
        marks.objects.create(id=Store.objects.filter(partition=partition).first().id, profile=PROFILE)


def _leave_here() -> None:
    """Let this device know that ada has left, by a membership that is gone as if a pull had taken it."""
    membership = Membership.objects.get()
    Membership.objects.filter(id=membership.id)._raw_delete("default")


def test_every_kind_of_row_goes(town: Town, joined: Joined) -> None:
    partition = town.partition(town.class_a)
    _buffer_rows_of(partition, joined)
    _mark_as_deleted(partition)
    assert held(partition).keys() == {
        "row",
        "stored",
        "counter of a record",
        "counter of the database",
        "buffer",
        "counter in a buffer",
        "mark of deletion",
        "open session",
    }
    _leave_here()

    released = release(town)

    assert not held(partition)
    assert released.partitions == {partition: 3}
    for orphans in (RecordMaxCounterBuffer, DeletedModels, HardDeletedModels):
        assert not orphans.objects.exists()
    assert not RecordMaxCounter.objects.exclude(store_model__in=Store.objects.all()).exists()


def test_the_sync_session_around_a_closed_pull_is_closed_with_it(town: Town, joined: Joined) -> None:
    transfer_session = _buffer_rows_of(town.partition(town.class_a), joined)
    _leave_here()
    release(town)
    assert not SyncSession.objects.get(id=transfer_session.sync_session_id).active


def test_a_session_of_other_partitions_stays_open(town: Town, joined: Joined) -> None:
    transfer_session = _buffer_rows_of(f"{town.dataset_id}:user-ro:{joined.user_id}", joined)
    _leave_here()
    release(town)
    assert TransferSession.objects.get(id=transfer_session.id).active
    assert Buffer.objects.filter(transfer_session=transfer_session).exists()


def test_stored_records_that_were_never_applied_go_too(town: Town, joined: Joined) -> None:
    partition = town.partition(town.class_b)
    Store.objects.create(
        id=uuid.uuid4().hex,
        partition=partition,
        profile=PROFILE,
        serialized="{}",
        last_saved_instance=uuid.uuid4().hex,
        last_saved_counter=1,
        model_name="courseassignment",
        source_id="1",
        dirty_bit=True,
    )
    release(town)
    assert not held(partition)


def test_a_counter_alone_is_reason_enough_to_release(town: Town, joined: Joined) -> None:
    partition = town.partition(town.class_b)
    DatabaseMaxCounter.objects.create(partition=partition, instance_id=uuid.uuid4().hex, counter=7)
    assert findings(town.dataset_id)
    release(town)
    assert not findings(town.dataset_id)


def test_release_leaves_no_tombstone(town: Town, joined: Joined) -> None:
    _leave_here()
    release(town)
    assert not DeletedModels.objects.exists()
    assert not Store.objects.filter(deleted=True).exists()


def test_other_collections_and_other_datasets_are_untouched(town: Town, joined: Joined) -> None:
    partition = f"{uuid.uuid4().hex}:{town.class_a.id}"
    DatabaseMaxCounter.objects.create(partition=partition, instance_id=uuid.uuid4().hex, counter=7)
    _leave_here()
    release(town)
    assert held(partition) == {"counter of the database": 1}
    assert Collection.objects.count() == 3


def test_releasing_again_changes_nothing(town: Town, joined: Joined) -> None:
    _leave_here()
    release(town)
    before = everything()
    assert release(town).partitions == {}
    assert everything() == before


def test_a_release_that_ends_before_any_of_its_statements_has_changed_nothing(town: Town, joined: Joined) -> None:
    _buffer_rows_of(town.partition(town.class_a), joined)
    _leave_here()
    before = everything()
    number = 0
    while True:
        try:
            with counted(stop_before=number):
                release(town)
            break
        except Stopped:
            assert everything() == before, f"ended before statement {number}"
        number += 1
        assert number < 500
    assert number > 10
    assert not held(town.partition(town.class_a))


def _release_of(town: Town, collections: int, records: int) -> int:
    """How many statements it takes to release so many collections with so many records in all."""
    partitions = [f"{town.dataset_id}:{uuid.uuid4().hex}" for _ in range(collections)]
    instance_id = uuid.uuid4().hex
    stored, rows, counters = [], [], []
    classroom = Collection.objects.get(name="A")
    for number in range(records):
        partition = partitions[number % collections]
        fixed = {"id": uuid.uuid4().hex, "title": str(number), "course": uuid.uuid4().hex}
        rows.append(
            CourseAssignment(
                **fixed,
                dataset_id=town.dataset_id,
                collection=classroom,
                _morango_partition=partition,
                _morango_source_id=fixed["course"],
                _morango_dirty_bit=False,
            )
        )
        stored.append(
            Store(
                id=fixed["id"],
                partition=partition,
                profile=PROFILE,
                serialized="{}",
                last_saved_instance=instance_id,
                last_saved_counter=1,
                model_name="courseassignment",
                source_id=fixed["course"],
            )
        )
        counters.append(RecordMaxCounter(store_model_id=fixed["id"], instance_id=instance_id, counter=1))
    for model, made in ((CourseAssignment, rows), (Store, stored), (RecordMaxCounter, counters)):
        model.objects.bulk_create(made, batch_size=500)
    DatabaseMaxCounter.objects.bulk_create(
        DatabaseMaxCounter(partition=partition, instance_id=instance_id, counter=1) for partition in partitions
    )
    with counted() as statements:
        released = release_unreadable(PROFILE, town.dataset_id)
    assert sum(released.partitions.values()) == records
    assert len(released.partitions) == collections
    return len(statements)


def test_ten_thousand_records_take_as_many_statements_as_a_hundred(town: Town, joined: Joined) -> None:
    # Whoever listens to deletions makes Django look at each row, and remembers that once it has happened.
    gone = school.assign(Collection.objects.get(name="A"), "gone")
    gone.delete()
    DeletedModels.objects.all().delete()
    # The first time, this device makes itself an instance id.
    _release_of(town, collections=1, records=1)
    few = _release_of(town, collections=50, records=100)
    many = _release_of(town, collections=50, records=10_000)
    assert many == few


def test_the_class_that_a_learner_left_goes_with_the_sync(town: Town, joined: Joined) -> None:
    town.withdraw(town.ada, town.class_a)
    outcome = pulled(joined.sync())
    assert outcome.released == {town.class_a.id: 3}
    assert not held(town.partition(town.class_a))
    assert not findings(town.dataset_id)


def test_bystander_and_hub_keep_every_row(town: Town, joined: Joined, new_device: NewDevice) -> None:
    partition = town.partition(town.class_a)
    bob = town.new_user("bob")
    town.enrol(bob, town.class_a)
    bystander = new_device("bystander")
    with bystander:
        of_bob = school.join(town.base_url, "bob")
        of_bob.sync()
    # A coach, so that what a tombstone would do is not only kept from the hub by the learner's rights.
    town.make_coach(town.ada, town.class_a)
    joined.sync()
    town.end_coach(town.ada, town.class_a)
    town.withdraw(town.ada, town.class_a)
    joined.sync()
    assert not held(partition)
    town.enrol(town.ada, town.class_a)
    town.make_coach(town.ada, town.class_a)
    for _ in range(2):
        joined.sync()

    for device in (town.hub, bystander):
        with device:
            if device is bystander:
                of_bob.sync()
            assert titles(town.class_a) == {"a0", "a1", "a2"}
            assert not Store.objects.filter(partition=partition, deleted=True).exists()
    assert titles(town.class_a) == {"a0", "a1", "a2"}


def test_the_naive_way_loses_them_for_everybody(town: Town, joined: Joined, new_device: NewDevice) -> None:
    # Shows that the test above would notice.
    bob = town.new_user("bob")
    town.enrol(bob, town.class_a)
    bystander = new_device("bystander")
    with bystander:
        of_bob = school.join(town.base_url, "bob")
        of_bob.sync()
    town.make_coach(town.ada, town.class_a)
    joined.sync()
    # Django's own signals are what Kolibri and Morango hang their notes of deletions on.
    for assignment in CourseAssignment.objects.all():
        assignment.delete()
    for _ in range(2):
        joined.sync()
    with town.hub:
        assert titles(town.class_a) == set()
    with bystander:
        of_bob.sync()
        assert titles(town.class_a) == set()


def test_a_collection_stays_while_another_user_of_the_device_may_read_it(town: Town, joined: Joined) -> None:
    bob = town.new_user("bob")
    town.enrol(bob, town.class_a)
    of_bob = school.join(town.base_url, "bob")
    of_bob.sync()
    before = held(town.partition(town.class_a))
    town.withdraw(town.ada, town.class_a)

    assert pulled(joined.sync()).released == {}

    assert held(town.partition(town.class_a)) == before
    town.withdraw(bob, town.class_a)
    assert pulled(of_bob.sync()).released == {town.class_a.id: 3}


def test_nothing_is_released_from_a_device_with_the_whole_facility(town: Town) -> None:
    with town.hub:
        school.join(town.base_url, "ada")
        # Nobody of the hub's single users may read class B.
        release(town)
        assert titles(town.class_b) == {"b0", "b1", "b2"}


def test_nothing_is_released_before_the_row_of_a_user_has_arrived(town: Town, joined: Joined) -> None:
    before = held(town.partition(town.class_a))
    bob = town.new_user("bob")
    town.enrol(bob, town.class_a)
    # Bob's first pull has not come to its end: his certificate is here, his row and membership are not.
    school.join(town.base_url, "bob")
    town.withdraw(town.ada, town.class_a)

    assert pulled(joined.sync()).released == {}

    assert held(town.partition(town.class_a)) == before
