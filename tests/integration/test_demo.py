"""The demo: everything there is to look at, made from a seed, loaded once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models import Count, F
from django.utils.timezone import now

from audit.models import AuditEvent
from cases.demo.accounts import DEMO_PASSWORD, DEMO_USERS, create_accounts
from cases.demo.history import demo_log
from cases.lifecycle import CaseAction, CaseStatus, Priority
from cases.models import Case, CaseUserPermission, Note
from cases.policies import Actor
from outbox.models import OutboxEvent
from tests.cast import WRITER
from tests.factories import CaseFactory
from tests.integration.import_runs import assert_gapless, killed_after, start

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def load() -> str:
    out = StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue().strip()


@pytest.fixture(scope="class")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The demo, loaded once for a class and undone after it; what load_demo said."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield load()
        transaction.set_rollback(True)


def lines(seed: int = 1, at: datetime = NOW) -> list[dict[str, str]]:
    return [dict(row.cells) for row in demo_log(now=at, seed=seed)]


def test_the_same_seed_and_time_give_the_same_log() -> None:
    assert lines() == lines()
    assert lines(seed=2) != lines()
    assert lines(at=NOW + timedelta(days=1)) != lines()


def test_nothing_of_it_lies_in_the_future_and_each_case_is_in_order() -> None:
    for seed in range(3):
        last: dict[str, str] = {}
        for line in lines(seed):
            assert last.get(line["case"], "") < line["at"] <= NOW.isoformat()
            last[line["case"]] = line["at"]


@pytest.mark.parametrize("at", ["2026-03-01T00:00", "2026-11-23T06:00", "2028-02-29T23:59"])
def test_any_day_will_do(at: str) -> None:
    assert Counter(line["action"] for line in lines(at=datetime.fromisoformat(at + "+00:00")))


def test_who_writes_does_not_review() -> None:
    actors: dict[str, set[str]] = {}
    for line in lines():
        role = {"create": "writer", "submit": "writer"}.get(line["action"])
        if line["action"] in ("start_review", "escalate", "close"):
            role = "reviewer"
        if role:
            assert line["actor"].startswith(role)
            actors.setdefault(role, set()).add(line["actor"])
    assert {role: len(found) for role, found in actors.items()} == {"writer": 2, "reviewer": 3}


def test_no_brace_is_left_open() -> None:
    assert not [v for line in lines() for v in line.values() if "{" in v or "}" in v]


@pytest.mark.usefixtures("demo")
@pytest.mark.django_db
class TestWhatThereIsToSee:
    """One look at the loaded demo per test; they share its transaction."""

    def test_it_says_what_it_loaded(self, demo: str) -> None:
        events = AuditEvent.objects.count()
        assert 2_500 <= events <= 3_500
        assert demo == f"The demo is loaded: 300 cases, {events} events, 9 new accounts."

    def test_every_status_and_priority(self) -> None:
        assert set(Case.objects.values_list("status", flat=True)) == set(CaseStatus)
        assert set(Case.objects.values_list("priority", flat=True)) == set(Priority)

    def test_every_action_of_the_lifecycle(self) -> None:
        assert AuditEvent.objects.values("event_type").distinct().count() == len(CaseAction)

    def test_every_role_that_may_act_acts(self) -> None:
        actors = set(AuditEvent.objects.values_list("actor_id", flat=True))
        readers = {"auditor-1", "guest-1"}
        assert actors == {user.username for user in DEMO_USERS} - readers | {"system"}

    def test_overdue_due_soon_and_paused_cases(self) -> None:
        open_cases = Case.objects.exclude(status="CLOSED")
        overdue = open_cases.filter(overdue_at__isnull=False)
        assert overdue.count() >= 15
        assert not overdue.exclude(due_at__lt=F("overdue_at")).exists()
        soon = open_cases.filter(due_at__gt=now(), due_at__lt=now() + timedelta(days=7))
        assert soon.count() >= 15
        assert open_cases.filter(paused_at__isnull=False).count() >= 10
        assert Case.objects.filter(due_at__lte=F("created_at")).count() == 0

    def test_nothing_past_due_waits_for_its_mark(self) -> None:
        running = Case.objects.exclude(status="CLOSED").filter(paused_at=None, overdue_at=None)
        assert not running.filter(due_at__lt=now()).exists()

    def test_restricted_cases_and_grants(self) -> None:
        assert Case.objects.filter(restricted=True).count() >= 8
        assert CaseUserPermission.objects.count() >= 5

    def test_the_guest_sees_one_restricted_case_and_nothing_else(self) -> None:
        guest = Actor(id="guest-1")
        assert [case.restricted for case in Case.objects.visible_to(guest)] == [True]

    def test_submitted_cases_wait_for_somebody_and_for_one(self) -> None:
        submitted = Case.objects.filter(status="SUBMITTED")
        assert submitted.filter(assigned_reviewer_id=None).count() >= 10
        assert submitted.exclude(assigned_reviewer_id=None).count() >= 5

    def test_drafts_that_were_worked_on(self) -> None:
        assert Case.objects.filter(status="DRAFT", version__gt=0).count() >= 5

    def test_a_long_trail_over_months(self) -> None:
        longest = Case.objects.order_by("-version")[0]
        assert longest.version >= 60
        assert longest.updated_at - longest.created_at > timedelta(days=90)

    def test_every_open_reviewer_has_work(self) -> None:
        working = Case.objects.filter(status__in=("UNDER_REVIEW", "ESCALATED"))
        per_reviewer = dict(
            working.values_list("assigned_reviewer_id").annotate(number=Count("id"))
        )
        assert len(per_reviewer) == 3
        assert min(per_reviewer.values()) >= 10

    def test_notes_are_sentences_that_differ(self) -> None:
        bodies = list(Note.objects.values_list("body", flat=True))
        assert len(set(bodies)) > 600
        assert all(20 <= len(body) <= 400 for body in bodies)
        assert not any("ipsum" in body for body in bodies)

    def test_categories_subjects_sources_and_references(self) -> None:
        for field, least in (("category", 8), ("subject", 30), ("source", 5)):
            assert Case.objects.values(field).distinct().count() >= least, field
        assert not Case.objects.filter(external_reference="").exists()
        closed = Case.objects.filter(status="CLOSED")
        assert closed.values("closed_at__month").distinct().count() >= 10

    @pytest.mark.parametrize("word", ["Étiquetage", "Klacht", "Gebühren", "شكوى", "תלונה"])
    def test_titles_in_other_languages(self, word: str) -> None:
        assert Case.objects.filter(title__contains=word).exists()

    def test_whole_trails_that_name_the_demo_and_no_message_to_anybody(self) -> None:
        assert not AuditEvent.objects.exclude(details__imported_by="demo").exists()
        assert not OutboxEvent.objects.exists()
        assert_gapless(announced=False)

    def test_loading_twice_adds_nothing(self) -> None:
        before = (AuditEvent.objects.count(), User.objects.count())
        assert load() == "There are cases already: nothing to do."
        assert (AuditEvent.objects.count(), User.objects.count()) == before


@pytest.mark.django_db
def test_accounts_can_log_in_and_are_made_once() -> None:
    assert create_accounts() == len(DEMO_USERS)
    assert create_accounts() == 0
    for person in DEMO_USERS:
        account = User.objects.get(username=person.username)
        assert account.check_password(DEMO_PASSWORD)
        roles = set(account.groups.values_list("name", flat=True))
        assert roles == (set() if person.role == "guest" else {person.role})
        assert account.is_staff is (person.role != "guest")
        assert account.is_superuser is (person.role == "admin")


@pytest.mark.django_db
def test_where_there_are_cases_the_demo_stays_out() -> None:
    CaseFactory(writer=WRITER)
    assert load() == "There are cases already: nothing to do."
    assert not User.objects.filter(username="writer-1").exists()


@pytest.mark.django_db
def test_production_refuses_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "APP_ENV", "production")
    with pytest.raises(CommandError, match="password is public") as refused:
        load()
    assert refused.value.returncode == 2
    assert not User.objects.exists()


def test_killed_half_way_it_leaves_nothing_so_that_the_next_start_begins_anew(
    committed: None,
) -> None:
    def numbers_given() -> tuple[Any, ...]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value, is_called FROM case_number")
            return cursor.fetchone()

    before, deadline = numbers_given(), time.monotonic() + 60
    with killed_after(start("load_demo")):
        while numbers_given() == before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert numbers_given() != before  # it has begun to make cases
    assert not Case.objects.exists()
    assert not AuditEvent.objects.exists()
    assert not User.objects.exists()
