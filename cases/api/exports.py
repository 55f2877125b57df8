"""Any filtered list of cases as a file for spreadsheets."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.timezone import now
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from cases import exports, policies, replica
from cases.api.base import ActorView
from cases.api.parameters import CaseParameters, read_parameters


class CsvRenderer(BaseRenderer):
    """Lets a caller ask for CSV. The file is no rendering; refusals are JSON here as anywhere."""

    media_type = "text/csv"
    format = "csv"


class CaseExportView(ActorView):
    """A list of cases as a file."""

    renderer_classes = [JSONRenderer, CsvRenderer]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 (DRF's signature)
        """Check what the caller accepts; what is rendered are refusals."""
        super().perform_content_negotiation(request, force)
        return JSONRenderer(), JSONRenderer.media_type

    @extend_schema(
        operation_id="cases_export",
        parameters=[CaseParameters],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Export all cases that a list of these filters holds, in its order, as CSV.

        UTF-8 with a byte order mark, RFC 4180, a head line. A text that a spreadsheet would take
        for a formula has an apostrophe before it. Needs the permission `export_cases`.
        """
        policies.demand(self.actor, policies.EXPORT_CASES)
        wanted, ordering = read_parameters(request.query_params, self.actor)
        export = exports.cases_as_csv(self.actor, wanted, ordering)
        name = f"cases-{now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            () if request.method == "HEAD" else replica.from_replica(export.start),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
