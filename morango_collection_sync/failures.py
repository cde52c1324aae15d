"""Why a sync has failed, by the errors that Morango's client ends with."""

from __future__ import annotations

from urllib.parse import urlsplit

from morango.constants import api_urls
from requests.exceptions import HTTPError, RequestException

from morango_collection_sync.errors import CollectionSyncError, SyncDeadlineExceeded
from morango_collection_sync.refusals import SessionRefused


def told_by_hub(error: Exception) -> Exception:
    """What lies behind the bare "stage failed" of Morango's client: a refusal that the hub has sent, ours, or itself.

    :param error: what a transfer client has raised
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (CollectionSyncError, RequestException)):
            return _refusal_in(cause) or cause
        cause = cause.__cause__
    return error


def is_lost_connection(error: Exception) -> bool:
    """Whether the hub has not answered at all."""
    return isinstance(error, RequestException) and not isinstance(error, HTTPError)


def is_interruption(error: Exception) -> bool:
    """Whether the session could go on from here another time: no answer, a hub in trouble, or one too slow."""
    if isinstance(error, HTTPError):
        return error.response is not None and error.response.status_code >= 500
    return is_lost_connection(error) or isinstance(error, SyncDeadlineExceeded)


def is_session_unknown(error: Exception) -> bool:
    """Whether the hub does not know the session that a transfer is to take place in, or not any more.

    It says so with a 400 where a transfer session is opened, and with a 404 where one is brought forward
    (``morango.api.viewsets.TransferSessionViewSet``, 0.8.15), and gives no reason as a refusal does.
    """
    if not isinstance(error, HTTPError) or error.response is None:
        return False
    _, found, which = urlsplit(error.response.url).path.partition(api_urls.TRANSFERSESSION)
    return bool(found) and error.response.status_code == (404 if which else 400)


def _refusal_in(error: BaseException) -> SessionRefused | None:
    if not isinstance(error, HTTPError) or error.response is None:
        return None
    try:
        data = error.response.json()
    except ValueError:
        return None
    if not isinstance(data, dict) or not {"code", "detail"} <= data.keys():
        return None
    return SessionRefused.from_json(data)
