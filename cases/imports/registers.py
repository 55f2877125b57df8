"""Uploaded registers on their way: columns, check, import, and how they are forgotten.

Nobody sees a register but who uploaded it. Its parts are worked through one after the other, each
in one transaction with the mark that it is done: so a part is loaded once, whoever asks for it,
however often, and whatever is killed in between.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.timezone import now

from cases import intake, services
from cases.errors import InvalidInput
from cases.imports.cases import DIGEST, Batch, CaseImport, Outcome, Result
from cases.imports.mapping import Columns, unfilled, zone_named
from cases.imports.rows import FileError, reject_line
from cases.imports.uploads import shown, unpacked
from cases.lifecycle import CaseAction
from cases.models import RegisterPart, RegisterState, UploadedRegister
from cases.policies import Actor
from cases.signals import request_id

# How many rows a page shows; the rejects file has all that did not go in.
SAMPLE: Final = 20
MOST_REFUSED: Final = 200
_LINE_MAX: Final = 80
_REASON_MAX: Final = 400
_log = structlog.get_logger("cases")

# Where columns can be chosen, and where the work of a part can be done.
_BEFORE: Final = (RegisterState.UPLOADED, RegisterState.CHECKING, RegisterState.CHECKED)
UNDER_WAY: Final = (RegisterState.CHECKING, RegisterState.LOADING)


class NoSuchRegister(Exception):
    """There is no such upload of this person."""


def registers_of(actor: Actor) -> list[UploadedRegister]:
    """Return what an actor has uploaded and nobody has deleted yet, the latest first."""
    return list(UploadedRegister.objects.filter(actor_id=actor.id).order_by("-created_at", "-id"))


def register_of(actor: Actor, register_id: UUID) -> UploadedRegister:
    """Return one upload of an actor. Raises NoSuchRegister."""
    try:
        return UploadedRegister.objects.get(pk=register_id, actor_id=actor.id)
    except UploadedRegister.DoesNotExist:
        raise NoSuchRegister from None


def choose(
    register_id: UUID,
    actor: Actor,
    *,
    mapping: Mapping[str, str],
    source: str,
    time_zone: str,
    submit: bool,
) -> None:
    """Say what the columns are, and have every row checked with that; nothing if it is too late.

    Args:
        register_id: which upload.
        actor: whose it is.
        mapping: columns, or ``column:key``, by the field that they fill.
        source: where the register comes from; a column that fills ``source`` wins where it does.
        time_zone: of times without an offset.
        submit: whether to submit what is created.

    Raises:
        NoSuchRegister: it is not the actor's, or gone.
        PermissionDenied: the actor may not create cases, or not submit them.
        InvalidInput: something is missing or wrong, by field.
    """
    _demand(actor, submit=submit)
    wrong: dict[str, object] = dict.fromkeys(unfilled(mapping, source), "Choose a column.")
    if "source" in wrong:
        wrong["source"] = "Name where the register comes from, or choose a column for it."
    try:
        source = intake.text(source, maximum=intake.SHORT_MAX, one_line=True)
    except ValueError as error:
        wrong["source"] = str(error)
    try:
        zone_named(time_zone)
    except FileError as error:
        wrong["time_zone"] = str(error)
    if wrong:
        raise InvalidInput(details=wrong)
    with transaction.atomic():
        register = _locked(register_id, actor)
        if register.state in _BEFORE:
            register.mapping, register.source = dict(mapping), source
            register.time_zone, register.submit = time_zone, submit
            _restart(register, RegisterState.CHECKING)


def begin(register_id: UUID, actor: Actor) -> None:
    """Begin the import of what was checked; nothing if that happened before.

    Raises:
        NoSuchRegister: it is not the actor's, or gone.
        PermissionDenied: the actor may not.
    """
    with transaction.atomic():
        register = _locked(register_id, actor)
        _demand(actor, submit=register.submit)
        if register.state == RegisterState.CHECKED:
            register.sample = []
            _restart(register, RegisterState.LOADING)


def work(register_id: UUID, actor: Actor, *, seconds: float) -> None:
    """Check, or load, one part after the other for some seconds, and one at least.

    Where somebody else, or another window, is at it this very moment, nothing is done.

    Raises:
        NoSuchRegister: it is not the actor's, or gone.
        PermissionDenied: the actor may not, by now.
    """
    until = time.monotonic() + seconds
    token = request_id.set(f"import_cases:{register_id}")
    try:
        stretch = Stretch(register_of(actor, register_id), actor)
        while stretch.next_part() and time.monotonic() < until:
            pass
    finally:
        request_id.reset(token)


def rejects_of(register: UploadedRegister) -> Iterator[str]:
    """Yield the lines of the rejects file, part by part."""
    parts = register.parts.exclude(rejects="").order_by("number")
    yield from parts.values_list("rejects", flat=True).iterator(chunk_size=1)


def forget(register_id: UUID, actor: Actor) -> None:
    """Delete an upload with all that is left of its rows; cases that were made of them stay.

    Raises:
        NoSuchRegister: it is not the actor's, or gone.
    """
    with transaction.atomic():
        register = _locked(register_id, actor)
        register.parts.all().delete()
        register.delete()
    _log.info("upload_deleted", register_id=str(register_id), actor_id=actor.id)


def forget_older_than(before: datetime) -> int:
    """Delete uploads from before a moment, however far they came; return how many there were."""
    with transaction.atomic():
        old = UploadedRegister.objects.filter(created_at__lt=before)
        ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True))
        RegisterPart.objects.filter(register__in=ids).delete()
        UploadedRegister.objects.filter(pk__in=ids).delete()
    return len(ids)


def count_older_than(before: datetime) -> int:
    """Count the uploads that ``forget_older_than`` would delete."""
    return UploadedRegister.objects.filter(created_at__lt=before).count()


def _demand(actor: Actor, *, submit: bool) -> None:
    services.check_may(action=CaseAction.CREATE, actor=actor)
    if submit:
        services.check_may(action=CaseAction.SUBMIT, actor=actor)


def _locked(register_id: UUID, actor: Actor) -> UploadedRegister:
    mine = UploadedRegister.objects.select_for_update().filter(actor_id=actor.id)
    register = mine.filter(pk=register_id).first()
    if register is None:
        raise NoSuchRegister
    return register


def _restart(register: UploadedRegister, state: RegisterState) -> None:
    register.state, register.next_part = state, 0
    register.outcome, register.refused = vars(Outcome()), []
    register.save()


class Stretch:
    """Work on one register until the time is over."""

    def __init__(self, register: UploadedRegister, actor: Actor) -> None:
        self._register, self._actor, self._at = register, actor, now()
        done = register.parts.filter(number__lt=register.next_part)
        self._state = register.state
        # What the parts before would have written, or when they were written.
        self._written: set[bytes] = set()
        self._earlier: set[datetime] = set()
        if self._state == RegisterState.CHECKING:
            for digests in done.order_by("number").values_list("written", flat=True):
                self._written.update(_digests(bytes(digests)))
        elif self._state == RegisterState.LOADING:
            times = done.values_list("loaded_at", flat=True).distinct()
            self._earlier.update(at for at in times if at is not None)
        self._reached = register.next_part

    def next_part(self) -> bool:
        """Do one part; tell whether there is another one for this stretch."""
        if self._state not in UNDER_WAY:
            return False
        _demand(self._actor, submit=self._register.submit)
        with transaction.atomic():
            free = UploadedRegister.objects.select_for_update(skip_locked=True)
            register = free.filter(pk=self._register.pk, actor_id=self._actor.id).first()
            # Others were faster, or it was begun anew meanwhile: they go on, or the next request.
            if register is None or (register.state, register.next_part) != (
                self._state,
                self._reached,
            ):
                return False
            part = register.parts.get(number=register.next_part)
            if register.state == RegisterState.CHECKING:
                self._check(register, part)
            else:
                self._load(register, part)
            self._reached = register.next_part
            return self._reached < register.part_count

    def _run(self, register: UploadedRegister) -> CaseImport:
        return CaseImport(
            columns=Columns(register.mapping, zone_named(register.time_zone)),
            source=register.source,
            actor=self._actor,
            at=self._at,
            submit=register.submit,
            earlier=self._earlier,
        )

    def _check(self, register: UploadedRegister, part: RegisterPart) -> None:
        run = self._run(register)
        before = set(self._written)
        batch = run.look(unpacked(bytes(part.rows)), self._written)
        part.written = b"".join(self._written - before)
        part.save(update_fields=["written"])
        if part.number == 0:
            ordered = sorted(batch.results, key=lambda result: result.row.line)
            register.sample = [_told(result, run.columns) for result in ordered[:SAMPLE]]
        self._advance(register, batch, run.columns, end=RegisterState.CHECKED)

    def _load(self, register: UploadedRegister, part: RegisterPart) -> None:
        run = self._run(register)
        batch = run.load(unpacked(bytes(part.rows)))
        part.rows, part.written, part.loaded_at = b"", b"", self._at
        part.rejects = "".join(reject_line(result.row, result.reason) for result in batch.told)
        part.save()
        self._advance(register, batch, run.columns, end=RegisterState.LOADED)
        if register.state == RegisterState.LOADED:
            register.finished_at, register.columns = now(), []
            register.save(update_fields=["finished_at", "columns"])
            figures = dict(register.outcome)
            transaction.on_commit(
                lambda: _log.info(
                    "cases_imported",
                    dry_run=False,
                    actor_id=self._actor.id,
                    request_id=request_id.get(),
                    **figures,
                )
            )

    def _advance(
        self, register: UploadedRegister, batch: Batch, columns: Columns, *, end: RegisterState
    ) -> None:
        total = Outcome(**register.outcome)
        total.add(batch.outcome)
        room = MOST_REFUSED - len(register.refused)
        register.outcome = vars(total)
        register.refused += [_told(result, columns) for result in batch.told[:room]]
        register.next_part += 1
        if register.next_part == register.part_count:
            register.state = end
        register.save()


def _digests(joined: bytes) -> Iterator[bytes]:
    return (joined[n : n + DIGEST] for n in range(0, len(joined), DIGEST))


def _told(result: Result, columns: Columns) -> dict[str, Any]:
    """Return what a page shows of a row: texts, short, and no character that is none."""
    values = result.values or columns.values(result.row.cells)
    return {
        "line": result.row.line,
        "what": result.what.value,
        "reason": shown(result.reason, _REASON_MAX),
        "values": {field: _said(values.get(field)) for field in columns.by_field},
    }


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return shown(str(value or ""), _LINE_MAX)
