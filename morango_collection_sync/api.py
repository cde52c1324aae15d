"""Morango's views for transfer sessions and buffers, with reasons, a check where rows are read, and shorter answers.

A host routes these ahead of ``morango.urls``; see :mod:`morango_collection_sync.urls`.

Answers are gzipped where the client takes that. What makes it dangerous elsewhere is missing here: no browser sends
these requests with somebody's cookies, and an answer holds no secret beside text of a stranger's choice.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import ValidationError as ModelInvalid
from django.db.models import QuerySet
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from morango.api import viewsets
from morango.constants import transfer_stages, transfer_statuses
from morango.models.certificates import Filter
from morango.models.core import SyncSession, TransferSession
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from morango_collection_sync import conf
from morango_collection_sync.bad_requests import BadRequest
from morango_collection_sync.connection import BRIEF_ANSWERS
from morango_collection_sync.granting import refuse_if_shrunk
from morango_collection_sync.hub_context import HubContext
from morango_collection_sync.limits import refuse_large_chunk, refuse_many_records
from morango_collection_sync.parsers import BoundedGzipParser, BoundedJSONParser
from morango_collection_sync.refusals import recorded_refusal
from morango_collection_sync.sessions import is_open, without_private_keys
from morango_collection_sync.verification.bodies import (
    TRANSFER_SESSION,
    TRANSFER_UPDATE,
    problem_with,
    problem_with_chunk,
)

_NUMBERS = ("records_transferred", "records_total", "bytes_received", "bytes_sent")
"""What a client may set (``morango.api.serializers.TransferSessionSerializer``, 0.8.15)."""

_BRIEFLY = ("transfer_stage", "transfer_stage_status", "records_total")


@method_decorator(gzip_page, name="dispatch")
class TransferSessionViewSet(viewsets.TransferSessionViewSet):
    """Tells the client why its session has ended, where Morango says that there is none, or nothing at all.

    What Morango's view does is done here with the same operations and fewer rows: it loads this side's certificate with
    its private key for every request, and writes every column of the session anew.
    """

    parser_classes = (BoundedJSONParser,)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open a transfer session.

        :raises BadRequest: for a body that is none for this
        :raises PermissionDenied: for a filter outside of the certificates
        :raises SessionRefused: for a filter that is refused
        """
        _require(problem_with(request.data, TRANSFER_SESSION))
        push, sync_session_id = request.data["push"], request.data["sync_session_id"]
        _require_own_id(request.data["id"], sync_session_id, push=push)
        sync_session = without_private_keys(SyncSession.objects.filter(pk=sync_session_id, active=True)).first()
        if sync_session is None or not is_open(sync_session):
            return Response("there is no such sync session, or it is over", status=400)
        sync_filter = Filter(request.data["filter"])
        if not _is_certified(sync_session, sync_filter, push=push):
            raise PermissionDenied("the filter is outside of what the certificates of this sync session allow")
        stage = transfer_stages.INITIALIZING if self.async_allowed() else transfer_stages.QUEUING
        session = {"sync_session": sync_session, "sync_filter": sync_filter, "is_push": push}
        with HubContext.from_request(request, **session) as context:
            result = self._wait_for(stage, context)
        if result == transfer_statuses.ERRORED:
            raise context.error or RuntimeError(f"the stage '{stage}' has failed")
        return self._answer(context.transfer_session, ("filter",), status=201)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Bring a transfer session to a stage.

        :raises BadRequest: for a body that is none for this
        :raises SessionRefused: when more records are announced than are taken
        """
        if not kwargs.get("partial"):
            return Response("a transfer session is changed by PATCH", status=405)
        _require(problem_with(request.data, TRANSFER_UPDATE))
        stage = request.data.get("transfer_stage")
        if stage is not None and stage not in transfer_stages.ALL:
            raise BadRequest(f"transfer_stage: expected one of {', '.join(sorted(transfer_stages.ALL))}")
        transfer_session = self.get_object()
        if transfer_session.push:
            # How many have come is known here.
            request.data.pop("records_transferred", None)
            refuse_many_records(transfer_session, request.data.get("records_total") or 0)
        else:
            # How many were queued, too.
            request.data.pop("records_total", None)
        if stage is not None:
            # Records come by requests of their own, so that this stage is nothing to wait for.
            at_once = self.async_allowed() or stage == transfer_stages.TRANSFERRING
            context = self._bring_to(stage, transfer_session, at_once=at_once)
            if context.stage_status == transfer_statuses.ERRORED:
                # It may have ended.
                transfer_session = self.get_object()
        self._take_numbers(transfer_session)
        return self._answer(transfer_session, ("server_fsic",) if "client_fsic" in request.data else ())

    def get_queryset(self) -> QuerySet:
        return without_private_keys(super().get_queryset(), "sync_session__")

    def _bring_to(self, stage: str, transfer_session: TransferSession, *, at_once: bool) -> HubContext:
        """Run what remains of the stages up to this one, or (not ``at_once``) wait until they are through."""
        with HubContext.from_request(self.request, transfer_session=transfer_session) as context:
            if at_once:
                viewsets.session_controller.proceed_to(stage, context=context)
            else:
                self._wait_for(stage, context)
        return context

    def _wait_for(self, stage: str, context: HubContext) -> str:
        """Run what remains of the stages up to this one, until they are through or have failed.

        :return: the status of the last one
        :raises BadRequest: when that is not so after ``SESSION_DEADLINE``. Morango would wait for ever: for records
            that do not come, and for a stage that has been reached already (``SessionController.proceed_to``, 0.8.15)
        """
        if context.stage == stage and context.stage_status == transfer_statuses.COMPLETED:
            return str(transfer_statuses.COMPLETED)
        deadline = time.monotonic() + conf.session_deadline()

        def look_at_the_time() -> None:
            if context.stage_status not in transfer_statuses.FINISHED_STATES and time.monotonic() >= deadline:
                raise BadRequest(f"the session does not come from the stage '{context.stage}' to '{stage}'")

        status: str = viewsets.session_controller.proceed_to_and_wait_for(
            stage, context=context, max_interval=2, callback=look_at_the_time
        )
        return status

    def _take_numbers(self, transfer_session: TransferSession) -> None:
        told = {name: self.request.data[name] for name in _NUMBERS if self.request.data.get(name) is not None}
        for name, value in told.items():
            setattr(transfer_session, name, value)
        if told:
            transfer_session.save(update_fields=list(told))

    def _answer(self, transfer_session: TransferSession, named: tuple[str, ...], status: int = 200) -> Response:
        """What a client is told: all that Morango tells, or, where it asks for that, what it cannot know.

        :param named: what is new to it, beyond the stage
        """
        if self.request.headers.get(BRIEF_ANSWERS) != "brief" or not self.async_allowed():
            return Response(self.get_serializer(transfer_session).data, status=status)
        return Response({name: getattr(transfer_session, name) for name in (*_BRIEFLY, *named)}, status=status)

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
        at_once = self.async_allowed()
        context = self._bring_to(transfer_stages.CLEANUP, transfer_session, at_once=at_once)
        if context.error is not None and not at_once:
            raise context.error
        if transfer_session.transfer_stage_status == transfer_statuses.ERRORED:
            refusal = recorded_refusal(transfer_session.id)
            if refusal is not None:
                raise refusal


@method_decorator(gzip_page, name="dispatch")
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


def _is_certified(sync_session: SyncSession, sync_filter: Filter, *, push: bool) -> bool:
    """Whether the sending side's certificate may write, and the receiving side's read, what is asked for."""
    client, server = sync_session.client_certificate.get_scope(), sync_session.server_certificate.get_scope()
    allowed = (client.write_filter, server.read_filter) if push else (client.read_filter, server.write_filter)
    return all(sync_filter.is_subset_of(each) for each in allowed)


def _require_own_id(transfer_id: str, sync_session_id: str, *, push: bool) -> None:
    """Check that an id is new, or that of the session that the client asks for again.

    :raises BadRequest: when it is another session's
    """
    others = TransferSession.objects.filter(pk=transfer_id, active=True)
    if others.exclude(sync_session_id=sync_session_id, push=push).exists():
        raise BadRequest("id: another transfer session has it")
