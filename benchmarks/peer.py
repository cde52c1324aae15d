"""A hub or a device as a process of its own, told what to do by lines of JSON on its standard input.

``python -m benchmarks.peer ours|stock``, on the home that ``COLLECTION_SYNC_HOME`` names. Each line is an object with
``do``, one of the names in :data:`DEEDS`, and its arguments; each answer is a line of JSON, with ``error`` where it
failed.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import django

from benchmarks.school import PASSWORD, School, build, classroom_name

STOCK, OURS = "stock", "ours"


def main() -> None:
    """Obey until standard input ends."""
    way = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = f"benchmarks.settings_{way}"
    Path(os.environ["COLLECTION_SYNC_HOME"]).mkdir(parents=True, exist_ok=True)
    django.setup()
    peer = (_StockPeer if way == STOCK else _OurPeer)()
    # Whatever a library prints would be taken for an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = _deed(peer, order.pop("do"))(**order)
        except Exception as error:
            answer = {"error": " from ".join(_chain(error))}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


DEEDS = ("migrate", "build", "serve", "cost", "rename", "enrol", "withdraw", "join", "sync", "forget_sessions")


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{type(error).__name__}: {error}".splitlines()[0][:200]
        error = error.__cause__


def _deed(peer: Peer, name: str) -> Callable[..., Any]:
    if name not in DEEDS:
        raise ValueError(f"expected one of {', '.join(DEEDS)}")
    return cast("Callable[..., Any]", getattr(peer, name))


class Peer(ABC):
    """What both kinds of process do alike."""

    def __init__(self) -> None:
        self.requests = 0
        self.statements = 0

    def migrate(self) -> None:
        """Make the tables."""
        from django.core.management import call_command
        from django.db import connection

        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("loaddata", "scopedefinitions", verbosity=0)

    def build(self, **school: int) -> None:
        """Make the school, with the arguments of :class:`School`."""
        build(School(**school))

    def serve(self, port: int = 0) -> int:
        """Answer from now on at a port of the loopback interface, which several processes may share; the port."""
        from django.core.wsgi import get_wsgi_application
        from waitress.server import create_server

        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("127.0.0.1", port))
        self._application = get_wsgi_application()
        server = create_server(self._count_request, sockets=[listening], threads=1)
        threading.Thread(target=server.run, daemon=True).start()
        return int(listening.getsockname()[1])

    def _count_request(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        from django.db import connection

        self.requests += 1
        with connection.execute_wrapper(self._count_statement):
            return list(self._application(environ, start_response))

    def _count_statement(self, execute: Any, *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)

    def cost(self) -> dict[str, Any]:
        """What this process has spent in all: requests answered, statements in them, CPU seconds."""
        return {"requests": self.requests, "statements": self.statements, "cpu": time.process_time()}

    def rename(self, number: int, title: str) -> None:
        """Change one course assignment of a classroom."""
        from course_assignment.facility.models import CourseAssignment

        row = CourseAssignment.objects.filter(collection__name=classroom_name(number)).order_by("id").first()
        row.title = title
        row.save()

    def enrol(self, username: str, number: int) -> None:
        """Put a user into a classroom."""
        from course_assignment.facility.models import Collection, FacilityUser
        from tests import school

        school.enrol(FacilityUser.objects.get(username=username), Collection.objects.get(name=classroom_name(number)))

    def withdraw(self, username: str, number: int) -> None:
        """Take a user out of a classroom."""
        from course_assignment.facility.models import Membership

        Membership.objects.get(user__username=username, collection__name=classroom_name(number)).delete()

    def join(self, url: str, username: str) -> None:
        """Get a certificate for a user."""
        from morango.sync.syncsession import NetworkSyncConnection

        from course_assignment.facility.models import FULL_FACILITY, SINGLE_USER

        with closing(NetworkSyncConnection(base_url=url)) as connection:
            user = connection.session.get(url + "api/facility/v1/user/", auth=(username, PASSWORD)).json()
            (root,) = connection.get_remote_certificates(user["dataset_id"], scope_def_id=FULL_FACILITY)
            scope_params = {"dataset_id": user["dataset_id"], "user_id": user["id"]}
            connection.certificate_signing_request(
                root, SINGLE_USER, scope_params, userargs=username, password=PASSWORD
            )

    def sync(self, url: str, pull: bool = True, push: bool = True, **how: bool) -> dict[str, Any]:
        """Sync this device's one user, and say what that cost this side."""
        from django.db import connection

        statements, cpu, started = self.statements, time.process_time(), time.monotonic()
        with connection.execute_wrapper(self._count_statement):
            done = self._sync(url, pull=pull, push=push, **how)
        cost = {
            "wall": time.monotonic() - started,
            "cpu": time.process_time() - cpu,
            "statements": self.statements - statements,
        }
        _require_all_applied()
        return {**done, **cost}

    def forget_sessions(self) -> None:
        """Let the next sync begin a session of its own."""
        from morango.models.core import SyncSession

        SyncSession.objects.filter(is_server=False).update(active=False)

    @abstractmethod
    def _sync(self, url: str, **how: bool) -> dict[str, Any]:
        """Sync with a hub.

        :return: how many ``records`` came or went; bytes ``received`` and ``sent``
        """


def _require_all_applied() -> None:
    """:raises ValueError: when a record came and could not be applied: what was measured is not a sync of all then"""
    from morango.models.core import Store

    for reason in Store.objects.filter(dirty_bit=True).values_list("deserialization_error", flat=True):
        raise ValueError(f"a record was not applied: {reason}")


def _certificates() -> tuple[Any, Any]:
    from morango.models.certificates import Certificate

    own = Certificate.objects.exclude(_private_key=None).get()
    return own, own.get_root()


class _OurPeer(Peer):
    def _sync(self, url: str, *, pull: bool, push: bool, quickly: bool = False, resume: bool = False) -> dict[str, Any]:
        from morango_collection_sync.driver import SyncDriver

        with SyncDriver.connect(url) as driver:
            report = driver.sync(*_certificates(), pull=pull, push=push)
            return {
                "records": sum(transfer.records for transfer in report.transfers),
                "received": driver.connection.bytes_received,
                "sent": driver.connection.bytes_sent,
            }


class _StockPeer(Peer):
    def _sync(self, url: str, *, pull: bool, push: bool, quickly: bool = False, resume: bool = False) -> dict[str, Any]:
        """Sync as Morango's own client does.

        :param quickly: without its sleeping, for what is only preparation
        :param resume: take up the session of the last sync, which that one left open
        """
        from morango.models.core import SyncSession
        from morango.sync.syncsession import NetworkSyncConnection

        own, root = _certificates()
        with closing(NetworkSyncConnection(base_url=url)) as connection:
            last = SyncSession.objects.filter(is_server=False, active=True).first()
            client = (
                connection.resume_sync_session(last.id)
                if resume and last is not None
                else connection.create_sync_session(own, root)
            )
            records = 0
            if pull:
                records += self._transfer(client.get_pull_client(), own.get_scope().read_filter, quickly)
            if push:
                records += self._transfer(client.get_push_client(), own.get_scope().write_filter, quickly)
            if not quickly:
                connection.close_sync_session(client.sync_session)
            return {"records": records, "received": connection.bytes_received, "sent": connection.bytes_sent}

    def _transfer(self, client: Any, sync_filter: Any, quickly: bool) -> int:
        if quickly:
            from morango.registry import session_middleware
            from morango.sync.controller import SessionControllerSignals

            from morango_collection_sync.controller import EagerController

            client.controller = EagerController(session_middleware, SessionControllerSignals(), context=client.context)
        client.initialize(sync_filter)
        client.run()
        client.finalize()
        return int(client.current_transfer_session.records_transferred)


if __name__ == "__main__":
    main()
