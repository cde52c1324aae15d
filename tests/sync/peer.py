"""A client that speaks Morango's protocol by hand, request by request, and so need not be a good one."""

from __future__ import annotations

import json
import uuid
from types import TracebackType
from typing import Any

import requests
from morango.api.serializers import CertificateSerializer
from morango.models.certificates import Certificate
from requests import Response

MODERN = "ASYNC_OPERATIONS FSIC_V2_FORMAT"
"""The capabilities that a client of today names."""

ANNOUNCES = {"id": uuid.uuid4().hex, "collection_sync": 1}
"""What a client with this extension says of itself."""


class Peer:
    """One sync session, opened with a device's certificate. Made on that device; no answer is judged.

    :param base_url: of the hub
    :param certificate: with its private key
    :param server_certificate_id: 32 hex digits
    :param instance: what the client says of itself
    :param capabilities: those that the client names, with spaces between them
    """

    def __init__(
        self,
        base_url: str,
        certificate: Certificate,
        server_certificate_id: str,
        *,
        instance: Any = ANNOUNCES,
        capabilities: str = MODERN,
    ) -> None:
        self.http = requests.Session()
        self.http.headers["X-Morango-Capabilities"] = capabilities
        self._api = base_url + "api/morango/v1/"
        self._no_counters = '{"sub": {}, "super": {}}' if "FSIC_V2_FORMAT" in capabilities else "{}"
        self.id = uuid.uuid4().hex
        nonce = self.http.post(self._api + "nonces/").json()["id"]
        opened = self.http.post(
            self._api + "syncsessions/",
            json={
                "id": self.id,
                "server_certificate_id": server_certificate_id,
                "client_certificate_id": certificate.id,
                "profile": certificate.profile,
                "certificate_chain": json.dumps(
                    CertificateSerializer(certificate.get_ancestors(include_self=True), many=True).data
                ),
                "connection_path": base_url,
                "instance": json.dumps(instance),
                "nonce": nonce,
                "signature": certificate.sign(f"{nonce}:{self.id}"),
            },
        )
        assert opened.status_code == 201, opened.content

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def create(self, sync_filter: str, *, push: bool = False, transfer_id: str | None = None) -> Response:
        """Ask for a transfer session; its id is in the answer."""
        return self.http.post(
            self._api + "transfersessions/",
            json={
                "id": transfer_id or uuid.uuid4().hex,
                "filter": sync_filter,
                "push": push,
                "sync_session_id": self.id,
                "client_fsic": self._no_counters,
            },
        )

    def proceed(self, transfer_id: str, stage: str, **data: Any) -> Response:
        """Ask the hub to go on to a stage."""
        data = {"client_fsic": self._no_counters, **data, "transfer_stage": stage}
        return self.http.patch(f"{self._api}transfersessions/{transfer_id}/", json=data)

    def look(self, transfer_id: str) -> Response:
        """Ask how far the hub is."""
        return self.http.get(f"{self._api}transfersessions/{transfer_id}/")

    def close(self, transfer_id: str) -> Response:
        """Close a transfer session."""
        return self.http.delete(f"{self._api}transfersessions/{transfer_id}/")

    def rows(self, transfer_id: str) -> Response:
        """Fetch buffered records."""
        params = {"transfer_session_id": transfer_id, "limit": 500, "offset": 0}
        return self.http.get(self._api + "buffers/", params=params)

    def send(self, rows: Any) -> Response:
        """Send records, or anything else that can be JSON."""
        return self.http.post(self._api + "buffers/", json=rows)
