"""Every role, and none, by every action, on every kind of case: done or refused, as promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction

from audit.models import AuditEvent
from cases import selectors, services
from cases.actors import actor_of_roles, actor_of_user
from cases.errors import CaseError
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import Actor
from tests.api import expect
from tests.cast import SYSTEM
from tests.factories import UserFactory, act
from tests.security.rights import (
    ACTIONS,
    ADDRESSES,
    DECISIONS,
    EVERY_KIND,
    MAY,
    NOT_BY_GRANT,
    PAT,
    PLAYERS,
    ROLES,
    STATUS,
    SUBMITTED_ALLOWS,
    Facts,
    Player,
    expected,
    grant,
    make,
    sees,
)

pytestmark = pytest.mark.django_db

ON_A_CASE = [action for action in ACTIONS if action != "create"]
BY_HEADER = [player for player in PLAYERS if not player.superuser]
OPEN = Facts(restricted=False, wrote=False, submitted=False, reviewer="rosa")
HIDDEN = Facts(restricted=True, wrote=False, submitted=False, reviewer="rosa")
OWN = Facts(restricted=True, wrote=True, submitted=False, reviewer=PAT)


@pytest.fixture(autouse=True)
def _accounts(settings) -> None:
    settings.CASES_FOUR_EYES = True
    for name in (PAT, "grace"):
        UserFactory(username=name, password="")


def actor(player: Player) -> Actor:
    """Return Pat, with what the groups in the database give to the player's roles."""
    if player.superuser:
        with taken_back():
            User.objects.filter(username=PAT).update(is_superuser=True)
            return actor_of_user(User.objects.get(username=PAT))
    return actor_of_roles(PAT, player.roles)


@contextmanager
def taken_back() -> Iterator[None]:
    """Undo in the end whatever was done, the refused included."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def outcome(attempt: Callable[[], object]) -> str:
    """Return ``done``, or the code of the refusal."""
    try:
        with transaction.atomic():
            attempt()
    except CaseError as error:
        return error.code
    return "done"


def test_who_may_do_what_to_which_case() -> None:
    """Each player by each action by each kind of case: what every service checks first.

    Rights come before the status, so one set of submitted cases serves all actions.
    """
    wrong, cells = {}, 0
    actors = {player: actor(player) for player in PLAYERS}
    for facts in EVERY_KIND:
        case = make(facts)
        for player, who in actors.items():
            for actions in [[a] for a in ON_A_CASE] if player.acts_by_grant else [ON_A_CASE]:
                with taken_back():
                    grant(player, actions[0], case)
                    for action in actions:
                        found = outcome(
                            lambda a=action, w=who, c=case: services.check_may(
                                action=CaseAction(a), actor=w, case_id=c.id
                            )
                        )
                        cells += 1
                        if found != expected(player, action, facts):
                            wrong[player.name, action, facts] = found

    assert wrong == {}
    assert cells == len(PLAYERS) * (len(CaseAction) - 1) * 18


def test_a_case_is_offered_and_found_as_it_may_be_acted_on() -> None:
    """Lists and available actions say the same as the attempt would."""
    wrong = {}
    for facts in EVERY_KIND:
        case = make(facts)
        possible = SUBMITTED_ALLOWS - {"restrict" if facts.restricted else "unrestrict"}
        for player in PLAYERS:
            with taken_back():
                grant(player, "add_note", case)
                found = selectors.visible_cases(who := actor(player)).filter(pk=case.pk).first()
                offered = set(selectors.available_actions(who, found)) if found else None
            by_grant = {"add_note"} if player.acts_by_grant else set()
            wanted = {
                action
                for action in possible
                if expected(player, action, facts, granted=by_grant) == "done"
            }
            if offered != (wanted if sees(player, facts) else None):
                wrong[player.name, facts] = offered, wanted

    assert wrong == {}


@pytest.mark.parametrize("facts", [OPEN, HIDDEN, OWN], ids=["open", "hidden", "own"])
@pytest.mark.parametrize("action", ON_A_CASE)
def test_the_service_of_each_action_does_it_or_refuses_it(action, facts) -> None:
    if action in ("update", "submit"):
        facts = replace(facts, reviewer=None)  # a draft is nobody's yet
    case = make(facts, action)
    for player in PLAYERS:
        wanted = expected(player, action, facts)
        if wanted == "done" and action == ("restrict" if facts.restricted else "unrestrict"):
            wanted = "invalid_case_transition"
        with taken_back():
            grant(player, action, case)
            before = Case.objects.get(pk=case.pk)
            found = outcome(lambda p=player, c=before: act(CaseAction(action), c, actor(p)))
            last = AuditEvent.objects.filter(case_id=case.id).order_by("-sequence")[0]

        assert (player.name, found) == (player.name, wanted)
        assert last.sequence == before.version + (found == "done")
        if found == "done":
            told = last.details.get("four_eyes_overridden", False)
            assert told == (action in DECISIONS and facts.wrote), player


@pytest.mark.parametrize("player", PLAYERS, ids=lambda player: player.name)
def test_cases_are_created_by_who_may(player) -> None:
    wanted = any("create" in MAY.get(role, ()) for role in player.ranks)

    found = outcome(lambda: services.create_case(fields={"title": "x"}, actor=actor(player)))

    assert found == ("done" if wanted else "permission_denied")


def test_marking_overdue_is_the_system_s_alone_and_the_system_does_nothing_else() -> None:
    cases = {action: make(OPEN, action) for action in ON_A_CASE}

    done = {a for a in cases if outcome(lambda a=a: act(CaseAction(a), cases[a], SYSTEM)) == "done"}

    assert done == {"mark_overdue"}


def test_the_table_leaves_out_no_action_no_address_and_no_role() -> None:
    assert set(ACTIONS) == set(CaseAction)
    assert set(ADDRESSES) == set(ACTIONS) - NOT_BY_GRANT
    assert set(ROLES) == set(Group.objects.values_list("name", flat=True))


@pytest.mark.parametrize("facts", [OPEN, HIDDEN], ids=["open", "hidden"])
@pytest.mark.parametrize("action", ADDRESSES)
def test_every_address_that_acts_answers_each_role_as_promised(as_actor, action, facts) -> None:
    method, path, body = ADDRESSES[action]
    case = make(facts, action)
    for player in BY_HEADER:
        wanted = expected(player, action, facts)
        if wanted == "done" and action == ("restrict" if facts.restricted else "unrestrict"):
            wanted = "invalid_case_transition"
        with taken_back():
            grant(player, action, case)
            client = as_actor(Actor(id=PAT, roles=player.roles))
            answer = getattr(client, method)(f"/cases/{case.id}{path}", body)
        if wanted == "done":
            assert answer.status_code == (201 if action == "add_note" else 200), player
        else:
            expect.refusal(answer, STATUS[wanted], wanted)


@pytest.mark.parametrize("player", BY_HEADER, ids=lambda player: player.name)
@pytest.mark.parametrize("restricted", [False, True], ids=["open", "restricted"])
@pytest.mark.parametrize("reviewer", ["rosa", PAT], ids=["not assigned", "assigned"])
def test_every_address_that_reads_answers_each_role_as_promised(
    as_actor, player, restricted, reviewer
) -> None:
    facts = Facts(restricted, wrote=False, submitted=False, reviewer=reviewer)
    case = make(facts, "close")
    client = as_actor(Actor(id=PAT, roles=player.roles))

    with taken_back():
        grant(player, "close", case)
        answers = [client.get(f"/cases/{case.id}{p}") for p in ("", "/notes", "/audit-events")]
        listed = [c["id"] for c in client.get("/cases").json()["results"]]

    if sees(player, facts):
        assert [answer.status_code for answer in answers] == [200] * 3
        assert listed == [case.id]
    else:
        for answer in answers:
            expect.refusal(answer, 404, "case_not_found", set())
        assert listed == []
