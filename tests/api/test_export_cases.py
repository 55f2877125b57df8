"""The CSV of a list: what is in it, how it is written, who gets it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from cases import services
from cases.policies import Actor
from tests.api import expect
from tests.cast import (
    ADMIN,
    ALLROUNDER,
    AUDITOR,
    NOBODY,
    REVIEWER,
    SUPERVISOR,
    WRITER,
)
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

COLUMNS = [
    "id", "title", "status", "assigned_reviewer_id", "version", "description", "received_at",
    "category", "subject", "external_reference", "source", "priority", "restricted", "created_by",
    "submitted_by", "created_at", "updated_at", "submitted_at", "closed_at", "due_at",
    "overdue_at", "paused_at",
]  # fmt: skip


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(answer).decode("utf-8-sig"), newline="")))


def test_a_row_holds_what_the_case_s_own_page_shows(as_actor) -> None:
    case = CaseFactory(
        status="CLOSED", description='Two\nlines, "quoted"; ünd 🐢', due_at="2027-01-01T00:00:00Z",
        subject="ACME, Ltd.", source="portal", external_reference="17",
    )  # fmt: skip
    audrey = as_actor(AUDITOR)
    shown = audrey.get(f"/cases/{case.id}").json()

    [row] = rows(audrey.get("/cases/export.csv"))

    assert list(row) == COLUMNS
    assert set(shown) - set(row) == {"available_actions"}
    words = {None: "", False: "false", True: "true"}
    for name in COLUMNS:
        value = shown[name]
        is_word = value is None or isinstance(value, bool)
        assert row[name] == (words[value] if is_word else str(value)), name


def test_the_file_is_as_rfc_4180_and_excel_want_it(as_actor) -> None:
    CaseFactory(title='A "title", quoted', description="Two\nlines")

    answer = as_actor(AUDITOR).get("/v1/cases/export.csv")

    text = body(answer)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="cases-20')
    assert name.endswith('.csv"')
    assert text.startswith(b"\xef\xbb\xbfid,title,status,")
    assert text.endswith(b"\r\n")
    assert b'"A ""title"", quoted"' in text
    assert b'"Two\nlines"' in text
    assert text.count(b"\r\n") == 2


@pytest.mark.parametrize(
    "begin", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"], ids=ascii
)
def test_what_a_spreadsheet_would_run_is_defused(as_actor, begin) -> None:
    formula = f"{begin}HYPERLINK(A1)"
    texts = ("title", "description", "category", "subject", "external_reference", "source")
    CaseFactory(
        status="UNDER_REVIEW",
        reviewer=Actor(id=formula, permissions=REVIEWER.permissions),
        writer=Actor(id=f"{formula}2", permissions=WRITER.permissions),
        **dict.fromkeys(texts, formula),
    )

    [row] = rows(as_actor(AUDITOR).get("/cases/export.csv"))

    assert [row[name] for name in texts] == [f"'{formula}"] * len(texts)
    assert row["assigned_reviewer_id"] == f"'{formula}"
    assert row["created_by"] == row["submitted_by"] == f"'{formula}2"


@pytest.mark.parametrize("parts", [";", "\t", "\n", "\r", "\r\n", ";;"], ids=ascii)
def test_no_formula_begins_behind_what_may_part_cells(as_actor, parts) -> None:
    CaseFactory(description=f"a{parts}=1{parts}\uff0b2; -3{parts}b@")

    [row] = rows(as_actor(AUDITOR).get("/cases/export.csv"))

    assert row["description"] == f"a{parts}'=1{parts}'\uff0b2; -3{parts}b@"


@pytest.mark.parametrize("text", ["a=b", "'=1", "1-2", "e@x", "5", "a; b", "x\n'=1"])
def test_other_texts_are_left_as_they_are(as_actor, text) -> None:
    CaseFactory(description=text)

    [row] = rows(as_actor(AUDITOR).get("/cases/export.csv"))

    assert row["description"] == text


@pytest.mark.parametrize(
    "query",
    [
        "", "?ordering=due_at", "?ordering=-priority", "?status=CLOSED&status=DRAFT",
        "?overdue=true&ordering=updated_at", "?search=late+rep", "?search=zebra",
        "?assigned_reviewer_id=rob&ordering=created_at", "?priority=HIGH",
    ],
)  # fmt: skip
def test_it_holds_all_pages_of_the_same_list_in_its_order(as_actor, query) -> None:
    for n, status in enumerate(("DRAFT", "CLOSED", "UNDER_REVIEW", "SUBMITTED") * 2):
        due_at = f"202{n}-01-01T00:00:00Z"
        CaseFactory(status=status, priority=("LOW", "HIGH")[n % 2], due_at=due_at)
    sue = as_actor(SUPERVISOR)
    listed = sue.get(f"/cases{query}{'&' if query else '?'}limit=200").json()["results"]

    exported = rows(sue.get(f"/cases/export.csv{query}"))

    assert [row["id"] for row in exported] == [case["id"] for case in listed]


def test_a_list_of_nothing_is_a_head_line(as_actor) -> None:
    text = body(as_actor(AUDITOR).get("/cases/export.csv")).decode("utf-8-sig")

    assert text == ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("limit=5", {"limit"}),
        ("cursor=x", {"cursor"}),
        ("colour=red&overdue=1", {"colour", "overdue"}),
    ],
)
def test_what_it_does_not_know_is_refused(as_actor, query, fields) -> None:
    answer = as_actor(AUDITOR).get(f"/cases/export.csv?{query}")

    expect.refusal(answer, 422, "validation_error", fields)


@pytest.mark.parametrize("actor", [SUPERVISOR, AUDITOR, ADMIN], ids=lambda a: a.id)
def test_who_may_export_does(as_actor, actor) -> None:
    case = CaseFactory(restricted=True)

    assert [row["id"] for row in rows(as_actor(actor).get("/cases/export.csv"))] == [case.id]


@pytest.mark.parametrize("actor", [WRITER, REVIEWER, ALLROUNDER, NOBODY], ids=lambda a: a.id)
def test_who_may_not_is_told_so_before_anything_else(as_actor, actor) -> None:
    answer = as_actor(actor).get("/cases/export.csv?colour=red")

    expect.refusal(answer, 403, "permission_denied", set())


def test_nobody_exports_nothing(stranger) -> None:
    expect.refusal(stranger.get("/cases/export.csv"), 401, "not_authenticated", set())


def test_a_role_that_exports_gets_no_restricted_case_that_it_may_not_see(as_actor) -> None:
    exporters = Group.objects.create(name="exporters")
    exporters.permissions.set(Permission.objects.filter(codename__in=["view_case", "export_cases"]))
    UserFactory(username="norman", password=None)
    seen, granted, _ = CaseFactory(), CaseFactory(restricted=True), CaseFactory(restricted=True)
    services.grant_access(
        case_id=granted.id, user="norman", permission="view_case", actor=SUPERVISOR
    )
    norman = as_actor(Actor(id="norman", roles=frozenset({"exporters"})))

    exported = {row["id"] for row in rows(norman.get("/cases/export.csv"))}

    assert exported == {seen.id, granted.id}


@pytest.mark.parametrize("accept", ["text/csv", "*/*", "application/json", "text/*"])
def test_it_is_given_to_who_accepts_csv_or_json_and_refusals_are_json(as_actor, accept) -> None:
    headers = {"Accept": accept}

    given = as_actor(AUDITOR).get("/cases/export.csv", headers=headers)
    refused = as_actor(WRITER).get("/cases/export.csv", headers=headers)

    assert body(given)
    expect.refusal(refused, 403, "permission_denied", set())


def test_other_forms_are_not_acceptable(as_actor) -> None:
    answer = as_actor(AUDITOR).get("/cases/export.csv", headers={"Accept": "image/png"})

    expect.refusal(answer, 406, "not_acceptable", set())


def test_asking_for_the_head_alone_reads_nothing(as_actor) -> None:
    CaseFactory()

    answer = as_actor(AUDITOR).head("/cases/export.csv")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert body(answer) == b""


def test_the_log_says_who_took_what_away_and_no_search_word(as_actor, caplog) -> None:
    CaseFactory(title="Zebra")
    caplog.set_level("INFO")

    body(as_actor(AUDITOR).get("/cases/export.csv?search=zebra&status=DRAFT"))

    [told] = [r.msg for r in caplog.records if r.name == "exports"]
    assert told["event"] == "cases_exported"
    assert (told["actor_id"], told["rows"], told["outcome"]) == ("audrey", 1, "complete")
    assert told["asked"] == ["search", "statuses"]
    assert told["request_id"]
    assert "zebra" not in str([r.msg for r in caplog.records if r.name != "exports"]).lower()
    assert "zebra" not in str(told).lower()


@pytest.mark.parametrize("path", ["/cases/export.csv", "/v1/cases/export.csv", "/cases/summary"])
def test_its_address_is_taken_for_no_case(as_actor, path) -> None:
    assert as_actor(AUDITOR).get(path).status_code == 200
    expect.refusal(as_actor(AUDITOR).post(path, {}), 405, "method_not_allowed", set())
