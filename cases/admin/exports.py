"""Exports as files that a browser keeps."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.utils.timezone import now

from cases.exports import Export


def csv_of(export: Export) -> StreamingHttpResponse:
    """Return an export of cases as a download; it is read while it is sent."""
    return StreamingHttpResponse(
        export.start(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="cases-{now():%Y-%m-%d}.csv"'},
    )
