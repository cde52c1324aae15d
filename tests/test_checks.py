"""The system checks: each misconfiguration has its id, and a sound project has none."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import models
from django.test.utils import isolate_apps

from course_assignment.facility.models import Collection, FacilityDataset, FacilitySyncableModel
from morango_collection_sync import checks, conf
from morango_collection_sync.models import CollectionScopedModel


class NoPolicy:
    """Named where a policy is expected."""


def _messages() -> list[Any]:
    return [message for message in run_checks() if message.id.startswith("collection_sync.")]


def _ids() -> list[str]:
    return [message.id for message in _messages()]


def test_the_embedded_host_is_sound() -> None:
    call_command("check", fail_level="WARNING")


def test_e001_no_policy_is_named(settings: Any) -> None:
    settings.COLLECTION_SYNC = {}
    assert _ids() == ["collection_sync.E001"]


@pytest.mark.parametrize(
    "path",
    [
        "no.such.module.Policy",
        "course_assignment.facility.policy.NoSuchPolicy",
        "nodots",
        "tests.test_checks.NoPolicy",
        "morango_collection_sync.policy.get_policy",
    ],
    ids=["no module", "no attribute", "no path", "another class", "a function"],
)
def test_e002_what_is_named_is_no_policy(settings: Any, path: str) -> None:
    settings.COLLECTION_SYNC = {"POLICY": path}
    (message,) = _messages()
    assert message.id == "collection_sync.E002"
    assert repr(path) in message.msg


@pytest.mark.parametrize("name", conf.OPERATIONS)
def test_e003_an_operation_is_missing(settings: Any, name: str) -> None:
    delattr(settings, name)
    (message,) = _messages()
    assert message.id == "collection_sync.E003"
    assert message.msg.startswith(f"{name} lacks {', '.join(conf.OPERATIONS[name])} ahead")
    assert "add_collection_sync" in message.hint


@pytest.mark.parametrize("name", conf.OPERATIONS)
def test_e003_an_operation_stands_behind_one_of_morango(settings: Any, name: str) -> None:
    first, *rest = getattr(settings, name)
    setattr(settings, name, (*rest, first))
    (message,) = _messages()
    assert message.id == "collection_sync.E003"
    assert message.msg.startswith(f"{name} lacks {first} ahead")


def test_an_operation_of_the_host_may_stand_first(settings: Any) -> None:
    settings.MORANGO_QUEUE_OPERATIONS = ("host.operations:Own", *settings.MORANGO_QUEUE_OPERATIONS)
    assert _ids() == []


@pytest.mark.parametrize(
    "info",
    [{}, {"collection_sync": "1"}, {"collection_sync": True}, {"collection_sync": 0}],
    ids=["nothing", "a string", "a bool", "version 0"],
)
def test_e004_this_side_does_not_say_that_it_understands_grants(settings: Any, info: dict[str, Any]) -> None:
    settings.MORANGO_INSTANCE_INFO = info
    (message,) = _messages()
    assert message.id == "collection_sync.E004"
    assert "add_collection_sync" in message.hint


class _WithDataset(models.Model):
    dataset = models.ForeignKey(FacilityDataset, on_delete=models.CASCADE)

    class Meta:
        abstract = True


class _WithCollection(models.Model):
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE)

    class Meta:
        abstract = True


def _model(monkeypatch: pytest.MonkeyPatch, *bases: type) -> None:
    with isolate_apps("course_assignment.facility") as only_this_model:
        type("Assignment", bases, {"__module__": "course_assignment.facility.models"})
    monkeypatch.setattr(checks, "apps", only_this_model)


@pytest.mark.parametrize(
    ("bases", "missing"),
    [((_WithCollection,), ["dataset"]), ((_WithDataset,), ["collection"]), ((), ["dataset", "collection"])],
    ids=["dataset", "collection", "both"],
)
def test_e005_a_collection_scoped_model_lacks_a_field(
    bases: tuple[type, ...], missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _model(monkeypatch, CollectionScopedModel, *bases, FacilitySyncableModel)
    found = checks.check_models()
    assert [message.id for message in found] == ["collection_sync.E005"] * len(missing)
    for message, name in zip(found, missing):
        assert message.msg == f"Assignment is a CollectionScopedModel and has no field {name!r}"


def test_e006_a_collection_scoped_model_does_not_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    _model(monkeypatch, CollectionScopedModel, _WithDataset, _WithCollection)
    (message,) = checks.check_models()
    assert message.id == "collection_sync.E006"
    assert "Assignment" in message.msg


def test_a_sound_collection_scoped_model_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    _model(monkeypatch, CollectionScopedModel, _WithDataset, _WithCollection, FacilitySyncableModel)
    assert checks.check_models() == []


def test_the_models_are_checked_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    _model(monkeypatch, CollectionScopedModel, _WithDataset, _WithCollection)
    assert _ids() == ["collection_sync.E006"]


@pytest.mark.parametrize("name", ["MORANGO_DISALLOW_ASYNC_OPERATIONS", "MORANGO_DISABLE_FSIC_V2_FORMAT"])
def test_w001_the_older_protocol_is_forced(settings: Any, name: str) -> None:
    setattr(settings, name, True)
    (message,) = _messages()
    assert message.id == "collection_sync.W001"
    assert message.msg.startswith(f"{name} is set")
