"""A past that happened elsewhere: an action log, played through the services with its own times.

The lifecycle's rules hold, the role rules do not: the past had its own. All lines of one case
are one transaction, so a case is loaded whole or, when the run is killed, not at all; a case that
is there already is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction
from django.utils.timezone import now

from cases import intake, services, strict_json
from cases.errors import CaseError, InvalidInput
from cases.imports.mapping import Columns
from cases.imports.rows import Row
from cases.lifecycle import CaseAction, possible_actions
from cases.models import Case, Note
from cases.policies import Actor

# What each action takes; the first is what a plain text in the column ``input`` means.
INPUTS: Final[Mapping[CaseAction, tuple[str, ...]]] = MappingProxyType(
    {
        CaseAction.CREATE: tuple(intake.WRITABLE),
        CaseAction.UPDATE: tuple(intake.WRITABLE),
        CaseAction.SUBMIT: (),
        CaseAction.START_REVIEW: ("reviewer_id",),
        CaseAction.ASSIGN: ("reviewer_id",),
        CaseAction.ESCALATE: ("reason",),
        CaseAction.CLOSE: ("reason",),
        CaseAction.ADD_NOTE: ("body",),
        CaseAction.SET_DUE_DATE: ("reason", "due_at"),
        CaseAction.PAUSE: ("reason",),
        CaseAction.RESUME: ("reason",),
        CaseAction.RESTRICT: ("reason",),
        CaseAction.UNRESTRICT: ("reason",),
        CaseAction.GRANT_ACCESS: ("user", "permission"),
        CaseAction.REVOKE_ACCESS: ("user", "permission"),
        CaseAction.MARK_OVERDUE: (),
    }
)
FIELDS: Final = frozenset({"case", "at", "action", "actor", "input"}).union(*INPUTS.values())
REQUIRED: Final = ("case", "at", "action", "actor")

_SERVICES: Final[Mapping[CaseAction, Callable[..., Case | Note]]] = MappingProxyType(
    {
        CaseAction.UPDATE: services.update_case,
        CaseAction.SUBMIT: services.submit_case,
        CaseAction.START_REVIEW: services.start_review,
        CaseAction.ASSIGN: services.assign_reviewer,
        CaseAction.ESCALATE: services.escalate_case,
        CaseAction.CLOSE: services.close_case,
        CaseAction.ADD_NOTE: services.add_note,
        CaseAction.SET_DUE_DATE: services.set_due_date,
        CaseAction.PAUSE: services.pause_clock,
        CaseAction.RESUME: services.resume_clock,
        CaseAction.RESTRICT: services.restrict_case,
        CaseAction.UNRESTRICT: services.unrestrict_case,
        CaseAction.GRANT_ACCESS: services.grant_access,
        CaseAction.REVOKE_ACCESS: services.revoke_access,
        CaseAction.MARK_OVERDUE: services.mark_overdue,
    }
)


@dataclass
class HistoryOutcome:
    """What became of the lines."""

    cases: int = 0
    applied: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    already_loaded: int = 0


@dataclass
class _Story:
    """How far the log of one case has been played."""

    key: str
    source: str
    case_id: str = ""
    last: datetime | None = None

    def check(self, action: CaseAction, at: datetime) -> None:
        """Check that a case is created once, first, and that time does not run back.

        Raises:
            InvalidInput: it is not so.
        """
        if action is CaseAction.CREATE and self.case_id:
            why = f"The case was created before: {self.case_id}."
            raise InvalidInput(details={"action": why})
        if action is not CaseAction.CREATE and not self.case_id:
            why = "The log has to create the case first, and it has not."
            raise InvalidInput(details={"action": why})
        if at > now():
            why = "It lies in the future, and this is about the past."
            raise InvalidInput(details={"at": why})
        if self.last is not None and at < self.last:
            why = f"It lies before the case's last event ({self.last.isoformat()}): sort the log."
            raise InvalidInput(details={"at": why})


Refuse = Callable[[Row, str], None]


@dataclass(frozen=True, kw_only=True)
class HistoryImport:
    """One run over one log."""

    columns: Columns
    source: str
    imported_by: str
    action_names: Mapping[str, str]
    announce: bool = False

    def run(
        self, rows: Iterable[Row], refuse: Refuse, progress: Callable[[float], None]
    ) -> HistoryOutcome:
        """Play the log.

        Args:
            rows: from ``open_rows``, in the order of time within each case.
            refuse: is told each line that the rules refused, and why.
            progress: is told which share of the lines has been played, 0 to 1.
        """
        outcome, played = HistoryOutcome(), 0
        cases = self._by_case(rows, refuse, outcome)
        total = sum(map(len, cases.values()))
        for key, lines in cases.items():
            self._play_case(key, lines, refuse, outcome)
            played += len(lines)
            progress(played / total)
        return outcome

    def _by_case(
        self, rows: Iterable[Row], refuse: Refuse, outcome: HistoryOutcome
    ) -> dict[str, list[tuple[Row, dict[str, object]]]]:
        """Gather the lines of each case: logs are often sorted by time, not by case."""
        found: dict[str, list[tuple[Row, dict[str, object]]]] = {}
        for row in rows:
            values = self.columns.values(row.cells)
            key = str(values.get("case") or "")
            if row.problem or not key:
                refuse(row, row.problem or "The line names no case.")
                outcome.refused += 1
            else:
                found.setdefault(key, []).append((row, values))
        return found

    @transaction.atomic
    def _play_case(
        self,
        key: str,
        lines: list[tuple[Row, dict[str, object]]],
        refuse: Refuse,
        outcome: HistoryOutcome,
    ) -> None:
        source = next((str(v["source"]) for _, v in lines if v.get("source")), self.source)
        if (
            "\0" not in source + key
            and Case.objects.filter(source=source, external_reference=key).exists()
        ):
            outcome.already_loaded += len(lines)
            return
        story = _Story(key, source)
        for row, values in lines:
            try:
                # A savepoint a line: what is refused leaves nothing of itself behind.
                with transaction.atomic():
                    action = self._play_line(story, values)
            except CaseError as error:
                refuse(row, _sentence(error))
                outcome.refused += 1
            else:
                outcome.applied[str(action)] += 1
        outcome.cases += 1 if story.case_id else 0

    def _play_line(self, story: _Story, values: Mapping[str, object]) -> CaseAction:
        """Carry one line out and take the story on. Raises CaseError."""
        action = self._action(str(values.get("action") or ""), story.case_id)
        actor_id = intake.clean_actor_id(values.get("actor"), field="actor")
        actor = Actor(id=actor_id, imported_by=self.imported_by, announced=self.announce)
        at = intake.clean_moment(values.get("at"), field="at")
        given = _input(action, values)
        story.check(action, at)
        if action is CaseAction.CREATE:
            fields = {"source": story.source, **given, "external_reference": story.key}
            story.case_id = services.create_case(fields=fields, actor=actor, at=at).id
        else:
            if action in (CaseAction.START_REVIEW, CaseAction.ASSIGN):
                given.setdefault("reviewer_id", actor_id)
            arguments = {"fields": given} if action is CaseAction.UPDATE else given
            _SERVICES[action](case_id=story.case_id, actor=actor, at=at, **arguments)
        story.last = at
        return action

    def _action(self, name: str, case_id: str) -> CaseAction:
        try:
            return CaseAction(self.action_names.get(name, name).replace("-", "_"))
        except ValueError:
            why = f"There is no action {name!r}."
            if case_id:
                case = Case.objects.get(pk=case_id)
                allowed = ", ".join(possible_actions(case))
                why += f" The case is {case.status}; possible are {allowed}."
            raise InvalidInput(details={"action": why}) from None


def _input(action: CaseAction, values: Mapping[str, object]) -> dict[str, Any]:
    """Return what the line gives the action: its own columns over what ``input`` holds."""
    names = INPUTS[action]
    given: dict[str, Any] = {}
    text = str(values.get("input") or "")
    if text.startswith("{"):
        try:
            parsed = strict_json.loads(text)
        except strict_json.NotJSON as error:
            raise InvalidInput(details={"input": f"Not JSON: {error}."}) from None
        if unknown := set(parsed).difference(names):
            why = f"The action {action} takes no {', '.join(sorted(unknown))}."
            raise InvalidInput(details={"input": why})
        given = dict(parsed)
    elif text and names:
        given = {names[0]: text}
    required = () if action in (CaseAction.CREATE, CaseAction.UPDATE) else names
    given |= {name: values[name] for name in names if values.get(name)}
    return given | {name: None for name in required if name not in given and name != "reviewer_id"}


def _sentence(error: CaseError) -> str:
    if isinstance(error, InvalidInput):
        return " ".join(f"{name}: {why}" for name, why in error.details.items())
    allowed = error.details.get("allowed_actions")
    if isinstance(allowed, list):
        return f"{error.message} Possible are {', '.join(allowed)}."
    return error.message
