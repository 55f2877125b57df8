"""Every address of the service. The API stands at the root and, the same, under /v1."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from audit.api.views import CaseTrailView
from cases.api.notes import CaseNotesView
from cases.api.views import CaseViewSet
from config import health

_router = SimpleRouter(trailing_slash=False)
_router.register("cases", CaseViewSet, basename="case")

_api: list[URLPattern | URLResolver] = [
    path("cases/<str:case_id>/audit-events", CaseTrailView.as_view(), name="case-audit-events"),
    path("cases/<str:case_id>/notes", CaseNotesView.as_view(), name="case-notes"),
    *_router.urls,
]

# The case pages need the width; the start page lists what there is.
admin.site.enable_nav_sidebar = False

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/docs"), name="root"),
    path("", include(_api)),
    path("v1/", include((_api, "v1"))),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="docs"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(url="/admin/")),
]

handler400 = "config.http.errors.handler400"
handler403 = "config.http.errors.handler403"
handler404 = "config.http.errors.handler404"
handler500 = "config.http.errors.handler500"
