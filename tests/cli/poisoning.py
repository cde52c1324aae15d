"""What is wrong with a device, made in a process that is that device."""

from __future__ import annotations

import uuid

STRANGER = "d0" * 16
"""The instance id of a device that has never been here."""


def poison_counters() -> None:
    """Four counters that say what is not so: negative, too high, of no partition, of another dataset."""
    from morango.models.core import DatabaseMaxCounter

    partition = _partition("4A")
    for where, counter in ((partition, -1), (f"{partition}:x", 2**31 - 1), (f"{partition}'\x1b[2J", 1), ("e" * 32, 1)):
        DatabaseMaxCounter.objects.create(partition=where, instance_id=STRANGER, counter=counter)


def store_of_another_class() -> None:
    """A stored record of a class that nobody here may read."""
    from morango.models.core import Store

    from course_assignment.facility.models import PROFILE

    Store.objects.create(
        id=uuid.uuid4().hex,
        profile=PROFILE,
        model_name="courseassignment",
        partition=_partition("4B"),
        source_id="1",
        serialized="{}",
        last_saved_instance=STRANGER,
        last_saved_counter=1,
    )


def _partition(classroom: str) -> str:
    from course_assignment.facility.models import Collection

    found = Collection.objects.get(name=classroom)
    return f"{found.dataset_id}:{found.id}"
