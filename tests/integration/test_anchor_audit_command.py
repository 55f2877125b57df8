"""anchor_audit as an operator runs it: keys, anchors one after another, files, the outbox."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.transaction import atomic
from jsonschema_rs import Draft7Validator

from audit.anchors.making import BrokenPast, make_anchor
from audit.anchors.statement import read_anchor
from audit.models import AuditAnchor, AuditAnchorHead
from audit.signed_note import NoteError, PublicKey, SigningKey
from cases import services
from cases.signals import publish_service
from outbox.cloudevents import SERVICE_TYPES
from outbox.models import OutboxEvent
from tests.cast import WRITER
from tests.factories import CaseFactory
from tests.integration.guards import guards_off
from tests.unit.test_cloudevents import schema  # noqa: F401 (a fixture)

KEY = SigningKey.generate("office.example/audit")

Anchor = Callable[..., tuple[int, str]]


@pytest.fixture
def anchor(committed: None, settings: Any) -> Anchor:
    """Return what runs the command: exit code and standard output, or the error."""
    settings.AUDIT_ANCHOR_KEY = KEY.text

    def command(**options: Any) -> tuple[int, str]:
        out = io.StringIO()
        try:
            call_command("anchor_audit", stdout=out, stderr=io.StringIO(), **options)
        except CommandError as error:
            return error.returncode, str(error)
        return 0, out.getvalue()

    return command


def test_an_anchor_states_what_the_trail_is(anchor: Anchor) -> None:
    CaseFactory(status="SUBMITTED"), CaseFactory()

    code, note = anchor()

    statement = read_anchor(note, KEY.public)
    assert code == 0
    assert (statement.number, statement.chains, statement.events) == (1, 2, 3)
    assert statement.previous == b""


def test_each_anchor_names_the_one_before_and_stores_only_what_changed(anchor: Anchor) -> None:
    one, two = CaseFactory(), CaseFactory()
    first = read_anchor(anchor()[1], KEY.public)
    services.submit_case(case_id=two.id, actor=WRITER)

    second = read_anchor(anchor()[1], KEY.public)

    assert (second.number, second.previous) == (2, first.digest())
    stored = AuditAnchorHead.objects.order_by("case_id", "anchor")
    assert list(stored.values_list("case_id", "anchor", "sequence")) == [
        (one.id, 1, 0), (two.id, 1, 0), (two.id, 2, 1),
    ]  # fmt: skip
    assert anchor(show=True, number=1)[1] == AuditAnchor.objects.get(number=1).note


def test_an_empty_trail_can_be_anchored_too(anchor: Anchor) -> None:
    assert read_anchor(anchor()[1], KEY.public).chains == 0


def test_the_anchor_is_announced_once_to_each_destination(anchor: Anchor, schema) -> None:  # noqa: F811
    CaseFactory()
    OutboxEvent.objects.all().delete()

    _, note = anchor()

    [row] = OutboxEvent.objects.all()
    assert (row.destination, row.case_id, row.sequence) == ("log", "audit", 1)
    Draft7Validator(schema, validate_formats=True).validate(row.payload)
    assert row.payload["type"] == SERVICE_TYPES["AUDIT_ANCHORED"]
    assert row.payload["id"] == str(row.event_id)
    assert row.payload["data"]["note"] == note
    assert row.payload["data"]["chains"] == 1


def test_an_announcement_that_fails_leaves_no_anchor(anchor: Anchor, monkeypatch) -> None:
    CaseFactory()
    monkeypatch.setattr("outbox.service_events.SERVICE_TYPES", {})

    with pytest.raises(KeyError):
        anchor()

    assert not AuditAnchor.objects.exists()
    assert not AuditAnchorHead.objects.exists()


def test_nothing_is_announced_outside_of_a_transaction(committed) -> None:
    with pytest.raises(RuntimeError, match="atomic"):
        publish_service(object())  # type: ignore[arg-type]


def test_no_anchor_is_put_over_a_trail_that_lost_what_the_last_one_covers(anchor: Anchor) -> None:
    case = CaseFactory(status="SUBMITTED")
    anchor()
    with guards_off("audit_events") as cursor:
        cursor.execute("UPDATE audit_events SET hash = %s", [bytes(32)])

    code, said = anchor()

    assert code == 1
    assert case.id in said
    assert AuditAnchor.objects.count() == 1
    with pytest.raises(BrokenPast):
        make_anchor(KEY)


def test_two_at_once_make_two_anchors(anchor: Anchor, at_once) -> None:
    CaseFactory()

    made = at_once(lambda: make_anchor(KEY).number, lambda: make_anchor(KEY).number)

    assert sorted(made) == [1, 2]


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE audit_anchors SET chains = 0",
        "DELETE FROM audit_anchors",
        "INSERT INTO audit_anchors SELECT 7, taken_at, 0, 0, root, '' FROM audit_anchors",
        "UPDATE audit_anchor_heads SET sequence = 0",
        "DELETE FROM audit_anchor_heads",
    ],
)
def test_the_database_keeps_anchors_as_they_are(anchor: Anchor, attempt, everything) -> None:
    CaseFactory(status="SUBMITTED")
    anchor()
    before = everything()

    with pytest.raises(IntegrityError), atomic(), connection.cursor() as cursor:
        cursor.execute(attempt)

    assert everything() == before


def test_a_file_is_written_whole_and_can_be_had_again(anchor: Anchor, tmp_path: Path) -> None:
    CaseFactory()
    path = tmp_path / "anchor.txt"

    code, said = anchor(output=path)

    assert (code, said) == (0, "")
    assert path.read_text() == anchor(show=True)[1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["anchor.txt"]
    code, said = anchor(show=True, output=tmp_path / "nowhere" / "anchor.txt")
    assert code == 2
    assert "cannot be written" in said


def test_json_holds_the_same(anchor: Anchor) -> None:
    CaseFactory()

    outcome = json.loads(anchor(json=True)[1])

    assert read_anchor(outcome["note"], KEY.public).root.hex() == outcome["root"]
    assert (outcome["number"], outcome["chains"], outcome["events"]) == (1, 1, 1)


def test_a_case_that_came_later_has_no_proof(anchor: Anchor) -> None:
    CaseFactory()
    anchor()
    later = CaseFactory()

    assert anchor(prove=later.id)[0] == 2
    assert anchor(prove=later.id, number=9) == (2, "There is no such anchor.")


def test_before_the_first_anchor_there_is_none(anchor: Anchor) -> None:
    assert anchor(show=True) == (2, "There is no anchor yet.")


def test_a_new_pair_of_keys_fits_together_and_signs(anchor: Anchor, settings) -> None:
    code, said = anchor(generate_key="office.example/audit")
    private, public = said.splitlines()

    settings.AUDIT_ANCHOR_KEY = private.removeprefix("AUDIT_ANCHOR_KEY=")

    assert code == 0
    assert anchor(public_key=True)[1].strip() == public
    assert read_anchor(anchor()[1], PublicKey.parse(public)).number == 1


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "line\nbreak"])
def test_a_name_that_no_key_can_have_is_refused(anchor: Anchor, name: str) -> None:
    assert anchor(generate_key=name)[0] == 2


@pytest.mark.parametrize(
    "key",
    ["", "nonsense", KEY.text[:-4], KEY.text.replace("office", "0ffice")],
    ids=["none", "nonsense", "short", "renamed"],
)
def test_without_a_good_key_nothing_is_signed_and_the_key_not_repeated(
    anchor: Anchor, settings, key
) -> None:
    settings.AUDIT_ANCHOR_KEY = key

    code, said = anchor()

    assert code == 2
    assert "AUDIT_ANCHOR_KEY" in said
    assert not key or key not in said
    assert not AuditAnchor.objects.exists()


def test_a_text_that_is_no_anchor_is_none_though_it_is_signed() -> None:
    with pytest.raises(NoteError, match="no anchor"):
        read_anchor(KEY.sign("Hello\n"), KEY.public)
