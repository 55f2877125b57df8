"""`import_cases` and what real files bring: odd cells go in or are reported, line by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cases.models import Case
from tests.integration.import_runs import Run, assert_gapless, run

pytestmark = pytest.mark.django_db

GOOD = b"R-9,Good,\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def deliver(rows: bytes, *args: str, name: str = "register.csv") -> Run:
    """Deliver a CSV of these rows, or JSON Lines where the name says so."""
    path = Path(name)
    header = b"" if name.endswith("l") else b"external_reference,title,description\n"
    path.write_bytes(header + rows)
    return run("import_cases", path, "--source", "Register", "--json", *args)


def jsonl(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"R-1,Caf\xe9,\n", "Not UTF-8: title."),
        (b"R-1," + b"x" * 201 + b",\n", "title: At most 200 characters; these are 201."),
        (b"R-1,Late," + b"x" * 100_001 + b"\n", "description: At most 100,000 characters"),
        (b"R-1,Late\n", "The row has 2 cells, the header 3."),
        (b"R-1,Late,,\n", "The row has 4 cells, the header 3."),
        (b",Late,\n", "external_reference: It is blank"),
        (b"  ,Late,\n", "external_reference: It is blank"),
        (b"R-1,  ,\n", "title: This field may not be blank."),
        (b"R-1,,\n", "title: This field may not be blank."),
        (b"R-1,La\0te,\n", "title: NUL characters are not allowed."),
        (b"R\0-1,Late,\n", "external_reference: NUL characters are not allowed."),
        (b"R-1,La\x07te,\n", "title: Line breaks, control characters and changes of direction are"),
        (b"R-" + b"1" * 200 + b",Late,\n", "external_reference: At most 200 characters"),
    ],
)
def test_a_bad_row_is_reported_by_line_and_the_rest_goes_in(row: bytes, reason: str) -> None:
    done = deliver(row + GOOD)
    assert (done.exit, done.counts) == (1, {"created": 1, "rejected": 1})
    assert list(done.reasons()) == [2]
    assert reason in done.reasons()[2]
    assert Case.objects.get().title == "Good"
    assert_gapless()


def test_every_wrong_field_of_a_row_is_named() -> None:
    reason = deliver(b"R-1,,x\n").reasons()[2]
    assert "title" in reason
    reason = deliver(
        jsonl({"external_reference": "R-1", "title": "", "priority": "SOON"}), name="r.jsonl"
    ).reasons()[1]
    assert "title" in reason
    assert "priority: One of LOW, NORMAL, HIGH, URGENT." in reason


def test_an_unterminated_quote_is_reported_where_it_begins() -> None:
    done = deliver(GOOD + b'R-1,"Late,\nR-2,Fees,\n')
    assert done.counts == {"created": 1, "rejected": 1}
    assert list(done.reasons()) == [3]


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    Path("bom.csv").write_bytes(b"\xef\xbb\xbfexternal_reference,title\nR-1,Late\n")
    done = run("import_cases", "bom.csv", "--source", "Register", "--json")
    assert done.counts == {"created": 1}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_commas_and_line_breaks_in_a_cell_are_text(end: str) -> None:
    cell = f'He said ""no"",{end}and left.'
    done = deliver(f'R-1,"Late, ""very"" late","{cell}"{end}R-2,Fees,{end}'.encode())
    assert done.counts == {"created": 2}
    case = Case.objects.get(external_reference="R-1")
    assert case.title == 'Late, "very" late'
    assert case.description == f'He said "no",{end}and left.'


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    done = deliver(b'R-1,Late,"one\ntwo\nthree"\n\n,No reference,\n')
    assert list(done.reasons()) == [6]


def test_a_line_break_in_a_title_becomes_a_space() -> None:
    deliver(b'R-1,"Late\nreporting",\n')
    assert Case.objects.get().title == "Late reporting"


@pytest.mark.parametrize(
    "title", ["=HYPERLINK(A1)", "+49 30 1234", "-1", "@SUM(A1)", "<b>x</b>", "'; DROP TABLE cases"]
)
def test_titles_that_look_like_formulas_or_code_are_kept_as_they_are(title: str) -> None:
    assert deliver(f"R-1,{title},\n".encode()).exit == 0
    assert Case.objects.get().title == title


@pytest.mark.parametrize(
    "title",
    ["شكوى بشأن الرسوم", "Überfällige Rückerstattung", "日本語の苦情", "e\u0301 👩‍⚖️", "a\u00a0b"],
)
def test_any_language_goes_in_as_it_is(title: str) -> None:
    assert deliver(f"R-1,{title},{title}\n".encode()).exit == 0
    assert (Case.objects.get().title, Case.objects.get().description) == (title, title)


def test_another_delimiter() -> None:
    Path("semi.csv").write_text("external_reference;title\nR-1;Late, very\n")
    done = run("import_cases", "semi.csv", "--source", "R", "--delimiter", ";", "--json")
    assert done.counts == {"created": 1}


@pytest.mark.parametrize("delimiter", ["", ";;", "\n", "ä" * 2])
def test_an_impossible_delimiter_is_wrong_usage(delimiter: str) -> None:
    Path("semi.csv").write_text("external_reference;title\nR-1;Late\n")
    done = run("import_cases", "semi.csv", "--source", "R", f"--delimiter={delimiter}")
    assert done.exit == 2


def test_json_lines_with_numbers_nulls_and_nested_values() -> None:
    done = deliver(
        jsonl(
            {"external_reference": 17, "title": "Late", "description": None},
            {"external_reference": "R-2", "title": "Nested", "description": {"a": [1, "ü"]}},
        ),
        name="register.jsonl",
    )
    assert done.counts == {"created": 2}
    assert Case.objects.get(external_reference="17").description == ""
    assert Case.objects.get(external_reference="R-2").description == '{"a": [1, "ü"]}'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'["R-1", "Late"]', "Not a JSON object."),
        (b'"R-1"', "Not a JSON object."),
        (b'{"external_reference": "R-1", "title":', "Not JSON"),
        (b"[" * 100_000, "Not JSON"),
        (b'{"external_reference": "R-1", "title": "\\ud800"}', "Lone surrogates"),
        (b'{"external_reference": "R-1", "title": "\xe9"}', "Not UTF-8"),
        (b'{"title": "No reference"}', "external_reference: It is blank"),
        (b'{"external_reference": ' + b"9" * 5_000 + b', "title": "x"}', ""),
    ],
)
def test_a_bad_line_of_json_is_reported_and_the_rest_goes_in(line: bytes, reason: str) -> None:
    good = jsonl({"external_reference": "R-9", "title": "Good"})
    done = deliver(line + b"\n\n" + good, name="register.jsonl")
    assert done.counts == {"created": 1, "rejected": 1}
    assert list(done.reasons()) == [1]
    assert reason in done.reasons()[1]
