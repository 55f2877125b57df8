"""A register of cases: new rows become cases, changed ones change drafts, the rest is told.

A row is known again by its source and external reference, so a file can be delivered any number
of times. Rows go through the services in batches; a batch is one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

from cases import intake, services
from cases.errors import CaseError, DuplicateCase, InvalidInput
from cases.imports.mapping import Columns
from cases.imports.rows import Row
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import Case
from cases.policies import Actor

BATCH: Final = 500
DIGEST: Final = 16
_TRIES: Final = 3


class What(StrEnum):
    """What becomes of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CHANGED_NOT_APPLIED = "changed_not_applied"
    REJECTED = "rejected"


@dataclass
class Outcome:
    """What became of the rows: a number for each ``What``."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changed_not_applied: int = 0
    rejected: int = 0

    def add(self, other: Outcome) -> None:
        """Count another batch in."""
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)


class Result(NamedTuple):
    """What became of one row, why where that is to be told, and the fields that it fills."""

    row: Row
    what: What
    reason: str = ""
    values: Mapping[str, Any] = {}


@dataclass
class Batch:
    """A batch on its way in; it may be tried again, so it collects before it tells."""

    results: list[Result] = field(default_factory=list)

    def add(
        self, row: Row, what: What, reason: str = "", values: Mapping[str, Any] | None = None
    ) -> None:
        """Note what became of a row."""
        self.results.append(Result(row, what, reason, values or {}))

    @property
    def outcome(self) -> Outcome:
        """How many rows became what."""
        return Outcome(**Counter(result.what.value for result in self.results))

    @property
    def told(self) -> list[Result]:
        """What was not loaded, or not wholly, in the order of the file."""
        return sorted((r for r in self.results if r.reason), key=lambda result: result.row.line)


Reject = Callable[[Row, str], None]
# Source and reference.
Key = tuple[str, str]


class _Known(NamedTuple):
    """A row that a case exists for, and which of its fields differ from it."""

    case: Case
    row: Row
    values: Mapping[str, Any]
    changed: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class CaseImport:
    """One run over one file.

    ``at`` is the time of the run; where it had to go on later, ``earlier`` are the times before.
    A case that bears one of them was written by this very run, which tells a reference that stands
    twice in the file without remembering them all.

    ``by_operator`` is for who works beside the database and sees every row of it anyway: the
    others are told no more of a case that does not exist for them than that the matter is known.
    """

    columns: Columns
    source: str
    actor: Actor
    at: datetime
    submit: bool = False
    earlier: Collection[datetime] = frozenset()
    by_operator: bool = False

    def run(self, rows: Iterable[Row], reject: Reject) -> Iterator[Outcome]:
        """Load the rows; yield the outcome so far after each batch.

        Args:
            rows: from ``open_rows``.
            reject: is told each row that was not loaded, and why.
        """
        rows, total = iter(rows), Outcome()
        while batch := list(islice(rows, BATCH)):
            done = self.load(batch)
            for result in done.told:
                reject(result.row, result.reason)
            total.add(done.outcome)
            yield total

    def load(self, rows: Collection[Row]) -> Batch:
        """Load a batch of rows, in one transaction.

        Raises:
            PermissionDenied: the actor may not create cases, or not submit them where that is
                asked for.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                with transaction.atomic():
                    return self._load_once(rows)
            except (DuplicateCase, OperationalError) as error:
                # Somebody else took one of them in between our look and our insert, or at the
                # same moment in another order: look again.
                lost = isinstance(error, DuplicateCase) or isinstance(
                    error.__cause__, DeadlockDetected
                )
                if not lost or attempt == _TRIES:
                    raise
        raise AssertionError  # the loop returns or raises

    def look(self, rows: Collection[Row], written: set[bytes]) -> Batch:
        """Tell what ``load`` would do with a batch of rows; nothing is written.

        Args:
            rows: the batch.
            written: digests of what the batches before would have written; this one's are added.
        """
        batch = Batch()
        new, known = self._sorted(rows, batch)
        for key, (row, values) in new.items():
            if _digest(key) in written:
                batch.add(row, What.REJECTED, f"The reference {key[1]} stands in the file already.")
            else:
                written.add(_digest(key))
                batch.add(row, What.CREATED, values=values)
        for one in known:
            key = (one.case.source, one.case.external_reference)
            if _digest(key) in written:
                self._stands_already(one, batch)
            elif self._is_update(one, batch):
                try:
                    services.check_may(
                        action=CaseAction.UPDATE, actor=self.actor, case_id=one.case.id
                    )
                except CaseError as error:
                    batch.add(one.row, What.REJECTED, error.message)
                else:
                    written.add(_digest(key))
                    batch.add(one.row, What.UPDATED, values=one.values)
        return batch

    def _load_once(self, rows: Collection[Row]) -> Batch:
        batch = Batch()
        new, known = self._sorted(rows, batch)
        for one in known:
            if {one.case.created_at, one.case.updated_at} & {self.at, *self.earlier}:
                self._stands_already(one, batch)
            elif self._is_update(one, batch):
                self._update(one, batch)
        if new:
            cases = services.create_cases(
                rows=[values for _, values in new.values()], actor=self.actor, at=self.at
            )
            if self.submit:
                services.submit_cases(cases=cases, actor=self.actor, at=self.at)
            for row, values in new.values():
                batch.add(row, What.CREATED, values=values)
        return batch

    def _sorted(
        self, rows: Collection[Row], batch: Batch
    ) -> tuple[dict[Key, tuple[Row, dict[str, Any]]], list[_Known]]:
        """Return the rows that are new, by their key, and those that a case exists for."""
        new = self._clean(rows, batch)
        known: list[_Known] = []
        cases = self._existing(new)
        hidden = self._hidden(cases)
        for case in cases:
            row, values = new.pop((case.source, case.external_reference))
            if case.id in hidden:
                batch.add(row, What.REJECTED, DuplicateCase().message)
                continue
            changed = {
                name: value
                for name, value in values.items()
                # Once submitted, the due date is the supervisors' to set.
                if getattr(case, name) != value
                and (case.status == CaseStatus.DRAFT or name != "due_at")
            }
            known.append(_Known(case, row, values, changed))
        return new, known

    def _clean(self, rows: Collection[Row], batch: Batch) -> dict[Key, tuple[Row, dict[str, Any]]]:
        """Return the rows that can become cases, by source and reference."""
        clean: dict[Key, tuple[Row, dict[str, Any]]] = {}
        for row in rows:
            try:
                values = self._values(row)
            except InvalidInput as error:
                batch.add(row, What.REJECTED, _sentence(error.details))
                continue
            key = (values["source"], values["external_reference"])
            if key in clean:
                first = clean[key][0].line
                why = f"The reference {key[1]} stands on line {first} too."
                batch.add(row, What.REJECTED, why)
            else:
                clean[key] = (row, values)
        return clean

    def _values(self, row: Row) -> dict[str, Any]:
        if row.problem:
            raise InvalidInput(details={"": row.problem})
        values = intake.clean_new(
            {"source": self.source} | {k: v for k, v in self.columns.values(row.cells).items() if v}
        )
        if not values.get("external_reference"):
            why = "It is blank: without it a later delivery could not be told from a new case."
            raise InvalidInput(details={"external_reference": why})
        return values

    def _existing(self, keys: Iterable[Key]) -> list[Case]:
        references: dict[str, list[str]] = {}
        for source, reference in keys:
            references.setdefault(source, []).append(reference)
        return [
            case
            for source, found in references.items()
            for case in Case.objects.filter(source=source, external_reference__in=found).exclude(
                external_reference=""
            )
        ]

    def _hidden(self, cases: Collection[Case]) -> set[str]:
        """Return the ids of the cases that do not exist for the actor."""
        ids = {case.id for case in cases}
        if self.by_operator or not ids:
            return set()
        seen = Case.objects.visible_to(self.actor).filter(pk__in=ids)
        return ids.difference(seen.values_list("pk", flat=True))

    def _stands_already(self, one: _Known, batch: Batch) -> None:
        reference = one.case.external_reference
        why = f"The reference {reference} stands in the file already ({one.case.id})."
        batch.add(one.row, What.REJECTED, why)

    def _is_update(self, one: _Known, batch: Batch) -> bool:
        """Tell whether the row is to change its draft; what becomes of it otherwise is noted."""
        case = one.case
        if not one.changed:
            batch.add(one.row, What.UNCHANGED, values=one.values)
        elif case.status != CaseStatus.DRAFT:
            names = ", ".join(sorted(one.changed))
            why = f"{case.id} is {case.status}, so it keeps its {names}: add a note instead."
            batch.add(one.row, What.CHANGED_NOT_APPLIED, why, one.values)
        else:
            return True
        return False

    def _update(self, one: _Known, batch: Batch) -> None:
        try:
            # A savepoint: what is refused, like a restricted draft, undoes only itself.
            with transaction.atomic():
                services.update_case(
                    case_id=one.case.id, fields=one.changed, actor=self.actor, at=self.at
                )
        except DuplicateCase:
            raise
        except CaseError as error:
            batch.add(one.row, What.REJECTED, error.message)
        else:
            batch.add(one.row, What.UPDATED, values=one.values)


def _sentence(details: Mapping[str, object]) -> str:
    return " ".join(f"{name}: {why}" if name else str(why) for name, why in details.items())


def _digest(key: Key) -> bytes:
    return blake2b("\0".join(key).encode(), digest_size=DIGEST).digest()
