"""Databases from one template, of either kind."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction
from morango.models.certificates import Nonce, ScopeDefinition
from morango.models.core import DatabaseIDModel

from morango_collection_sync.simulation.databases import Database, Databases, using
from morango_collection_sync.simulation.errors import ProcessKilled


@pytest.fixture
def database(databases: Databases) -> Database:
    return databases.new()


def nonces() -> int:
    return Nonce.objects.count()


@transaction.atomic
def crash_in_transaction(database: Database) -> None:
    Nonce.objects.create()
    database.crash()
    nonces()


def test_new_database_is_prepared_and_has_no_identity_yet(database: Database) -> None:
    with using(database):
        assert ScopeDefinition.objects.exists()
        assert not DatabaseIDModel.objects.exists()


def test_two_databases_share_nothing(databases: Databases, database: Database) -> None:
    with using(database):
        Nonce.objects.create()
    with using(databases.new()):
        assert nonces() == 0


def test_copy_keeps_what_was_there_when_it_was_made(database: Database) -> None:
    with using(database):
        Nonce.objects.create()
        copy = database.copy()
        Nonce.objects.create()
    with using(copy):
        assert nonces() == 1
    copy.drop()


def test_another_thread_sees_what_is_committed(database: Database) -> None:
    seen: list[int] = []

    def look() -> None:
        with using(database):
            seen.append(nonces())
            Nonce.objects.create()

    with using(database):
        Nonce.objects.create()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert seen == [1]
        assert nonces() == 2


def test_using_puts_the_outer_database_back(databases: Databases, database: Database) -> None:
    with using(database):
        with using(databases.new()):
            Nonce.objects.create()
        assert nonces() == 0


def test_crash_loses_what_is_not_committed(database: Database) -> None:
    with using(database):
        Nonce.objects.create()
        with pytest.raises(ProcessKilled):
            crash_in_transaction(database)
    with using(database):
        assert nonces() == 1


def test_nothing_reaches_the_database_after_a_crash(database: Database) -> None:
    with using(database):
        database.crash()
        with pytest.raises(ProcessKilled):
            Nonce.objects.create()
    with using(database):
        assert nonces() == 0


def test_outer_transaction_dies_with_the_inner_one(database: Database) -> None:
    with using(database), pytest.raises(ProcessKilled), transaction.atomic():
        crash_in_transaction(database)
    with using(database):
        assert nonces() == 0


def test_dropped_database_leaves_no_connection_behind_and_can_be_dropped_again(databases: Databases) -> None:
    database = databases.new()
    with using(database):
        nonces()
        wrapper = connections["default"]
    database.drop()
    assert wrapper.connection is None
    database.drop()
