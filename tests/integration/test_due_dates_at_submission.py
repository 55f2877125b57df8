"""Submitting sets the due date from the table of working days, and the trail says from what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from structlog.testing import capture_logs

from audit.selectors import trail_of
from cases import services
from cases.errors import InvalidInput, PermissionDenied
from cases.lifecycle import Priority
from cases.models import Case, SlaTarget
from cases.policies import Actor
from tests.cast import ADMIN, EVERYBODY, SUPERVISOR, WRITER

pytestmark = pytest.mark.django_db

# A Wednesday, nine in the morning in Berlin.
NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
DEFAULTS = {"LOW": 40, "NORMAL": 20, "HIGH": 10, "URGENT": 3}
DUE = {
    "LOW": datetime(2027, 1, 22, 22, 59, 59, 999_999, tzinfo=UTC),
    "NORMAL": datetime(2026, 12, 23, 22, 59, 59, 999_999, tzinfo=UTC),
    "HIGH": datetime(2026, 12, 9, 22, 59, 59, 999_999, tzinfo=UTC),
    "URGENT": datetime(2026, 11, 30, 22, 59, 59, 999_999, tzinfo=UTC),
}


@pytest.fixture(autouse=True)
def berlin(settings) -> None:
    settings.SLA_HOLIDAYS, settings.SLA_TIME_ZONE = "DE-BE", "Europe/Berlin"


def submitted(actor: Actor = WRITER, **fields: Any) -> Case:
    fields = {"title": "Late", **fields}
    case = services.create_case(fields=fields, actor=actor, at=NOW)
    return services.submit_case(case_id=case.id, actor=actor, at=NOW)


def details_of(case: Case) -> dict[str, Any]:
    return trail_of(case.id).get(event_type="CASE_SUBMITTED").details


def test_the_table_has_a_start_for_every_priority() -> None:
    assert dict(SlaTarget.objects.values_list("priority", "working_days")) == DEFAULTS


@pytest.mark.parametrize("priority", list(Priority))
def test_a_case_is_due_by_its_priority_and_the_trail_says_from_what(priority) -> None:
    case = submitted(priority=priority)

    assert Case.objects.get(pk=case.id).due_at == DUE[priority]
    assert details_of(case) == {
        "from_status": "DRAFT",
        "to_status": "SUBMITTED",
        "due_at": f"{DUE[priority]:%Y-%m-%dT%H:%M:%S.%fZ}",
        "working_days": DEFAULTS[priority],
        "calendar": "DE-BE",
        "time_zone": "Europe/Berlin",
    }


def test_a_due_date_that_was_given_stays() -> None:
    case = submitted(due_at=NOW)

    assert Case.objects.get(pk=case.id).due_at == NOW
    assert details_of(case) == {"from_status": "DRAFT", "to_status": "SUBMITTED"}


def test_a_batch_gets_the_same_due_dates() -> None:
    rows = [{"title": "Late", "priority": priority.value} for priority in Priority]
    rows.append({"title": "Given", "priority": "LOW", "due_at": NOW})

    cases = services.create_cases(rows=rows, actor=WRITER, at=NOW)
    services.submit_cases(cases=cases, actor=WRITER, at=NOW)

    stored = [Case.objects.get(pk=case.id).due_at for case in cases]
    assert stored == [*(DUE[priority] for priority in Priority), NOW]


def test_a_past_that_is_loaded_keeps_the_due_dates_it_had_or_had_not() -> None:
    case = submitted(Actor(id="wim", imported_by="ada"))

    assert Case.objects.get(pk=case.id).due_at is None
    assert "working_days" not in details_of(case)


def test_a_change_of_the_table_counts_from_the_next_submission_on() -> None:
    before = submitted()

    services.set_sla_target(priority="NORMAL", working_days=1, actor=ADMIN)
    after = submitted()

    assert Case.objects.get(pk=before.id).due_at == DUE["NORMAL"]
    assert details_of(after)["working_days"] == 1


def test_a_priority_without_a_number_gets_no_due_date() -> None:
    services.set_sla_target(priority="LOW", working_days=None, actor=ADMIN)

    assert Case.objects.get(pk=submitted(priority="LOW").id).due_at is None


@pytest.mark.parametrize("days", [0, -1, 1001, 1.5, "5", True, "x"])
def test_a_number_that_is_none_is_refused(days) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.set_sla_target(priority="LOW", working_days=days, actor=ADMIN)

    assert set(refused.value.details) == {"working_days"}


def test_a_priority_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput), transaction.atomic():
        services.set_sla_target(priority="SOON", working_days=1, actor=ADMIN)

    assert SlaTarget.objects.count() == 4


def test_only_who_may_changes_the_table() -> None:
    for actor in EVERYBODY:
        if actor is not ADMIN:
            with pytest.raises(PermissionDenied), transaction.atomic():
                services.set_sla_target(priority="LOW", working_days=1, actor=actor)
    services.set_sla_target(priority="LOW", working_days=1, actor=ADMIN)


@pytest.mark.parametrize("days", ["0", "1001", "-1"])
def test_the_database_refuses_what_is_out_of_bounds_too(days) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE sla_targets SET working_days = %s", [days])


def test_each_change_stands_in_the_log_once(django_capture_on_commit_callbacks) -> None:
    with capture_logs() as lines, django_capture_on_commit_callbacks(execute=True):
        services.set_sla_target(priority="HIGH", working_days=5, actor=ADMIN)
        services.set_sla_target(priority="HIGH", working_days=5, actor=ADMIN)

    assert lines == [
        {
            "event": "sla_target_changed", "log_level": "info", "priority": "HIGH",
            "from_working_days": 10, "to_working_days": 5, "actor_id": "ada",
        }
    ]  # fmt: skip


def test_the_admin_changes_a_number_and_its_history_says_from_and_to(log_in) -> None:
    browser, page = log_in("ada", "admin"), "/admin/cases/slatarget/HIGH/change/"

    refused = browser.post(page, {"working_days": "0"})
    answer = browser.post(page, {"working_days": "5"})

    assert "A whole number from 1 to 1,000, or nothing." in refused.content.decode()
    assert answer.status_code == 302
    assert SlaTarget.objects.get(pk="HIGH").working_days == 5
    [entry] = LogEntry.objects.all()
    assert entry.get_change_message() == "Changed working days: 10 before, 5 now."
    assert (entry.user.username, entry.object_id) == ("ada", "HIGH")


def test_others_read_the_table_in_the_admin_and_change_nothing(log_in) -> None:
    browser = log_in("sue", *sorted(SUPERVISOR.roles))

    listing = browser.get("/admin/cases/slatarget/")
    answer = browser.post("/admin/cases/slatarget/HIGH/change/", {"working_days": "5"})
    added, deleted = (
        browser.post(f"/admin/cases/slatarget/{page}") for page in ("add/", "HIGH/delete/")
    )

    assert "Urgent" in listing.content.decode()
    assert [a.status_code for a in (answer, added, deleted)] == [403] * 3
    assert SlaTarget.objects.get(pk="HIGH").working_days == 10


def test_who_has_no_role_sees_no_table(log_in) -> None:
    assert log_in("norman").get("/admin/cases/slatarget/").status_code == 403
