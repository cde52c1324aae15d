"""Faults to plant: each a way in which this extension could be wrong, most of them ways in which one was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest import mock

from morango.models.core import (
    DatabaseMaxCounter,
    DeletedModels,
    HardDeletedModels,
    Store,
    SyncSession,
    TransferSession,
)
from morango.sync.operations import LocalOperation

from course_assignment.facility.models import CourseAssignment, FacilityUser
from morango_collection_sync import applying, edits, granting, holdings, quarantine, release
from morango_collection_sync.grants import Grant
from morango_collection_sync.models import collection_scoped_models
from morango_collection_sync.operations.deserializing import KeepPendingEdits
from morango_collection_sync.policy import get_policy
from morango_collection_sync.release import Released
from morango_collection_sync.verifier import RecordVerifier

Plant = Callable[[], AbstractContextManager[Any]]

PLANTS: dict[str, Plant] = {}


def plant(make: Callable[[], Any]) -> Callable[[], Any]:
    PLANTS[make.__name__] = make
    return make


def _deaf(operation: type[LocalOperation]) -> Any:
    return mock.patch.object(operation, "handle", return_value=False)


@plant
def releases_by_deleting() -> Any:
    """The rows go as a person deletes them, with their deletions noted for everybody."""

    def purge(profile: str, partitions: frozenset[str]) -> dict[str, int]:
        for model in collection_scoped_models(profile):
            for row in model.objects.filter(_morango_partition__in=partitions):
                row.delete()
        return dict.fromkeys(partitions, 0)

    return mock.patch.object(release, "_purge", purge)


@plant
def keeps_counters() -> Any:
    """What is released leaves its counters behind."""
    right = release._purge

    def purge(profile: str, partitions: frozenset[str]) -> dict[str, int]:
        counters = list(DatabaseMaxCounter.objects.filter(partition__in=partitions))
        records = right(profile, partitions)
        DatabaseMaxCounter.objects.bulk_create(counters)
        return records

    return mock.patch.object(release, "_purge", purge)


@plant
def keeps_stored_records() -> Any:
    """Only the app's rows go."""

    def purge(profile: str, partitions: frozenset[str]) -> dict[str, int]:
        with release._deletion_unheard():
            for model in collection_scoped_models(profile):
                model.objects.filter(_morango_partition__in=partitions).delete()
        return dict.fromkeys(partitions, 0)

    return mock.patch.object(release, "_purge", purge)


@plant
@contextmanager
def releases_by_the_peers_list() -> Iterator[None]:
    """What the hub did not grant goes."""
    right, plan = release.release_prepared, release.plan_release

    def release_ungranted(profile: str, dataset_id: str, *, finishing: TransferSession) -> Released:
        def by_list(held: Iterable[str], grant: Grant, edited: Iterable[str], granted: Iterable[str]) -> Any:
            held = frozenset(held)
            listed = frozenset(each.partition(":")[2] for each in held.intersection(finishing.get_filter()))
            return plan(held, Grant(dataset_id, listed, grant.writable & listed), edited, granted)

        with mock.patch.object(release, "plan_release", by_list):
            return right(profile, dataset_id, finishing=finishing)

    with mock.patch("morango_collection_sync.pulls.release_prepared", release_ungranted):
        yield


@plant
def never_releases() -> Any:
    """What may not be read any more stays."""
    return mock.patch("morango_collection_sync.pulls.release_prepared", return_value=Released({}))


@plant
def forgets_other_users() -> Any:
    """A device lets go of what only its second user may read."""

    right = release.plan_release

    def plan(held: Iterable[str], grant: Grant, edited: Iterable[str], granted: Iterable[str]) -> Any:
        first = min(get_policy().local_user_ids(grant.dataset_id))
        return right(held, get_policy().grant_for(first, grant.dataset_id), edited, granted)

    return mock.patch.object(release, "plan_release", plan)


@plant
def nulls_unknown_authors() -> Any:
    """An assignment loses its author on a device that does not know them."""
    right = CourseAssignment.deserialize.__func__

    def deserialize(cls: Any, dict_model: dict[str, Any], sync_filter: Any = None) -> Any:
        row = right(cls, dict_model, sync_filter=sync_filter)
        if not FacilityUser.objects.filter(id=row.assigned_by).exists():
            row.assigned_by = None
        return row

    return mock.patch.object(CourseAssignment, "deserialize", classmethod(deserialize))


@plant
def verifies_nothing() -> Any:
    """A record's content is taken for what its envelope says."""
    return mock.patch.object(RecordVerifier, "first_finding", return_value=None)


@plant
@contextmanager
def asks_the_policy_once() -> Iterator[None]:
    """A session that was granted goes on, whatever has become of the grant."""
    with ExitStack() as stack:
        for module in ("api", "operations.initializing", "operations.later_stages"):
            stack.enter_context(mock.patch(f"morango_collection_sync.{module}.refuse_if_shrunk"))
        yield


@plant
@contextmanager
def grants_readers_to_push() -> Iterator[None]:
    """On a push, too, the readable collections are granted."""
    right = granting.granted_now

    def granted_now(sync_session: SyncSession, *, push: bool) -> tuple[str, ...]:
        return right(sync_session, push=False)

    with ExitStack() as stack:
        for module in ("granting", "operations.initializing"):
            stack.enter_context(mock.patch(f"morango_collection_sync.{module}.granted_now", granted_now))
        yield


@plant
def skips_deletions() -> Any:
    """The marks that deletions leave are dropped before they are stored."""

    def forget(profile: str) -> None:
        for marks in (DeletedModels, HardDeletedModels):
            marks.objects.filter(profile=profile).delete()

    return mock.patch("morango_collection_sync.edits.forget_undone_deletions", forget)


@plant
def deletes_what_was_made_again() -> Any:
    """What was deleted and made again stays deleted, as in Morango."""
    return mock.patch("morango_collection_sync.edits.forget_undone_deletions")


@plant
def sets_nothing_aside() -> Any:
    """An edit goes with the collection."""
    return mock.patch.object(release, "pending_edits", return_value=[])


@plant
def gives_up_quarantined_edits() -> Any:
    """What is in quarantine is dropped when it could be offered back."""

    return mock.patch.object(quarantine, "_apply")


@plant
def lets_work_go_with_its_collection() -> Any:
    """What was made in a collection that is deleted elsewhere goes unseen."""
    return _deaf(KeepPendingEdits)


@plant
@contextmanager
def overlooks_backups() -> Iterator[None]:
    """A device that was put back goes on under its old instance id."""
    with ExitStack() as stack:
        for stage in ("serializing", "queuing", "dequeuing"):
            where = f"morango_collection_sync.operations.{stage}.notice_put_back"
            stack.enter_context(mock.patch(where, return_value=False))
        yield


@plant
def overlooks_deletions() -> Any:
    """Nothing is serialized where no row was edited, though one was deleted."""
    right = edits.edited_partitions

    def of_rows(profile: str) -> set[str]:
        return right(profile) - {edits._MARK}

    return mock.patch.object(edits, "edited_partitions", of_rows)


@plant
def serializes_the_first_partition() -> Any:
    """Of a filter, only what was edited in its first partition is serialized."""
    right = edits.serialize_edits

    def serialize(profile: str, sync_filter: Iterable[str]) -> None:
        right(profile, list(sync_filter)[:1])

    return mock.patch("morango_collection_sync.operations.serializing.serialize_edits", serialize)


@plant
@contextmanager
def keeps_a_grant_with_the_session() -> Iterator[None]:
    """What a session was granted first, it is granted for as long as it is kept open."""
    right, granted = granting.granted_now, {}

    def granted_once(sync_session: SyncSession, *, push: bool) -> tuple[str, ...]:
        key = (sync_session.id, push)
        if key not in granted:
            granted[key] = right(sync_session, push=push)
        return granted[key]

    with ExitStack() as stack:
        for module in ("granting", "operations.initializing"):
            stack.enter_context(mock.patch(f"morango_collection_sync.{module}.granted_now", granted_once))
        yield


@plant
def drops_one_of_a_batch() -> Any:
    """Of course assignments that are applied together, the last one is taken for applied."""
    right = applying.apply_together

    def apply(model: Any, profile: str, sync_filter: Any) -> None:
        waiting = Store.objects.filter(profile=profile, model_name=model.morango_model_name, dirty_bit=True)
        last = waiting.order_by("id").last() if model is CourseAssignment else None
        if last is not None:
            Store.objects.filter(id=last.id).update(dirty_bit=False)
        right(model, profile, sync_filter)

    return mock.patch.object(applying, "apply_together", apply)


@plant
def forgets_a_partitions_counters() -> Any:
    """Of the partitions that a side says how far it has come with, it forgets the last."""
    right = holdings.cover_own_records

    def cover(sync_filter: Iterable[str], instance_id: str, **kwargs: Any) -> Any:
        counters = right(sync_filter, instance_id, **kwargs)
        for partition in sorted(counters["sub"])[-1:]:
            del counters["sub"][partition]
        return counters

    return mock.patch("morango_collection_sync.operations.serializing.cover_own_records", cover)
