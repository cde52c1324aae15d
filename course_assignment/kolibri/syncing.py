"""Syncing this Kolibri with a hub by the driver of collection-scoped sync: for each of its users, or as a hub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial

from django.core.management.base import CommandError
from kolibri.core.auth.constants.morango_sync import PROFILE_FACILITY_DATA, ScopeDefinitions
from kolibri.core.auth.management.utils import get_baseurl
from kolibri.core.auth.sync_event_hook_utils import post_sync_transfer_handler
from morango.models.certificates import Certificate
from morango.models.core import InstanceIDModel, SyncSession, TransferSession
from morango.sync.context import LocalSessionContext

from course_assignment.kolibri.lookup import collection_names, find_datasets, usernames
from course_assignment.syncing import UserSync, user_sync
from morango_collection_sync.driver import ProgressCallback, SyncDriver
from morango_collection_sync.reports import SyncReport

_FOR_NOBODY = (
    "this device does not sync for anybody yet; "
    "the first sync of a user is kolibri manage sync --user, or that of the setup wizard"
)


def last_hub() -> str:
    """The address of the hub that this device has synced with last, by whichever command.

    :raises CommandError: when it never has
    """
    sessions = SyncSession.objects.filter(is_server=False, connection_kind="network")
    base_url = sessions.order_by("-last_activity_timestamp").values_list("connection_path", flat=True).first()
    if base_url is None:
        raise CommandError("this device knows no hub yet; give its address: sync http://HOST:PORT")
    return str(base_url)


def connect(address: str, progress: ProgressCallback | None = None) -> SyncDriver:
    """Open a connection to the hub at this address, in any form that Kolibri takes.

    :raises CommandError: when that is no address, nothing answers there, or it is this very device
    """
    driver = SyncDriver.connect(get_baseurl(address), progress)
    if driver.connection.server_info["instance_id"] == InstanceIDModel.get_or_create_current_instance()[0].id:
        driver.close()
        raise CommandError(f"what answers at {address} is this device itself; give the address of another one")
    return driver


def synced_datasets(facility: str | None) -> list[str]:
    """The dataset of the facility with this id, or each that this device has a certificate for; 32 hex digits each.

    After a first sync that was interrupted there is a certificate, and no facility yet.

    :raises CommandError: when there is no such facility, or no certificate at all
    """
    if facility:
        return find_datasets(facility)
    trees = Certificate.objects.exclude(_private_key=None).values("tree_id")
    roots = Certificate.objects.filter(parent=None, profile=PROFILE_FACILITY_DATA, tree_id__in=trees)
    found = list(roots.order_by("id").values_list("id", flat=True))
    if not found:
        raise CommandError(_FOR_NOBODY)
    return found


def own_certificates(dataset_ids: Iterable[str]) -> list[Certificate]:
    """What this device syncs these datasets with: of each, a hub's own certificate, else one for each user.

    :raises CommandError: when it has none
    """
    found: list[Certificate] = []
    for dataset_id in dataset_ids:
        tree = Certificate.objects.filter(id=dataset_id).values("tree_id")
        ordered = Certificate.objects.filter(tree_id__in=tree).exclude(_private_key=None).order_by("lft")
        whole = ordered.filter(scope_definition_id=ScopeDefinitions.FULL_FACILITY)[:1]
        found += whole or ordered.filter(scope_definition_id=ScopeDefinitions.SINGLE_USER)
    if not found:
        raise CommandError(_FOR_NOBODY)
    return found


def sync_all(driver: SyncDriver, certificates: Iterable[Certificate]) -> Iterator[UserSync]:
    """Pull and push for one certificate of this device after the other, and let Kolibri do what it does after each.

    :raises CommandError: when the hub has another facility
    :raises CollectionSyncError: when the hub ends a session, or offers what this device must not take
    :raises requests.exceptions.RequestException: when the connection is lost; the next sync goes on from there
    """
    for certificate in certificates:
        report = driver.sync(certificate, partial(_certificate_of_hub, driver, certificate.get_root().id))
        _tell_kolibri(report)
        yield user_sync(_username(certificate), report, collection_names)


def certificate_user_id(certificate: Certificate) -> str:
    """The user of a single-user certificate, 32 hex digits."""
    return str(json.loads(certificate.scope_params)["user_id"])


def _certificate_of_hub(driver: SyncDriver, dataset_id: str) -> Certificate:
    remote = driver.connection.get_remote_certificates(dataset_id, ScopeDefinitions.FULL_FACILITY)
    if not remote:
        base_url = driver.connection.base_url
        raise CommandError(f"the hub at {base_url} does not have the facility of dataset {dataset_id}")
    return remote[0]


def _tell_kolibri(report: SyncReport) -> None:
    """Run the hooks that Kolibri's own sync command runs after each transfer (``MorangoSyncCommand``, 0.19.5).

    They download content that was asked for, make notifications, and end sessions of users who were deleted.
    """
    for transfer in report.transfers:
        transfer_session = TransferSession.objects.get(id=transfer.transfer_session_id)
        post_sync_transfer_handler(context=LocalSessionContext(transfer_session=transfer_session))


def _username(certificate: Certificate) -> str | None:
    if certificate.scope_definition_id == ScopeDefinitions.FULL_FACILITY:
        return None
    return usernames([certificate_user_id(certificate)])[0]
