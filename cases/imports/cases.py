"""A register of cases: new rows become cases, changed ones change drafts, the rest is told.

A row is known again by its source and external reference, so a file can be delivered any number
of times. Rows go through the services in batches; a batch is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import transaction

from cases import intake, services
from cases.errors import CaseError, DuplicateCase, InvalidInput
from cases.imports.mapping import Columns
from cases.imports.rows import Row
from cases.lifecycle import CaseStatus
from cases.models import Case
from cases.policies import Actor

BATCH: Final = 500
_TRIES: Final = 3


@dataclass
class Outcome:
    """What became of the rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changed_not_applied: int = 0
    rejected: int = 0

    def add(self, other: Outcome) -> None:
        """Count another batch in."""
        for name, count in vars(other).items():
            setattr(self, name, getattr(self, name) + count)


Reject = Callable[[Row, str], None]


@dataclass
class _Batch:
    """A batch on its way in; it may be tried again, so it collects before it tells."""

    outcome: Outcome = field(default_factory=Outcome)
    rejects: list[tuple[Row, str]] = field(default_factory=list)

    def reject(self, row: Row, reason: str) -> None:
        self.outcome.rejected += 1
        self.rejects.append((row, reason))


@dataclass(frozen=True, kw_only=True)
class CaseImport:
    """One run over one file.

    ``at`` is the time of the whole run: a case that bears it was written by this very run, which
    tells a reference that stands twice in the file without remembering them all.
    """

    columns: Columns
    source: str
    actor: Actor
    at: datetime
    submit: bool = False

    def run(self, rows: Iterable[Row], reject: Reject) -> Iterator[Outcome]:
        """Load the rows; yield the outcome so far after each batch.

        Args:
            rows: from ``open_rows``.
            reject: is told each row that was not loaded, and why.
        """
        rows, total = iter(rows), Outcome()
        while batch := list(islice(rows, BATCH)):
            done = self._load(batch)
            for row, reason in done.rejects:
                reject(row, reason)
            total.add(done.outcome)
            yield total

    def _load(self, rows: list[Row]) -> _Batch:
        for attempt in range(1, _TRIES + 1):
            try:
                with transaction.atomic():
                    return self._load_once(rows)
            except DuplicateCase:
                # Somebody else took one of them in between our look and our insert: look again.
                if attempt == _TRIES:
                    raise
        raise AssertionError  # the loop returns or raises

    def _load_once(self, rows: list[Row]) -> _Batch:
        batch = _Batch()
        clean = self._clean(rows, batch)
        existing = self._existing(clean.keys())
        new: list[dict[str, Any]] = []
        for key, (row, values) in clean.items():
            case = existing.get(key)
            if case is None:
                new.append(values)
            else:
                self._update(case, row, values, batch)
        if new:
            cases = services.create_cases(rows=new, actor=self.actor, at=self.at)
            if self.submit:
                services.submit_cases(cases=cases, actor=self.actor, at=self.at)
            batch.outcome.created += len(cases)
        return batch

    def _clean(
        self, rows: list[Row], batch: _Batch
    ) -> dict[tuple[str, str], tuple[Row, dict[str, Any]]]:
        """Return the rows that can become cases, by source and reference."""
        clean: dict[tuple[str, str], tuple[Row, dict[str, Any]]] = {}
        for row in rows:
            try:
                values = self._values(row)
            except InvalidInput as error:
                batch.reject(row, _sentence(error.details))
                continue
            key = (values["source"], values["external_reference"])
            if key in clean:
                batch.reject(
                    row, f"The reference {key[1]} stands on line {clean[key][0].line} too."
                )
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

    def _existing(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Case]:
        references: dict[str, list[str]] = {}
        for source, reference in keys:
            references.setdefault(source, []).append(reference)
        return {
            (case.source, case.external_reference): case
            for source, found in references.items()
            for case in Case.objects.filter(source=source, external_reference__in=found).exclude(
                external_reference=""
            )
        }

    def _update(self, case: Case, row: Row, values: Mapping[str, Any], batch: _Batch) -> None:
        if case.created_at == self.at:
            reference = case.external_reference
            batch.reject(row, f"The reference {reference} stands in the file already ({case.id}).")
            return
        draft = case.status == CaseStatus.DRAFT
        changed = {
            name: value
            for name, value in values.items()
            # Once submitted, the due date is the supervisors' to set.
            if getattr(case, name) != value and (draft or name != "due_at")
        }
        if not changed:
            batch.outcome.unchanged += 1
        elif not draft:
            batch.outcome.changed_not_applied += 1
            names = ", ".join(sorted(changed))
            batch.rejects.append(
                (row, f"{case.id} is {case.status}, so it keeps its {names}: add a note instead.")
            )
        else:
            try:
                # A savepoint: what is refused, like a restricted draft, undoes only itself.
                with transaction.atomic():
                    services.update_case(
                        case_id=case.id, fields=changed, actor=self.actor, at=self.at
                    )
                batch.outcome.updated += 1
            except DuplicateCase:
                raise
            except CaseError as error:
                batch.reject(row, error.message)


def _sentence(details: Mapping[str, object]) -> str:
    return " ".join(f"{name}: {why}" if name else str(why) for name, why in details.items())
