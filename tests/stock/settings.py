"""The embedded host without this extension: Morango's own operations and views, and nothing announced."""

import os

os.environ.setdefault("MORANGO_SYSTEM_ID", "tests")
os.environ.setdefault("MORANGO_NODE_ID", "tests")

from morango.constants import settings as morango_settings

from course_assignment.facility.settings import *  # noqa: F403 - all of them
from morango_collection_sync.conf import OPERATIONS

globals().update({name: getattr(morango_settings, name) for name in OPERATIONS})
MORANGO_INSTANCE_INFO: dict[str, int] = {}
ROOT_URLCONF = "tests.stock.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
