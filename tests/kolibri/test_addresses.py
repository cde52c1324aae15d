"""Which view answers at the addresses of sync, with and without the settings for hubs."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import resolve
from morango.api import viewsets as of_morango

from course_assignment.kolibri.checks import check_views
from morango_collection_sync import api

_VIEWS = ("BufferViewSet", "TransferSessionViewSet")


def _address(view: str) -> str:
    return f"/api/morango/v1/{view[: -len('ViewSet')].lower()}s/"


@pytest.mark.parametrize("view", _VIEWS)
def test_settings_for_hubs_route_our_views_ahead_of_morangos(view: str) -> None:
    found = resolve(_address(view), urlconf="course_assignment.kolibri.hub_urls")
    assert found.func.cls is getattr(api, view)


@pytest.mark.parametrize("view", _VIEWS)
def test_plugin_alone_leaves_morangos_views_where_they_are(view: str) -> None:
    assert resolve(_address(view)).func.cls is getattr(of_morango, view)


def test_check_for_hubs_warns_of_what_morangos_views_do_not_limit(settings: Any) -> None:
    assert [warning.id for warning in check_views()] == ["course_assignment_kolibri.W001"]
    settings.ROOT_URLCONF = "course_assignment.kolibri.hub_urls"
    assert check_views() == []


@pytest.mark.django_db(databases="__all__")
def test_settings_for_hubs_keep_all_else() -> None:
    path = "/course_assignment/api/courseassignment/"
    assert resolve(path, urlconf="course_assignment.kolibri.hub_urls").func.cls is resolve(path).func.cls
