"""A client that a generator made from the committed document, against the running service."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.server import copied_database, running_server

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
PACKAGE = "generated_client"
GENERATE = (
    "generate",
    "--path",
    ROOT / "docs/openapi.yaml",
    "--meta",
    "none",
    "--fail-on-warning",
    "--config",
    ROOT / "tests/e2e/generator.yaml",
)
OPERATIONS = {
    "cases": ("cases_create", "cases_list", "cases_retrieve", "cases_update"),
    "actions": ("cases_submit", "cases_start_review", "cases_close"),
    "notes": ("cases_notes_create", "cases_notes_list"),
    "audit": ("cases_audit_events_list",),
}


@pytest.fixture(scope="module")
def api(tmp_path_factory) -> Iterator[Any]:
    """Return the generated operations, the generated models and the class of its clients."""
    folder = tmp_path_factory.mktemp("client")
    generator = Path(sys.executable).parent / "openapi-python-client"
    done = subprocess.run(
        [generator, *GENERATE, "--output-path", folder / PACKAGE],
        # It formats what it made with ruff, which stands beside it.
        env=os.environ | {"PATH": f"{generator.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.split() == ["Generating", str(folder / PACKAGE)]
    sys.path.insert(0, str(folder))
    try:
        calls = {
            name: importlib.import_module(f"{PACKAGE}.api.{tag}.{name}").sync_detailed
            for tag, names in OPERATIONS.items()
            for name in names
        }
        models = importlib.import_module(f"{PACKAGE}.models")
        client = importlib.import_module(f"{PACKAGE}.client").AuthenticatedClient
        yield SimpleNamespace(**calls, models=models, Client=client)
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def as_role(api, django_db_setup, django_db_blocker) -> Iterator[Any]:
    """Return what makes a client of the generated kind for an actor with a role."""
    with (
        django_db_blocker.unblock(),
        copied_database() as url,
        running_server(url) as server,
        ExitStack() as connections,
    ):

        def client(actor: str, role: str) -> Any:
            made = api.Client(
                base_url=server.url,
                token=actor,
                prefix="",
                auth_header_name="X-Actor-ID",
                headers={"X-Actor-Roles": role},
                raise_on_unexpected_status=True,
            )
            return connections.enter_context(made)

        yield client


def test_it_carries_a_case_from_intake_to_closure(api, as_role):
    wanda, rob = as_role("wanda", "case_writer"), as_role("rob", "reviewer")
    models = api.models

    created = api.cases_create(
        client=wanda,
        body=models.CaseFields(title="Late reporting", priority=models.PriorityEnum.HIGH),
    )
    case = created.parsed
    assert (created.status_code, case.status, case.version) == (201, "DRAFT", 0)
    assert created.headers["Location"].endswith(f"/v1/cases/{case.id}")
    changed = models.PatchedCaseFields(title="Late annual report")
    updated = api.cases_update(case.id, client=wanda, body=changed, if_match='"0"').parsed
    assert updated.title == "Late annual report"
    submitted = api.cases_submit(case.id, client=wanda).parsed
    assert submitted.submitted_at == submitted.updated_at
    started = api.cases_start_review(
        case.id, client=rob, body=models.Reviewer(reviewer_id="rob")
    ).parsed
    assert models.CaseActionEnum.CLOSE in started.available_actions
    note = api.cases_notes_create(
        case.id, client=rob, body=models.NoteBody(body="Called the firm.")
    ).parsed
    assert (note.author, note.sequence) == ("rob", 4)
    closed = api.cases_close(case.id, client=rob, body=models.Reason(reason="Resolved")).parsed

    assert isinstance(closed, models.Case)
    assert (closed.status, closed.version) == (models.CaseStatusEnum.CLOSED, 5)
    assert api.cases_retrieve(case.id, client=rob).parsed.closed_at == closed.closed_at
    assert api.cases_notes_list(case.id, client=rob).parsed.results == [note]
    trail = api.cases_audit_events_list(case.id, client=rob).parsed.results
    assert [event.sequence for event in trail] == [0, 1, 2, 3, 4, 5]
    assert trail[-1].details["to_status"] == "CLOSED"


def test_it_reads_refusals_as_what_they_are(api, as_role):
    wanda, rob, models = as_role("wanda", "case_writer"), as_role("rob", "reviewer"), api.models
    case = api.cases_create(client=wanda, body=models.CaseFields(title="Late")).parsed
    why = models.Reason(reason="Resolved")

    blank = api.cases_create(client=wanda, body=models.CaseFields(title=" "))
    early = api.cases_close(case.id, client=rob, body=why)
    forbidden = api.cases_close(case.id, client=wanda, body=why)
    outdated = api.cases_submit(case.id, client=wanda, if_match='"7"')
    missing = api.cases_retrieve("CASE-999999", client=rob)

    assert (blank.status_code, type(blank.parsed)) == (422, models.ValidationError)
    assert blank.parsed.details["title"] == "This field may not be blank."
    assert (early.status_code, type(early.parsed)) == (409, models.InvalidCaseTransitionError)
    assert early.parsed.details.from_status == models.CaseStatusEnum.DRAFT
    assert models.CaseActionEnum.SUBMIT in early.parsed.details.allowed_actions
    assert early.parsed.request_id == early.headers["X-Request-ID"]
    assert (forbidden.status_code, type(forbidden.parsed)) == (403, models.PermissionDeniedError)
    assert type(outdated.parsed) is models.PreconditionFailedError
    assert outdated.parsed.details.current_version == 0
    assert (missing.status_code, type(missing.parsed)) == (404, models.CaseNotFoundError)


def cursor_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["cursor"][0]


def test_it_walks_along_the_pages(api, as_role):
    wanda, models = as_role("wanda", "case_writer"), api.models
    made = [
        api.cases_create(client=wanda, body=models.CaseFields(title=f"Matter {n}")).parsed.id
        for n in range(5)
    ]
    met, cursor = [], {}

    while cursor is not None:
        page = api.cases_list(
            client=wanda, limit=2, status=[models.CaseStatusEnum.DRAFT], **cursor
        ).parsed
        assert len(page.results) <= 2
        met += [case.id for case in page.results]
        cursor = {"cursor": cursor_of(page.next_)} if page.next_ else None

    assert met[:5] == made[::-1]
    assert len(met) == len(set(met))
