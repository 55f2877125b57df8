"""If-Match: who has seen an older version is told, and nothing is lost."""

from __future__ import annotations

import pytest

from cases.models import Case
from tests.api.expect import refusal
from tests.cast import REVIEWER, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "header",
    ['"0"', "*", ' "0" ', '"7", "0"', '"a,b" ,, "0",', 'W/"7","0"'],
    ids=["current", "any", "spaced", "one-of-two", "odd-but-legal-list", "weak-and-strong"],
)
def test_the_version_that_was_seen_lets_the_change_through(as_actor, header):
    case = CaseFactory()

    answer = as_actor(WRITER).patch(
        f"/cases/{case.id}", {"title": "Late reports"}, HTTP_IF_MATCH=header
    )

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')


@pytest.mark.parametrize(
    "header",
    ['"99"', 'W/"0"', '"00"', '"abc"', '""', '"0,1"', '"7", W/"0"', '"9999999999999999999"'],
)
def test_another_version_is_refused_and_changes_nothing(as_actor, header):
    case = CaseFactory()

    answer = as_actor(WRITER).patch(
        f"/cases/{case.id}", {"title": "Late reports"}, HTTP_IF_MATCH=header
    )

    assert answer.status_code == 412
    assert answer.json()["error"] == "precondition_failed"
    assert answer.json()["details"] == {"current_version": 0}
    assert Case.objects.get(pk=case.id).title == case.title


@pytest.mark.parametrize(
    "header", ["0", '"0" "1"', '"0", 1', '"0", *', '"0', "W/0", "", ",", 'w/"0"']
)
def test_what_is_no_list_of_etags_is_malformed(as_actor, header):
    case = CaseFactory()

    answer = as_actor(WRITER).post(f"/cases/{case.id}/submit", HTTP_IF_MATCH=header)

    assert (answer.status_code, answer.json()["error"]) == (400, "malformed_request")
    assert Case.objects.get(pk=case.id).version == 0


def test_the_input_is_checked_before_the_version_and_the_version_before_the_status(as_actor):
    case = CaseFactory(status="SUBMITTED")
    reviewer, old = as_actor(REVIEWER), {"HTTP_IF_MATCH": '"0"'}

    blank = reviewer.post(f"/cases/{case.id}/close", {"reason": " "}, **old)
    outdated = reviewer.post(f"/cases/{case.id}/close", {"reason": "Done"}, **old)
    wrong_status = reviewer.post(f"/cases/{case.id}/close", {"reason": "Done"}, HTTP_IF_MATCH='"1"')

    assert [blank.status_code, outdated.status_code, wrong_status.status_code] == [422, 412, 409]


def test_a_note_honours_it_too(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).post(
        f"/cases/{case.id}/notes", {"body": "Called them"}, HTTP_IF_MATCH='"7"'
    )

    assert answer.status_code == 412


def test_a_case_that_is_yet_to_be_created_has_no_version_to_match(as_actor):
    answer = as_actor(WRITER).post("/cases", {"title": "Late"}, HTTP_IF_MATCH='"0"')

    refusal(answer, 412, "precondition_failed")
    assert not Case.objects.exists()


@pytest.mark.parametrize("header", ["*", '"0"'])
def test_a_write_does_not_take_if_none_match(as_actor, header):
    case = CaseFactory()

    answer = as_actor(WRITER).post(f"/cases/{case.id}/submit", HTTP_IF_NONE_MATCH=header)

    refusal(answer, 400, "malformed_request")
    assert Case.objects.get(pk=case.id).version == 0
