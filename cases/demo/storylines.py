"""How a case of the demo goes: which steps, by whom, and how long after the step before."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cases.demo import office
from cases.demo.matters import Matter
from cases.lifecycle import CaseAction, CaseStatus, Priority

WRITERS: Final = ("writer-1", "writer-2")
REVIEWERS: Final = ("reviewer-1", "reviewer-2", "reviewer-3")
SUPERVISOR: Final = "supervisor-1"
ADMIN: Final = "admin-1"
GUEST: Final = "guest-1"
SYSTEM: Final = "system"

_IN_REVIEW: Final = (CaseStatus.UNDER_REVIEW, CaseStatus.ESCALATED, CaseStatus.CLOSED)


@dataclass
class Step:
    """An action, ``days`` after the step before it; what it writes stands in ``cells``."""

    action: CaseAction
    actor: str
    days: float
    cells: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a case of the demo is to show."""

    status: CaseStatus
    assigned: bool = True
    paused: bool = False  # at the end
    overdue: bool = False
    dated: bool = True  # has a due date
    long: bool = False
    guest: bool = False  # restricted, and the guest may see it
    abroad: bool = False


class Story:
    """Writes the steps of one case; all chance comes from ``chance``."""

    def __init__(self, plan: Plan, matter: Matter, chance: random.Random) -> None:
        self.plan = plan
        self.chance = chance
        self.matter = matter
        self.steps: list[Step] = []
        self.writer = chance.choice(WRITERS)
        self.reviewer = chance.choices(REVIEWERS, weights=(5, 4, 3))[0]
        self.head = ADMIN if chance.random() < 0.1 else SUPERVISOR  # noqa: PLR2004 (a chance)
        self.priority = chance.choices(tuple(Priority), weights=(15, 50, 25, 10))[0]
        self.firm = chance.choice(matter.firms)
        self.item = chance.choice(matter.items)
        self.amount = f"{chance.randrange(120, 9_800):,} EUR"
        self._notes = self._note_queue()

    def tell(self) -> list[Step]:
        """Return the steps, the first one creates the case."""
        self._intake()
        if self.plan.status is not CaseStatus.DRAFT:
            self._submitted()
        if self.plan.status in _IN_REVIEW:
            self._review()
        return self.steps

    def text(self, block: str) -> str:
        """Fill a building block in."""
        return block.format(
            firm=self.firm,
            item=self.item,
            amount=self.amount,
            place=self.chance.choice(office.PLACES),
            count=self.chance.randrange(3, 48),
        )

    def _note_queue(self) -> list[str]:
        """Return the notes of the review: the matter's in their order, the office's in between."""
        between = [*self.matter.common_notes, *self.chance.sample(office.WORK_NOTES, k=6)]
        if self.plan.long:
            return [*self.matter.notes[:1], *self.chance.sample(between * 4, k=46)]
        places = sorted(self.chance.sample(range(9), k=min(9, len(self.matter.notes))))
        queue = self.chance.sample(between, k=len(between))
        for place, note in zip(places, self.matter.notes, strict=False):
            queue.insert(place, note)
        return queue

    def _add(self, action: CaseAction, actor: str, days: float, **cells: str) -> None:
        filled = {name: self.text(value) for name, value in cells.items()}
        self.steps.append(Step(action, actor, days * self.chance.uniform(0.4, 1.6), filled))

    def _note(self, actor: str, body: str, days: float) -> None:
        self._add(CaseAction.ADD_NOTE, actor, days, body=body)

    def _intake(self) -> None:
        facts = {
            "title": self.matter.title,
            "description": self.matter.description,
            "category": self.matter.category,
            "subject": "{firm}",
            "priority": str(self.priority),
        }
        # Every third draft is begun with little and completed later.
        hasty = self.chance.random() < 1 / 3
        first = {k: v for k, v in facts.items() if not hasty or k in ("title", "category")}
        self._add(CaseAction.CREATE, self.writer, 0, **first)
        if hasty and (self.plan.status is not CaseStatus.DRAFT or self.chance.random() < 0.8):  # noqa: PLR2004 (a chance)
            rest = {k: v for k, v in facts.items() if k not in first}
            self._add(CaseAction.UPDATE, self.writer, 0.3, **rest)
        if self.chance.random() < 0.5:  # noqa: PLR2004 (a chance)
            self._note(self.writer, self.chance.choice(office.INTAKE_NOTES), 0.8)

    def _submitted(self) -> None:
        colleague = self.chance.choice(WRITERS)
        submitter = self.writer if self.chance.random() < 0.8 else colleague  # noqa: PLR2004 (a chance)
        self._add(CaseAction.SUBMIT, submitter, 1)
        if self.plan.assigned and self.chance.random() < 0.6:  # noqa: PLR2004 (a chance)
            self._add(CaseAction.ASSIGN, self.head, 1, reviewer_id=self.reviewer)
        elif self.plan.assigned and self.plan.status is CaseStatus.SUBMITTED:
            self._add(CaseAction.ASSIGN, self.reviewer, 1, reviewer_id=self.reviewer)

    def _review(self) -> None:
        self._add(CaseAction.START_REVIEW, self.reviewer, 2, reviewer_id=self.reviewer)
        self._restriction()
        closed = self.plan.status is CaseStatus.CLOSED
        escalated = self.plan.status is CaseStatus.ESCALATED
        escalates = escalated or self.plan.long or (closed and self.chance.random() < 0.2)  # noqa: PLR2004 (a chance)
        count = 46 if self.plan.long else self.chance.randrange(5 if closed else 2, 10)
        incidents = self._incidents(count)
        for number in range(count):
            if number < len(self._notes):
                self._note(self.reviewer, self._notes[number], 4)
            for incident in incidents.get(number, ()):
                getattr(self, incident)()
        if escalates:
            self._add(CaseAction.ESCALATE, self.reviewer, 2, reason=self.matter.escalation)
            self._note(self.head, "Seen. Please prepare the decision for Thursday.", 1)
        if self.plan.overdue:
            self.steps.append(Step(CaseAction.MARK_OVERDUE, SYSTEM, 3))
            self._note(self.reviewer, "Overdue; told the head what is missing: {firm}.", 3)
        if self.plan.paused:
            self._add(CaseAction.PAUSE, self.reviewer, 2, reason=office.PAUSES[1][0])
        if closed:
            reason = self.chance.choice(self.matter.closing)
            self._add(CaseAction.CLOSE, self.reviewer, 3, reason=reason)

    def _incidents(self, count: int) -> dict[int, list[str]]:
        """Choose what happens beside the notes, and after which of them."""
        if self.plan.long:
            names: Iterable[str] = ("_pause", "_extend", "_hand_over") * 3
        else:
            chances = {"_pause": 0.25, "_extend": 0.15, "_hand_over": 0.12}
            names = [name for name, odds in chances.items() if self.chance.random() < odds]
        found: dict[int, list[str]] = {}
        for name in names:
            found.setdefault(self.chance.randrange(count), []).append(name)
        return found

    def _restriction(self) -> None:
        if not (self.plan.guest or (self.matter.restriction and self.chance.random() < 0.6)):  # noqa: PLR2004 (a chance)
            return
        reason = self.matter.restriction or office.GENERAL_RESTRICTION
        self._add(CaseAction.RESTRICT, self.head, 0.1, reason=reason)
        if self.plan.guest:
            self._access(CaseAction.GRANT_ACCESS, GUEST)
        elif self.chance.random() < 0.5:  # noqa: PLR2004 (a chance)
            self._access(CaseAction.GRANT_ACCESS, self.writer)
            if self.chance.random() < 0.3:  # noqa: PLR2004 (a chance)
                self._access(CaseAction.REVOKE_ACCESS, self.writer)
        elif self.chance.random() < 0.5:  # noqa: PLR2004 (a chance)
            self._add(CaseAction.UNRESTRICT, self.head, 5, reason=office.LIFTED_RESTRICTION)

    def _access(self, action: CaseAction, user: str) -> None:
        self._add(action, self.head, 0.2, user=user, permission="view_case")

    def _pause(self) -> None:
        why, resumed = self.chance.choice(office.PAUSES)
        self._add(CaseAction.PAUSE, self.reviewer, 2, reason=why)
        self._add(CaseAction.RESUME, self.reviewer, 9, reason=resumed)

    def _extend(self) -> None:
        if self.plan.dated:
            reason = self.chance.choice(office.NEW_DUE_DATES)
            self._add(CaseAction.SET_DUE_DATE, self.head, 2, reason=reason)

    def _hand_over(self) -> None:
        self.reviewer = self.chance.choice([r for r in REVIEWERS if r != self.reviewer])
        self._add(CaseAction.ASSIGN, self.head, 2, reviewer_id=self.reviewer)
        self._note(self.reviewer, self.chance.choice(office.HANDOVER_NOTES), 1)
