"""Links from an answer to what can be done next with the case in it (OpenAPI Link Objects)."""

from __future__ import annotations

from cases.lifecycle import LIFECYCLE, CaseStatus
from config.http.document.operations import Document, Operation


def _follows(operation: Operation, other: Operation) -> bool:
    """Tell whether the lifecycle allows the other operation after this one."""
    if not other.on_case:
        return False
    if not other.actions:
        return True
    targets = {LIFECYCLE[action].target for action in operation.actions} - {None}
    after = targets or {*CaseStatus}
    return any(after & {*LIFECYCLE[action].sources} for action in other.actions)


def add_links(document: Document, everything: list[Operation]) -> None:
    """Link every answer that is a case to the operations that may follow; id becomes case_id."""
    links = document["components"]["links"] = {
        other.name: {
            "operationId": other.name,
            "parameters": {"case_id": "$response.body#/id"},
            "description": other.said["summary"],
        }
        for other in everything
        if other.on_case
    }
    links["cases_first_of_page"] = {
        "operationId": "cases_retrieve",
        "parameters": {"case_id": "$response.body#/results/0/id"},
        "description": "Read the first case of the page",
    }
    for operation in everything:
        if operation.answers_case:
            names = [other.name for other in everything if _follows(operation, other)]
        elif operation.name == "cases_list":
            names = ["cases_first_of_page"]
        else:
            continue
        operation.success["links"] = {
            name: {"$ref": f"#/components/links/{name}"} for name in names
        }
