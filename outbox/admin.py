"""The outbox in the admin: what is owed to whom, and decisions about what was given up."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.html import format_html

from cases.policies import VIEW_RESTRICTED
from outbox.backlog import backlog
from outbox.models import DISCARD, REQUEUE, OutboxEvent
from outbox.services import (
    IN_STATE,
    REASON_MAX,
    UNDECIDED,
    Choice,
    Decision,
    DecisionRefused,
    State,
    discard,
    requeue,
    state_of,
)

# Nobody leafs further, and nothing longer is counted: filters are there to narrow a list down.
LONGEST_LIST: Final = 1_000


class BoundedPaginator(Paginator[OutboxEvent]):
    """Counts no further than the longest list, so that a page costs the same with any history."""

    @cached_property
    def count(self) -> int:
        """Return how many there are, up to the longest list."""
        found: QuerySet[OutboxEvent] = self.object_list  # type: ignore[assignment] # by the admin
        return found.order_by()[:LONGEST_LIST].count()


class StateFilter(admin.SimpleListFilter):
    """By where an event stands."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        return [(state.value, state.value.capitalize()) for state in State]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutboxEvent]
    ) -> QuerySet[OutboxEvent]:
        del request
        chosen = [state for state in State if state.value == self.value()]
        return queryset.filter(IN_STATE[chosen[0]]) if chosen else queryset


class DestinationFilter(admin.SimpleListFilter):
    """By destination: those that are configured, and those that rows still wait for."""

    title = "destination"
    parameter_name = "to"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        return [
            (own.destination, own.destination + ("" if own.configured else " (not configured)"))
            for own in backlog()
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutboxEvent]
    ) -> QuerySet[OutboxEvent]:
        del request
        return queryset.filter(destination=self.value()) if self.value() else queryset


class DiscardForm(forms.Form):
    """Why events are never to be delivered."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80}),
        max_length=REASON_MAX,
        help_text="Stored with the events and written to the log, with your name.",
    )


@admin.register(OutboxEvent)
class OutboxEventAdmin(admin.ModelAdmin[OutboxEvent]):
    """For those whom no case is hidden from; decisions need a permission of their own."""

    list_display = (
        "id",
        "case_id",
        "sequence",
        "event_type",
        "destination",
        "state",
        "attempts",
        "written_at",
        "error",
    )
    list_filter = (StateFilter, DestinationFilter)
    search_fields = ("case_id", "event_id")  # how they are compared: get_search_results
    sortable_by = ()
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    paginator = BoundedPaginator
    actions = ("requeue", "discard")
    fields = readonly_fields = (
        "event_id",
        "destination",
        "case_id",
        "sequence",
        "event_type",
        "state",
        "occurred_at",
        "written_at",
        "attempts",
        "next_attempt_at",
        "last_error",
        "dead_at",
        "processed_at",
        "discarded_at",
        "discarded_by",
        "discard_reason",
        "message",
    )

    @admin.display(description="State")
    def state(self, event: OutboxEvent) -> str:
        """Show where it stands."""
        return state_of(event).value

    @admin.display(description="Last error")
    def error(self, event: OutboxEvent) -> str:
        """Show the beginning of what went wrong last."""
        return event.last_error[:120] or "-"

    @admin.display(description="Message")
    def message(self, event: OutboxEvent) -> str:
        """Show the CloudEvent that is handed over."""
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2, ensure_ascii=False))

    @admin.action(description="Send again", permissions=["requeue"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[OutboxEvent]) -> None:
        """Make the chosen events due now."""
        choice = Choice(states=(State.WAITING, State.DEAD), rows=_chosen(queryset))
        _say(request, requeue(choice=choice, actor=_name(request)), "sent again")

    @admin.action(description="Discard…", permissions=["discard"])
    def discard(self, request: HttpRequest, queryset: QuerySet[OutboxEvent]) -> HttpResponse | None:
        """Ask why, then let the chosen events never be delivered."""
        rows = _chosen(queryset)
        form = DiscardForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            try:
                decision = discard(
                    choice=Choice(states=UNDECIDED, rows=rows),
                    reason=form.cleaned_data["reason"],
                    actor=_name(request),
                )
            except DecisionRefused as refusal:
                form.add_error("reason", str(refusal))
            else:
                _say(request, decision, "discarded")
                return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Discard",
            "form": form,
            "events": OutboxEvent.objects.filter(pk__in=rows).defer("payload").order_by("id"),
        }
        return TemplateResponse(request, "admin/outbox/outboxevent/discard.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxEvent]:
        """Leave the messages out of lists; the page of one event fetches its own."""
        return super().get_queryset(request).defer("payload")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutboxEvent], search_term: str
    ) -> tuple[QuerySet[OutboxEvent], bool]:
        """Compare whole ids only."""
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(event_id=UUID(term)), False
        except ValueError:
            # No index knows cases, since every change would pay for it. So the table is read from
            # end to end here, once: not for the number of hits and for the page again.
            found = queryset.filter(case_id=term.replace("\0", "")).order_by()
            return queryset.filter(pk__in=list(found.values_list("pk", flat=True))), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the filters that are shown, and nothing that could be asked besides."""
        del value, request
        return lookup in {shown.parameter_name for shown in self.list_filter}

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

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Admit who may send events again."""
        return request.user.has_perm(f"outbox.{REQUEUE}")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        """Admit who may discard events."""
        return request.user.has_perm(f"outbox.{DISCARD}")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it to the same people."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows come from events."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the relay marks them, and decisions have actions of their own."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: an obligation does not vanish."""
        del request, obj
        return False


def _name(request: HttpRequest) -> str:
    return request.user.get_username()


def _chosen(queryset: QuerySet[OutboxEvent]) -> list[int]:
    """Return the rows a decision is about: those that are ticked, or the longest list of all."""
    return list(queryset.order_by("id").values_list("pk", flat=True)[:LONGEST_LIST])


def _say(request: HttpRequest, decision: Decision, done: str) -> None:
    if decision.changed:
        messages.success(request, f"{decision.changed} {done}.")
    else:
        messages.info(request, "Nothing to decide: none of them is waiting or dead.")
    if decision.held:
        messages.warning(request, f"{decision.held} are being delivered just now: try again.")
