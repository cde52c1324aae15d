"""Forgetting what a host deletes from this device: what this package has noted about it goes, too."""

from __future__ import annotations

from morango_collection_sync.models import DeclaredCounter, PushedCounter, QuarantinedEdit


def forget_dataset(dataset_id: str) -> None:
    """Drop every note about a dataset: what was pushed of it, and the edits in quarantine.

    The rows, and what Morango keeps of them, are the host's to delete. Notes about a session go with the session.

    :param dataset_id: 32 hex digits
    """
    PushedCounter.objects.filter(partition__startswith=f"{dataset_id}:").delete()
    QuarantinedEdit.objects.filter(dataset_id=dataset_id).delete()


def forget_instance(instance_id: str) -> None:
    """Drop what was noted about an instance of Morango that this device is not any more.

    :param instance_id: 32 hex digits
    """
    DeclaredCounter.objects.filter(instance_id=instance_id).delete()
