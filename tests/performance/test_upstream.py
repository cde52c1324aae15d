"""What is private of Morango and called nevertheless: each fails when a release does otherwise (read in 0.8.15)."""

from __future__ import annotations

import inspect
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from morango.models.core import Store
from morango.sync import operations

from course_assignment.facility.models import PROFILE, FacilityUser
from morango_collection_sync import upstream
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.retries import MOST_TRIES, until_settled
from morango_collection_sync.simulation.device import Device
from tests import school


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_deserialize_from_store", ["profile", "skip_erroring", "filter"]),
        ("_dequeue_into_store", ["transfer_session", "fsic", "v2_format"]),
    ],
)
def test_what_is_private_takes_what_it_took(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(operations, name)).parameters) == parameters


def test_deserializing_goes_through_the_covering_prefixes_and_asks_the_session_s_filter(device: Device) -> None:
    facility = school.new_facility()
    inside, outside = (school.new_user(facility, name) for name in ("inside", "outside"))
    dataset_id = facility.dataset_id
    serialize_edits(PROFILE, [dataset_id])
    Store.objects.filter(model_name="facilityuser").update(dirty_bit=True)
    seen: dict[str, Any] = {}
    right = FacilityUser.deserialize.__func__

    def deserialize(cls: Any, content: Any, sync_filter: Any = None) -> Any:
        seen[content["id"]] = content["id"] in (inside.id, outside.id) and f"x:{content['id']}" in sync_filter
        return right(cls, content, sync_filter)

    with mock.patch.object(FacilityUser, "deserialize", classmethod(deserialize)):
        upstream.deserialize(PROFILE, upstream.CoveringFilter([dataset_id], [f"x:{inside.id}"]))
    assert (seen[inside.id], seen[outside.id]) == (True, False)
    assert not Store.objects.filter(dirty_bit=True).exists()


def test_only_a_conflict_of_transactions_is_tried_again_and_not_for_ever(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[None] = []

    def fail() -> None:
        tries.append(None)
        raise OperationalError("something else")

    with pytest.raises(OperationalError):
        until_settled(fail, pause=lambda seconds: None)
    assert len(tries) == 1
    monkeypatch.setattr("morango_collection_sync.retries.is_conflict", lambda error: True)
    with pytest.raises(OperationalError):
        until_settled(fail, pause=lambda seconds: None)
    assert len(tries) == 1 + MOST_TRIES
