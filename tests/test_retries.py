"""What is tried again on a hub, because another session has written at once."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from morango_collection_sync.retries import until_settled


class _OfPostgreSQL(Exception):
    def __init__(self, pgcode: str) -> None:
        self.pgcode = pgcode


def _failing_once_by(pgcode: str, tries: list[str]) -> None:
    tries.append(pgcode)
    if len(tries) == 1:
        raise IntegrityError from _OfPostgreSQL(pgcode)


def test_record_that_two_sessions_have_stored_at_once_is_met_by_another_try() -> None:
    tries: list[str] = []
    until_settled(lambda: _failing_once_by("23505", tries), pause=lambda seconds: None)
    assert len(tries) == 2


def test_row_that_breaks_another_rule_is_no_conflict() -> None:
    tries: list[str] = []
    with pytest.raises(IntegrityError):
        until_settled(lambda: _failing_once_by("23503", tries), pause=lambda seconds: None)
    assert len(tries) == 1
