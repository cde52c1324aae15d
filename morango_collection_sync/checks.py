"""System checks: what is missing when the operations, the announcement or the policy are not in place."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from morango.constants import settings as morango_settings
from morango.models.core import SyncableModel
from morango.utils import SETTINGS

from morango_collection_sync import conf
from morango_collection_sync.models import CollectionScopedModel
from morango_collection_sync.policy import AccessPolicy
from morango_collection_sync.sessions import understands_grants

_HELPER_HINT = "Call morango_collection_sync.conf.add_collection_sync(globals()) at the end of the settings module."


@register()
def check_policy(**kwargs: Any) -> list[CheckMessage]:
    """E001: no policy is named. E002: what is named is none."""
    try:
        path = conf.policy()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="collection_sync.E001")]
    try:
        policy = import_string(path)
    except ImportError as error:
        return [Error(f"COLLECTION_SYNC['POLICY'] names {path!r}: {error}", id="collection_sync.E002")]
    if not (isinstance(policy, type) and issubclass(policy, AccessPolicy)):
        return [
            Error(
                f"COLLECTION_SYNC['POLICY'] names {path!r}, which is no AccessPolicy",
                id="collection_sync.E002",
            )
        ]
    return []


@register()
def check_operations(**kwargs: Any) -> list[CheckMessage]:
    """E003: an operation of ours is missing, or stands behind one of Morango's."""
    errors: list[CheckMessage] = []
    for name, ours in conf.OPERATIONS.items():
        listed = list(getattr(SETTINGS, name))
        first_stock = min(
            (listed.index(path) for path in getattr(morango_settings, name) if path in listed),
            default=len(listed),
        )
        ahead = listed[:first_stock]
        misplaced = [] if conf.operations_run_by() in ahead else [path for path in ours if path not in ahead]
        if misplaced:
            errors.append(
                Error(
                    f"{name} lacks {', '.join(misplaced)} ahead of Morango's own operations",
                    hint=_HELPER_HINT,
                    id="collection_sync.E003",
                )
            )
    return errors


@register()
def check_announcement(**kwargs: Any) -> list[CheckMessage]:
    """E004: this side does not say that it understands grants, so no hub will grant it anything."""
    if understands_grants(SETTINGS.MORANGO_INSTANCE_INFO):
        return []
    return [
        Error(
            f"MORANGO_INSTANCE_INFO does not hold {conf.INSTANCE_INFO_KEY!r}: {conf.PROTOCOL_VERSION}",
            hint=_HELPER_HINT,
            id="collection_sync.E004",
        )
    ]


@register()
def check_models(**kwargs: Any) -> list[CheckMessage]:
    """E005: a collection-scoped model has no dataset or no collection. E006: it does not sync at all."""
    errors: list[CheckMessage] = []
    for model in apps.get_models():
        if not issubclass(model, CollectionScopedModel):
            continue
        errors += [
            Error(
                f"{model.__name__} is a CollectionScopedModel and has no field {name!r}",
                obj=model,
                id="collection_sync.E005",
            )
            for name in ("dataset", "collection")
            if name not in {field.name for field in model._meta.get_fields()}
        ]
        if not issubclass(model, SyncableModel):
            errors.append(
                Error(
                    f"{model.__name__} is a CollectionScopedModel and no SyncableModel",
                    obj=model,
                    id="collection_sync.E006",
                )
            )
    return errors


@register()
def check_protocol(**kwargs: Any) -> list[CheckMessage]:
    """W001: Morango's older protocol is forced, in which nothing is granted."""
    return [
        Warning(
            f"{name} is set: sessions use Morango's older protocol, and collections are not granted in it",
            id="collection_sync.W001",
        )
        for name in ("MORANGO_DISALLOW_ASYNC_OPERATIONS", "MORANGO_DISABLE_FSIC_V2_FORMAT")
        if getattr(SETTINGS, name)
    ]
