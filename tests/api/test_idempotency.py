"""Idempotency-Key: a request that is repeated is answered again, and nothing happens twice."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from cases.admin import once as forms
from cases.models import Case, IdempotencyKey, Note
from outbox.models import OutboxEvent
from tests.api.endpoints import WRITES, Write
from tests.api.expect import refusal, the_case
from tests.cast import ALLROUNDER, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

KEY = {"HTTP_IDEMPOTENCY_KEY": "4f2a-one"}


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Case, Note, AuditEvent, OutboxEvent))


def same(first: Any, second: Any) -> None:
    """Check that the second answer is the first one, replayed."""
    assert second.status_code == first.status_code
    assert second.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    for header in ("ETag", "Location", "Content-Type"):
        assert second.headers.get(header) == first.headers.get(header)
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]


def test_a_creation_that_is_repeated_makes_one_case(as_actor):
    client = as_actor(WRITER)

    first = client.post("/cases", {"title": "Late « reporting »"}, **KEY)
    before = rows()
    second = client.post("/cases", {"title": "Late « reporting »"}, **KEY)

    the_case(first, 201)
    same(first, second)
    assert rows() == before


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_every_write_can_be_repeated(as_actor, write: Write):
    case = write.case()
    client = as_actor(write.may)
    client.credentials(**client._credentials, **KEY)

    first = write.call(client, case.id)
    before = rows()
    second = write.call(client, case.id)

    assert first.status_code == write.answer
    same(first, second)
    assert rows() == before


def test_the_answer_is_the_old_one_even_after_the_case_went_on(as_actor):
    case = CaseFactory()
    first = as_actor(WRITER).post(f"/cases/{case.id}/submit", **KEY)
    as_actor(REVIEWER).post(f"/cases/{case.id}/start-review", {"reviewer_id": "rob"})

    second = as_actor(WRITER).post(f"/cases/{case.id}/submit", **KEY)

    same(first, second)
    assert the_case(second)["status"] == "SUBMITTED"


def test_the_version_that_was_seen_is_not_compared_again(as_actor):
    case = CaseFactory()
    seen = {"HTTP_IF_MATCH": '"0"', **KEY}

    first = as_actor(WRITER).post(f"/cases/{case.id}/submit", **seen)
    second = as_actor(WRITER).post(f"/cases/{case.id}/submit", **seen)

    same(first, second)


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("", {"title": "Another matter"}, {}),
        ("/{other}/submit", {}, {}),
        ("/{case}/submit", {}, {"HTTP_IF_MATCH": '"0"'}),
        ("/{case}/notes", {"body": "Late"}, {}),
    ],
    ids=["other-body", "other-case", "other-precondition", "other-endpoint"],
)
def test_a_key_does_not_stand_for_two_requests(as_actor, path, body, headers):
    case, other = CaseFactory(), CaseFactory()
    client = as_actor(WRITER)
    client.post("/cases", {"title": "Late"}, **KEY)
    before = rows()

    answer = client.post(
        f"/cases{path.format(case=case.id, other=other.id)}", body, **headers, **KEY
    )

    refusal(answer, 409, "idempotency_key_reused")
    assert rows() == before


def test_the_order_of_names_and_the_blanks_of_the_body_do_not_matter(as_actor):
    client, json = as_actor(WRITER), {"content_type": "application/json"}

    first = client.generic("POST", "/cases", '{"title":"Late","source":"portal"}', **json, **KEY)
    second = client.generic(
        "POST", "/cases", '{ "source": "portal", "title": "Late" }', **json, **KEY
    )

    same(first, second)


def test_under_v1_and_at_the_root_it_is_the_same_request(as_actor):
    client = as_actor(WRITER)

    first = client.post("/cases", {"title": "Late"}, **KEY)
    second = client.post("/v1/cases", {"title": "Late"}, **KEY)

    same(first, second)
    assert Case.objects.count() == 1


@pytest.mark.parametrize("taken", ["form:{}", "one {}", "many {}", "{}"])
def test_no_key_that_can_be_sent_is_that_of_a_form_in_the_back_office(as_actor, taken):
    key = uuid4()
    sent = {"HTTP_IDEMPOTENCY_KEY": taken.format(key)}

    as_actor(WRITER).post("/cases", {"title": "Late"}, **sent)

    assert forms.once(WRITER, str(key), lambda: "done") == ("done", False)
    assert forms.take(WRITER, key)


def test_a_form_for_one_case_and_one_for_many_never_meet():
    key = uuid4()
    forms.once(WRITER, str(key), lambda: "done")

    assert forms.kept(WRITER, key) is None
    assert forms.take(WRITER, key)


def test_another_actor_has_keys_of_its_own(as_actor):
    first = as_actor(WRITER).post("/cases", {"title": "Late"}, **KEY)
    second = as_actor(ALLROUNDER).post("/cases", {"title": "Late"}, **KEY)

    assert first.status_code == second.status_code == 201
    assert first.json()["id"] != second.json()["id"]


def test_without_a_key_nothing_is_kept(as_actor):
    as_actor(WRITER).post("/cases", {"title": "Late"})

    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"reason": " "}, {}, 422),
        ({"reason": "Done"}, {"HTTP_IF_MATCH": '"9"'}, 412),
    ],
)
def test_a_request_that_failed_leaves_its_key_free(as_actor, body, headers, status):
    case = CaseFactory(status="UNDER_REVIEW")
    client = as_actor(REVIEWER)

    failed = client.post(f"/cases/{case.id}/close", body, **headers, **KEY)
    corrected = client.post(f"/cases/{case.id}/close", {"reason": "Done"}, **KEY)

    assert failed.status_code == status
    assert the_case(corrected)["status"] == "CLOSED"
    assert "Idempotent-Replayed" not in corrected.headers


def test_a_conflict_leaves_its_key_free_too(as_actor):
    case = CaseFactory(status="DRAFT")

    failed = as_actor(REVIEWER).post(f"/cases/{case.id}/close", {"reason": "Done"}, **KEY)
    as_actor(WRITER).post(f"/cases/{case.id}/submit")
    as_actor(REVIEWER).post(f"/cases/{case.id}/start-review", {"reviewer_id": "rob"})
    repeated = as_actor(REVIEWER).post(f"/cases/{case.id}/close", {"reason": "Done"}, **KEY)

    refusal(failed, 409, "invalid_case_transition")
    assert the_case(repeated)["status"] == "CLOSED"


@pytest.mark.parametrize("key", ["x", "k" * 255, "with blanks, and; signs: ~", '"quoted"'], ids=len)
def test_keys_are_1_to_255_printable_characters(as_actor, key):
    client = as_actor(WRITER)

    first = client.post("/cases", {"title": "Late"}, HTTP_IDEMPOTENCY_KEY=key)
    second = client.post("/cases", {"title": "Late"}, HTTP_IDEMPOTENCY_KEY=key)

    same(first, second)


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\there", "naïve", "nul\0"], ids=ascii)
def test_any_other_key_is_malformed_and_nothing_is_done(as_actor, key):
    answer = as_actor(WRITER).post("/cases", {"title": "Late"}, HTTP_IDEMPOTENCY_KEY=key)

    refusal(answer, 400, "malformed_request")
    assert not Case.objects.exists()


def test_a_key_in_use_is_not_kept_from_the_refusals_that_come_first(as_actor, stranger):
    client = as_actor(WRITER)
    client.post("/cases", {"title": "Late"}, **KEY)

    assert stranger.post("/cases", {"title": "Late"}, **KEY).status_code == 401
    assert client.post("/cases", {"title": " "}, **KEY).status_code == 422
    assert client.post("/cases?x=1", {"title": "Late"}, **KEY).status_code == 422


def test_a_patch_can_be_repeated_as_well(as_actor):
    case = CaseFactory()
    client = as_actor(WRITER)

    first = client.patch(f"/cases/{case.id}", {"title": "Later"}, **KEY)
    client.patch(f"/cases/{case.id}", {"title": "Latest"})
    second = client.patch(f"/cases/{case.id}", {"title": "Later"}, **KEY)

    same(first, second)
    assert Case.objects.get(pk=case.id).title == "Latest"


def test_granting_twice_under_one_key_grants_once(as_actor, django_user_model):
    django_user_model.objects.create_user("greta")
    case = CaseFactory()
    body = {"operation": "grant", "user": "greta", "permission": "view_case"}

    first = as_actor(SUPERVISOR).post(f"/cases/{case.id}/access", body, **KEY)
    second = as_actor(SUPERVISOR).post(f"/cases/{case.id}/access", body, **KEY)

    same(first, second)
