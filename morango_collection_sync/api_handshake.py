"""Morango's views for what comes before a transfer session: certificates, nonces, sync sessions.

They read what somebody has sent whom this side does not know yet, keys and signatures included, so that nearly
anything may be wrong with it. Whatever is, the answer is a 400, and nothing of the request stays.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import InterfaceError, InternalError, OperationalError, transaction
from django.http import Http404
from django.utils import timezone
from morango.api import permissions, viewsets
from morango.models.certificates import Nonce
from morango.models.core import SyncSession
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from morango_collection_sync.bad_requests import BadRequest
from morango_collection_sync.limits import end_oldest_sync_sessions
from morango_collection_sync.parsers import BoundedJSONParser
from morango_collection_sync.sessions import close_sync_session

logger = logging.getLogger(__name__)

NONCE_SECONDS = 60
"""How long a nonce may be used (``Nonce.use_nonce``, Morango 0.8.15)."""

_ANSWERED = (APIException, Http404, PermissionDenied)
_OUR_OWN = (OperationalError, InterfaceError, InternalError, ImproperlyConfigured)


class _ReadsStrangers:
    """A view whose errors are those of what was sent, unless the database or the settings have failed."""

    parser_classes = (BoundedJSONParser,)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            return super().create(request, *args, **kwargs)  # type: ignore[misc]

    def handle_exception(self, exc: Exception) -> Response:
        if not isinstance(exc, _ANSWERED + _OUR_OWN):
            logger.warning("Request to %s cannot be read: %s", type(self).__name__, type(exc).__name__)
            exc = BadRequest("the request is not what this address takes")
        return super().handle_exception(exc)  # type: ignore[misc]


class CertificateViewSet(_ReadsStrangers, viewsets.CertificateViewSet):
    """Signs certificates for users, and shows those of this side."""


class CertificateChainViewSet(_ReadsStrangers, viewsets.CertificateChainViewSet):
    """Takes certificates that others have signed, where the settings allow it."""

    # Morango says so under a name that DRF does not know (0.8.15), and takes them from anybody.
    permission_classes = (permissions.CertificatePushPermissions,)


class NonceViewSet(_ReadsStrangers, viewsets.NonceViewSet):
    """Hands out nonces, and forgets those that nobody has used in time."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Hand out a nonce."""
        Nonce.objects.filter(timestamp__lt=timezone.now() - timedelta(seconds=NONCE_SECONDS)).delete()
        return super().create(request, *args, **kwargs)


class SyncSessionViewSet(_ReadsStrangers, viewsets.SyncSessionViewSet):
    """Opens sync sessions, of which a client leaves one open for its next sync, and closes them, whole."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open a sync session. Of one certificate the oldest ones make room."""
        response = super().create(request, *args, **kwargs)
        if response.status_code == 201:
            end_oldest_sync_sessions(request.data["client_certificate_id"])
        return response

    def perform_destroy(self, syncsession: SyncSession) -> None:
        """Close a sync session whose client has done with it."""
        close_sync_session(syncsession)
