"""What a device asks a hub before it has a certificate: which facility it is, and who a user is there."""

from __future__ import annotations

from morango.api.permissions import BasicMultiArgumentAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from course_assignment.facility.models import Collection, CollectionKind


class FacilityView(APIView):
    """``GET``: the facilities of this device, as ``[{"dataset_id", "name"}]``. Open to anybody, as in Kolibri."""

    def get(self, request: Request) -> Response:
        facilities = Collection.objects.filter(kind=CollectionKind.FACILITY).values("dataset_id", "name")
        return Response(list(facilities))


class UserView(APIView):
    """``GET`` with a name and password: who that is, as ``{"id", "username", "dataset_id"}``."""

    authentication_classes = (BasicMultiArgumentAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        user = request.user
        return Response({"id": user.id, "username": user.username, "dataset_id": user.dataset_id})
