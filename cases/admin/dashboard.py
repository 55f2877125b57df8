"""The dashboard: how the work of the office stands, for who hands it out or oversees it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.timezone import now

from cases import policies, replica, reports, selectors
from cases.admin import figures
from cases.admin.persons import actor_in
from cases.calendar import office_calendar
from cases.lifecycle import CaseStatus
from cases.models import Case


def dashboard_page(request: HttpRequest, model_admin: ModelAdmin[Case]) -> TemplateResponse:
    """Draw the reports that ``GET /cases/reports`` gives, and the summary's counts by status."""
    actor, at = actor_in(request), now()
    if not policies.oversees(actor):
        raise PermissionDenied
    summary, found = replica.from_replica(
        lambda: (selectors.summary(actor, at=at), reports.overview(actor, at=at))
    )
    total = sum(summary.by_status.values())
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": "Dashboard",
        "now": at,
        "zone": settings.SLA_TIME_ZONE,
        "anything": total > 0,
        "tiles": [
            (
                "Open",
                total - summary.by_status[CaseStatus.CLOSED],
                figures.cases_at({"status": figures.OPEN}),
                "plain",
            ),
            ("Overdue", summary.overdue, figures.cases_at({}, "overdue"), "bad"),
            ("Due in 7 days", *figures.coming_due_at(found.coming_due), "wait"),
            ("Unassigned", summary.unassigned, figures.cases_at({}, "unassigned"), "wait"),
        ],
        "coming_due": figures.coming_due(found.coming_due),
        "coming_due_by_reviewer": figures.coming_due_by_reviewer(found.coming_due),
        "statuses": figures.statuses(summary.by_status),
        "flow": figures.flow(found.flow),
        "kept": figures.kept(found.sla_kept),
        "kept_by_priority": figures.kept_by_priority(found.sla_kept),
        "ages": figures.ages(found.open_ages, office_calendar().day_of(at)),
        "workloads": figures.workloads(found.workloads),
    }
    return TemplateResponse(request, "admin/dashboard.html", context)
