"""One operation of the document, seen as the rules of this package see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cases.lifecycle import CaseAction
from config.http.endpoints import actions_at

Document = dict[str, Any]


class Operation(NamedTuple):
    """An operation: where it is, what drf-spectacular said of it, and which actions it is."""

    path: str
    method: str
    said: dict[str, Any]
    actions: tuple[CaseAction, ...]

    @property
    def name(self) -> str:
        """Return the operation's id, the name of a function in a generated client."""
        return str(self.said["operationId"])

    @property
    def on_case(self) -> bool:
        """Tell whether the address names a case."""
        return "{case_id}" in self.path

    @property
    def writes(self) -> bool:
        """Tell whether it changes anything."""
        return self.method != "get"

    @property
    def answers_case(self) -> bool:
        """Tell whether a success is one case."""
        content = self.success.get("content", {}).get("application/json", {})
        return str(content.get("schema", {}).get("$ref", "")).endswith("/Case")

    @property
    def status(self) -> str:
        """Return the status of success."""
        return str(min(self.said["responses"]))

    @property
    def success(self) -> dict[str, Any]:
        """Return the description of success."""
        response: dict[str, Any] = self.said["responses"][self.status]
        return response

    @property
    def answers_file(self) -> bool:
        """Tell whether a success is a file, written while it is sent."""
        return "application/json" not in self.success.get("content", {"application/json": {}})


def operations(document: Document) -> Iterator[Operation]:
    """Yield every operation of the document."""
    for path, item in document["paths"].items():
        for method, said in item.items():
            yield Operation(path, method, said, actions_at(method, path))
