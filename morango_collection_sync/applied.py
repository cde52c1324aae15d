"""What a model says of how its rows are written when a sync has brought them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from morango.models.core import SyncableModel

_BATCH = 100
"""Rows written in one statement: each is a condition of an update, and SQLite's conditions are at most 1000 deep."""


class NotTogether(Exception):
    """Among some rows there is one that has to be written by itself."""


class AppliedModel:
    """A model of which what a sync brings may be written many rows in a statement; put it ahead of Morango's base."""

    _meta: Any
    _base_manager: Any

    applied_together = False
    """Whether it is. To be set where ``save``, called as Morango calls it, only writes the row that ``clean_fields``
    and :meth:`before_written` have let pass."""

    def before_written(self) -> None:
        """What ``save`` looks at before it writes what a sync has brought; nothing, where it does not.

        :raises: what ``save`` would; the record is then applied by itself, by ``save``
        """

    @classmethod
    def write_together(cls, new: Sequence[SyncableModel], changed: Sequence[SyncableModel]) -> None:
        """Write rows as ``save`` would have, one after the other; inside a transaction.

        :param new: of which there is no row here, those that others refer to ahead of these
        :param changed: of which there is one
        :raises IntegrityError: when the database refuses one of them; all are then applied one by one
        :raises NotTogether: for the same
        """
        names = [field.attname for field in cls._meta.concrete_fields if not field.primary_key]
        write_rows(cls, new, changed, names)


def write_rows(
    model: Any, new: Sequence[SyncableModel], changed: Sequence[SyncableModel], names: Sequence[str]
) -> None:
    """Write new rows, and these fields of changed ones.

    :param names: of attributes
    """
    # Not the host's manager: what it refuses or marks when people change rows in bulk is not what this is.
    model._base_manager.bulk_create(new, batch_size=_BATCH)
    model._base_manager.bulk_update(changed, names, batch_size=_BATCH)
