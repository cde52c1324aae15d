"""A peer without this extension, as a process of its own, on the home that ``COLLECTION_SYNC_HOME`` names.

``python -m tests.stock sync HUB_URL USERNAME [TITLE]`` gets the user a certificate of the hub, pulls and pushes, and
prints what is on this device then; with a title, it assigns a course of that title in between, to any classroom.
``python -m tests.stock serve`` prints this device's address and answers until its standard input is closed.
The head is a user who syncs the whole facility, everybody else is a single user.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.stock.settings"
    Path(os.environ["COLLECTION_SYNC_HOME"]).mkdir(parents=True, exist_ok=True)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("loaddata", "scopedefinitions", verbosity=0)
    command, *arguments = sys.argv[1:]
    {"sync": _sync, "serve": _serve}[command](*arguments)


def _sync(hub_url: str, username: str, title: str | None = None) -> None:
    from morango.sync.syncsession import NetworkSyncConnection

    from course_assignment.facility.models import Collection, CourseAssignment, FacilityUser
    from tests import school

    connection = NetworkSyncConnection(base_url=hub_url)
    certificate, hubs = _certificates(connection, username)
    client = connection.create_sync_session(certificate, hubs)
    pulled = _transfer(client.get_pull_client(), certificate.get_scope().read_filter)
    if title is not None:
        school.assign(Collection.objects.filter(kind="classroom").first(), title)
    client = connection.create_sync_session(certificate, hubs)
    pushed = _transfer(client.get_push_client(), certificate.get_scope().write_filter)
    connection.close_sync_session(client.sync_session)
    connection.close()
    held = {
        "users": sorted(FacilityUser.objects.values_list("username", flat=True)),
        "collections": sorted(Collection.objects.values_list("name", flat=True)),
        "assignments": sorted(CourseAssignment.objects.values_list("title", flat=True)),
    }
    print(json.dumps({**held, "pulled": pulled, "pushed": pushed}))


def _certificates(connection: Any, username: str) -> tuple[Any, Any]:
    from morango.models.certificates import Certificate

    from course_assignment.facility.models import FULL_FACILITY, SINGLE_USER
    from tests.school import PASSWORD

    user = connection.session.get(connection.base_url + "api/facility/v1/user/", auth=(username, PASSWORD)).json()
    (hubs,) = connection.get_remote_certificates(user["dataset_id"], scope_def_id=FULL_FACILITY)
    scope, params = FULL_FACILITY, {"dataset_id": user["dataset_id"]}
    if username != "head":
        scope, params = SINGLE_USER, {**params, "user_id": user["id"]}
    own = Certificate.objects.exclude(_private_key=None).first()
    if own is None:
        own = connection.certificate_signing_request(hubs, scope, params, userargs=username, password=PASSWORD)
    return own, hubs


def _transfer(client: Any, sync_filter: Any) -> int:
    client.initialize(sync_filter)
    client.run()
    client.finalize()
    return int(client.current_transfer_session.records_transferred)


def _serve() -> None:
    from django.core.wsgi import get_wsgi_application
    from waitress.server import create_server

    server = create_server(get_wsgi_application(), host="127.0.0.1", port=0, threads=1)
    threading.Thread(target=server.run, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.effective_port}/"}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
