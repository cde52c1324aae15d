"""What the plugin adds to Kolibri's Django settings."""

import os

from kolibri.utils.conf import OPTIONS

INSTALLED_APPS = ("morango_collection_sync",)

COLLECTION_SYNC = {
    "POLICY": "course_assignment.kolibri.policy.KolibriPolicy",
    "OPERATIONS_RUN_BY": "kolibri.core.auth.sync_operations:KolibriSyncOperations",
}

_most_active = OPTIONS["CourseAssignments"]["MAX_ACTIVE_COURSE_ASSIGNMENTS"]
COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": _most_active if _most_active >= 0 else None}

# Kolibri lets no plugin override a setting of its own, and reads this one from the environment right after the
# plugins' settings (kolibri/deployment/default/settings/base.py, 0.19.5). What an administrator has set there stays;
# the system check collection_sync.E004 says when it lacks the announcement.
os.environ.setdefault("MORANGO_INSTANCE_INFO", "course_assignment.kolibri.announcement:INSTANCE_INFO")
