"""Private keys that are made and read once: to check one takes longer than the rest of a request does."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from typing import Any
from unittest import mock

from morango.models.fields import crypto

_load = lru_cache(maxsize=1000)(crypto.crypto_serialization.load_pem_private_key)
_made: list[Any] = []


class Keys:
    """The keys of a school, of full size and each of one device; the next school gets the same ones.

    :param used: how many it has already
    """

    def __init__(self, used: int = 0) -> None:
        self.used = used

    def in_use(self) -> AbstractContextManager[Any]:
        """Make the keys that are asked for these, and keep every private key that was read."""
        generate = crypto.crypto_rsa.generate_private_key

        def next_key(*args: Any, **knobs: Any) -> Any:
            if self.used == len(_made):
                _made.append(generate(*args, **knobs))
            self.used += 1
            return _made[self.used - 1]

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(crypto.crypto_serialization, "load_pem_private_key", _load))
            stack.enter_context(mock.patch.object(crypto.crypto_rsa, "generate_private_key", next_key))
            return stack.pop_all()
