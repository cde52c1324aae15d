"""Private keys that are read once: to check one takes longer than the rest of a sync, and here it is checked always."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any
from unittest import mock

from morango.models.fields import crypto

_load = lru_cache(maxsize=1000)(crypto.crypto_serialization.load_pem_private_key)


def keys_read_once() -> AbstractContextManager[Any]:
    """Keep every private key that was read."""
    return mock.patch.object(crypto.crypto_serialization, "load_pem_private_key", _load)
