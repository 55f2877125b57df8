import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.core.management import call_command
from jsonschema_rs import Draft202012Validator

from tests.api import contract, expect
from tests.cast import WRITER
from tests.factories import CaseFactory

ENDPOINTS = {
    "/v1/cases": {"get", "post"},
    "/v1/cases/export.csv": {"get"},
    "/v1/cases/summary": {"get"},
    "/v1/cases/reports": {"get"},
    "/v1/audit-events/export.jsonl": {"get"},
    "/v1/audit-events/export.csv": {"get"},
    "/v1/audit-events/export.xes": {"get"},
    "/v1/cases/{case_id}": {"get", "patch"},
    "/v1/cases/{case_id}/notes": {"get", "post"},
    "/v1/cases/{case_id}/actions": {"get"},
    "/v1/cases/{case_id}/reviewers": {"get"},
    "/v1/cases/{case_id}/due-date": {"get", "post"},
    "/v1/cases/{case_id}/audit-events": {"get"},
    **{
        f"/v1/cases/{{case_id}}/{action}": {"post"}
        for action in (
            "submit", "start-review", "assign", "escalate", "close", "pause",
            "resume", "restrict", "unrestrict", "access",
        )
    },
}  # fmt: skip
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json()


def resolved(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def test_the_document_is_openapi_3_1(client):
    answer = client.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")


def test_it_describes_every_endpoint_once_under_v1(document):
    described = {
        path: set(item) & {"get", "post", "put", "patch", "delete"}
        for path, item in document["paths"].items()
    }

    assert described == ENDPOINTS


def test_it_is_valid_and_without_a_warning(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "api.yaml"))

    assert (tmp_path / "api.yaml").stat().st_size > 1000


def test_the_committed_document_is_what_the_code_makes(tmp_path):
    call_command("spectacular", file=str(tmp_path / "api.yaml"))

    made = (tmp_path / "api.yaml").read_text()
    assert (PROJECT / "docs/openapi.yaml").read_text() == made, "run make openapi"


@pytest.mark.django_db
@pytest.mark.parametrize("made", [{}, {"status": "CLOSED", "due_at": "2027-01-01T00:00:00Z"}])
def test_a_case_is_what_the_document_says(as_actor, document, made):
    case = as_actor(WRITER).get(f"/cases/{CaseFactory(**made).id}").json()
    schema = resolved(
        document,
        document["paths"]["/v1/cases/{case_id}"]["get"]["responses"]["200"]["content"][
            "application/json"
        ]["schema"],
    )

    assert set(case) == set(schema["properties"]) == set(schema["required"]) == expect.CASE_FIELDS
    Draft202012Validator(schema | {"components": document["components"]}).validate(case)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/v1/cases", "/v1/cases/{case_id}/notes", "/v1/cases/{case_id}/audit-events"]
)
def test_a_page_is_what_the_document_says(as_actor, document, path):
    case = CaseFactory()
    as_actor(WRITER).post(f"/cases/{case.id}/notes", {"body": "Called"})
    page = as_actor(WRITER).get(path.format(case_id=case.id)).json()

    content = document["paths"][path]["get"]["responses"]["200"]["content"]
    schema = resolved(document, content["application/json"]["schema"])
    row = resolved(document, schema["properties"]["results"]["items"])

    assert set(page) == set(schema["properties"])
    assert {frozenset(result) for result in page["results"]} == {frozenset(row["properties"])}


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


@pytest.mark.django_db
def test_the_docs_load_nothing_from_elsewhere(client):
    page = client.get("/docs", headers={"Accept": "text/html"})
    links = Links()
    links.feed(page.content.decode())

    assert page.status_code == 200
    assert links.found
    assert not [link for link in links.found if re.match(r"(https?:)?//", link)]
    for link in links.found:
        part = client.get(link)
        assert part.status_code == 200, link
        content = b"".join(part.streaming_content) if part.streaming else part.content
        if "static" not in link:
            assert not re.search(rb"https?://(?!testserver)", content), link
        part.close()


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/cases/export.csv"])
def test_every_filter_is_described_once_and_alike_for_list_and_export(document, path):
    parameters = map(contract.resolved, document["paths"][path]["get"]["parameters"])
    described = {p["name"]: p for p in parameters if p["in"] == "query"}
    pages = {"limit", "cursor"} if path == "/v1/cases" else set()

    assert set(described) == pages | {
        "status", "assigned_reviewer_id", "priority", "category", "source", "overdue",
        "paused", "closed_in_time", "created_from", "created_to", "due_from", "due_to",
        "closed_from", "closed_to", "search", "ordering",
    }  # fmt: skip
    assert all(p["description"] and not p.get("required") for p in described.values())
    assert {n for n, p in described.items() if p["schema"]["type"] == "array"} == {
        "status",
        "priority",
    }


@pytest.mark.django_db
def test_a_summary_is_what_the_document_says(as_actor, document):
    CaseFactory(status="UNDER_REVIEW")
    summary = as_actor(WRITER).get("/cases/summary").json()
    content = document["paths"]["/v1/cases/summary"]["get"]["responses"]["200"]["content"]
    schema = resolved(document, content["application/json"]["schema"])

    assert set(summary) == set(schema["properties"]) == set(schema["required"])
    Draft202012Validator(schema | {"components": document["components"]}).validate(summary)
