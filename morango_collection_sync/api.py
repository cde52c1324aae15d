"""Morango's views for transfer sessions and buffers, with two things more: reasons, and a check where rows are read.

A host routes these ahead of ``morango.urls``; see :mod:`morango_collection_sync.urls`.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as ModelInvalid
from django.http import Http404
from morango.api import viewsets
from morango.constants import transfer_stages, transfer_statuses
from morango.models.core import TransferSession
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from morango_collection_sync.bad_requests import BadRequest
from morango_collection_sync.granting import refuse_if_shrunk
from morango_collection_sync.limits import refuse_large_chunk, refuse_many_records
from morango_collection_sync.parsers import BoundedGzipParser, BoundedJSONParser
from morango_collection_sync.refusals import recorded_refusal
from morango_collection_sync.verification.bodies import (
    TRANSFER_SESSION,
    TRANSFER_UPDATE,
    problem_with,
    problem_with_chunk,
)


class TransferSessionViewSet(viewsets.TransferSessionViewSet):
    """Tells the client why its session has ended, where Morango says that there is none, or nothing at all."""

    parser_classes = (BoundedJSONParser,)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open a transfer session.

        :raises BadRequest: for a body that is none for this
        :raises SessionRefused: for a filter that is refused
        """
        _require(problem_with(request.data, TRANSFER_SESSION))
        _require_own_id(request.data["id"], request.data["sync_session_id"], push=request.data["push"])
        return super().create(request, *args, **kwargs)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Bring a transfer session to a stage.

        :raises BadRequest: for a body that is none for this
        :raises SessionRefused: when more records are announced than are taken
        """
        _require(problem_with(request.data, TRANSFER_UPDATE))
        stage = request.data.get("transfer_stage")
        if stage is not None and stage not in transfer_stages.ALL:
            raise BadRequest(f"transfer_stage: expected one of {', '.join(sorted(transfer_stages.ALL))}")
        transfer_session = self.get_object()
        if transfer_session.push:
            # How many have come is known here.
            request.data.pop("records_transferred", None)
            refuse_many_records(transfer_session, request.data.get("records_total") or 0)
        return super().update(request, *args, **kwargs)

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

    parser_classes = (BoundedGzipParser, BoundedJSONParser)

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

        :raises BadRequest: for a body that is none for this, or a session that takes no records
        :raises SessionRefused: for a session that was refused, a record that is too large, or too many of them
        """
        rows = request.data if isinstance(request.data, list) else [request.data]
        _require(problem_with_chunk(rows))
        session_id = rows[0]["transfer_session"]
        transfer_session = TransferSession.objects.filter(pk=session_id, active=True).first()
        if transfer_session is None:
            raise recorded_refusal(session_id) or Http404
        if transfer_session.push:
            if transfer_session.transfer_stage not in _TAKING_RECORDS or transfer_session.records_total is None:
                raise BadRequest("records are taken after it was announced how many, and before they are stored")
            refuse_large_chunk(transfer_session, rows)
        return super().create(request, *args, **kwargs)


_TAKING_RECORDS = (transfer_stages.QUEUING, transfer_stages.TRANSFERRING)


def _require(problem: str | None) -> None:
    if problem is not None:
        raise BadRequest(problem)


def _require_own_id(transfer_id: str, sync_session_id: str, *, push: bool) -> None:
    """Check that an id is new, or that of the session that the client asks for again.

    :raises BadRequest: when it is another session's
    """
    others = TransferSession.objects.filter(pk=transfer_id, active=True)
    if others.exclude(sync_session_id=sync_session_id, push=push).exists():
        raise BadRequest("id: another transfer session has it")
