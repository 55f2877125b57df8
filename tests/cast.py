"""The cast that plays in every test: few people, always the same, each with one role."""

from __future__ import annotations

from cases.policies import ALL_PERMISSIONS, DEFAULT_ROLES, Actor


def actor(actor_id: str, *roles: str) -> Actor:
    """Return an actor with the default permissions of the roles."""
    permissions = frozenset().union(*(DEFAULT_ROLES[role] for role in roles))
    return Actor(id=actor_id, roles=frozenset(roles), permissions=permissions)


WRITER = actor("wanda", "case_writer")
REVIEWER = actor("rob", "reviewer")
OTHER_REVIEWER = actor("rosa", "reviewer")
SUPERVISOR = actor("sue", "supervisor")
AUDITOR = actor("audrey", "auditor")
ADMIN = actor("ada", "admin")
NOBODY = actor("norman")
# Writes and reviews, so that the four-eyes rule has somebody to stop.
ALLROUNDER = actor("alex", "case_writer", "reviewer")
SYSTEM = Actor(
    id="system", permissions=frozenset({"mark_overdue", "view_case", "view_restricted_case"})
)
# May everything there is, so that only the state of a case can refuse her; not one of the cast.
ALMIGHTY = Actor(id="olga", permissions=ALL_PERMISSIONS)

EVERYBODY = (WRITER, REVIEWER, OTHER_REVIEWER, SUPERVISOR, AUDITOR, ADMIN, NOBODY, ALLROUNDER)
