"""The marks that deleted records leave for Morango to serialize."""

from __future__ import annotations

from morango.models.core import DeletedModels, HardDeletedModels
from morango.registry import syncable_models


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
