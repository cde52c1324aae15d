"""Signing in with a username and password, as a device does that joins."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from course_assignment.facility.models import FacilityUser


class FacilityBackend(ModelBackend):
    """Finds a user by name, whatever its case, and never a deleted one."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> FacilityUser | None:
        if username is None or password is None:
            return None
        try:
            user = FacilityUser.objects.get_by_natural_key(username)
        except (FacilityUser.DoesNotExist, FacilityUser.MultipleObjectsReturned):
            # As much work as for a name that exists, so that the time taken tells nobody which do.
            FacilityUser().set_password(password)
            return None
        return user if user.check_password(password) else None
