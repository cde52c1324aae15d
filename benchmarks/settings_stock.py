"""Morango as it comes, with a filter widened as Kolibri widens it, on Django's own SQLite backend."""

import os

os.environ.setdefault("MORANGO_SYSTEM_ID", os.environ.get("COLLECTION_SYNC_HOME", ""))

from morango.constants import settings as morango_settings

from tests.stock.settings import *  # noqa: F403 - all of them
from tests.stock.settings import DATABASES

MORANGO_INITIALIZE_OPERATIONS = (
    "tests.stock.widening:WidenOnce",
    "tests.stock.widening:TakeWider",
    *morango_settings.MORANGO_INITIALIZE_OPERATIONS,
)

if DATABASES["default"]["ENGINE"].endswith("sqlite"):
    DATABASES["default"] = {**DATABASES["default"], "ENGINE": "django.db.backends.sqlite3"}
