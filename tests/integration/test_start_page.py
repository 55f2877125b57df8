"""The start page: what waits for each role, and what may be begun from it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils.timezone import now

from cases import services
from cases.models import Case
from tests.cast import ADMIN, ALLROUNDER, AUDITOR, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory
from tests.integration.pages import page, text
from tests.office_at_work import fill_office

pytestmark = pytest.mark.django_db

LIST = "/admin/cases/case/"
AROUND = ["overdue", "escalated", "closed"]


def sections(answer) -> dict[str, list[str]]:
    return {one.name: [case.id for case in one.cases] for one in answer.context["sections"]}


def beginnings(answer) -> list[str]:
    return [one.label for one in answer.context["beginnings"]]


# What waits for each role, what it may begin, and whether the coming week is shown.
ROLES = {
    "case_writer": (["drafts", "submitted", *AROUND], ["New case", "Import a register"], False),
    "reviewer": (["mine", "unassigned", *AROUND], ["Take up a case"], False),
    "supervisor": (
        ["unassigned", *AROUND],
        ["Hand out work", "Look at the dashboard", "Take a list away"],
        True,
    ),
    "auditor": (
        ["unassigned", *AROUND],
        ["Look at the dashboard", "Take a list away", "Read the trail"],
        True,
    ),
    "admin": (
        ["mine", "drafts", "unassigned", *AROUND],
        [
            "New case", "Import a register", "Take up a case", "Hand out work",
            "Look at the dashboard", "Take a list away", "Read the trail",
        ],
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_a_role_finds_what_waits_for_it_and_what_it_may_begin(log_in, role):
    answer = log_in("somebody", role).get("/admin/")

    queues, may, coming = ROLES[role]
    assert (list(sections(answer)), beginnings(answer)) == (queues, may)
    assert (answer.context["coming"] is not None) == coming


@pytest.mark.parametrize("role", ROLES)
def test_everything_to_begin_with_is_open_to_who_is_offered_it(log_in, role):
    browser = log_in("somebody", role)

    for one in browser.get("/admin/").context["beginnings"]:
        assert browser.get(one.url).status_code == 200, one.label


@pytest.mark.parametrize(
    "actor", [WRITER, REVIEWER, SUPERVISOR, AUDITOR, ADMIN, ALLROUNDER], ids=lambda actor: actor.id
)
def test_the_first_cases_of_a_queue_are_those_of_its_list_and_so_is_their_number(log_in, actor):
    fill_office(now())
    browser = log_in(actor.id, *actor.roles)

    found = browser.get("/admin/").context["sections"]

    for section in found:
        listed = browser.get(section.url).context["page"].cases
        assert [case.id for case in section.cases] == [case.id for case in listed[:5]]
        assert section.number == str(len(listed))
        assert section.more == (len(listed) > 5)
    assert sum(len(section.cases) for section in found) >= 8


def test_my_work_stands_by_due_date(log_in):
    at = now()
    later, last, sooner = (
        CaseFactory(status="UNDER_REVIEW", due_at=(at + timedelta(days=days)).isoformat())
        for days in (9, 12, 3)
    )
    other = CaseFactory(status="SUBMITTED")
    services.assign_reviewer(case_id=other.id, reviewer_id="rosa", actor=SUPERVISOR)

    mine = sections(log_in("rob", "reviewer").get("/admin/"))["mine"]

    assert mine == [sooner.id, later.id, last.id]


def test_an_empty_queue_says_what_that_means_and_what_to_do(log_in):
    shown = text(log_in("rob", "reviewer").get("/admin/"))

    assert "Nothing waits for you." in shown
    assert "Take a case from “Unassigned”" in shown
    assert shown.count('class="nothing"') == 5


def test_who_was_granted_single_cases_finds_them_and_nothing_else(log_in):
    granted, hidden = CaseFactory(restricted=True, status="UNDER_REVIEW"), CaseFactory()
    browser = log_in("norman")
    services.grant_access(
        case_id=granted.id, user="norman", permission="view_case", actor=SUPERVISOR
    )

    answer = browser.get("/admin/")

    assert sections(answer) == {"opened": [granted.id]}
    assert beginnings(answer) == []
    assert hidden.title not in text(answer)
    assert browser.get(page(granted)).status_code == 200
    assert browser.get("/admin/dashboard/").status_code == 403
    assert "/admin/dashboard/" not in text(answer)


def test_who_has_no_role_is_told_whom_to_ask(log_in):
    CaseFactory()

    answer = log_in("norman").get("/admin/")

    assert sections(answer) == {"opened": []}
    assert "Nothing is open to you yet." in text(answer)
    assert "Ask an administrator for a role" in text(answer)


def test_the_cases_opened_to_somebody_are_shown_to_the_fiftieth_and_counted_further(log_in):
    browser = log_in("norman")
    cases = services.create_cases(rows=[{"title": f"Row {n}"} for n in range(52)], actor=WRITER)
    for case in cases:
        services.grant_access(
            case_id=case.id, user="norman", permission="view_case", actor=SUPERVISOR
        )

    [opened] = browser.get("/admin/").context["sections"]

    assert (len(opened.cases), opened.number) == (50, "52")
    assert "These are the newest of 52." in text(browser.get("/admin/"))


@pytest.mark.parametrize("role", ["case_writer", "reviewer"])
def test_a_restricted_case_stands_and_counts_nowhere_for_who_may_not_see_it(log_in, role):
    at = now()
    browser = log_in("somebody", role)
    before = [(s.name, s.number, list(s.cases)) for s in browser.get("/admin/").context["sections"]]
    for status in ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED"):
        due = (at - timedelta(days=1)).isoformat()
        CaseFactory(status=status, restricted=True, title="Zinnober", due_at=due)

    answer = browser.get("/admin/")

    assert [(s.name, s.number, list(s.cases)) for s in answer.context["sections"]] == before
    assert "Zinnober" not in text(answer)
    assert "Zinnober" in text(log_in("sue", "supervisor").get("/admin/"))


def test_a_leader_without_the_right_to_restricted_cases_counts_none_as_coming(log_in):
    leader = Group.objects.create(name="leader")
    leader.permissions.set(Permission.objects.filter(codename__in=["view_case", "assign_any_case"]))
    due = (now() + timedelta(days=2)).isoformat()
    CaseFactory(status="UNDER_REVIEW", due_at=due)
    CaseFactory(status="UNDER_REVIEW", due_at=due, restricted=True)

    def coming(*roles: str) -> int:
        answer = log_in("-".join(roles), *roles).get("/admin/")
        return sum(row.number for row in answer.context["coming"].rows)

    assert (coming("leader"), coming("supervisor")) == (1, 2)


def test_titles_that_look_like_html_stay_titles(log_in):
    case = CaseFactory(status="ESCALATED", title="<b>Bold</b> & <script>alert(1)</script>")

    content = log_in("rob", "reviewer").get("/admin/").content.decode()

    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "<script>alert" not in content
    assert Case.objects.get(pk=case.pk).title in text(log_in("sue", "supervisor").get("/admin/"))
