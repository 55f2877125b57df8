"""Names and words: what an operation is called, what it does, who may and from where."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from cases.lifecycle import LIFECYCLE, CaseAction
from cases.policies import DEFAULT_ROLES, FOUR_EYES, PERMISSIONS, VIEW
from config.http.document.operations import Document, Operation

TAGS: Final = {
    "actions": "What carries a case on, from submission to closure, and who is let in on it."
    " Every action is one transaction with one event of the trail.",
    "audit": "The trail: one event for everything that happened to a case, linked by hashes.",
    "cases": "Cases: take in, find, read, change a draft.",
    "notes": "What people wrote on a case. Notes are never changed and never deleted.",
}


def _tag(operation: Operation) -> str:
    if "audit-events" in operation.path:
        return "audit"
    if operation.path.endswith("/notes"):
        return "notes"
    moves = {*operation.actions} - {CaseAction.CREATE, CaseAction.UPDATE}
    return "actions" if moves or operation.path.endswith("/actions") else "cases"


def _name(operation: Operation) -> str:
    """Return ``cases_<action>``; what is no action, or has a name of its own, keeps it."""
    if len(operation.actions) == 1 and not operation.path.endswith("/notes"):
        return f"cases_{operation.actions[0]}"
    if len(operation.actions) > 1:
        return f"cases_{operation.path.rpartition('/')[2].replace('-', '_')}"
    return operation.name


def _who(operation: Operation) -> list[str]:
    told = []
    for action in operation.actions:
        permission = PERMISSIONS[action]
        roles = [role for role, held in DEFAULT_ROLES.items() if permission in held]
        told.append(
            f"`{action}` needs the permission `{permission}`, which by default the roles"
            f" {_and(roles)} hold"
            + ("" if action is CaseAction.CREATE else ", or a grant of it on this case")
            + "."
        )
    if not operation.writes and operation.on_case:
        told.append(
            f"Whoever may see the case: roles with `{VIEW}`; of a restricted case its reviewer,"
            " who may see restricted cases, and who was granted it."
        )
    return told


def _from_where(operation: Operation) -> list[str]:
    told = []
    for action in operation.actions:
        step = LIFECYCLE[action]
        start = f"From {_and([*step.sources], 'or')}" if step.sources else "The case starts"
        end = f"to {step.target}" if step.sources else f"as {step.target}"
        told.append(
            f"{start} {end if step.target else 'without a change of status'};"
            f" the trail gets a `{step.event.type}`."
        )
    return list(dict.fromkeys(told))


def _and(names: list[str], word: str = "and") -> str:
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "nobody"


def add_texts(document: Document, operation: Operation) -> None:
    """Give an operation its name, tag, summary and description; the view's docstring leads."""
    said = operation.said
    said["operationId"] = _name(operation)
    said["tags"] = [_tag(operation)]
    first_line = said.get("description", "").partition("\n")[0]
    said["summary"] = first_line.strip().rstrip(".")
    parts = [said.get("description", ""), *_who(operation)]
    if FOUR_EYES.intersection(operation.actions):
        parts.append(
            "Who created or submitted the case may not do it (four-eyes rule, on by default)."
        )
    if operation.writes and not operation.on_case:
        parts.append("A new case has no version yet, so an `If-Match` that names one is a 412.")
    parts += _from_where(operation)
    said["description"] = "\n\n".join(part.strip() for part in parts if part.strip())
    success = operation.success
    if not success.get("description"):
        status = HTTPStatus(int(operation.status))
        success["description"] = (
            f"{status.phrase}: the case as it is now." if operation.answers_case else status.phrase
        )
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
