"""Every address of the service. The API stands at the root and, the same, under /v1."""

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from audit.api.exports import CsvExportView, JsonLinesExportView, XesExportView
from audit.api.views import CaseTrailView
from cases.api.exports import CaseExportView
from cases.api.notes import CaseNotesView
from cases.api.reports import CaseReportsView
from cases.api.summary import CaseSummaryView
from config import health
from config.http.cases import CaseViewSet
from config.metrics.page import metrics
from config.oidc import login

_router = SimpleRouter(trailing_slash=False)
_router.register("cases", CaseViewSet, basename="case")

# Addresses are tried from first to last: those that are asked for most come as early as they can.
_api: list[URLPattern | URLResolver] = [
    # Before the addresses of single cases, whose ids are never words like these.
    path("cases/export.csv", CaseExportView.as_view(), name="case-export"),
    path("cases/summary", CaseSummaryView.as_view(), name="case-summary"),
    path("cases/reports", CaseReportsView.as_view(), name="case-reports"),
    *_router.urls,
    path("cases/<str:case_id>/audit-events", CaseTrailView.as_view(), name="case-audit-events"),
    path("cases/<str:case_id>/notes", CaseNotesView.as_view(), name="case-notes"),
    path("audit-events/export.jsonl", JsonLinesExportView.as_view(), name="audit-export"),
    path("audit-events/export.csv", CsvExportView.as_view(), name="audit-export-csv"),
    path("audit-events/export.xes", XesExportView.as_view(), name="audit-export-xes"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(_api)),
    path("", RedirectView.as_view(url="/docs"), name="root"),
    path("v1/", include((_api, "v1"))),
    path("openapi.json", SpectacularJSONAPIView.as_view(throttle_classes=[]), name="openapi"),
    path(
        "docs",
        # Only read: its renderer has no page for the answer of OPTIONS.
        # Its stylesheet draws arrows from images that it holds itself.
        csp_update({"img-src": [SELF, "data:"]})(
            SpectacularSwaggerSplitView.as_view(
                url_name="openapi", throttle_classes=[], http_method_names=["get", "head"]
            )
        ),
        name="docs",
    ),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
    # The names are those that mozilla-django-oidc looks for.
    path("admin/oidc/begin", login.begin, name="oidc_authentication_init"),
    path("admin/oidc/callback", login.finish, name="oidc_authentication_callback"),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(url="/admin/")),
]

handler400 = "config.http.errors.handler400"
handler403 = "config.http.errors.handler403"
handler404 = "config.http.errors.handler404"
handler500 = "config.http.errors.handler500"
