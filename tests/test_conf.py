"""The settings, and the helper that adds the operations to a settings module."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from morango.constants import settings as morango_settings
from morango.registry import STAGE_TO_SETTINGS, SessionMiddlewareRegistry

from morango_collection_sync import conf

HOSTS_OWN = "host.operations:Own"


@pytest.mark.parametrize("name", conf.OPERATIONS)
def test_operations_come_ahead_of_those_of_morango(name: str) -> None:
    module: dict[str, Any] = {}
    conf.add_collection_sync(module)
    assert module[name] == conf.OPERATIONS[name] + getattr(morango_settings, name)


@pytest.mark.parametrize("name", conf.OPERATIONS)
def test_operations_that_the_host_has_set_before_stay_in_their_order(name: str) -> None:
    hosts = [HOSTS_OWN, getattr(morango_settings, name)[0]]
    module: dict[str, Any] = {name: hosts}
    conf.add_collection_sync(module)
    assert module[name] == conf.OPERATIONS[name] + tuple(hosts)


def test_stages_without_operations_of_ours_are_left_alone() -> None:
    module: dict[str, Any] = {}
    conf.add_collection_sync(module)
    assert module.keys() == conf.OPERATIONS.keys() | {"MORANGO_INSTANCE_INFO"}


def test_adding_twice_is_adding_once() -> None:
    module: dict[str, Any] = {"MORANGO_QUEUE_OPERATIONS": (HOSTS_OWN,), "MORANGO_INSTANCE_INFO": {"app": "x"}}
    conf.add_collection_sync(module)
    once = dict(module)
    conf.add_collection_sync(module)
    assert module == once


def test_the_announcement_joins_what_the_host_says_of_itself() -> None:
    info = {"app": "x"}
    module: dict[str, Any] = {"MORANGO_INSTANCE_INFO": info}
    conf.add_collection_sync(module)
    assert module["MORANGO_INSTANCE_INFO"] == {"app": "x", "collection_sync": 1}
    assert info == {"app": "x"}


def test_instance_info_that_is_an_import_path_is_refused_with_what_to_do() -> None:
    module: dict[str, Any] = {"MORANGO_INSTANCE_INFO": "host.info:INFO"}
    with pytest.raises(ImproperlyConfigured, match=r"add 'collection_sync': 1 to the dict that it names"):
        conf.add_collection_sync(module)


def test_morango_loads_every_operation_and_in_this_order(settings: Any) -> None:
    module: dict[str, Any] = {}
    conf.add_collection_sync(module)
    for name in conf.OPERATIONS:
        setattr(settings, name, module[name])
    stages = SessionMiddlewareRegistry()
    stages.populate()
    loaded = {STAGE_TO_SETTINGS[stage.related_stage]: stage for stage in stages}
    for name, ours in conf.OPERATIONS.items():
        first = [type(operation) for operation in loaded[name][: len(ours)]]
        assert tuple(f"{each.__module__}:{each.__name__}" for each in first) == ours


def test_the_policy_has_no_default(settings: Any) -> None:
    settings.COLLECTION_SYNC = {}
    with pytest.raises(ImproperlyConfigured, match="POLICY"):
        conf.policy()
    del settings.COLLECTION_SYNC
    with pytest.raises(ImproperlyConfigured, match="POLICY"):
        conf.policy()


def test_the_policy_is_a_path_and_no_class(settings: Any) -> None:
    settings.COLLECTION_SYNC = {"POLICY": object}
    with pytest.raises(ImproperlyConfigured, match="POLICY"):
        conf.policy()


def test_a_session_has_ten_minutes_unless_the_host_says_otherwise(settings: Any) -> None:
    settings.COLLECTION_SYNC = {}
    assert conf.session_deadline() == 600.0
    settings.COLLECTION_SYNC = {"SESSION_DEADLINE": 5}
    assert conf.session_deadline() == 5.0
