"""Whoever adds a transition is told here, by name, what it still lacks."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

from cases import lifecycle, policies, services
from cases.admin.actions import ACTIONS
from cases.imports import history
from cases.lifecycle import CaseAction
from cases.models import Case
from config.http.document.examples import REQUESTS
from config.http.endpoints import ENDPOINTS
from outbox import cloudevents
from tests.unit.samples import event_classes

ROOT = Path(__file__).parents[2]

# Method and address, where they are not POST and the action's name with hyphens.
ADDRESSES: dict[str, tuple[str, str] | None] = {
    "create": ("post", "/cases"),
    "update": ("patch", "/cases/CASE-000001"),
    "add_note": ("post", "/cases/CASE-000001/notes"),
    "set_due_date": ("post", "/cases/CASE-000001/due-date"),
    "grant_access": ("post", "/cases/CASE-000001/access"),
    "revoke_access": ("post", "/cases/CASE-000001/access"),
    "mark_overdue": None,  # done by the system, never asked for over HTTP
}


def transitions() -> dict[str, str]:
    """Return the transitions of a case: the method's name and the action it names."""
    return {t.name: t.custom.get("action", "") for t in Case().get_all_status_transitions()}


def lacking(action: str) -> list[str]:
    """Name what an action lacks, piece by piece."""
    return [
        *_permission(action),
        *_service(action),
        *_lifecycle_row_and_audit_type(action),
        *_cloudevents_type(action),
        *_endpoint(action),
        *_page_form_and_example(action),
        *_admin_form(action),
        *_history(action),
        *_documentation(action),
    ]


def _permission(action: str) -> list[str]:
    codename = policies.PERMISSIONS.get(action)
    if codename is None:
        return [f"{action}: no permission in policies.PERMISSIONS"]
    if codename not in dict(Case._meta.permissions):
        return [f"{action}: {codename} is not in Case.Meta.permissions"]
    return []


def _service(action: str) -> list[str]:
    name = policies.PERMISSIONS.get(action, action)
    service = getattr(services, name, None)
    if service is None or name not in services.__all__:
        return [f"{action}: no service cases.services.{name}"]
    parameters = inspect.signature(service).parameters
    loose = [p.name for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
    needed = {"actor", "at"} | (set() if action == "create" else {"case_id", "expected_version"})
    return [f"{action}: {name}({p}) is not keyword-only" for p in loose] + [
        f"{action}: {name} takes no {p}" for p in sorted(needed - set(parameters))
    ]


def _lifecycle_row_and_audit_type(action: str) -> list[str]:
    row = lifecycle.LIFECYCLE.get(action)
    if row is None:
        return [f"{action}: no row in lifecycle.LIFECYCLE"]
    name = vars(row.event).get("type")
    if name is None:
        return [f"{action}: {row.event.__name__} has no type of its own"]
    sharers = [e.__name__ for e in event_classes() if e.type == name]
    users = [str(a) for a, step in lifecycle.LIFECYCLE.items() if step.event is row.event]
    return [f"{action}: the type {name} is shared by {sharers}"] * (len(sharers) > 1) + [
        f"{action}: its event is shared by {users}"
    ] * (len(users) > 1)


def _cloudevents_type(action: str) -> list[str]:
    row = lifecycle.LIFECYCLE.get(action)
    name = vars(row.event).get("type") if row else None
    return [] if name in cloudevents.TYPES else [f"{action}: no type in outbox.cloudevents.TYPES"]


def _endpoint(action: str) -> list[str]:
    usual = ("post", f"/cases/CASE-000001/{action.replace('_', '-')}")
    address = ADDRESSES.get(action, usual)
    if address is None:
        return []
    method, path = address
    return [
        f"{action}: no {method.upper()} {full}"
        for full in (path, f"/v1{path}")
        if method not in _methods(full)
    ]


def _page_form_and_example(action: str) -> list[str]:
    if action == CaseAction.MARK_OVERDUE:
        return []
    return [f"{action}: no row in config.http.endpoints.ENDPOINTS"] * (action not in ENDPOINTS) + [
        f"{action}: no request in config.http.document.examples.REQUESTS"
    ] * (action not in REQUESTS)


def _methods(path: str) -> set[str]:
    """Return the methods that an address serves, by a viewset or by a view of its own."""
    try:
        view = resolve(path).func
    except Resolver404:
        return set()
    served = getattr(view, "actions", None)
    kind = getattr(view, "cls", None)
    return set(served or {m for m in ("get", "post", "patch") if hasattr(kind, m)})


def _admin_form(action: str) -> list[str]:
    if action == CaseAction.MARK_OVERDUE or action in ACTIONS:
        return []
    return [f"{action}: no form in cases.admin.actions.ACTIONS"]


def _history(action: str) -> list[str]:
    if action in history.INPUTS and (action == CaseAction.CREATE or action in history._SERVICES):
        return []
    return [f"{action}: no row in cases.imports.history.INPUTS or _SERVICES"]


def _documentation(action: str) -> list[str]:
    page = (ROOT / "docs/reference/actions.md").read_text()
    return [] if f"`{action}`" in page else [f"{action}: no line in docs/reference/actions.md"]


@pytest.mark.parametrize("action", CaseAction)
def test_every_transition_is_wired(action: CaseAction) -> None:
    assert lacking(action) == []


def test_every_transition_names_its_action_and_every_action_has_a_transition() -> None:
    assert all(name == action for name, action in transitions().items())
    assert set(transitions()) == set(CaseAction) - {CaseAction.CREATE}


def test_no_event_and_no_permission_belongs_to_nothing() -> None:
    told = {step.event for step in lifecycle.LIFECYCLE.values()}
    rights = {policies.VIEW, policies.VIEW_RESTRICTED, policies.ASSIGN_ANY}
    rights |= {policies.EXPORT_CASES, policies.EXPORT_AUDIT, policies.CHANGE_SLA}

    assert event_classes() == told
    assert set(dict(Case._meta.permissions)) - set(policies.PERMISSIONS.values()) == {
        *rights,
        policies.OVERRIDE_FOUR_EYES,
    }


@pytest.mark.parametrize(
    ("module", "table", "key", "said"),
    [
        (policies, "PERMISSIONS", "escalate", "no permission"),
        (lifecycle, "LIFECYCLE", "escalate", "no row"),
        (cloudevents, "TYPES", "CASE_ESCALATED", "no type in outbox"),
    ],
    ids=["permission", "lifecycle", "cloudevents"],
)
def test_a_forgotten_piece_is_named(monkeypatch, module, table, key, said) -> None:
    rest = {name: value for name, value in getattr(module, table).items() if name != key}
    monkeypatch.setattr(module, table, rest)

    assert any(said in line for line in lacking("escalate"))


def test_a_forgotten_service_or_endpoint_is_named(monkeypatch) -> None:
    monkeypatch.delattr(services, "escalate_case")
    monkeypatch.setitem(ADDRESSES, "escalate", ("post", "/cases/CASE-000001/escalation"))

    assert lacking("escalate") == [
        "escalate: no service cases.services.escalate_case",
        "escalate: no POST /cases/CASE-000001/escalation",
        "escalate: no POST /v1/cases/CASE-000001/escalation",
    ]
