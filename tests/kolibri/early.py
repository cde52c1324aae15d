"""Loaded before pytest-django imports Django: Kolibri brings its own Django, and reads its home at import.

This process gets an empty Kolibri home with the plugin enabled. The devices of the end-to-end tests are other
processes, each with a home of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="kolibri-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["KOLIBRI_HOME"] = _home
os.environ["KOLIBRI_PLUGIN_ENABLE"] = "course_assignment.kolibri"
os.environ["DJANGO_SETTINGS_MODULE"] = "kolibri.deployment.default.settings.test"
os.environ.setdefault("MORANGO_SYSTEM_ID", "tests")

import kolibri  # noqa: E402, F401 - puts the packages that it brings ahead of all others
