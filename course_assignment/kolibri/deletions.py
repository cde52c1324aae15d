"""A facility that Kolibri deletes from this device takes along what collection-scoped sync has noted about it."""

from __future__ import annotations

from typing import Any

from morango_collection_sync.forgetting import forget_dataset


def forget_deleted_dataset(sender: object, instance: Any, **kwargs: Any) -> None:
    """Heard before a ``FacilityDataset`` is deleted: Kolibri silences what Django says after it."""
    forget_dataset(instance.id)
