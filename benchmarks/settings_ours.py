"""The embedded host as it is, with passwords that cost nothing to check: nobody's sync is measured by them."""

import os

os.environ.setdefault("MORANGO_SYSTEM_ID", os.environ.get("COLLECTION_SYNC_HOME", ""))

from course_assignment.facility.settings import *  # noqa: F403 - all of them

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
