"""The errors of this package: each carries the facts as attributes and makes its one sentence from them."""

from __future__ import annotations

from collections.abc import Iterable

from requests.exceptions import ConnectionError as RequestLost


class CollectionSyncError(Exception):
    """Base of every error that this package raises."""


class InvalidPartition(CollectionSyncError, ValueError):
    """A string is not a partition, or not one of a collection."""

    def __init__(self, partition: object, expected: str) -> None:
        self.partition = partition
        self.expected = expected
        super().__init__(f"{partition!r} is not {expected}")


class InvalidGrant(CollectionSyncError, ValueError):
    """A grant holds an id that is not 32 hex digits, or lets a user write what they may not read."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class FilterRefused(CollectionSyncError):
    """A hub answered with a filter that this device must not take.

    :param refused: the partitions that do not belong there
    :param missing: the partitions that were asked for and are not in the answer
    :param dataset_id: the dataset of the session, 32 hex digits
    """

    def __init__(self, refused: Iterable[str], missing: Iterable[str], dataset_id: str) -> None:
        self.refused = tuple(refused)
        self.missing = tuple(missing)
        self.dataset_id = dataset_id
        parts = []
        if self.refused:
            parts.append(f"adds {shown(self.refused)}, which is no collection partition of dataset {dataset_id}")
        if self.missing:
            parts.append(f"leaves out {shown(self.missing)}")
        super().__init__(f"the hub's filter was refused: it {' and '.join(parts)}")


class FilterChanged(CollectionSyncError):
    """A transfer session cannot be resumed, because the hub holds it with another filter."""

    def __init__(self, transfer_session_id: str) -> None:
        self.transfer_session_id = transfer_session_id
        super().__init__(
            f"transfer session {transfer_session_id} cannot be resumed: "
            "the hub now answers with another filter; the next sync starts a new one"
        )


class SyncDeadlineExceeded(CollectionSyncError):
    """A stage did not finish in time.

    :param stage: the transfer stage that was waited for
    :param seconds: how long it was waited for
    """

    def __init__(self, stage: str, seconds: float) -> None:
        self.stage = stage
        self.seconds = seconds
        super().__init__(f"gave up after {seconds:.0f} s waiting for the stage '{stage}' to finish")


class NoAnswer(CollectionSyncError, RequestLost):
    """A request was not answered: the connection broke, or the time for it was over. The next sync goes on from there.

    :param waiting_for: what the request was for, as the end of a sentence
    :param seconds: how long the answer was waited for; None when the connection broke
    """

    def __init__(self, waiting_for: str, seconds: float | None = None) -> None:
        self.waiting_for = waiting_for
        self.seconds = seconds
        if seconds is None:
            sentence = f"the connection to the hub was lost while waiting for {waiting_for}"
        else:
            sentence = f"the hub has not answered within {seconds:g} s, waiting for {waiting_for}"
        super().__init__(f"{sentence}; sync again to go on from there")


def shown(partitions: Iterable[str], most: int = 3) -> str:
    """A few of these partitions in a sentence, and how many more there are."""
    listed = list(partitions)
    text = ", ".join(repr(partition) for partition in listed[:most])
    return text if len(listed) <= most else f"{text} and {len(listed) - most} more"
