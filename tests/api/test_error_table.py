"""Every row of the error table, provoked over the wire by what really causes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from config.http.errors import SQLSTATES, TABLE
from tests.api import expect
from tests.api.server import Answer, Server, copied_database, running_server
from tests.cast import ALLROUNDER, AUDITOR, REVIEWER, WRITER
from tests.starts import PROJECT

pytestmark = pytest.mark.django_db

# Codes whose real causes need more than this file has: where they are provoked instead.
ELSEWHERE = {
    "case_conflict": "tests/api/test_time_limits.py",
    "dependency_unavailable": "tests/api/test_outages.py",
    "https_required": "tests/security/test_plain_http.py",
    "idempotency_key_in_progress": "tests/integration/test_idempotency_at_once.py",
    "rate_limited": "tests/api/test_throttling.py",
}
MEBIBYTE = 1_048_576


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), copied_database() as url:
        yield url


@pytest.fixture(scope="module")
def server(database):
    with running_server(database) as running:
        yield running


def new_case(server: Server, actor=WRITER, **fields) -> str:
    answer = server.ask("POST", "/cases", actor, {"title": "Late reporting", **fields})
    return expect.the_case(answer, 201)["id"]


def submitted(server: Server, actor=WRITER) -> str:
    case_id = new_case(server, actor)
    expect.the_case(server.ask("POST", f"/cases/{case_id}/submit", actor))
    return case_id


def duplicate(server: Server) -> Answer:
    matter = {"title": "x", "source": "portal", "external_reference": "2026/17"}
    server.ask("POST", "/cases", WRITER, matter)
    return server.ask("POST", "/cases", WRITER, matter)


def reused_key(server: Server) -> Answer:
    key = {"Idempotency-Key": "one-for-two"}
    server.ask("POST", "/cases", WRITER, {"title": "x"}, **key)
    return server.ask("POST", "/cases", WRITER, {"title": "y"}, **key)


Provocation = Callable[[Server], Answer]
PROVOKED: list[tuple[int, str, Provocation]] = [
    (400, "malformed_request", lambda s: s.ask("POST", "/cases", WRITER, b'{"title"')),
    (400, "malformed_request", lambda s: s.ask("GET", "/cases?cursor=x", WRITER)),
    (400, "malformed_request", lambda s: s.ask("GET", "/cases", WRITER, Host="evil.example")),
    (401, "not_authenticated", lambda s: s.ask("GET", "/cases")),
    (403, "permission_denied", lambda s: s.ask("POST", "/cases", AUDITOR, {"title": "x"})),
    (
        403,
        "separation_of_duties",
        lambda s: s.ask(
            "POST",
            f"/cases/{submitted(s, ALLROUNDER)}/start-review",
            ALLROUNDER,
            {"reviewer_id": "alex"},
        ),
    ),
    (404, "not_found", lambda s: s.ask("GET", "/nowhere", WRITER)),
    (404, "case_not_found", lambda s: s.ask("GET", "/cases/CASE-999999", WRITER)),
    (405, "method_not_allowed", lambda s: s.ask("DELETE", f"/cases/{new_case(s)}", WRITER)),
    (406, "not_acceptable", lambda s: s.ask("GET", "/cases", WRITER, Accept="text/csv")),
    (
        409,
        "invalid_case_transition",
        lambda s: s.ask("POST", f"/cases/{submitted(s)}/submit", WRITER),
    ),
    (409, "duplicate_case", duplicate),
    (409, "idempotency_key_reused", reused_key),
    (
        412,
        "precondition_failed",
        lambda s: s.ask("POST", f"/cases/{new_case(s)}/submit", WRITER, If_Match='"7"'),
    ),
    (
        413,
        "payload_too_large",
        lambda s: s.ask("POST", "/cases", WRITER, b" " * (MEBIBYTE + 1)),
    ),
    (
        415,
        "unsupported_media_type",
        lambda s: s.ask("POST", "/cases", WRITER, b"title=x", Content_Type="text/plain"),
    ),
    (
        422,
        "validation_error",
        lambda s: s.ask("POST", f"/cases/{submitted(s)}/close", REVIEWER, {"reason": " "}),
    ),
    (422, "validation_error", lambda s: s.ask("GET", "/cases?colour=red", WRITER)),
]


@pytest.mark.parametrize(
    ("status", "code", "provoke"), PROVOKED, ids=[f"{row[1]}-{n}" for n, row in enumerate(PROVOKED)]
)
def test_a_refusal_is_what_its_cause_leads_to(server, status, code, provoke) -> None:
    expect.refusal(provoke(server), status, code)


@contextmanager
def broken(database: str, broken_by: str, mended_by: str) -> Iterator[None]:
    """Change the schema under the running service until the block ends."""
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(broken_by)
        try:
            yield
        finally:
            session.execute(mended_by)


BROKEN = [
    (
        "ALTER TABLE case_notes RENAME TO gone",
        "ALTER TABLE gone RENAME TO case_notes",
        lambda s, case_id: s.ask("GET", f"/cases/{case_id}/notes", WRITER),
    ),
    (
        "ALTER TABLE audit_events RENAME COLUMN details TO gone",
        "ALTER TABLE audit_events RENAME COLUMN gone TO details",
        lambda s, case_id: s.ask("POST", f"/cases/{case_id}/submit", WRITER),
    ),
    (
        "ALTER TABLE outbox_events ADD CONSTRAINT broken CHECK (false) NOT VALID",
        "ALTER TABLE outbox_events DROP CONSTRAINT broken",
        lambda s, case_id: s.ask("POST", f"/cases/{case_id}/submit", WRITER),
    ),
    (
        "ALTER TABLE auth_group RENAME TO gone",
        "ALTER TABLE gone RENAME TO auth_group",
        lambda s, case_id: s.ask("GET", f"/cases/{case_id}", WRITER),
    ),
]
PROVOKED_500 = "internal_error"


@pytest.mark.parametrize(
    ("broken_by", "mended_by", "call"), BROKEN, ids=["read", "trail", "outbox", "roles"]
)
def test_what_nobody_expected_is_a_500_that_leads_to_its_cause(
    server, database, broken_by, mended_by, call
) -> None:
    case_id = new_case(server)

    with broken(database, broken_by, mended_by):
        answer = call(server, case_id)
    after = server.ask("GET", f"/cases/{case_id}", WRITER)

    expect.refusal(answer, 500, PROVOKED_500, set())
    assert not re.search(rb"Traceback|psycopg|gone|broken|SELECT|INSERT", answer.content)
    cause = [
        line
        for line in server.logged().splitlines()
        if '"unhandled_error"' in line and answer.json()["request_id"] in line
    ]
    assert len(cause) == 1
    assert '"sqlstate"' in cause[0]
    # Nothing of it was done, and the service goes on as if nothing had been.
    assert expect.the_case(after)["version"] == 0
    assert call(server, case_id).status_code == 200


STATES = [
    ("40001", 409, "case_conflict"),  # serialization_failure
    ("40P01", 409, "case_conflict"),  # deadlock_detected
    ("55P03", 409, "case_conflict"),  # lock_not_available
    ("25006", 503, "dependency_unavailable"),  # read_only_sql_transaction
    ("25P03", 503, "dependency_unavailable"),  # idle_in_transaction_session_timeout
    ("25P04", 503, "dependency_unavailable"),  # transaction_timeout
    ("08006", 503, "dependency_unavailable"),  # connection_failure
    ("53100", 503, "dependency_unavailable"),  # disk_full
    ("53200", 503, "dependency_unavailable"),  # out_of_memory
    ("53300", 503, "dependency_unavailable"),  # too_many_connections
    ("57014", 503, "dependency_unavailable"),  # query_canceled
    ("57P01", 503, "dependency_unavailable"),  # admin_shutdown
    ("58030", 503, "dependency_unavailable"),  # io_error
    ("22003", 500, "internal_error"),  # numeric_value_out_of_range
    ("23514", 500, "internal_error"),  # check_violation
    ("25P02", 500, "internal_error"),  # in_failed_sql_transaction
    ("42501", 500, "internal_error"),  # insufficient_privilege
    ("42P01", 500, "internal_error"),  # undefined_table
    ("54000", 500, "internal_error"),  # program_limit_exceeded
    ("55000", 500, "internal_error"),  # object_not_in_prerequisite_state
    ("XX001", 500, "internal_error"),  # data_corrupted
]
RAISE = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a secret of the row' USING ERRCODE = '{}'; END $$;
CREATE TRIGGER broken BEFORE INSERT ON outbox_events EXECUTE FUNCTION broken()
"""


@pytest.mark.parametrize(("state", "status", "code"), STATES, ids=[row[0] for row in STATES])
def test_what_the_database_says_decides_whether_to_come_back(
    server, database, state, status, code
) -> None:
    with broken(database, RAISE.format(state), "DROP FUNCTION broken CASCADE"):
        answer = server.ask("POST", "/cases", WRITER, {"title": "Late reporting"})

    expect.refusal(answer, status, code, set())
    # Whoever holds a lock lets go of it soon; a conflict is over when it is told.
    assert ("Retry-After" in answer.headers) == (status == 503 or state == "55P03")
    assert b"secret" not in answer.content
    assert "a secret of the row" not in server.logged()
    assert server.ask("POST", "/cases", WRITER, {"title": "Late"}).status_code == 201


def test_no_code_of_the_table_is_left_without_its_cause() -> None:
    here = {code for _, code, _ in PROVOKED} | {PROVOKED_500}

    assert all(any(told.startswith(state) for told, _, _ in STATES) for state in SQLSTATES)
    assert here | set(ELSEWHERE) == {row.code for row in TABLE.values()}
    for code, path in ELSEWHERE.items():
        constants = {
            node.value
            for node in ast.walk(ast.parse((PROJECT / path).read_text()))
            if isinstance(node, ast.Constant)
        }
        assert code in constants, f"{path} does not speak of {code}"
