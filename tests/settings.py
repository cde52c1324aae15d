"""The embedded host's settings, for tests on the kind of database that ``TEST_DATABASE`` names.

``sqlite`` (the default) is in memory. ``postgresql`` is the server that ``DATABASE_URL`` names, or one that the tests
start themselves. Either way no test has a database outside of a device.
"""

import os

# One machine is every device here; to look for its serial number and its network cards takes longer than a sync.
os.environ.setdefault("MORANGO_SYSTEM_ID", "tests")
os.environ.setdefault("MORANGO_NODE_ID", "tests")

from course_assignment.facility.settings import *  # noqa: F403 - all of them
from course_assignment.facility.settings import DATABASES, LOGGING

TEST_DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
if TEST_DATABASE == "sqlite":
    DATABASES["default"] = {"ENGINE": "course_assignment.facility.sqlite", "NAME": ":memory:"}
elif TEST_DATABASE != "postgresql":
    raise ValueError(f"TEST_DATABASE is {TEST_DATABASE!r}; expected sqlite or postgresql")
elif not os.environ.get("DATABASE_URL"):
    DATABASES["default"] = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres"}

# What is tested is never how slow a good hash is.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A server with one thread has a queue of one whenever a client is quicker than the thread is back.
LOGGING["loggers"]["waitress.queue"] = {"level": "ERROR"}
