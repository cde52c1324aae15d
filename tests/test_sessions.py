"""What certificates and announcements say of a session's two sides."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from morango.models.certificates import Certificate, Key
from morango.models.core import SyncSession, TransferSession

from course_assignment.facility.models import FULL_FACILITY, PROFILE, SINGLE_USER
from morango_collection_sync.sessions import (
    certificate_filter,
    covers_dataset,
    dataset_id_of,
    granted_partitions,
    is_granting_hub,
    issued_by_hub,
    understands_grants,
)
from morango_collection_sync.simulation.device import Device

USER = "a" * 32
COLLECTION = "c" * 32


@pytest.fixture
def hub(device: Device) -> Certificate:
    """A hub's own certificate."""
    return Certificate.generate_root_certificate(FULL_FACILITY)


def _child(parent: Certificate, scope: str) -> Certificate:
    dataset_id = dataset_id_of(parent)
    params = {"dataset_id": dataset_id, **({"user_id": USER} if scope == SINGLE_USER else {})}
    certificate = Certificate(
        parent=parent,
        profile=PROFILE,
        scope_definition_id=scope,
        scope_version=1,
        scope_params=json.dumps(params),
        salt=uuid.uuid4().hex,
    )
    certificate.private_key = Key()
    certificate.id = certificate.calculate_uuid()
    parent.sign_certificate(certificate)
    certificate.check_certificate()
    certificate.save()
    return certificate


def _session(server: Certificate, client: Certificate) -> SyncSession:
    return SyncSession(server_certificate=server, client_certificate=client, profile=PROFILE)


def test_dataset_of_a_certificate_is_its_roots_id(hub: Certificate) -> None:
    second = _child(hub, FULL_FACILITY)

    assert {dataset_id_of(each) for each in (hub, second, _child(hub, SINGLE_USER))} == {hub.id}


@pytest.mark.parametrize("ask", [dataset_id_of, covers_dataset, issued_by_hub], ids=lambda ask: ask.__name__)
def test_certificate_is_looked_into_without_loading_a_private_key(
    hub: Certificate, ask: Callable[[Certificate], object]
) -> None:
    user = Certificate.objects.get(id=_child(hub, SINGLE_USER).id)

    with CaptureQueriesContext(connection) as captured:
        ask(user)

    assert len(captured) > 0
    assert not any("private_key" in query["sql"] for query in captured)


def test_certificate_is_a_hubs_to_give_and_not_another_users(hub: Certificate) -> None:
    user = _child(hub, SINGLE_USER)

    assert issued_by_hub(user)
    assert issued_by_hub(_child(_child(hub, FULL_FACILITY), SINGLE_USER))
    assert not issued_by_hub(_child(user, SINGLE_USER))
    assert not issued_by_hub(hub)


def test_only_a_certificate_of_the_full_facility_covers_its_dataset(hub: Certificate) -> None:
    assert covers_dataset(hub)
    assert covers_dataset(_child(hub, FULL_FACILITY))
    assert not covers_dataset(_child(hub, SINGLE_USER))


def test_hub_grants_to_a_member_device_of_its_dataset_and_nobody_grants_otherwise(hub: Certificate) -> None:
    second_hub, user, other_user = _child(hub, FULL_FACILITY), _child(hub, SINGLE_USER), _child(hub, SINGLE_USER)
    foreign_hub = Certificate.generate_root_certificate(FULL_FACILITY)

    assert is_granting_hub(_session(hub, user))
    assert is_granting_hub(_session(second_hub, user))
    assert not is_granting_hub(_session(hub, second_hub))
    assert not is_granting_hub(_session(other_user, user))
    assert not is_granting_hub(_session(foreign_hub, user))


@pytest.mark.parametrize("push", [False, True], ids=["pull", "push"])
def test_what_is_granted_is_what_the_certificate_does_not_allow(hub: Certificate, push: bool) -> None:
    user = _child(hub, SINGLE_USER)
    allowed = certificate_filter(user, push=push)
    granted = f"{hub.id}:{COLLECTION}"
    transfer_session = TransferSession(
        sync_session=_session(hub, user), push=push, filter="\n".join((*allowed, granted))
    )

    assert set(allowed) >= {f"{hub.id}:user-rw:{USER}"}
    assert granted_partitions(transfer_session) == (granted,)


@pytest.mark.parametrize("announced", [{"collection_sync": 1}, {"collection_sync": 2, "other": "x"}], ids=repr)
def test_number_from_one_announces(announced: Any) -> None:
    assert understands_grants(announced)


@pytest.mark.parametrize(
    "announced",
    [None, [], "collection_sync", {}, {"collection_sync": None}, {"collection_sync": 0}, {"collection_sync": -1}],
    ids=repr,
)
def test_anything_else_does_not_announce(announced: Any) -> None:
    assert not understands_grants(announced)
