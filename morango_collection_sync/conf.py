"""The settings, one small function each, and the helper that adds the operations to a settings module."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

INSTANCE_INFO_KEY = "collection_sync"
"""Under this key in ``MORANGO_INSTANCE_INFO``, either side says that it understands collection grants."""

PROTOCOL_VERSION = 1
"""What this version says there. Raise it when an older peer must be treated differently."""

OPERATION_PRIORITY = 100
"""For hosts that sort operations themselves, as Kolibri does: highest first, and its own have 0."""

TAKEOVER_PRIORITY = -100
"""For operations of ours that do the work of Morango's own and so end the stage: behind all of the host's."""

_ASK_AGAIN = "morango_collection_sync.operations.later_stages:AskPolicyAgain"

OPERATIONS: dict[str, tuple[str, ...]] = {
    "MORANGO_INITIALIZE_OPERATIONS": (
        "morango_collection_sync.operations.initializing:WidenFilter",
        "morango_collection_sync.operations.initializing:OpenTransferSession",
        "morango_collection_sync.operations.initializing:AcceptFilter",
    ),
    "MORANGO_SERIALIZE_OPERATIONS": (
        _ASK_AGAIN,
        "morango_collection_sync.operations.verifying:CheckCounters",
        "morango_collection_sync.operations.serializing:NoticePutBack",
        "morango_collection_sync.operations.serializing:SerializeEdits",
    ),
    "MORANGO_QUEUE_OPERATIONS": (
        _ASK_AGAIN,
        "morango_collection_sync.operations.queuing:NoteTold",
        "morango_collection_sync.operations.verifying:QueueBySoundCounters",
        "morango_collection_sync.operations.queuing:QueueOnce",
        "morango_collection_sync.operations.queuing:QueueLacking",
    ),
    "MORANGO_TRANSFERRING_OPERATIONS": (
        _ASK_AGAIN,
        "morango_collection_sync.operations.transferring:AwaitRecords",
    ),
    "MORANGO_DEQUEUE_OPERATIONS": (
        _ASK_AGAIN,
        "morango_collection_sync.operations.verifying:VerifyRecords",
        "morango_collection_sync.operations.dequeuing:NoticeOwnCounters",
        "morango_collection_sync.operations.verifying:TakeJustifiedCounters",
        "morango_collection_sync.operations.verifying:StoreVerified",
        "morango_collection_sync.operations.dequeuing:StoreReceived",
    ),
    "MORANGO_DESERIALIZE_OPERATIONS": (
        _ASK_AGAIN,
        "morango_collection_sync.operations.deserializing:KeepPendingEdits",
        "morango_collection_sync.operations.deserializing:ApplyReceived",
    ),
    "MORANGO_CLEANUP_OPERATIONS": (
        "morango_collection_sync.operations.cleanup:FinishPull",
        "morango_collection_sync.operations.cleanup:FinishPush",
        "morango_collection_sync.operations.cleanup:FinishReceiving",
    ),
}
"""Our operations for each of Morango's settings, in the order in which they run, all ahead of Morango's."""


def policy() -> str:
    """``COLLECTION_SYNC["POLICY"]``: the dotted path of the host's ``AccessPolicy``. No default.

    :raises ImproperlyConfigured: when it is not set
    """
    value = _setting("POLICY", None)
    if not isinstance(value, str):
        raise ImproperlyConfigured('COLLECTION_SYNC["POLICY"] must name the host\'s AccessPolicy')
    return value


def operations_run_by() -> str | None:
    """``COLLECTION_SYNC["OPERATIONS_RUN_BY"]``: the host's own operation that runs ours. Default None.

    For a host, such as Kolibri, whose extensions hand it their operations and do not list them in settings.
    """
    value = _setting("OPERATIONS_RUN_BY", None)
    return None if value is None else str(value)


def session_deadline() -> float:
    """``COLLECTION_SYNC["SESSION_DEADLINE"]``: seconds that a client waits for one stage.

    So long a hub waits for the stages up to the one that a client asks for that only asks once. Default 600.
    """
    return float(_setting("SESSION_DEADLINE", 600))


def request_timeouts() -> tuple[float, float]:
    """``COLLECTION_SYNC["REQUEST_TIMEOUTS"]``: seconds for a connection, and for an answer. Default (10, 600).

    An answer takes as long as the hub works on the stages that it was asked for.
    """
    connect, read = _setting("REQUEST_TIMEOUTS", (10, 600))
    return float(connect), float(read)


def session_lifetime() -> float:
    """``COLLECTION_SYNC["SESSION_LIFETIME"]``: seconds that a sync session may be taken up again. Default 43,200.

    Whoever knows the id of an open session is taken for its client; only opening one asks for a signature.
    """
    return float(_setting("SESSION_LIFETIME", 12 * 60 * 60))


def max_open_sync_sessions() -> int:
    """``COLLECTION_SYNC["MAX_OPEN_SYNC_SESSIONS"]``: of one certificate; the oldest makes room. Default 8."""
    return int(_setting("MAX_OPEN_SYNC_SESSIONS", 8))


def max_records_per_session() -> int:
    """``COLLECTION_SYNC["MAX_RECORDS_PER_SESSION"]``: the most that a single user's device pushes. Default 250,000."""
    return int(_setting("MAX_RECORDS_PER_SESSION", 250_000))


def max_record_bytes() -> int:
    """``COLLECTION_SYNC["MAX_RECORD_BYTES"]``: of a pushed record, its conflicting versions included. Default 2 MiB."""
    return int(_setting("MAX_RECORD_BYTES", 2 * 2**20))


def max_partitions_per_filter() -> int:
    """``COLLECTION_SYNC["MAX_PARTITIONS_PER_FILTER"]``: that a client may ask for, grants apart. Default 100."""
    return int(_setting("MAX_PARTITIONS_PER_FILTER", 100))


def max_open_transfer_sessions() -> int:
    """``COLLECTION_SYNC["MAX_OPEN_TRANSFER_SESSIONS"]``: of one certificate; the oldest makes room. Default 8."""
    return int(_setting("MAX_OPEN_TRANSFER_SESSIONS", 8))


def max_body_bytes() -> int:
    """``COLLECTION_SYNC["MAX_BODY_BYTES"]``: of one request, unpacked. Default 64 MiB."""
    return int(_setting("MAX_BODY_BYTES", 64 * 2**20))


def add_collection_sync(settings: MutableMapping[str, Any]) -> None:
    """Add the operations and the announcement to a settings module: ``add_collection_sync(globals())``.

    What the module has set before stays, behind ours; what it has not set is Morango's default.

    :param settings: the namespace of the settings module
    :raises ImproperlyConfigured: when ``MORANGO_INSTANCE_INFO`` is an import path, which cannot be added to
    """
    # Imported late: a settings module calls this before Django's settings are there.
    from morango.constants import settings as morango_settings

    for name, ours in OPERATIONS.items():
        theirs = tuple(settings.get(name, getattr(morango_settings, name)))
        settings[name] = ours + tuple(operation for operation in theirs if operation not in ours)
    info = settings.get("MORANGO_INSTANCE_INFO", {})
    if isinstance(info, str):
        raise ImproperlyConfigured(
            "MORANGO_INSTANCE_INFO is an import path; "
            f"add {INSTANCE_INFO_KEY!r}: {PROTOCOL_VERSION} to the dict that it names"
        )
    settings["MORANGO_INSTANCE_INFO"] = {**info, INSTANCE_INFO_KEY: PROTOCOL_VERSION}


def _setting(name: str, default: Any) -> Any:
    from django.conf import settings

    return getattr(settings, "COLLECTION_SYNC", {}).get(name, default)
