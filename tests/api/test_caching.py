"""What caches between the service and a caller may keep."""

import pytest

from tests.cast import AUDITOR
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db
WHO = {"Authorization", "Cookie", "X-Actor-ID", "X-Actor-Roles"}


def vary(answer):
    return {name.strip() for name in answer.headers.get("Vary", "").split(",")}


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(
    "path", ["/cases", "/cases/{id}", "/cases/{id}/notes", "/cases/{id}/audit-events"]
)
def test_an_answer_is_for_its_actor_alone(as_actor, prefix, path):
    case = CaseFactory()

    answer = as_actor(AUDITOR).get(prefix + path.format(id=case.id))

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert vary(answer) >= WHO | {"Accept"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/cases/CASE-999999", 404),
        ("get", "/cases?x=1", 422),
        ("delete", "/cases", 405),
        ("post", "/cases", 403),
    ],
)
def test_so_is_a_refusal(as_actor, method, path, status):
    answer = getattr(as_actor(AUDITOR), method)(path, {"title": "x"} if method == "post" else None)

    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert vary(answer) >= WHO


def test_so_is_the_challenge(stranger):
    answer = stranger.get("/cases")

    assert answer.status_code == 401
    assert vary(answer) >= WHO


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/health/live"])
def test_what_is_the_same_for_all_may_be_shared(stranger, path):
    answer = stranger.get(path)

    assert answer.status_code == 200
    assert "private" not in answer.headers.get("Cache-Control", "")
    assert not vary(answer) & {"Authorization", "X-Actor-ID"}
