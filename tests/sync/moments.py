"""Doing something on the hub at a certain moment of a device's sync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from morango.models.core import Buffer, TransferSession
from requests import Response

from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.simulation.device import Device
from tests import school

CHUNK_SIZE = 1
"""How many records a request carries, so that there is a middle of a transfer."""


@dataclass(frozen=True)
class Moment:
    """When the hub's side of a transfer has come this far.

    :param push: the direction
    :param stage: the hub's stage
    :param transferred: how many records the hub has been sent, or has been told of as received, at least
    :param received: how many records the device has in its buffers, at least
    :param done: whether the stage is finished
    """

    push: bool
    stage: str
    transferred: int = 0
    received: int = 0
    done: bool = True

    def has_come(self, transfer_session: TransferSession) -> bool:
        """Whether the hub is there."""
        return (
            transfer_session.push == self.push
            and transfer_session.transfer_stage == self.stage
            and transfer_session.records_transferred >= self.transferred
            and (transfer_session.transfer_stage_status == "completed") == self.done
        )


def sync_with_an_event(
    joined: school.Joined,
    hub: Device,
    moment: Moment,
    event: Callable[[], object],
    **directions: bool,
) -> SyncReport:
    """Sync the device that this process is, and let the event happen on the hub as soon as the moment has come.

    :raises AssertionError: when it never comes, although the sync ends well
    """
    happened = []

    def after_each_answer(response: Response, *args: Any, **kwargs: Any) -> None:
        if happened:
            return
        received = Buffer.objects.count()
        with hub:
            current = TransferSession.objects.order_by("-start_timestamp").first()
            if received >= moment.received and current is not None and moment.has_come(current):
                happened.append(event())

    with SyncDriver.connect(joined.base_url, retries=0) as driver:
        driver.connection.chunk_size = CHUNK_SIZE
        driver.connection.session.hooks["response"].append(after_each_answer)
        report = driver.sync(joined.client_certificate(), joined.server_certificate(), **directions)
    assert happened, f"{moment} never came"
    return report
