"""`import_cases`: what goes in, what is known again, what comes of a later delivery."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cases import services
from cases.lifecycle import CaseStatus
from cases.models import Case, Note
from tests.cast import SUPERVISOR, WRITER
from tests.integration.import_runs import Run, assert_gapless, run

pytestmark = pytest.mark.django_db

HEADER = "external_reference,title,description,priority"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def register(*lines: str, header: str = HEADER, name: str = "register.csv") -> Path:
    path = Path(name)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def deliver(path: Path, *args: object) -> Run:
    return run("import_cases", path, "--source", "Register", "--json", *args)


def the_case(reference: str) -> Case:
    return Case.objects.get(source="Register", external_reference=reference)


def test_rows_become_drafts_with_their_audit_and_outbox_rows() -> None:
    done = deliver(register("R-1,Late reporting,Three weeks,HIGH", "R-2,Fees not shown,,"))
    assert (done.exit, done.counts) == (0, {"created": 2})
    case = the_case("R-1")
    assert (case.title, case.description, case.priority) == (
        "Late reporting",
        "Three weeks",
        "HIGH",
    )
    assert (case.status, case.created_by, the_case("R-2").priority) == ("DRAFT", "import", "NORMAL")
    assert_gapless()


def test_submit_hands_in_what_is_created() -> None:
    assert deliver(register("R-1,Late reporting,,", "R-2,Fees,,"), "--submit").exit == 0
    assert {c.status for c in Case.objects.all()} == {CaseStatus.SUBMITTED}
    assert {c.version for c in Case.objects.all()} == {1}
    assert_gapless()


def test_a_second_run_creates_nothing() -> None:
    path = register("R-1,Late reporting,,", "R-2,Fees,,")
    deliver(path)
    again = deliver(path)
    assert (again.exit, again.counts) == (0, {"unchanged": 2})
    assert Case.objects.count() == 2


def test_the_same_reference_from_another_source_is_another_case() -> None:
    path = register("R-1,Late reporting,,")
    deliver(path)
    assert run("import_cases", path, "--source", "Elsewhere", "--json").counts == {"created": 1}


def test_a_later_delivery_creates_updates_leaves_alone_and_reports() -> None:
    deliver(register("R-1,Same,,", "R-2,Draft,,", "R-3,Submitted,,"))
    services.submit_case(case_id=the_case("R-3").id, actor=WRITER)
    later = deliver(register("R-1,Same,,", "R-2,Changed,,", "R-3,Changed,,", "R-4,New,,"))
    assert later.exit == 1
    assert later.counts == {"created": 1, "updated": 1, "unchanged": 1, "changed_not_applied": 1}
    assert the_case("R-2").title == "Changed"
    assert the_case("R-3").title == "Submitted"
    assert later.reasons() == {
        4: f"{the_case('R-3').id} is SUBMITTED, so it keeps its title: add a note instead."
    }
    assert_gapless()


def test_a_delivery_may_not_clear_what_it_leaves_blank() -> None:
    deliver(register("R-1,Late,A long story,HIGH"))
    assert deliver(register("R-1,Late,,")).counts == {"unchanged": 1}
    assert the_case("R-1").description == "A long story"


def test_a_changed_draft_that_was_restricted_is_reported_and_the_rest_goes_in() -> None:
    deliver(register("R-1,Draft,,", "R-2,Draft,,"))
    services.restrict_case(case_id=the_case("R-1").id, reason="Witness", actor=SUPERVISOR)
    later = deliver(register("R-1,Changed,,", "R-2,Changed,,", "R-3,New,,"))
    assert later.counts == {"created": 1, "updated": 1, "rejected": 1}
    assert list(later.reasons()) == [2]
    assert the_case("R-1").title == "Draft"
    assert_gapless()


def test_a_note_on_a_case_makes_no_difference_to_the_delivery() -> None:
    path = register("R-1,Late reporting,,")
    deliver(path)
    services.add_note(case_id=the_case("R-1").id, body="Called them.", actor=WRITER)
    assert deliver(path).counts == {"unchanged": 1}
    assert Note.objects.count() == 1


@pytest.mark.parametrize("gap", [0, 700], ids=["in one batch", "across batches"])
def test_a_reference_that_stands_twice_goes_in_once(gap: int) -> None:
    between = [f"X-{number},Other,," for number in range(gap)]
    done = deliver(register("R-1,First,,", *between, "R-1,Second,,"))
    assert (done.exit, done.counts) == (1, {"created": 1 + gap, "rejected": 1})
    assert list(done.reasons()) == [3 + gap]
    assert "R-1 stands" in done.reasons()[3 + gap]
    assert the_case("R-1").title == "First"


def test_dry_run_says_what_would_happen_and_writes_nothing() -> None:
    deliver(register("R-1,Draft,,"))
    before = Case.objects.get().version
    done = deliver(register("R-1,Changed,,", "R-2,New,,"), "--dry-run", "--submit")
    assert done.counts == {"created": 1, "updated": 1}
    assert done.report["dry_run"] is True
    case = Case.objects.get()
    assert (case.title, case.version) == ("Draft", before)
    assert_gapless()


def test_the_report_for_machines_and_the_sentence_for_people() -> None:
    path = register("R-1,Late,,", ",No reference,,")
    assert deliver(path).report == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "changed_not_applied": 0,
        "rejected": 1,
        "dry_run": False,
        "rejects": "register.csv.rejects.jsonl",
    }
    said = run("import_cases", path, "--source", "Register")
    assert said.out.strip() == (
        "0 created, 0 updated, 1 unchanged, 0 changed not applied, 1 rejected."
    )
    assert said.error == "1 rows were not loaded: register.csv.rejects.jsonl says why."


def test_rejects_go_where_they_are_told_to() -> None:
    deliver(register(",No reference,,"), "--rejects", "why.jsonl")
    reject = json.loads(Path("why.jsonl").read_text())
    assert (reject["line"], reject["row"]["title"]) == (2, "No reference")
    assert "external_reference: It is blank" in reject["reason"]


def test_a_read_only_folder_is_enough_to_read_from(tmp_path: Path) -> None:
    folder = tmp_path / "delivered"
    folder.mkdir()
    path = register("R-1,Late,,", ",No reference,,", name="delivered/register.csv")
    folder.chmod(0o555)
    try:
        done = deliver(path)
    finally:
        folder.chmod(0o755)
    assert done.counts == {"created": 1, "rejected": 1}
    assert os.listdir(folder) == ["register.csv"]  # noqa: PTH208 (names are enough)


def test_columns_are_mapped_by_name() -> None:
    path = register("7,Late,web,04.05.", header="No,What,Came by,Seen")
    done = run(
        "import_cases", path, "--json", "--map", "external_reference=No",
        "--map", "title=What", "--map", "source=Came by",
    )  # fmt: skip
    assert done.counts == {"created": 1}
    assert (Case.objects.get().source, Case.objects.get().external_reference) == ("web", "7")


def test_local_times_become_utc() -> None:
    path = register(
        "R-1,Summer,2026-07-01 09:00:00", "R-2,Winter,2026-01-05T09:00",
        "R-3,Own offset,2026-01-05T09:00:00+05:00", "R-4,No time,next week",
        header="external_reference,title,received_at",
    )  # fmt: skip
    done = deliver(path, "--time-zone", "Europe/Berlin")
    assert the_case("R-1").received_at == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert the_case("R-2").received_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert the_case("R-3").received_at == datetime(2026, 1, 5, 4, tzinfo=UTC)
    assert "received_at: Not a time" in done.reasons()[5]


@pytest.mark.parametrize(
    ("header", "args", "sentence"),
    [
        ("reference,title", [], "Nothing fills external_reference"),
        ("external_reference,name", [], "Nothing fills title"),
        (HEADER, ["--map", "category=Branch", "--map", "subject=Firm"], "'Branch', 'Firm'"),
        (HEADER, ["--map", "colour=title"], "'colour' is none of"),
        (HEADER, ["--map", "title"], "not of the form FIELD=COLUMN"),
        (HEADER, ["--time-zone", "Berlin"], "'Berlin' is no time zone"),
        (HEADER, ["--actor", " "], "--actor: This field may not be blank."),
        (HEADER, ["--source", ""], "Say where the register comes from"),
        ("title,title,external_reference", [], "names a column twice"),
    ],
)
def test_wrong_usage_ends_with_exit_2_and_a_sentence(
    header: str, args: list[str], sentence: str
) -> None:
    done = deliver(register(header=header), *args)
    assert done.exit == 2
    assert sentence in done.error
    assert not Case.objects.exists()


def test_a_file_that_cannot_be_read_ends_with_exit_2() -> None:
    assert deliver(Path("absent.csv")).exit == 2
    Path("empty.csv").touch()
    assert deliver(Path("empty.csv")).error == "empty.csv has no header."
    Path("folder").mkdir()
    assert deliver(Path("folder")).exit == 2


def test_a_header_alone_is_a_delivery_of_nothing() -> None:
    done = deliver(register())
    assert (done.exit, done.counts) == (0, {})
