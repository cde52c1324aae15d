"""The sync session that an earlier sync of this device with a hub has left open: whether to go on with it.

A finished sync leaves its session open, so that the next one needs no certificates, nonce or signature. What its user
may sync is asked anew for each transfer session in it.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta

from django.utils import timezone
from morango.models.certificates import Certificate
from morango.models.core import InstanceIDModel, SyncSession
from morango.sync.syncsession import NetworkSyncConnection
from morango.utils import pid_exists
from requests.exceptions import RequestException

from morango_collection_sync import conf
from morango_collection_sync.sessions import close_transfer_session

logger = logging.getLogger(__name__)


def earlier_session(client_certificate: Certificate, connection: NetworkSyncConnection) -> SyncSession | None:
    """The session to go on with, which is this process's from now on; None when a new one is due.

    Sessions that nobody is going to take up any more are given up. One that another process works on is left to it.
    """
    # A certificate of this device's own comes with its private key, which takes long to load and signs nothing here.
    open_sessions = (
        SyncSession.objects.filter(
            active=True,
            is_server=False,
            client_certificate_id=client_certificate.pk,
            connection_path=connection.base_url,
        )
        .select_related("server_certificate")
        .defer("server_certificate___private_key")
        .order_by("-last_activity_timestamp")
    )
    found = None
    for sync_session in open_sessions:
        if _is_of_another_process(sync_session):
            continue
        if found is None and _is_still_true(sync_session, connection):
            found = sync_session
        else:
            give_up(sync_session, connection)
    if found is not None:
        found.client_certificate = client_certificate
        found.process_id = os.getpid()
        found.save(update_fields=["process_id"])
    return found


def is_interrupted(sync_session: SyncSession) -> bool:
    """Whether a transfer of this session was begun and has not ended."""
    return bool(sync_session.transfersession_set.filter(active=True).exists())


def keep(sync_session: SyncSession) -> None:
    """Leave a session to the next sync, by whichever process."""
    SyncSession.objects.filter(pk=sync_session.pk).update(process_id=None)


def give_up(sync_session: SyncSession, connection: NetworkSyncConnection) -> None:
    """Close what this device has of a session, and tell the hub, if that can be told."""
    for transfer_session in sync_session.transfersession_set.filter(active=True):
        close_transfer_session(transfer_session)
    SyncSession.objects.filter(pk=sync_session.pk).update(active=False)
    try:
        connection.close_sync_session(sync_session)
    except RequestException as error:
        logger.info("The hub was not told that sync session %s is over: %s", sync_session.pk, type(error).__name__)


def _is_of_another_process(sync_session: SyncSession) -> bool:
    process_id = sync_session.process_id
    return bool(process_id and process_id != os.getpid() and pid_exists(process_id))


def _is_still_true(sync_session: SyncSession, connection: NetworkSyncConnection) -> bool:
    """Whether both sides are still who they were, and understand what they did, when the session was opened."""
    if timezone.now() - sync_session.start_timestamp > timedelta(seconds=conf.session_lifetime()):
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
