"""Serializing, and the deserializing that serializes first: a record that was made again is not deleted."""

from __future__ import annotations

from morango.models.core import DeletedModels, HardDeletedModels
from morango.registry import syncable_models
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY


class KeepRecreated(LocalOperation):
    """On either side: forgets the deletion of records that are there again."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.sync_session is not None)
        forget_undone_deletions(context.sync_session.profile)
        return False


def forget_undone_deletions(profile: str) -> None:
    """Drop the marks of deletion from records that were deleted and made again, with the same id, since.

    Morango looks at these marks last when it serializes, and would store the record as deleted although its row is
    there (``morango.sync.operations._serialize_into_store``, 0.8.15): a learner who left a class and came back
    before anything was synced would lose the membership everywhere.

    :param profile: the Morango profile
    """
    for marks in (DeletedModels, HardDeletedModels):
        deleted = marks.objects.filter(profile=profile)
        if not deleted.exists():
            continue
        for model in syncable_models.get_models(profile):
            deleted.filter(id__in=model.syncing_objects.order_by().values("id")).delete()
