"""A hub worth attacking, its honest users, and the devices from which it is attacked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from morango.models.core import DatabaseMaxCounter, DeletedModels, RecordMaxCounter, Store, SyncableModel
from morango.models.fields.uuids import sha2_uuid
from morango.sync.controller import MorangoProfileController
from requests import Response

from course_assignment.facility.models import PROFILE, Collection, CourseAssignment, FacilityUser
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.sync.peer import ANNOUNCES, Peer

INSTANCE = str(ANNOUNCES["id"])
"""The instance id that attackers say they have."""


@dataclass
class Town:
    """A hub that answers, two classes, a coach and a learner in each, and the devices of them.

    :param base_url: of the hub
    :param dataset_id: 32 hex digits
    """

    hub: Device
    base_url: str
    dataset_id: str
    class_a: Collection
    class_b: Collection
    users: dict[str, FacilityUser]
    assigned_a: CourseAssignment
    assigned_b: CourseAssignment
    devices: dict[str, tuple[Device, school.Joined]] = field(default_factory=dict)

    def partition(self, collection: Collection) -> str:
        """The partition of this collection's records."""
        return f"{self.dataset_id}:{collection.id}"

    def own_partition(self, username: str) -> str:
        """What this user may write whatever their roles are."""
        return f"{self.dataset_id}:user-rw:{self.users[username].id}"

    def device_of(self, username: str, databases: Databases) -> tuple[Device, school.Joined]:
        """This user's device, which has joined the hub."""
        if username not in self.devices:
            device = Device(username, databases.new())
            with device:
                joined = school.join(self.base_url, username)
            self.devices[username] = (device, joined)
        return self.devices[username]

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the hub that syncs or says what has been synced, byte for byte."""
        models = [model for model in apps.get_models() if issubclass(model, SyncableModel)]
        with self.hub:
            return {
                model.__name__: sorted(model._base_manager.order_by().values_list(), key=repr)
                for model in (*models, Store, RecordMaxCounter, DatabaseMaxCounter, DeletedModels)
            }


@contextmanager
def town(
    databases: Databases, while_active: tuple[Callable[[], AbstractContextManager[Any]], ...] = ()
) -> Iterator[Town]:
    """Carol coaches class A and Dan class B; Ada learns in A and Bob in B; all that is there has been serialized."""
    hub = Device("hub", databases.new(), while_active=while_active)
    with hub:
        facility = school.new_facility()
        class_a, class_b = (school.new_classroom(facility, name) for name in ("A", "B"))
        users = {name: school.new_user(facility, name) for name in ("ada", "bob", "carol", "dan")}
        for learner, classroom in (("ada", class_a), ("bob", class_b)):
            school.enrol(users[learner], classroom)
        for coach, classroom in (("carol", class_a), ("dan", class_b)):
            school.new_role(users[coach], classroom)
        assigned_a, assigned_b = (school.assign(classroom, classroom.name) for classroom in (class_a, class_b))
        MorangoProfileController(PROFILE).serialize_into_store()
    made = Town(hub, "", facility.dataset_id, class_a, class_b, users, assigned_a, assigned_b)
    try:
        with DeviceServer(hub) as server:
            made.base_url = server.base_url
            yield made
    finally:
        for device in (hub, *(device for device, _ in made.devices.values())):
            device.database.drop()


def record(
    model_name: str,
    partition: str,
    source_id: str,
    content: dict[str, Any] | str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A record as Morango sends it, with the id that goes with its partition, source and model.

    :param content: an object gets the record's id, unless it has one; None is no content
    :param changes: whatever else is to be different
    """
    record_id = changes.pop("model_uuid", sha2_uuid(partition, source_id, model_name))
    if isinstance(content, dict):
        content = json.dumps({"id": record_id, **content})
    row = {
        "serialized": content or "",
        "deleted": False,
        "last_saved_instance": INSTANCE,
        "last_saved_counter": 7,
        "hard_deleted": False,
        "partition": partition,
        "source_id": source_id,
        "model_name": model_name,
        "conflicting_serialized_data": "",
        "model_uuid": record_id,
        "profile": PROFILE,
        "_self_ref_fk": "",
        "counters": {INSTANCE: 7},
    }
    return {**row, **changes}


def assignment(partition: str, *, course: str = "c0" * 16, **content: Any) -> dict[str, Any]:
    """The content of a course assignment in this partition, which the content may contradict."""
    dataset_id, collection_id = partition.split(":")
    return {
        "dataset_id": dataset_id,
        "collection_id": collection_id,
        "course": course,
        "title": "pushed",
        "is_active": True,
        **content,
    }


@dataclass
class Push:
    """What a hub answered to a push, request by request."""

    transfer_id: str
    answers: list[Response] = field(default_factory=list)

    @property
    def refusal(self) -> dict[str, Any] | None:
        """The first refusal among the answers, as the hub has put it."""
        for answer in self.answers:
            if answer.status_code == 403:
                body = answer.json()
                return body if isinstance(body, dict) else {"code": body}
        return None

    @property
    def statuses(self) -> list[int]:
        """The status of each answer."""
        return [answer.status_code for answer in self.answers]


def push(
    peer: Peer,
    sync_filter: str,
    rows: list[dict[str, Any]],
    *,
    counters: dict[str, dict[str, int]] | str | None = None,
    announced: int | None = None,
    until: str = "cleanup",
) -> Push:
    """Push these records, whatever the hub says to it.

    :param counters: what is declared for partitions, or anything else that is to stand in its place
    :param announced: how many records are said to come
    :param until: the last stage, ``dequeuing`` or ``cleanup``
    """
    declared = counters if isinstance(counters, str) else json.dumps({"sub": counters or {}, "super": {}})
    created = peer.create(sync_filter, push=True)
    made = Push(created.json().get("id", "") if created.status_code == 201 else "0" * 32, [created])
    made.answers.append(peer.proceed(made.transfer_id, "serializing", client_fsic=declared))
    total = len(rows) if announced is None else announced
    made.answers.append(peer.proceed(made.transfer_id, "queuing", client_fsic=declared, records_total=total))
    if rows:
        made.answers.append(peer.send([addressed(row, made.transfer_id) for row in rows]))
    made.answers.append(peer.proceed(made.transfer_id, "dequeuing", client_fsic=declared))
    if until == "cleanup":
        made.answers.append(peer.proceed(made.transfer_id, "deserializing", client_fsic=declared))
        made.answers.append(peer.close(made.transfer_id))
    return made


def addressed(row: dict[str, Any], transfer_id: str) -> dict[str, Any]:
    """A record as a part of this transfer session."""
    counters = [
        {
            "instance_id": instance_id,
            "counter": counter,
            "transfer_session": transfer_id,
            "model_uuid": row["model_uuid"],
        }
        for instance_id, counter in row["counters"].items()
    ]
    return {
        **{name: value for name, value in row.items() if name != "counters"},
        "transfer_session": transfer_id,
        "rmcb_list": counters,
    }
