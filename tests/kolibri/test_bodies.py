"""What a peer sends to a Kolibri with the plugin is bounded, though Morango's own views take it."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from morango.models.core import SyncSession, TransferSession

pytestmark = pytest.mark.django_db(databases="__all__")

LIMIT = 1000


@pytest.fixture(autouse=True)
def small_limit(settings: Any) -> None:
    settings.COLLECTION_SYNC = {**settings.COLLECTION_SYNC, "MAX_BODY_BYTES": LIMIT}


def _post(body: bytes, kind: str, address: str = "buffers") -> Any:
    return Client(raise_request_exception=False).post(f"/api/morango/v1/{address}/", body, content_type=kind)


@pytest.mark.parametrize("address", ["buffers", "transfersessions", "syncsessions", "certificates", "certificatechain"])
def test_body_beyond_the_limit_is_refused(address: str) -> None:
    assert _post(b'"' + b"a" * LIMIT + b'"', "application/json", address).status_code == 413


@pytest.mark.parametrize("parts", [1, 2])
def test_body_that_unpacks_beyond_the_limit_is_refused(parts: int) -> None:
    packed = gzip.compress(b"[" * (parts == 2)) * (parts == 2) + gzip.compress(b'"' + b"a" * 100 * LIMIT + b'"')
    assert len(packed) < LIMIT
    assert _post(packed, "application/gzip; charset=utf-8").status_code == 413


@pytest.mark.parametrize("kind", ["application/json", "application/gzip"])
def test_body_within_the_limit_reaches_morango(kind: str) -> None:
    now = timezone.now()
    sync_session = SyncSession.objects.create(id=uuid.uuid4().hex, profile="facilitydata", last_activity_timestamp=now)
    pull = TransferSession.objects.create(
        id=uuid.uuid4().hex, push=False, sync_session=sync_session, last_activity_timestamp=now
    )
    chunk = json.dumps([{"transfer_session": pull.id}]).encode()

    answer = _post(chunk if kind == "application/json" else gzip.compress(chunk), kind)

    assert answer.json() == "Specified TransferSession does not allow pushes."


def test_body_that_is_no_gzip_is_refused_as_such() -> None:
    assert _post(b"no gzip", "application/gzip").status_code == 400


def test_other_addresses_take_what_they_took() -> None:
    client = Client()
    answer = client.post("/api/auth/session/", b'"' + b"a" * LIMIT + b'"', content_type="application/json")
    assert answer.status_code != 413
