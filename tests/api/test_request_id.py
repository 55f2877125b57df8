import uuid

import pytest

from audit.models import AuditEvent
from tests.api import expect
from tests.cast import WRITER

pytestmark = pytest.mark.django_db

SANE = ["a", "7f3c", str(uuid.UUID(int=5)), "trace:00-ab/cd+ef=@x._-", "x" * 128]
INSANE = [
    "",
    " ",
    "two words",
    "x" * 129,
    "x" * 10_000,
    "<script>",
    'quote"',
    "a,b",
    "tab\tbed",
    "line\nbreak",
    "line\r\nX-Evil: 1",
    "nul\0",
    "ümlaut",
    "{}",
    "a;b",
]


@pytest.mark.parametrize("given", SANE, ids=lambda g: g[:20])
def test_a_sane_id_is_taken_over_echoed_and_kept_in_the_trail(as_actor, given):
    answer = as_actor(WRITER).post("/cases", {"title": "Late"}, HTTP_X_REQUEST_ID=given)

    assert answer.headers["X-Request-ID"] == given
    assert AuditEvent.objects.get(case_id=answer.json()["id"]).request_id == given


@pytest.mark.parametrize("given", INSANE, ids=lambda g: repr(g[:20]))
def test_any_other_id_is_replaced(as_actor, given):
    answer = as_actor(WRITER).post("/cases", {"title": "Late"}, HTTP_X_REQUEST_ID=given)

    made = answer.headers["X-Request-ID"]
    assert answer.status_code == 201
    assert uuid.UUID(made).version == 7
    assert AuditEvent.objects.get(case_id=answer.json()["id"]).request_id == made


def test_two_requests_have_two_ids(as_actor):
    wanda = as_actor(WRITER)

    first, second = (wanda.get("/cases").headers["X-Request-ID"] for _ in range(2))

    assert first != second


@pytest.mark.parametrize(
    "path", ["/cases", "/cases/CASE-999999", "/nowhere", "/openapi.json", "/health/live", "/docs"]
)
def test_every_answer_bears_the_id(client, path):
    answer = client.get(path, headers={"X-Request-ID": "trace-7"})

    assert answer.headers["X-Request-ID"] == "trace-7"


def test_a_refusal_names_the_id(as_actor):
    answer = as_actor(WRITER).get("/cases?nonsense=1", HTTP_X_REQUEST_ID="trace-7")

    expect.refusal(answer, 422, "validation_error", {"nonsense"})
    assert answer.json()["request_id"] == "trace-7"
