"""What Kolibri deletes from this device takes along what collection-scoped sync has noted about it.

Heard before the deletion: Kolibri silences what Django says after it.
"""

from __future__ import annotations

from typing import Any

from morango_collection_sync.forgetting import forget_dataset, forget_instance


def forget_deleted_dataset(sender: object, instance: Any, **kwargs: Any) -> None:
    """A facility goes, as by ``kolibri manage deletefacility``."""
    forget_dataset(instance.id)


def forget_deleted_instance(sender: object, instance: Any, **kwargs: Any) -> None:
    """The device begins anew, as by ``kolibri manage deprovision``."""
    forget_instance(instance.id)
