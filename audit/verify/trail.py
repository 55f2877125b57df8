"""One case against its trail: hashes, numbers, replay, and the rows that the trail speaks of.

Plain Python on plain rows, so that it can be tested without a database and run in a process that
never loads Django. It shares no code with what writes the trail: the content is put together and
written by another JSON writer than in ``audit.chain``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

import orjson

from audit.verify.findings import Finding, Tally
from cases.replay import COLUMNS, CaseReplay

Row = tuple[Any, ...]

_sha256 = hashlib.sha256
_loads, _dumps, _SORTED = orjson.loads, orjson.dumps, orjson.OPT_SORT_KEYS
_GENESIS: Final = bytes(32)
_MOMENTS: Final = tuple(place for place, name in enumerate(COLUMNS) if name.endswith("_at"))
_SHOWN: Final = 80
_FIRST_DAY: Final = date(2000, 1, 1)


class _Days(dict[int, str]):
    """Days since 2000 as texts, made when first asked for."""

    def __missing__(self, day: int) -> str:
        try:
            text = f"{_FIRST_DAY + timedelta(days=day)}T"
        except OverflowError:  # infinity, say, or a year that no event can have
            text = f"day {day} "
        self[day] = text
        return text


class _Seconds(dict[int, str]):
    """Seconds of a day as texts, made when first asked for."""

    def __missing__(self, second: int) -> str:
        text = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}."
        self[second] = text
        return text


_days, _seconds = _Days(), _Seconds()


def rfc3339(moment: int) -> str:
    """Write a moment, in microseconds since 2000 as PostgreSQL sends it, as RFC 3339."""
    seconds, fraction = divmod(moment, 1_000_000)
    day, second = divmod(seconds, 86_400)
    return f"{_days[day]}{_seconds[second]}{fraction:06d}Z"


class TrailCheck:
    """Checks cases one after the other; ``findings`` and ``tally`` gather what comes up."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.tally = Tally()

    def case(  # noqa: C901 (one loop without calls: a million rows go through it)
        self,
        case_id: str,
        rows: Iterable[Row],
        events: Iterable[Row],
        notes: Iterable[Row],
        grants: Iterable[Row],
    ) -> None:
        """Check one case; the rows are those that ``audit.verify.rows`` reads."""
        tally, replay = self.tally, CaseReplay()
        tally.cases += 1
        previous, expected, count = _GENESIS, 0, 0
        moments: dict[int | None, str | None] = {None: None}
        for event in events:
            count += 1
            if None in event:
                self._found(case_id, event[1], "chain", "a column of the event is empty")
                continue
            (_, sequence, event_id, event_type, actor_id, occurred_at, recorded_at, request_id,
             details, content_hash, previous_hash, hash_) = event  # fmt: skip
            if sequence != expected:
                self._gap(case_id, expected, sequence)
            expected = sequence + 1
            moments[occurred_at] = at = rfc3339(occurred_at)
            try:
                facts = _loads(details)
                content = _dumps(
                    {
                        "actor_id": actor_id,
                        "case_id": case_id,
                        "details": facts,
                        "event_id": event_id,
                        "event_type": event_type,
                        "format": 1,
                        "occurred_at": at,
                        "recorded_at": rfc3339(recorded_at),
                        "request_id": request_id,
                        "sequence": sequence,
                    },
                    option=_SORTED,
                )
            except (ValueError, TypeError):
                facts, content = None, b""
            digest = _sha256(content).digest()
            if digest != content_hash:
                self._found(
                    case_id, sequence, "chain",
                    "content_hash is not the hash of its content: the event was changed",
                )  # fmt: skip
            if previous_hash != previous:
                self._found(
                    case_id, sequence, "chain",
                    "previous_hash is not the hash of the event before it"
                    if previous is not _GENESIS
                    else "previous_hash is not that of a first event, 32 zero bytes",
                )  # fmt: skip
            # Linked by what is stored, so that one wrong event does not make all later ones wrong.
            if _sha256(previous_hash + digest).digest() != hash_:
                self._found(
                    case_id, sequence, "chain",
                    "hash is not the hash of previous_hash and its content",
                )  # fmt: skip
            previous = hash_
            replay.tell(sequence, event_type, actor_id, at, facts)
            if replay.problems:
                for problem in replay.problems:
                    self._found(case_id, sequence, "replay", problem)
                replay.problems.clear()
        tally.events += count
        if not count:
            self._found(case_id, None, "chain", "there are no audit events of it")
        self._compare_row(case_id, rows, replay, moments)
        # Most cases have neither.
        if notes or replay.notes:
            self._compare_notes(case_id, notes, replay)
        if grants or replay.grants:
            self._compare_grants(case_id, grants, replay)

    def _gap(self, case_id: str, expected: int, sequence: int) -> None:
        if sequence < expected:
            self._found(case_id, sequence, "chain", "there are two events of this number")
        else:
            last = sequence - 1
            which = f"event {expected} is" if last == expected else f"events {expected}-{last} are"
            self._found(case_id, sequence, "chain", f"{which} missing before it")

    def _compare_row(
        self,
        case_id: str,
        rows: Iterable[Row],
        replay: CaseReplay,
        moments: dict[int | None, str | None],
    ) -> None:
        """Compare the case with what its trail tells; ``moments`` are those of its events."""
        found = [*rows]
        if len(found) != 1:
            number = f"{len(found)} cases" if found else "no case"
            self._found(case_id, None, "case", f"there must be one case of this id: {number}")
        if not found:
            return
        row = found[0]
        stored = list(row[1:])
        for place in _MOMENTS:
            moment = stored[place]
            # Nearly all are times of events, which have been written already.
            stored[place] = moments[moment] if moment in moments else rfc3339(moment)
        told = replay.row()
        if replay.version < 0 or tuple(stored) == told:
            return
        for name, there, wanted in zip(COLUMNS, stored, told, strict=True):
            if there != wanted:
                what = "SHA-256 of its description" if name == "description" else name
                message = f"{what} is {shown(there)}, but by its trail it must be {shown(wanted)}"
                self._found(case_id, None, "case", message)

    def _compare_notes(self, case_id: str, notes: Iterable[Row], replay: CaseReplay) -> None:
        told = {note.sequence: note for note in replay.notes}
        for row in notes:
            self.tally.notes += 1
            if None in row:
                self._found(case_id, row[1], "note", "a column of the note is empty")
                continue
            _, sequence, note_id, author, created_at, body_sha256 = row
            note = told.pop(sequence, None)
            if note is None:
                self._found(case_id, sequence, "note", f"no event tells of the note {note_id}")
                continue
            stored = (sequence, note_id, author, rfc3339(created_at), body_sha256)
            if stored == note:
                continue
            for name, there, wanted in zip(note._fields, stored, note, strict=True):
                if there != wanted:
                    message = (
                        f"the note's {name} is {shown(there)}, but by its event it must be "
                        f"{shown(wanted)}"
                    )
                    self._found(case_id, sequence, "note", message)
        for note in told.values():
            self._found(case_id, note.sequence, "note", f"the note {note.id} is missing")

    def _compare_grants(self, case_id: str, grants: Iterable[Row], replay: CaseReplay) -> None:
        held: set[tuple[str, str]] = set()
        for _, user, permission in grants:
            self.tally.grants += 1
            if (user, permission) in held:
                message = f"{user!r} holds {permission} more than once"
                self._found(case_id, None, "access", message)
            held.add((user, permission))
        if held == replay.grants:
            return
        for user, permission in sorted(held - replay.grants):
            message = f"{user!r} holds {permission}, which no event granted"
            self._found(case_id, None, "access", message)
        for user, permission in sorted(replay.grants - held):
            message = f"{user!r} was granted {permission}, but does not hold it"
            self._found(case_id, None, "access", message)

    def _found(self, case_id: str, sequence: int | None, kind: str, message: str) -> None:
        self.findings.append(Finding(case_id, sequence, kind, message))


def shown(value: object) -> str:
    """Return a value as a message shows it: short."""
    if value is None:
        return "empty"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
