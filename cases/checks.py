"""System checks: the lifecycle's pieces fit together, and somebody listens."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from cases.lifecycle import LIFECYCLE
from cases.models import Case
from cases.policies import ALL_PERMISSIONS, PERMISSIONS
from cases.signals import case_event


@register
def check_listeners(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to start with nobody listening: changes would leave no trail."""
    del kwargs
    if case_event.receivers:
        return []
    return [
        Error(
            "Nobody listens to case events.",
            hint="Keep audit and outbox in INSTALLED_APPS.",
            id="cases.E001",
        )
    ]


@register
def check_permissions(**kwargs: Any) -> list[CheckMessage]:
    """Each action needs a permission, and each permission stands in the model's Meta."""
    del kwargs
    declared = {codename for codename, _ in Case._meta.permissions}
    found: list[CheckMessage] = [
        Error(
            f"The action {action} has no permission.",
            hint="Add it to cases.policies.PERMISSIONS.",
            id="cases.E002",
        )
        for action in LIFECYCLE
        if action not in PERMISSIONS
    ]
    if declared != ALL_PERMISSIONS:
        found.append(
            Error(
                f"Permissions differ between policies and Case.Meta: "
                f"{sorted(declared ^ ALL_PERMISSIONS)}.",
                hint="Name each of them in both, and make a migration.",
                id="cases.E003",
            )
        )
    return found
