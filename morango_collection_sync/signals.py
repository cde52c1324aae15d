"""Signals for a host to hang its own work on. Each is sent after what it tells of is committed.

``collection_released(dataset_id, collection_id, records)``
    A collection was released from this device, with so many records.

``collection_received(dataset_id, collection_id, records)``
    A pull has brought so many records (new, changed or deleted ones) of a collection to this device.

Ids are 32 hex digits. The sender is the class of the profile's policy.
"""

from __future__ import annotations

from django.dispatch import Signal

collection_released = Signal()
collection_received = Signal()
