"""A hub, member devices and second hubs, over real HTTP, and what is in their databases."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from morango.models.certificates import Certificate
from morango.models.core import (
    Buffer,
    DatabaseMaxCounter,
    DeletedModels,
    HardDeletedModels,
    RecordMaxCounter,
    RecordMaxCounterBuffer,
    Store,
    TransferSession,
)

from course_assignment.facility.hubs import Hub
from course_assignment.facility.joining import join as join_device
from course_assignment.facility.models import FULL_FACILITY, PROFILE, Collection, CourseAssignment, FacilityUser
from morango_collection_sync.audit import audit
from morango_collection_sync.models import QuarantinedEdit
from morango_collection_sync.partitions import collection_partition
from morango_collection_sync.release import Released, release_unreadable
from morango_collection_sync.reports import PullOutcome, SyncReport
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.school import PASSWORD, Joined


class Town:
    """A school of one hub, with a class A and a class B that have three assignments each; ``ada`` learns in A."""

    hub: Device
    base_url: str

    def __init__(self, hub: Device) -> None:
        with hub:
            self.facility = school.new_facility()
            self.class_a, self.class_b = (school.new_classroom(self.facility, name) for name in "AB")
            self.ada = school.new_user(self.facility, "ada")
            school.enrol(self.ada, self.class_a)
            for classroom, letter in ((self.class_a, "a"), (self.class_b, "b")):
                for n in range(3):
                    school.assign(classroom, f"{letter}{n}")

    def on(self, hub: Device, base_url: str) -> Town:
        """This school, with its hub as a device of its own that answers there."""
        town = copy.copy(self)
        town.hub, town.base_url = hub, base_url
        return town

    @property
    def dataset_id(self) -> str:
        return str(self.facility.dataset_id)

    def partition(self, collection: Collection) -> str:
        return collection_partition(self.dataset_id, collection.id)

    def new_user(self, username: str) -> FacilityUser:
        with self.hub:
            return school.new_user(self.facility, username)

    def new_coach(self, username: str, collection: Collection) -> FacilityUser:
        user = self.new_user(username)
        self.make_coach(user, collection)
        return user

    def make_coach(self, user: FacilityUser, collection: Collection) -> None:
        with self.hub:
            school.new_role(user, collection)

    def end_coach(self, user: FacilityUser, collection: Collection) -> None:
        with self.hub:
            user.role_set.get(collection_id=collection.id).delete()

    def enrol(self, user: FacilityUser, collection: Collection) -> None:
        with self.hub:
            school.enrol(user, collection)

    def withdraw(self, user: FacilityUser, collection: Collection) -> None:
        with self.hub:
            school.withdraw(user, collection)

    def assign(self, collection: Collection, title: str, **kwargs: Any) -> CourseAssignment:
        with self.hub:
            return school.assign(collection, title, **kwargs)


def become_hub(device: Device, base_url: str) -> None:
    """Make this device a second hub of the facility, and give it all that the first one has."""
    with device:
        with Hub(base_url) as hub:
            join_device(hub, "head", PASSWORD, device, full_facility=True)
        sync_hubs(base_url)


def sync_hubs(base_url: str, *, pull: bool = True, push: bool = True) -> SyncReport:
    """Sync this hub with another one, for the whole facility."""
    with Hub(base_url) as hub:
        own = Certificate.objects.filter(scope_definition_id=FULL_FACILITY).exclude(_private_key=None).get()
        return hub.driver.sync(own, hub.certificate(own.get_root().id), pull=pull, push=push)


@dataclass(frozen=True)
class Elsewhere:
    """A user's syncs with another hub than the one that their certificate is from.

    :param joined: the user's syncs with that one
    :param base_url: of the other hub
    """

    joined: Joined
    base_url: str

    def sync(self, *, pull: bool = True, push: bool = True) -> SyncReport:
        """Sync this device with the other hub for the user."""
        with Hub(self.base_url) as hub:
            certificate = hub.certificate(self.joined.dataset_id)
            return hub.driver.sync(self.joined.client_certificate(), certificate, pull=pull, push=push)


def pulled(report: SyncReport) -> PullOutcome:
    """What the first pull of a sync has led to."""
    return next(transfer.outcome for transfer in report.transfers if not transfer.push)


def release(town: Town) -> Released:
    """Release what may not stay on this device, as the command does."""
    return release_unreadable(PROFILE, town.dataset_id)


def held(partition: str) -> Counter[str]:
    """How many rows of each kind this device has of a partition."""
    stored = Store.objects.filter(partition=partition)
    buffered = Buffer.objects.filter(partition=partition)
    counts = {
        "row": CourseAssignment.objects.filter(_morango_partition=partition).count(),
        "stored": stored.count(),
        "counter of a record": RecordMaxCounter.objects.filter(store_model__in=stored).count(),
        "counter of the database": DatabaseMaxCounter.objects.filter(partition=partition).count(),
        "buffer": buffered.count(),
        "counter in a buffer": RecordMaxCounterBuffer.objects.filter(
            model_uuid__in=buffered.values("model_uuid")
        ).count(),
        "mark of deletion": DeletedModels.objects.filter(id__in=stored.values("id")).count()
        + HardDeletedModels.objects.filter(id__in=stored.values("id")).count(),
        "open session": sum(
            partition in session.get_filter() for session in TransferSession.objects.filter(active=True)
        ),
    }
    return Counter({kind: count for kind, count in counts.items() if count})


def titles(collection: Collection) -> set[str]:
    """The titles of the assignments of a collection in this device's app."""
    return set(CourseAssignment.objects.filter(collection_id=collection.id).values_list("title", flat=True))


def stored_content(partition: str) -> dict[str, tuple[str, bool]]:
    """What this device's Store has of a partition: each record's content, and whether it is deleted."""
    rows = Store.objects.filter(partition=partition).values_list("id", "serialized", "deleted")
    return {record_id: (serialized, deleted) for record_id, serialized, deleted in rows}


def quarantined() -> list[QuarantinedEdit]:
    """The edits in quarantine on this device, the oldest first."""
    return list(QuarantinedEdit.objects.order_by("quarantined_at", "saved_counter"))


def findings(dataset_id: str) -> list[str]:
    """What the audit finds on this device."""
    return [f"{finding.kind.value} {finding.partition}: {finding.reason}" for finding in audit(PROFILE, dataset_id)]


def everything() -> dict[str, list[Any]]:
    """Every row of every table of this device."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = sorted(map(repr, cursor.fetchall()))
    return found


class Stopped(Exception):
    """The process ended here."""


@contextmanager
def counted(stop_before: int | None = None) -> Iterator[list[str]]:
    """The statements that this device carries out; it ends before one of them, where that is told.

    :raises Stopped: before the statement of this number, from 0
    """
    statements: list[str] = []

    def count(execute: Any, sql: str, *arguments: Any) -> Any:
        if len(statements) == stop_before:
            raise Stopped
        statements.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(count):
        yield statements
