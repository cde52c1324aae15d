"""Whatever the body of a request is: the hub answers with what is wrong with it, and holds nothing of it."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from morango.api.serializers import CertificateSerializer

from morango_collection_sync.simulation.databases import Databases
from tests.hostile.town import Town, addressed, assignment, record, town
from tests.sync.peer import MODERN, Peer

API = "api/morango/v1/"
FUZZING = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

DEEP = "[" * 100_000
STRANGE_TEXTS = ("\0", "\ud800", "'", "%", "\n", "a" * 5000, "{}", "[]", "null", DEEP, "1e999")
STRANGE_NUMBERS = (-1, 2**31, 2**63, 10**400, 1.5, True)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(STRANGE_TEXTS)
    | st.sampled_from(STRANGE_NUMBERS)
    | st.uuids().map(lambda each: each.hex),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=6,
)


class Line:
    """A town and a session of Carol's with it, for as many requests as it takes."""

    def __init__(self, where: Town, peer: Peer, chain: Any) -> None:
        self.chain = chain
        self.town = where
        self.peer = peer

    def good_bodies(self) -> dict[str, tuple[str, str, Any]]:
        """For each address, a method, its path, and a body that it takes."""
        certificate = self.chain[-1]
        transfer_id = self.ready()
        return {
            "certificates": (
                "POST",
                "certificates/",
                {
                    "parent": self.town.dataset_id,
                    "profile": "facilitydata",
                    "scope_definition": "single-user",
                    "scope_version": 1,
                    "scope_params": json.dumps(
                        {"dataset_id": self.town.dataset_id, "user_id": self.town.users["carol"].id}
                    ),
                    "public_key": certificate["public_key"],
                },
            ),
            "certificatechain": ("POST", "certificatechain/", json.dumps(self.chain)),
            "nonces": ("POST", "nonces/", {}),
            "syncsessions": (
                "POST",
                "syncsessions/",
                {
                    "id": uuid.uuid4().hex,
                    "server_certificate_id": self.town.dataset_id,
                    "client_certificate_id": certificate["id"],
                    "profile": "facilitydata",
                    "certificate_chain": json.dumps(self.chain),
                    "connection_path": self.town.base_url,
                    "instance": json.dumps({"id": uuid.uuid4().hex}),
                    "nonce": uuid.uuid4().hex,
                    "signature": "c2lnbmF0dXJl",
                    "client_ip": "127.0.0.1",
                    "server_ip": "127.0.0.1",
                },
            ),
            "transfersessions": (
                "POST",
                "transfersessions/",
                {
                    "id": uuid.uuid4().hex,
                    "filter": self.town.own_partition("carol"),
                    "push": True,
                    "sync_session_id": self.peer.id,
                    "client_fsic": '{"sub": {}, "super": {}}',
                    "records_total": 0,
                },
            ),
            "transfersession": (
                "PATCH",
                f"transfersessions/{transfer_id}/",
                {
                    "transfer_stage": "queuing",
                    "client_fsic": '{"sub": {}, "super": {}}',
                    "records_total": 1,
                    "records_transferred": 0,
                    "bytes_sent": 0,
                    "bytes_received": 0,
                },
            ),
            "buffers": ("POST", "buffers/", [self.good_record(transfer_id)]),
        }

    def ready(self) -> str:
        """A push that waits for a record."""
        transfer_id = str(self.peer.create(self.town.own_partition("carol"), push=True).json()["id"])
        self.peer.proceed(transfer_id, "serializing")
        self.peer.proceed(transfer_id, "queuing", records_total=1)
        return transfer_id

    def good_record(self, transfer_id: str) -> dict[str, Any]:
        """A record as it should be, of that session."""
        partition = self.town.partition(self.town.class_a)
        return addressed(record("courseassignment", partition, "c0" * 16, assignment(partition)), transfer_id)

    def send(self, method: str, path: str, body: bytes, content_type: str = "application/json") -> requests.Response:
        """Send these bytes, as Carol."""
        return self.peer.http.request(
            method,
            self.town.base_url + API + path,
            data=body,
            headers={"Content-Type": content_type},
            auth=("carol", "chalk") if path.startswith("certificates") else None,
        )


@pytest.fixture(scope="module")
def line(databases: Databases) -> Iterator[Line]:
    with town(databases) as where:
        device, joined = where.device_of("carol", databases)
        with device:
            peer = Peer(where.base_url, joined.client_certificate(), where.dataset_id, capabilities=MODERN)
            chain = _chain(joined)
        with closing(peer.http):
            yield Line(where, peer, chain)


def _chain(joined: Any) -> Any:
    own = joined.client_certificate().get_ancestors(include_self=True)
    return json.loads(json.dumps(CertificateSerializer(own, many=True).data))


ADDRESSES = (
    "certificates",
    "certificatechain",
    "nonces",
    "syncsessions",
    "transfersessions",
    "transfersession",
    "buffers",
)


def _as_bytes(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize("address", ADDRESSES)
@FUZZING
@given(data=st.data())
def test_no_body_is_an_error_of_the_server(address: str, line: Line, data: st.DataObject) -> None:
    method, path, _ = line.good_bodies()[address]

    answer = line.send(method, path, _as_bytes(data.draw(values)))

    assert answer.status_code < 500


@pytest.mark.parametrize("address", ADDRESSES)
@FUZZING
@given(data=st.data())
def test_no_field_is_an_error_of_the_server(address: str, line: Line, data: st.DataObject) -> None:
    """A good body, but for one or two of its fields, that are anything else or not there."""
    method, path, good = line.good_bodies()[address]
    body = good[0] if isinstance(good, list) else good
    if isinstance(body, dict) and body:
        for name in data.draw(st.lists(st.sampled_from(sorted(body)), min_size=1, max_size=2, unique=True)):
            if data.draw(st.booleans()):
                body = {**body, name: data.draw(values)}
            else:
                body = {key: value for key, value in body.items() if key != name}
    before = line.town.snapshot()

    answer = line.send(method, path, _as_bytes([body] if isinstance(good, list) else body))

    assert answer.status_code < 500
    assert line.town.snapshot() == before


@FUZZING
@given(field=st.sampled_from(["instance_id", "counter", "transfer_session", "model_uuid"]), value=values)
def test_no_counter_of_a_record_is_an_error_of_the_server(line: Line, field: str, value: Any) -> None:
    row = line.good_record(line.ready())
    row["rmcb_list"][0][field] = value

    answer = line.send("POST", "buffers/", _as_bytes([row]))

    assert answer.status_code < 500


@FUZZING
@given(content=values)
def test_no_content_of_a_record_is_an_error_of_the_server_or_stored_in_part(line: Line, content: Any) -> None:
    transfer_id = line.ready()
    row = line.good_record(transfer_id)
    row["serialized"] = content if isinstance(content, str) else json.dumps(content)
    before = line.town.snapshot()

    answers = [
        line.send("POST", "buffers/", _as_bytes([row])),
        line.peer.proceed(transfer_id, "dequeuing"),
        line.peer.proceed(transfer_id, "deserializing"),
    ]

    assert all(answer.status_code < 500 for answer in answers)
    assert line.town.snapshot() == before


@FUZZING
@given(
    name=st.sampled_from(["id", "course", "title", "is_active", "assigned_by", "channel_version", "content_id"]),
    value=values,
)
def test_no_field_of_a_records_content_keeps_others_from_being_applied(line: Line, name: str, value: Any) -> None:
    transfer_id = line.ready()
    row = line.good_record(transfer_id)
    row["serialized"] = json.dumps({**json.loads(row["serialized"]), name: value})

    line.send("POST", "buffers/", _as_bytes([row]))
    stages = [line.peer.proceed(transfer_id, stage) for stage in ("dequeuing", "deserializing")]

    assert all(answer.status_code in (200, 403, 404) for answer in stages)
    assert stages[-1].json().get("transfer_stage_status") != "errored"


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"a": NaN}', DEEP.encode(), b'{"a": ' * 5000, b"1" * 5000, b'"\\ud800"', b'"\\u0000"'],
    ids=["empty", "cut short", "no UTF-8", "NaN", "deep list", "deep object", "huge number", "surrogate", "NUL"],
)
def test_what_is_no_sound_json_is_refused(address: str, body: bytes, line: Line) -> None:
    method, path, _ = line.good_bodies()[address]

    answer = line.send(method, path, body)

    assert answer.status_code < 500
    assert address == "nonces" or answer.status_code >= 400 or (address, body) == ("transfersession", b"")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no gzip", 400),
        (gzip.compress(b"[]")[:-9], 400),
        (gzip.compress(b"{"), 400),
        (gzip.compress(DEEP.encode()), 400),
        (gzip.compress(b" " * 65 * 2**20), 413),
    ],
    ids=["no gzip", "cut short", "no JSON", "deep", "bomb"],
)
def test_gzipped_body_that_is_not_sound_is_refused(body: bytes, status: int, line: Line) -> None:
    assert line.send("POST", "buffers/", body, "application/gzip").status_code == status


@override_settings(COLLECTION_SYNC={**django_settings.COLLECTION_SYNC, "MAX_BODY_BYTES": 100})
def test_body_beyond_the_limit_is_refused(line: Line) -> None:
    answer = line.send("POST", "buffers/", b"[" + b" " * 100 + b"]")

    assert (answer.status_code, answer.json()["limit"]) == (413, 100)


def test_gzipped_records_of_an_honest_device_are_taken(line: Line) -> None:
    transfer_id = line.ready()

    answer = line.send(
        "POST", "buffers/", gzip.compress(_as_bytes([line.good_record(transfer_id)])), "application/gzip"
    )

    assert answer.status_code == 201
    line.peer.close(transfer_id)
