"""Morango's views for transfer sessions and buffers, with two things more: reasons, and a check where rows are read.

A host routes these ahead of ``morango.urls``; see :mod:`morango_collection_sync.urls`.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404
from morango.api import viewsets
from morango.models.core import TransferSession
from rest_framework.request import Request
from rest_framework.response import Response

from morango_collection_sync.operations.later_stages import refuse_if_shrunk
from morango_collection_sync.refusals import recorded_refusal


class TransferSessionViewSet(viewsets.TransferSessionViewSet):
    """Answers a request for a session that was refused with the reason, where Morango says 404."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Http404):
            exc = recorded_refusal(self.kwargs.get("pk")) or exc
        return super().handle_exception(exc)


class BufferViewSet(viewsets.BufferViewSet):
    """Asks the policy before it serves buffered rows: Morango's own view asks no operation there."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """:raises SessionRefused: for a session that was refused, or whose grant has shrunk"""
        super().initial(request, *args, **kwargs)
        if request.method == "GET":
            refuse_if_shrunk(TransferSession.objects.get(pk=request.query_params["transfer_session_id"]))

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
        refusal = recorded_refusal(first.get("transfer_session")) if isinstance(first, dict) else None
        if refusal is not None:
            raise refusal
        return super().create(request, *args, **kwargs)
