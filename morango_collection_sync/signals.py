"""Signals for a host to hang its own work on. Each is sent after what it tells of is committed.

``collection_released(dataset_id, collection_id, records)``
    A collection was released from this device, with so many records.

``collection_received(dataset_id, collection_id, records)``
    A pull has brought so many records (new, changed or deleted ones) of a collection to this device.

A receiver that fails is logged and changes nothing: what it was told of has happened.
Ids are 32 hex digits. The sender is the class of the profile's policy.
"""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger(__name__)

collection_released = Signal()
collection_received = Signal()


def tell(signal: Signal, sender: type, **facts: Any) -> None:
    """Send a signal to all of its receivers, whether or not one of them fails."""
    for receiver, answer in signal.send_robust(sender, **facts):
        if isinstance(answer, Exception):
            logger.error("%r failed on what a sync has done", receiver, exc_info=answer)
