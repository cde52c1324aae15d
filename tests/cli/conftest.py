"""Homes of the kind of database that ``TEST_DATABASE`` names, and hubs to copy them from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from morango_collection_sync.simulation.databases import Databases
from tests.cli.homes import FileHomes, Home, Homes, ServerHomes
from tests.cli.processes import Serving
from tests.cli.schools import PASSWORD


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


@pytest.fixture(scope="session")
def joined_school(homes: Homes, small_school: Home) -> tuple[Home, Home]:
    """The hub of the small school, and a member device that has joined it for lea; to copy, neither is running."""
    hub, tablet = homes.copy(small_school, "joined-hub"), homes.new("joined-tablet")
    with hub.served() as serving:
        tablet.do("join", serving.url, "--user", "lea", "--password", PASSWORD)
    return hub, tablet


@pytest.fixture
def hub(homes: Homes, joined_school: tuple[Home, Home]) -> Home:
    """A hub of the small school, this test's own; lea's device has joined it."""
    return homes.copy(joined_school[0], "hub")


@pytest.fixture
def joined(homes: Homes, joined_school: tuple[Home, Home]) -> Home:
    """A device of this test's own, which has joined the hub for lea. Where that one was, nothing is any more."""
    return homes.copy(joined_school[1], "joined")


@pytest.fixture
def serving(hub: Home) -> Iterator[Serving]:
    """The hub of this test, served."""
    with hub.served() as serving:
        yield serving


@pytest.fixture(scope="module")
def served(homes: Homes, joined_school: tuple[Home, Home]) -> Iterator[Serving]:
    """A hub of the small school, served to all tests of a module: none may change what it has."""
    with homes.copy(joined_school[0], "served").served() as serving:
        yield serving


@pytest.fixture
def tablet(homes: Homes) -> Home:
    """A home that is no device yet."""
    return homes.new("tablet")
