"""The addresses of the embedded host: sync, and what comes before a certificate."""

from django.urls import include, path

from course_assignment.facility.api import FacilityView, UserView

urlpatterns = [
    # Ahead of Morango's, whose views it extends.
    path("", include("morango_collection_sync.urls")),
    path("", include("morango.urls")),
    path("api/facility/v1/facilities/", FacilityView.as_view()),
    path("api/facility/v1/user/", UserView.as_view()),
]
