"""Where each action of people is asked for over HTTP, and with which input.

The OpenAPI document takes from here what an operation does; the pages for people take the forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from cases.api import serializers as wire
from cases.lifecycle import CaseAction


class Endpoint(NamedTuple):
    """How an action is asked for: method, address below ``/cases``, and what goes in."""

    method: str
    address: str
    form: type[wire.StrictSerializer]
    # What the address needs to know beside the input of a person: one address, two actions.
    fixed: Mapping[str, str] = MappingProxyType({})

    def path(self, case_id: str) -> str:
        """Return the address for one case, below ``/cases``."""
        return self.address.replace("{case_id}", case_id)


def _on_case(
    suffix: str, form: type[wire.StrictSerializer], method: str = "post", **fixed: str
) -> Endpoint:
    return Endpoint(method, f"/{{case_id}}{suffix}", form, MappingProxyType(fixed))


ENDPOINTS: Final[Mapping[CaseAction, Endpoint]] = MappingProxyType(
    {
        CaseAction.CREATE: Endpoint("post", "", wire.CaseFieldsSerializer),
        CaseAction.UPDATE: _on_case("", wire.CaseFieldsSerializer, "patch"),
        CaseAction.SUBMIT: _on_case("/submit", wire.NoInputSerializer),
        CaseAction.START_REVIEW: _on_case("/start-review", wire.ReviewerSerializer),
        CaseAction.ASSIGN: _on_case("/assign", wire.ReviewerSerializer),
        CaseAction.ESCALATE: _on_case("/escalate", wire.ReasonSerializer),
        CaseAction.CLOSE: _on_case("/close", wire.ReasonSerializer),
        CaseAction.ADD_NOTE: _on_case("/notes", wire.NoteBodySerializer),
        CaseAction.SET_DUE_DATE: _on_case("/due-date", wire.DueDateSerializer),
        CaseAction.PAUSE: _on_case("/pause", wire.ReasonSerializer),
        CaseAction.RESUME: _on_case("/resume", wire.ReasonSerializer),
        CaseAction.RESTRICT: _on_case("/restrict", wire.ReasonSerializer),
        CaseAction.UNRESTRICT: _on_case("/unrestrict", wire.ReasonSerializer),
        CaseAction.GRANT_ACCESS: _on_case("/access", wire.AccessSerializer, operation="grant"),
        CaseAction.REVOKE_ACCESS: _on_case("/access", wire.AccessSerializer, operation="revoke"),
    }
)


def actions_at(method: str, path: str) -> tuple[CaseAction, ...]:
    """Return the actions that an operation carries out; none for reads.

    Args:
        method: in lower case.
        path: below the service's root, like ``/v1/cases/{case_id}/close``.
    """
    address = path.removeprefix("/v1").removeprefix("/cases")
    return tuple(
        action
        for action, endpoint in ENDPOINTS.items()
        if (endpoint.method, endpoint.address) == (method, address)
    )
