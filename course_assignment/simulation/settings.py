"""The embedded host's settings for a simulation, on the kind of database that ``SIMULATION_DATABASE`` names.

``sqlite`` (the default) is in memory; ``postgresql`` is the server that ``DATABASE_URL`` names, or one that the
simulation starts itself.
"""

import os

# One machine is every device here; to look for its serial number and its network cards takes longer than a sync.
os.environ.setdefault("MORANGO_SYSTEM_ID", "simulation")
os.environ.setdefault("MORANGO_NODE_ID", "simulation")

from course_assignment.facility.settings import *  # noqa: F403 - all of them
from course_assignment.facility.settings import DATABASES, LOGGING

if os.environ.get("SIMULATION_DATABASE", "sqlite") == "sqlite":
    DATABASES["default"] = {"ENGINE": "course_assignment.facility.sqlite", "NAME": ":memory:"}
elif not os.environ.get("DATABASE_URL"):
    DATABASES["default"] = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres"}

# What is simulated is never how slow a good hash is.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# What is refused and released is what a simulation is about; it tells of what should not have been.
LOGGING["root"]["level"] = "CRITICAL"
