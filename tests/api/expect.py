"""What every answer must look like, whichever endpoint gave it."""

from __future__ import annotations

import re
from typing import Any

from cases.models import Case

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
CASE_FIELDS = {
    "id",
    "title",
    "status",
    "assigned_reviewer_id",
    "version",
    "description",
    "received_at",
    "category",
    "subject",
    "external_reference",
    "source",
    "priority",
    "restricted",
    "created_by",
    "submitted_by",
    "created_at",
    "updated_at",
    "submitted_at",
    "closed_at",
    "due_at",
    "overdue_at",
    "paused_at",
    "available_actions",
}


def name(value: Any) -> str:
    """Name a parameter the same in every process, so that tests can run side by side."""
    return "+".join(sorted(value)) if isinstance(value, set | frozenset) else repr(value)[:80]


def refusal(answer: Any, status: int, code: str, fields: set[str] | None = None) -> dict[str, Any]:
    """Check that the answer is this refusal, about these fields, and return its details."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), (
        answer.content[:500]
    )
    body = answer.json()
    assert set(body) == {"error", "message", "details", "request_id"}
    assert body["error"] == code, body
    assert isinstance(body["message"], str)
    assert body["message"].strip()
    assert isinstance(body["details"], dict)
    assert body["request_id"] == answer.headers["X-Request-ID"]
    if fields is not None:
        assert set(body["details"]) == fields, body
    if code == "validation_error":
        assert all(isinstance(text, str) and text for text in body["details"].values()), body
    return body["details"]


def no_failure(answer: Any) -> None:
    """Check that the answer is no failure of the service, and a proper refusal if it is one."""
    assert answer.status_code < 500, answer.content[:500]
    if answer.status_code >= 400:
        refusal(answer, answer.status_code, answer.json()["error"])


def the_case(answer: Any, status: int = 200) -> dict[str, Any]:
    """Check that the answer is a case, complete and with its version as ETag; return it."""
    assert answer.status_code == status, answer.content[:500]
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == CASE_FIELDS
    assert answer.headers["ETag"] == f'"{body["version"]}"'
    assert all(
        UTC_TIME.fullmatch(value)
        for name, value in body.items()
        if name.endswith("_at") and value is not None
    ), body
    return body


def one_step(case: Case, body: dict[str, Any]) -> None:
    """Check that the case moved on by exactly one version, in the answer and in the database."""
    assert body["version"] == case.version + 1
    assert Case.objects.get(pk=case.id).version == case.version + 1


def unchanged(case: Case) -> None:
    """Check that the stored case is still the one that the test arranged."""
    stored = Case.objects.get(pk=case.id)
    names = [field.name for field in Case._meta.concrete_fields]
    assert {n: getattr(stored, n) for n in names} == {n: getattr(case, n) for n in names}
