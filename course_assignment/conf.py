"""The settings of course assignments, in ``COURSE_ASSIGNMENT``."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

DEFAULT_MAX_ACTIVE = 20


def max_active_per_collection() -> int | None:
    """``COURSE_ASSIGNMENT["MAX_ACTIVE_PER_COLLECTION"]``: how many may be active. Default 20; None: no limit.

    :raises ImproperlyConfigured: when it is neither None nor a whole number from 0
    """
    value = getattr(settings, "COURSE_ASSIGNMENT", {}).get("MAX_ACTIVE_PER_COLLECTION", DEFAULT_MAX_ACTIVE)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ImproperlyConfigured(
            f"COURSE_ASSIGNMENT['MAX_ACTIVE_PER_COLLECTION'] is {value!r}; "
            "expected a whole number from 0, or None for no limit"
        )
    return value
