"""Homes of the kind of database that ``TEST_DATABASE`` names, and hubs to copy them from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from morango_collection_sync.simulation.databases import Databases
from tests.cli.homes import FileHomes, Home, Homes, ServerHomes, Serving


@pytest.fixture(scope="session")
def homes(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    """Where homes come from."""
    folder = tmp_path_factory.mktemp("homes")
    source: Homes = FileHomes(folder)
    if databases.vendor == "postgresql":
        # Where it is, a device's database knows; the tests may have started it themselves.
        source = ServerHomes(folder, databases.new().connection().settings_dict)
    yield source
    source.drop_all()


@pytest.fixture(scope="session")
def small_school(homes: Homes) -> Home:
    """The hub of a small school (see :func:`tests.cli.schools.make_small_school`), to copy or to change nothing on."""
    home = homes.new("small-school")
    home.prepare("tests.cli.schools:make_small_school")
    return home


@pytest.fixture
def hub(homes: Homes, small_school: Home) -> Home:
    """A hub of the small school, this test's own."""
    return homes.copy(small_school, "hub")


@pytest.fixture
def serving(hub: Home) -> Iterator[Serving]:
    """The hub of this test, served."""
    with hub.served() as serving:
        yield serving


@pytest.fixture
def tablet(homes: Homes) -> Home:
    """A home that is no device yet."""
    return homes.new("tablet")
