"""The towns that are attacked, and who attacks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from morango_collection_sync.simulation.databases import Databases
from tests import school
from tests.hostile.town import Town, push, record, town
from tests.stock.in_process import stock_morango
from tests.sync.peer import Peer

OpenSession = Callable[..., Peer]


@pytest.fixture
def guarded(databases: Databases) -> Iterator[Town]:
    """A town whose hub has this extension."""
    with town(databases) as made:
        yield made


@pytest.fixture
def plain(databases: Databases) -> Iterator[Town]:
    """A town whose hub runs Morango's own operations, with filters widened as Kolibri does it."""
    with town(databases, (lambda: stock_morango(widens=True),)) as made:
        yield made


@pytest.fixture
def open_session(databases: Databases) -> Iterator[OpenSession]:
    """``open_session(town, "ada")`` is a session with that town's hub, with Ada's own certificate, by hand."""
    with ExitStack() as peers:

        def make(where: Town, username: str, **options: Any) -> Peer:
            device, joined = where.device_of(username, databases)
            with device:
                certificate = joined.client_certificate()
                return peers.enter_context(Peer(where.base_url, certificate, where.dataset_id, **options))

        yield make


@pytest.fixture
def life_goes_on(databases: Databases) -> Callable[[Town], None]:
    """Checks that the hub still serves an honest device: it pulls its own, and what it pushes arrives."""

    def check(where: Town) -> None:
        device, joined = where.device_of("dan", databases)
        with device:
            joined.sync()
            assert "B" in school.held_assignments()
            classroom = type(where.class_b).objects.get(id=where.class_b.id)
            made = school.assign(classroom, "made by Dan").id
            joined.sync()
        with where.hub:
            assert made in school.stored_assignment_ids()

    return check


__all__ = ["push", "record"]
