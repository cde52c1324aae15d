"""The policy is asked before buffered records are read, which Morango serves without asking any operation.

On the embedded host a view of ours does this. Kolibri routes Morango's addresses ahead of all that a plugin may add
(``kolibri.deployment.default.urls``, 0.19.5) and takes no middleware from plugins, so here it is Django's own signal
that a request has begun: a session whose grant has shrunk is ended then, and Morango's view refuses an ended one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from morango.models.core import TransferSession

from morango_collection_sync.granting import refuse_if_shrunk
from morango_collection_sync.partitions import is_hex_id
from morango_collection_sync.refusals import SessionRefused


def ask_policy_before_reading(sender: object, environ: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """End the session of a request for buffered records, when its user may no longer sync all that it was granted.

    :param environ: of the request, as WSGI (PEP 3333) has it
    """
    if environ is None or environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
        return
    if "/morango/" not in environ.get("PATH_INFO", "") or "/buffers" not in environ["PATH_INFO"]:
        return
    # A repeated parameter: Django takes the last one, and each is asked about.
    for session_id in parse_qs(environ.get("QUERY_STRING", "")).get("transfer_session_id", ()):
        transfer_session = _active_session(session_id)
        if transfer_session is not None:
            # Logged where the session is ended; Morango's view answers that there is none.
            with suppress(SessionRefused):
                refuse_if_shrunk(transfer_session)


def _active_session(session_id: str) -> TransferSession | None:
    session_id = session_id.replace("-", "").lower()
    if not is_hex_id(session_id):
        return None
    sessions = TransferSession.objects.select_related("sync_session__client_certificate__scope_definition")
    return sessions.filter(pk=session_id, active=True).first()
