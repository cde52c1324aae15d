"""What answers at an address and is no hub is told as what it is, at once and without a password."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Callable

import pytest

from course_assignment.facility.errors import BadAddress, HubUnreachable
from course_assignment.facility.hubs import Hub, normal_url
from morango_collection_sync import connection
from morango_collection_sync.simulation.device import Device
from tests.cli import peers

INFO = json.dumps({"instance_id": "1" * 32, "capabilities": []}).encode()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("127.0.0.1:8008", "http://127.0.0.1:8008/"),
        ("http://hub.local", "http://hub.local/"),
        ("https://hub.local:443/school//", "https://hub.local:443/school/"),
        (" http://[::1]:8008 ", "http://[::1]:8008/"),
    ],
)
def test_address_gets_its_scheme_and_one_slash(given: str, url: str) -> None:
    assert normal_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        *("", "http://", "http:///path", "ftp://hub", "http://[::1", "http://hub:99999", "http://hub:0"),
        *("http://hub:port", "http://hub/?query", "http://hub/#part", "my hub", "http://user:geheim@hub/"),
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(BadAddress) as error:
        normal_url(given)

    assert "geheim" not in str(error.value)


@pytest.mark.parametrize(
    "peer",
    [
        lambda: peers.answering(404),
        lambda: peers.answering(500),
        lambda: peers.answering(200, b"<html>Log in to the network</html>"),
        lambda: peers.answering(200, b"<html>Log in</html>", location="/login"),
        lambda: peers.answering(200, b"[]"),
        lambda: peers.answering(200, b"7"),
        lambda: peers.answering(200, b'{"instance_id": null}'),
        lambda: peers.answering(200, b"\xff\xfe"),
    ],
    ids=["not found", "broken", "HTML", "a login page", "a list", "a number", "no id", "bytes"],
)
def test_server_that_does_not_sync_is_told(device: Device, peer: Callable[[], AbstractContextManager[str]]) -> None:
    with peer() as url, pytest.raises(HubUnreachable, match="a server is there, but it does not sync"):
        Hub(url)


@pytest.mark.parametrize("peer", [peers.nothing, peers.speaking], ids=["nothing", "no HTTP"])
def test_what_does_not_speak_http_is_told(device: Device, peer: Callable[[], AbstractContextManager[str]]) -> None:
    with peer() as url, pytest.raises(HubUnreachable, match="the connection failed"):
        Hub(url)


def test_what_says_nothing_is_given_up(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_ANSWER", 0.1)

    with peers.listening() as listener, pytest.raises(HubUnreachable, match=r"it did not answer in 0.1 seconds"):
        Hub(listener.url)


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"id": 1, "username": 2, "dataset_id": 3}', INFO])
def test_server_that_syncs_and_knows_no_users_is_no_hub_of_ours(
    device: Device, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    with peers.answering(200, INFO) as url, Hub(url) as hub, peers.answering(200, answer) as other:
        hub.base_url = other
        with pytest.raises(HubUnreachable, match="no hub of this program"):
            hub.sign_in("lea", "geheim")


def test_certificates_that_are_none_are_told(device: Device) -> None:
    with peers.answering(200, INFO) as url, Hub(url) as hub, pytest.raises(HubUnreachable, match="is no hub"):
        hub.certificate("1" * 32)
