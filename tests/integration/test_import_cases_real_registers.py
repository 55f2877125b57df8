"""`import_cases` on real registers: all of their rows are in, as they were published."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cases.models import Case
from tests.integration.import_runs import assert_gapless, real_file, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mapped(**columns: str) -> list[str]:
    return [part for name, column in columns.items() for part in ("--map", f"{name}={column}")]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


CFPB = mapped(
    external_reference="Complaint ID", title="Issue", description="Consumer complaint narrative",
    category="Product", subject="Company", received_at="Date received",
)  # fmt: skip
MONTREAL = mapped(
    external_reference="id_poursuite", title="etablissement", description="description",
    category="categorie", subject="etablissement", received_at="date",
)  # fmt: skip
BOSTON = mapped(
    external_reference="CASE_ENQUIRY_ID", title="CASE_TITLE", description="CLOSURE_REASON",
    category="REASON", received_at="OPEN_DT", due_at="TARGET_DT", source="Source",
)  # fmt: skip


def test_all_consumer_complaints_are_in_with_their_narratives() -> None:
    path = real_file("cfpb_mixed_20pct.csv")
    done = run("import_cases", path, "--source", "CFPB", "--submit", "--json", *CFPB)
    assert (done.exit, done.counts) == (0, {"created": 198})
    stored = dict(Case.objects.values_list("external_reference", "description"))
    assert stored == {
        row["Complaint ID"]: row["Consumer complaint narrative"].strip() for row in rows_of(path)
    }
    assert_gapless()
    again = run("import_cases", path, "--source", "CFPB", "--json", *CFPB)
    assert (again.exit, again.counts) == (0, {"unchanged": 198})


def test_all_prosecutions_are_in_and_the_french_is_untouched() -> None:
    path = real_file("montreal_2024-10_20pct_no_owner.csv")
    done = run("import_cases", path, "--source", "Montréal", "--json", *MONTREAL)
    assert (done.exit, done.counts) == (0, {"created": 1_458})
    rows = rows_of(path)
    stored = dict(Case.objects.values_list("external_reference", "description"))
    assert stored == {row["id_poursuite"]: row["description"].strip() for row in rows}
    assert any("\u00a0" in text for text in stored.values())
    # Some end in a line break: texts are trimmed, like every text that comes in.
    assert sum(row["description"].endswith("\n") for row in rows) == 27
    assert Case.objects.filter(category="Boucherie-épicerie").exists()
    first = Case.objects.get(external_reference=rows[0]["id_poursuite"])
    assert first.received_at == datetime(2016, 10, 26, tzinfo=UTC)
    assert_gapless()


def test_all_service_requests_are_in_and_their_local_times_are_right() -> None:
    path = real_file("boston311_20pct.csv")
    zone = ("--time-zone", "America/New_York")
    done = run("import_cases", path, "--source", "Boston", "--json", *zone, *BOSTON)
    assert (done.exit, done.counts) == (0, {"created": 1_017})
    rows = rows_of(path)
    # Summer time in July: 19:10:16 in Boston is 23:10:16 UTC.
    first = Case.objects.get(external_reference="101004382724")
    assert first.received_at == datetime(2022, 7, 9, 23, 10, 16, tzinfo=UTC)
    assert first.due_at == datetime(2022, 7, 12, 8, 30, tzinfo=UTC)
    assert first.source == rows[0]["Source"]
    undated = {row["CASE_ENQUIRY_ID"] for row in rows if not row["TARGET_DT"].strip()}
    stored = Case.objects.filter(due_at=None).values_list("external_reference", flat=True)
    assert set(stored) == undated
    assert undated
    winter = next(row for row in rows if row["OPEN_DT"].startswith("2022-01"))
    case = Case.objects.get(external_reference=winter["CASE_ENQUIRY_ID"])
    local = datetime.fromisoformat(winter["OPEN_DT"])
    assert (case.received_at.replace(tzinfo=None) - local).total_seconds() == 5 * 3600
    assert_gapless()


def test_a_later_snapshot_of_a_register_adds_and_changes_rows(tmp_path: Path) -> None:
    path = real_file("montreal_2024-10_20pct_no_owner.csv")
    rows = rows_of(path)[:300]

    def snapshot(name: str, part: list[dict[str, str]]) -> Path:
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(part)
        return tmp_path / name

    run("import_cases", snapshot("old.csv", rows[:200]), "--source", "Montréal", *MONTREAL)
    changed = [{**row, "categorie": "Fermé"} for row in rows[:40]]
    later = snapshot("new.csv", [*changed, *rows[40:]])
    done = run("import_cases", later, "--source", "Montréal", "--json", *MONTREAL)
    assert done.counts == {"created": 100, "updated": 40, "unchanged": 160}
    assert Case.objects.filter(category="Fermé").count() == 40
    assert_gapless()
