"""Ending a transfer session for a reason that the client is told.

A refusal ends the session for good: its buffers go, it becomes inactive, and the reason is kept with the sync
session, because Morango answers a later request for an inactive session with a bare 404.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from morango.models.core import SyncSession, TransferSession
from rest_framework.exceptions import APIException, ErrorDetail

from morango_collection_sync.errors import CollectionSyncError, shown
from morango_collection_sync.sessions import close_transfer_session
from morango_collection_sync.verification.rules import Rule

logger = logging.getLogger(__name__)

_EXTRA_FIELD = "collection_sync_refusals"


class SessionRefused(CollectionSyncError, APIException):
    """A hub ends a transfer session. Answered to the client as 403 with ``code``, ``detail`` and the facts.

    :param code: a word by which programs tell refusals apart
    :param sentence: what a person is told
    :param facts: what it rests on; JSON values only
    """

    status_code = 403

    def __init__(self, code: str, sentence: str, facts: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.sentence = sentence
        self.facts = dict(facts or {})
        APIException.__init__(self, detail=sentence, code=code)
        # What is answered; DRF would have made a text of every number in it. The sentence stays DRF's own kind of text,
        # which carries the code: a host's exception handler may ask for that, as Kolibri's does.
        self.detail = {**self.as_json(), "detail": ErrorDetail(sentence, code)}

    def __str__(self) -> str:
        return self.sentence

    def as_json(self) -> dict[str, Any]:
        """What is kept of this refusal and sent to the client."""
        return {"code": self.code, "detail": self.sentence, **self.facts}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SessionRefused:
        """The refusal that :meth:`as_json` made this from."""
        facts = {key: value for key, value in data.items() if key not in ("code", "detail")}
        return cls(str(data["code"]), str(data["detail"]), facts)


def grant_shrunk(partitions: Iterable[str]) -> SessionRefused:
    """The refusal for a session whose user has lost these collection partitions since it began."""
    lost = sorted(partitions)
    return SessionRefused(
        "grant_shrunk",
        f"the user of this session may no longer sync {shown(lost)}; start a new sync",
        {"partitions": lost},
    )


def filter_malformed(partitions: Iterable[str]) -> SessionRefused:
    """The refusal for a session that asked for something that is no partition at all."""
    malformed = sorted(partitions)
    return SessionRefused(
        "filter_malformed",
        f"the filter holds {shown(malformed)}; a partition is 32 hex digits, "
        "then words of letters, digits, '_' and '-' behind colons",
        {"partitions": malformed},
    )


def record_refused(record_id: str, rule: Rule) -> SessionRefused:
    """The refusal for a session that brought a record which breaks this rule.

    :param record_id: 32 hex digits
    """
    return SessionRefused(
        "record_refused",
        f"record {record_id} was refused, and all that came with it: {rule.sentence}",
        {"record_id": record_id, "rule": rule.code},
    )


def counters_refused(problem: str) -> SessionRefused:
    """The refusal for a session whose counters are not well-formed, or not of its filter.

    :param problem: the rest of a sentence that begins with "the counters"
    """
    return SessionRefused("counters_refused", f"the counters {problem}")


def filter_outside(partitions: Iterable[str]) -> SessionRefused:
    """The refusal for a session that asked for more than its certificate allows."""
    refused = sorted(partitions)
    return SessionRefused(
        "filter_outside",
        f"the filter holds {shown(refused)}, which the certificate does not allow",
        {"partitions": refused},
    )


def too_many_partitions(asked: int, limit: int) -> SessionRefused:
    """The refusal for a session whose client asked for too many partitions."""
    return SessionRefused(
        "too_many_partitions", f"the filter has {asked} partitions; at most {limit} are taken", {"limit": limit}
    )


def too_many_records(records: int, limit: int) -> SessionRefused:
    """The refusal for a session that brings more records than it may, or than were announced."""
    return SessionRefused(
        "too_many_records", f"the session has {records} records; at most {limit} are taken", {"limit": limit}
    )


def records_missing(sent: int, announced: int) -> SessionRefused:
    """The refusal for a session that is to go on before all of its records have been sent."""
    return SessionRefused(
        "records_missing",
        f"{sent} of {announced} announced records have been sent; the others have to come first",
        {"sent": sent, "announced": announced},
    )


def too_many_open(limit: int) -> SessionRefused:
    """The refusal for a session that made room for a later one of the same certificate."""
    return SessionRefused(
        "too_many_sessions",
        f"a certificate may have {limit} transfer sessions open, and later ones were opened",
        {"limit": limit},
    )


def end_transfer_session(transfer_session: TransferSession, refusal: SessionRefused) -> None:
    """End this session for this reason: no buffers, not active, the reason kept for the client to be told."""
    with transaction.atomic():
        close_transfer_session(transfer_session)
        sync_session = SyncSession.objects.select_for_update().get(pk=transfer_session.sync_session_id)
        extra = json.loads(sync_session.extra_fields or "{}")
        extra.setdefault(_EXTRA_FIELD, {})[transfer_session.id] = refusal.as_json()
        sync_session.extra_fields = json.dumps(extra)
        sync_session.save(update_fields=["extra_fields"])
    logger.warning("Transfer session %s refused: %s", transfer_session.id, refusal.code)


def recorded_refusal(transfer_session_id: object) -> SessionRefused | None:
    """Why this session was ended; None for one that was not refused, or that there never was.

    :param transfer_session_id: 32 hex digits, or whatever a client has sent as such
    """
    try:
        transfer_session = TransferSession.objects.select_related("sync_session").get(pk=transfer_session_id)
    except (TransferSession.DoesNotExist, ValueError, TypeError):
        return None
    extra = json.loads(transfer_session.sync_session.extra_fields or "{}")
    data = extra.get(_EXTRA_FIELD, {}).get(transfer_session.id)
    return SessionRefused.from_json(data) if data else None
