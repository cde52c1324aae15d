"""The sync session that an earlier sync of this device with a hub has left open: whether to go on with it.

A finished sync leaves its session open, so that the next one needs no certificates, nonce or signature. What its user
may sync is asked anew for each transfer session in it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from morango.models.certificates import Certificate
from morango.models.core import InstanceIDModel, SyncSession
from morango.sync.syncsession import NetworkSyncConnection
from morango.utils import pid_exists
from requests.exceptions import RequestException

from morango_collection_sync import conf
from morango_collection_sync.sessions import close_sync_session, is_open, without_private_keys

_here: set[str] = set()
"""The sessions that a sync in this process works on; a session's process id cannot tell one thread from another."""

_claiming = threading.Lock()

logger = logging.getLogger(__name__)


@contextmanager
def earlier_session(client_certificate: Certificate, connection: NetworkSyncConnection) -> Iterator[SyncSession | None]:
    """The session to go on with, which is this sync's own until the block ends; None when a new one is due.

    Sessions that nobody is going to take up any more are given up. One that another sync works on is left to it.
    """
    open_sessions = without_private_keys(
        SyncSession.objects.filter(
            active=True,
            is_server=False,
            client_certificate_id=client_certificate.pk,
            connection_path=connection.base_url,
        )
    ).order_by("-last_activity_timestamp")
    with ExitStack() as stack:
        found = None
        for sync_session in open_sessions:
            with ExitStack() as claim:
                if not claim.enter_context(_claimed(sync_session)):
                    continue
                if found is not None or not _is_still_true(sync_session, connection):
                    give_up(sync_session, connection)
                    continue
                found = sync_session
                found.client_certificate = client_certificate
                stack.push(claim.pop_all())
        yield found


@contextmanager
def at_work_on(sync_session: SyncSession) -> Iterator[None]:
    """Keep a session from other syncs of this process."""
    _here.add(sync_session.pk)
    try:
        yield
    finally:
        _here.discard(sync_session.pk)


def is_interrupted(sync_session: SyncSession) -> bool:
    """Whether a transfer of this session was begun and has not ended."""
    return bool(sync_session.transfersession_set.filter(active=True).exists())


def keep(sync_session: SyncSession) -> None:
    """Leave a session to the next sync, by whichever process."""
    SyncSession.objects.filter(pk=sync_session.pk).update(process_id=None)


def give_up(sync_session: SyncSession, connection: NetworkSyncConnection) -> None:
    """Close what this device has of a session, and tell the hub, if that can be told."""
    close_sync_session(sync_session)
    try:
        connection.close_sync_session(sync_session)
    except RequestException as error:
        logger.info("The hub was not told that sync session %s is over: %s", sync_session.pk, type(error).__name__)


@contextmanager
def _claimed(sync_session: SyncSession) -> Iterator[bool]:
    """Make a session this process's own, and this sync's in it; whether that could be done."""
    before, mine = sync_session.process_id, os.getpid()
    with _claiming:
        free = sync_session.pk not in _here and not (before and before != mine and pid_exists(before))
        if free:
            # Another process may be just as far.
            row = SyncSession.objects.filter(pk=sync_session.pk, process_id=before)
            free = bool(row.update(process_id=mine))
        if free:
            _here.add(sync_session.pk)
    if not free:
        yield False
        return
    sync_session.process_id = mine
    with at_work_on(sync_session):
        yield True


def _is_still_true(sync_session: SyncSession, connection: NetworkSyncConnection) -> bool:
    """Whether both sides are still who they were, and understand what they did, when the session was opened."""
    if not is_open(sync_session):
        return False
    instance, _ = InstanceIDModel.get_or_create_current_instance()
    ours = (sync_session.client_instance_id, sync_session.client_instance_data)
    theirs = (sync_session.server_instance_id, sync_session.server_instance_data)
    now = connection.server_info
    return _told(*ours) == (instance.id, instance.instance_info.get(conf.INSTANCE_INFO_KEY)) and _told(*theirs) == (
        now.get("instance_id"),
        now.get(conf.INSTANCE_INFO_KEY),
    )


def _told(instance_id: object, instance_data: object) -> tuple[object, object]:
    announced = instance_data.get(conf.INSTANCE_INFO_KEY) if isinstance(instance_data, dict) else None
    return getattr(instance_id, "hex", instance_id), announced
