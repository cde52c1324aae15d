"""Morango's views for transfer sessions and buffers, with two things more: reasons, and a check where rows are read.

A host routes these ahead of ``morango.urls``; see :mod:`morango_collection_sync.urls`.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as ModelInvalid
from django.http import Http404
from morango.api import viewsets
from morango.constants import transfer_statuses
from morango.models.core import TransferSession
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from morango_collection_sync.granting import refuse_if_shrunk
from morango_collection_sync.partitions import is_hex_id
from morango_collection_sync.refusals import recorded_refusal


class TransferSessionViewSet(viewsets.TransferSessionViewSet):
    """Tells the client why its session has ended, where Morango says that there is none, or nothing at all."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Http404):
            exc = recorded_refusal(self.kwargs.get("pk")) or exc
        elif isinstance(exc, ModelInvalid):
            # Among others, a session that has ended here and is asked for anew by a client that has not heard so.
            exc = recorded_refusal(self.request.data.get("id")) or ValidationError(exc.messages)
        return super().handle_exception(exc)

    def perform_destroy(self, transfer_session: TransferSession) -> None:
        """Close a session, for which Morango runs the stages that remain.

        :raises SessionRefused: when one of them has refused it
        """
        super().perform_destroy(transfer_session)
        if transfer_session.transfer_stage_status == transfer_statuses.ERRORED:
            refusal = recorded_refusal(transfer_session.id)
            if refusal is not None:
                raise refusal


class BufferViewSet(viewsets.BufferViewSet):
    """Asks the policy before it serves buffered rows: Morango's own view asks no operation there."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """:raises SessionRefused: for a session that was refused, or whose grant has shrunk"""
        super().initial(request, *args, **kwargs)
        if request.method == "GET":
            sessions = TransferSession.objects.select_related("sync_session__client_certificate__scope_definition")
            refuse_if_shrunk(sessions.get(pk=request.query_params["transfer_session_id"]))

    def permission_denied(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refusal = recorded_refusal(request.query_params.get("transfer_session_id"))
        if refusal is not None:
            raise refusal
        super().permission_denied(request, *args, **kwargs)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a chunk of records.

        :raises SessionRefused: for a session that was refused
        """
        first = request.data[0] if isinstance(request.data, list) and request.data else request.data
        session_id = first.get("transfer_session") if isinstance(first, dict) else None
        if not (is_hex_id(session_id) and TransferSession.objects.filter(pk=session_id, active=True).exists()):
            raise recorded_refusal(session_id) or Http404
        return super().create(request, *args, **kwargs)
