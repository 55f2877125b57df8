"""Repeated requests at one moment, each in a thread with a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, transaction

from audit.models import AuditEvent
from cases import services
from cases.models import Case, IdempotencyKey
from tests.cast import WRITER

pytestmark = pytest.mark.usefixtures("committed")


def create(as_actor: Any, key: str = "one") -> Any:
    return as_actor(WRITER).post("/cases", {"title": "Late"}, HTTP_IDEMPOTENCY_KEY=key)


def told(answer: Any) -> str:
    if answer.status_code == 201:
        return "replayed" if "Idempotent-Replayed" in answer.headers else "done"
    return str(answer.json()["error"])


@pytest.mark.parametrize("round_", range(5))
def test_of_eight_at_once_one_does_the_work(at_once, as_actor, round_) -> None:
    start = Barrier(8)

    def race() -> Any:
        start.wait()
        return create(as_actor)

    answers = at_once(*[race] * 8)

    outcomes = sorted(told(answer) for answer in answers)
    assert outcomes.count("done") == 1
    assert set(outcomes) <= {"done", "replayed", "idempotency_key_in_progress"}
    assert Case.objects.count() == AuditEvent.objects.count() == 1
    assert all(
        answer.headers["Retry-After"] == "1" for answer in answers if answer.status_code == 409
    )
    again = create(as_actor)
    assert told(again) == "replayed"
    assert {a.content for a in answers if a.status_code == 201} == {again.content}


def _during(
    monkeypatch: pytest.MonkeyPatch, at_once: Any, first: Callable[[], Any], then: Callable[[], Any]
) -> tuple[Any, Any]:
    """Let ``then`` run while ``first`` has done its work but not committed."""
    working, go_on = Event(), Event()
    create_case = services.create_case

    def slowly(**kwargs: Any) -> Case:
        case = create_case(**kwargs)
        if not working.is_set():
            working.set()
            assert go_on.wait(20)
        return case

    monkeypatch.setattr(services, "create_case", slowly)

    def second() -> Any:
        assert working.wait(20)
        try:
            return then()
        finally:
            go_on.set()

    one, two = at_once(first, second)
    return one, two


def test_while_the_first_is_at_work_the_second_is_told_so(monkeypatch, at_once, as_actor) -> None:
    work = partial(create, as_actor)

    first, second = _during(monkeypatch, at_once, work, work)

    assert (told(first), told(second)) == ("done", "idempotency_key_in_progress")
    assert Case.objects.count() == 1


def test_other_keys_do_not_wait(monkeypatch, at_once, as_actor) -> None:
    first, second = _during(
        monkeypatch, at_once, partial(create, as_actor), partial(create, as_actor, "two")
    )

    assert (told(first), told(second)) == ("done", "done")
    assert Case.objects.count() == 2


def test_who_looks_before_the_first_commits_and_locks_after_it_replays(
    monkeypatch, as_actor
) -> None:
    """The narrowest gap: the look has found nothing, and the answer is there before our INSERT."""
    first = create(as_actor)
    stored = IdempotencyKey.objects.get()
    IdempotencyKey.objects.all().delete()
    create_case, seen = services.create_case, []

    def overtaken(**kwargs: Any) -> Case:
        case = create_case(**kwargs)
        if not seen:
            seen.append(case.id)
            _insert_elsewhere(stored)
        return case

    monkeypatch.setattr(services, "create_case", overtaken)
    second = create(as_actor)

    assert (told(second), second.content) == ("replayed", first.content)
    assert not Case.objects.filter(pk=seen[0]).exists()
    assert Case.objects.count() == 1


def _insert_elsewhere(row: IdempotencyKey) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "INSERT INTO idempotency_keys (actor_id, key, fingerprint, status, body, headers)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [row.actor_id, row.key, bytes(row.fingerprint), row.status, row.body, "{}"],
            )
    finally:
        other.close()


def test_a_process_that_dies_before_the_commit_leaves_the_key_free(as_actor) -> None:
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        create(as_actor)
        raise KeyboardInterrupt

    answer = create(as_actor)

    assert told(answer) == "done"
    assert Case.objects.count() == 1
