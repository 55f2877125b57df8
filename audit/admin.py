"""The trail in the admin, read-only: all of it for those whom no case is hidden from.

Whoever reads a case reads its trail there, and has it verified here.
"""

from __future__ import annotations

import re
from typing import Any, Final

import structlog
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import cached_property

from audit.models import AuditEvent
from audit.verify import Finding, Report
from audit.verify.single import verify_case
from cases.actors import actor_of_user
from cases.errors import CaseNotFound
from cases.policies import VIEW_RESTRICTED
from cases.selectors import get_case

_log = structlog.get_logger("audit")

# Nobody leafs further, and nothing longer is counted: exports have the rest.
LONGEST_LIST: Final = 1_000
_CASE: Final = re.compile(r"CASE-[0-9]+", re.IGNORECASE)


class NewestPaginator(Paginator[AuditEvent]):
    """Counts no further than the longest list, so that a page costs the same with any trail."""

    @cached_property
    def count(self) -> int:
        """Return how many there are, up to the longest list."""
        found: QuerySet[AuditEvent] = self.object_list  # type: ignore[assignment] # by the admin
        return found.order_by()[:LONGEST_LIST].count()


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin[AuditEvent]):
    """Audit events across cases."""

    list_display = ("occurred_at", "case_id", "sequence", "event_type", "actor_id", "request_id")
    search_fields = ("case_id", "actor_id")  # one of them: get_search_results
    sortable_by = ()
    # Ids grow with the time at which events were recorded.
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    paginator = NewestPaginator

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Look for a case, or else for a person: what looks for both finds neither by an index."""
        del request
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        if _CASE.fullmatch(term):
            return queryset.filter(case_id=term.upper()), False
        return queryset.filter(actor_id=term), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no filter by address: none is shown."""
        del lookup, value, request
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the page that verifies the trail of a case."""
        verify = path(
            "<str:case_id>/verify/",
            self.admin_site.admin_view(self.verify_view),
            name="audit_case_verify",
        )
        return [verify, *super().get_urls()]

    def verify_view(self, request: HttpRequest, case_id: str) -> HttpResponse:
        """Verify the trail of one case now and say what was looked at; for who may read it."""
        actor = actor_of_user(request.user)
        try:
            get_case(case_id, actor)
        except CaseNotFound as error:
            raise Http404(error.message) from None
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        report = verify_case(case_id)
        _log.info(
            "case_verified", case_id=case_id, actor_id=actor.id, findings=len(report.findings)
        )
        context = {
            **self.admin_site.each_context(request),
            "title": f"The trail of {case_id}",
            "case_id": case_id,
            "checks": looked_at(report),
            "findings": [
                {"about": about(finding), "message": finding.message} for finding in report.findings
            ],
        }
        return TemplateResponse(request, "admin/audit/verified.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse others before looking for the row, as all other pages do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Admit who may read restricted cases."""
        del obj
        return request.user.has_perm(f"cases.{VIEW_RESTRICTED}")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it to the same people."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: events are recorded, not written by hand."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the trail is append-only."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the trail is append-only."""
        del request, obj
        return False


def about(finding: Finding) -> str:
    """Return in a word or two what a finding is about."""
    if finding.sequence is not None:
        return f"Event {finding.sequence}"
    return {"chain": "Trail", "replay": "Trail"}.get(finding.kind, finding.kind.capitalize())


def looked_at(report: Report) -> list[str]:
    """Return in words what a verification of one case has looked at."""
    tally = report.tally
    return [
        f"{_counted(tally.events, 'event')}: their numbers, their own hashes and their links.",
        "Every step, played again from the first: whether the lifecycle allows it.",
        "The case: every field against what its trail says, long texts by their hashes.",
        f"{_counted(tally.notes, 'note')}: their events, authors, times and texts.",
        f"{_counted(tally.grants, 'grant')} of access: against those of the trail.",
    ]


def _counted(number: int, name: str) -> str:
    return f"{number or 'No'} {name}{'' if number == 1 else 's'}"
