"""The people of the demo. Their password is public, so none of them may exist in production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User

DEMO_PASSWORD: Final[str] = "look-around-2026"  # noqa: S105 (public, for everybody who tries)


@dataclass(frozen=True)
class DemoUser:
    """One of the demo's people."""

    username: str
    role: str  # a group's name; "guest" has none
    name: str


DEMO_USERS: Final[tuple[DemoUser, ...]] = (
    DemoUser("writer-1", "case_writer", "Wilma Aldenhoven"),
    DemoUser("writer-2", "case_writer", "Walid Tarnowski"),
    DemoUser("reviewer-1", "reviewer", "Renske Obermaat"),
    DemoUser("reviewer-2", "reviewer", "Rafael Quintela"),
    DemoUser("reviewer-3", "reviewer", "Ruth Hallgrimsen"),
    DemoUser("supervisor-1", "supervisor", "Solveig Marchetti"),
    DemoUser("auditor-1", "auditor", "Anselm Kowarik"),
    DemoUser("admin-1", "admin", "Ada Blumenfeld"),
    DemoUser("guest-1", "guest", "Gaspard Lillefors"),
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
        first, _, last = person.name.partition(" ")
        account, created = User.objects.get_or_create(
            username=person.username,
            defaults={
                "first_name": first,
                "last_name": last,
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
