"""Settings of the embedded host. They read two variables: ``COLLECTION_SYNC_HOME`` and ``DATABASE_URL``."""

import os
import secrets
from pathlib import Path

from course_assignment.facility.database_url import database_from_url
from morango_collection_sync.conf import add_collection_sync

HOME = Path(os.environ.get("COLLECTION_SYNC_HOME") or "~/.collection-sync").expanduser()

# Nothing that is signed with it outlives the process.
SECRET_KEY = secrets.token_hex(32)
# A device is reached under whatever address its network gave it.
ALLOWED_HOSTS = ["*"]
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "mptt",
    "rest_framework",
    "morango",
    "morango_collection_sync",
    "course_assignment.facility",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "course_assignment.facility.urls"
WSGI_APPLICATION = "course_assignment.facility.wsgi.application"

if os.environ.get("DATABASE_URL"):
    DATABASES = {"default": database_from_url(os.environ["DATABASE_URL"])}
else:
    DATABASES = {
        "default": {
            "ENGINE": "course_assignment.facility.sqlite",
            "NAME": str(HOME / "device.sqlite3"),
            "OPTIONS": {"timeout": 30},
            "CONN_MAX_AGE": None,
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

AUTH_USER_MODEL = "facility.FacilityUser"
AUTHENTICATION_BACKENDS = ["course_assignment.facility.backends.FacilityBackend"]
# Names are unique among those who may sign in, which FacilityBackend sees to; a deleted user's may be used again.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}

COLLECTION_SYNC = {"POLICY": "course_assignment.facility.policy.FacilityPolicy"}
add_collection_sync(globals())

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "none": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Morango logs what a peer has answered and what a record could not be made into, contents included.
        "morango": {"handlers": ["none"], "propagate": False},
        # Tells of each connection that it tries again; what could not be reached is said once, in the end.
        "urllib3": {"handlers": ["none"], "propagate": False},
        # Says "queue depth" whenever a request waits for the one thread.
        "waitress.queue": {"handlers": ["none"], "propagate": False},
        # Each refused request would be a line; what was refused is logged where it is decided.
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}
