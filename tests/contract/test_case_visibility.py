"""For whom a case exists: the whole cast by open, restricted, assigned, granted and revoked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from cases import selectors, services
from cases.actors import actor_of_roles, actor_of_user
from cases.errors import CaseNotFound
from cases.models import Case
from cases.policies import Actor
from tests.cast import (
    ADMIN,
    ALLROUNDER,
    AUDITOR,
    NOBODY,
    OTHER_REVIEWER,
    REVIEWER,
    SUPERVISOR,
    SYSTEM,
    WRITER,
)
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

CAST = {
    "wanda": WRITER,
    "rob": REVIEWER,
    "rosa": OTHER_REVIEWER,
    "sue": SUPERVISOR,
    "audrey": AUDITOR,
    "ada": ADMIN,
    "norman": NOBODY,
    "alex": ALLROUNDER,
    "system": SYSTEM,
}
# Norman has no role; "granted" means granted to Norman and to Wanda.
TABLE = """
case                 | wanda rob rosa sue audrey ada norman alex system
open                 | yes   yes yes  yes yes    yes -      yes  yes
open_granted         | yes   yes yes  yes yes    yes yes    yes  yes
restricted           | -     -   -    yes yes    yes -      -    yes
restricted_assigned  | -     yes -    yes yes    yes -      -    yes
restricted_granted   | yes   -   -    yes yes    yes yes    -    yes
restricted_revoked   | -     -   -    yes yes    yes -      -    yes
restricted_inactive  | -     -   -    yes yes    yes -      -    yes
restricted_no_view   | -     -   -    yes yes    yes -      -    yes
"""
_HEAD, *_ROWS = (line.replace("|", " ").split() for line in TABLE.strip().splitlines())
CELLS = [
    pytest.param(row[0], CAST[name], answer == "yes", id=f"{row[0]}-{name}")
    for row in _ROWS
    for name, answer in zip(_HEAD[1:], row[1:], strict=True)
]


def grant(case: Case, permission: str = "view_case", *, revoke: bool = False) -> None:
    for name in ("norman", "wanda"):
        what = {"case_id": case.id, "user": name, "permission": permission, "actor": SUPERVISOR}
        services.grant_access(**what)
        if revoke:
            services.revoke_access(**what)


def made(kind: str) -> Case:
    """Make the case that a row of the table is about."""
    accounts = [UserFactory(username=n, password=None) for n in ("norman", "wanda")]
    assigned = kind == "restricted_assigned"
    case = CaseFactory(
        status="UNDER_REVIEW" if assigned else "SUBMITTED",
        writer=ALLROUNDER,
        restricted=kind.startswith("restricted"),
    )
    if kind.endswith(("granted", "inactive")):
        grant(case)
    if kind == "restricted_revoked":
        grant(case, revoke=True)
    if kind == "restricted_no_view":
        grant(case, "close_case")
    if kind == "restricted_inactive":
        for account in accounts:
            account.is_active = False
            account.save()
    return case


@pytest.mark.parametrize(("kind", "actor", "sees"), CELLS)
def test_a_case_exists_for_who_may_see_it_and_for_nobody_else(kind, actor, sees) -> None:
    CaseFactory(status="SUBMITTED", restricted=True)  # a neighbour that must not slip in
    case = made(kind)

    listed = selectors.visible_cases(actor).filter(pk=case.id).exists()
    counted = Case.objects.visible_to(actor).filter(pk=case.id).count()

    assert (listed, counted) == (sees, int(sees))
    for for_update in (False, True):
        if sees:
            assert selectors.get_case(case.id, actor, for_update=for_update).id == case.id
        else:
            with pytest.raises(CaseNotFound):
                selectors.get_case(case.id, actor, for_update=for_update)


def test_a_grant_is_for_one_case_only() -> None:
    UserFactory(username="norman", password=None)
    case, other = CaseFactory(restricted=True), CaseFactory(restricted=True)
    services.grant_access(case_id=case.id, user="norman", permission="view_case", actor=SUPERVISOR)

    seen = [c.id for c in selectors.visible_cases(NOBODY)]

    assert seen == [case.id]
    assert other.id not in seen


def test_a_case_tells_what_its_reader_was_granted_on_it() -> None:
    UserFactory(username="norman", password=None)
    case = CaseFactory()
    for permission in ("view_case", "add_note"):
        services.grant_access(
            case_id=case.id, user="norman", permission=permission, actor=SUPERVISOR
        )

    mine = selectors.get_case(case.id, NOBODY)
    hers = selectors.get_case(case.id, WRITER)

    assert set(mine.granted) == {"view_case", "add_note"}
    assert not hers.granted
    assert selectors.available_actions(NOBODY, mine) == ["add_note"]


def test_who_was_granted_an_action_takes_it_without_any_role() -> None:
    UserFactory(username="norman", password=None)
    case = CaseFactory(restricted=True)
    for permission in ("view_case", "add_note"):
        services.grant_access(
            case_id=case.id, user="norman", permission=permission, actor=SUPERVISOR
        )

    note = services.add_note(case_id=case.id, body="I saw it", actor=NOBODY)

    assert (note.author, note.case_id) == ("norman", case.id)


def test_the_past_is_loaded_into_cases_whatever_the_importer_s_actors_may_see() -> None:
    case = CaseFactory(restricted=True)
    past = Actor(id="an old clerk", imported_by="ivy", announced=False)

    note = services.add_note(case_id=case.id, body="From the archive", actor=past)

    assert note.case_id == case.id


def test_an_actor_is_what_the_groups_of_the_roles_allow() -> None:
    actor = actor_of_roles("rita", ["reviewer", "auditor", "no_such_role"])

    assert actor.id == "rita"
    assert actor.permissions == REVIEWER.permissions | AUDITOR.permissions


def test_an_account_is_the_actor_of_its_groups_and_a_superuser_an_admin() -> None:
    reviewer = UserFactory(username="rob", roles=["reviewer"], password=None)
    root = UserFactory(username="root", is_superuser=True, password=None)

    assert actor_of_user(reviewer) == replace(REVIEWER, has_grants=False)
    assert actor_of_user(root).permissions == ADMIN.permissions


def test_an_account_that_is_switched_off_is_nobody() -> None:
    gone = UserFactory(username="gone", roles=["admin"], is_active=False, password=None)

    with pytest.raises(TypeError):
        actor_of_user(gone)


def test_an_account_that_went_since_it_was_read_is_nobody() -> None:
    with pytest.raises(TypeError):
        actor_of_user(User(pk=0, username="gone"))
