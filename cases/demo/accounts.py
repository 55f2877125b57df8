"""The accounts of the demo. Their password is public, so none of them may exist in production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User

DEMO_PASSWORD: Final[str] = "look-around-2026"  # noqa: S105 (public, for everybody who tries)


@dataclass(frozen=True)
class DemoUser:
    """One of the demo's accounts."""

    username: str
    role: str  # a group's name; "guest" has none


DEMO_USERS: Final[tuple[DemoUser, ...]] = (
    DemoUser("writer-1", "case_writer"),
    DemoUser("writer-2", "case_writer"),
    DemoUser("reviewer-1", "reviewer"),
    DemoUser("reviewer-2", "reviewer"),
    DemoUser("reviewer-3", "reviewer"),
    DemoUser("supervisor-1", "supervisor"),
    DemoUser("auditor-1", "auditor"),
    DemoUser("admin-1", "admin"),
    DemoUser("guest-1", "guest"),
)


def create_accounts() -> int:
    """Make the accounts that are not there yet; those that are stay as they are.

    Returns:
        How many were made.
    """
    groups = {group.name: group for group in Group.objects.all()}
    password = make_password(DEMO_PASSWORD)
    made = 0
    for person in DEMO_USERS:
        account, created = User.objects.get_or_create(
            username=person.username,
            defaults={
                "password": password,
                "is_staff": person.role in groups,
                "is_superuser": person.role == "admin",
            },
        )
        if created:
            made += 1
            if person.role in groups:
                account.groups.add(groups[person.role])
    return made
