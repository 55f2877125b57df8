"""Reading CSV and JSON Lines: rows with their lines, problems as sentences, in constant memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.imports.rows import FileError, Row, open_rows


def read(path: Path, content: bytes, delimiter: str = ",") -> list[Row]:
    path.write_bytes(content)
    with open_rows(path, delimiter=delimiter) as source:
        return list(source.rows)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.fixture
def json_file(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


def test_rows_bear_their_columns_and_the_line_they_start_on(csv_file: Path) -> None:
    assert read(csv_file, b'a,b\n1,"x\ny"\n2,z\n') == [
        Row(2, {"a": "1", "b": "x\ny"}),
        Row(4, {"a": "2", "b": "z"}),
    ]


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2\n", b"a,b\r\n1,2\r\n", b"a,b\r1,2\r", b"a,b\n1,2", b"\xef\xbb\xbfa,b\n1,2\n",
     b" a , b \n1,2\n"],
)  # fmt: skip
def test_ends_of_lines_byte_order_marks_and_padded_names_do_not_matter(
    csv_file: Path, content: bytes
) -> None:
    assert read(csv_file, content) == [Row(2, {"a": "1", "b": "2"})]


def test_blank_lines_are_no_rows(csv_file: Path) -> None:
    assert [row.line for row in read(csv_file, b"a\n\n1\n\n\n2\n")] == [3, 6]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"1", "The row has 1 cells, the header 2."),
        (b"1,2,3", "The row has 3 cells, the header 2."),
        (b"1,\xff", "Not UTF-8: b."),
        (b"\xe9,\xe9", "Not UTF-8: a, b."),
    ],
)
def test_what_is_wrong_with_a_row_is_said_of_the_row(
    csv_file: Path, row: bytes, problem: str
) -> None:
    found = read(csv_file, b"a,b\n" + row + b"\n3,4\n")
    assert (found[0].line, found[0].problem) == (2, problem)
    assert found[1] == Row(3, {"a": "3", "b": "4"})


def test_a_cell_beyond_all_measure_is_a_problem_of_its_row(csv_file: Path) -> None:
    found = read(csv_file, b'a,b\n1,"' + (b"x" * 999 + b"\n") * 11_000)
    assert found[0].problem.startswith("Not CSV: field larger than field limit")


def test_a_quote_that_is_never_closed_takes_no_further_rows_for_a_text(csv_file: Path) -> None:
    problem = "Not CSV: unexpected end of data, in lines 3 to 5."
    assert read(csv_file, b'a,b\n1,2\n3,"open\n5,6\n7,8\n') == [
        Row(2, {"a": "1", "b": "2"}),
        Row(3, {}, problem),
    ]


def test_a_quote_that_is_closed_by_a_later_row_is_told_with_the_lines(csv_file: Path) -> None:
    problem = """Not CSV: ',' expected after '"', in lines 2 to 3."""
    assert read(csv_file, b'a,b\n1,"open\n3,"4"\n5,6\n') == [
        Row(2, {}, problem),
        Row(4, {"a": "5", "b": "6"}),
    ]


def test_what_stands_behind_a_closed_quote_is_not_taken_for_more_of_the_text(
    csv_file: Path,
) -> None:
    problem = """Not CSV: ',' expected after '"'."""
    assert read(csv_file, b'a,b\n1,"2"3\n') == [Row(2, {}, problem)]


def test_quotes_within_a_cell_are_kept(csv_file: Path) -> None:
    assert read(csv_file, b'a,b\nthe 5" pipe,"the ""big"" one"\n') == [
        Row(2, {"a": 'the 5" pipe', "b": 'the "big" one'})
    ]


@pytest.mark.parametrize("content", [b"", b"a,a\n", b"\xff,b\n", b"a, a\n", b'"a,b\n1,2\n'])
def test_a_header_that_cannot_serve_is_an_error_of_the_file(csv_file: Path, content: bytes) -> None:
    with pytest.raises(FileError):
        read(csv_file, content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"absent\.csv cannot be read: No such file"):
        read_nothing(tmp_path / "absent.csv")


def read_nothing(path: Path) -> None:
    with open_rows(path):
        pass


@pytest.mark.parametrize("delimiter", ["", ";;"])
def test_a_delimiter_is_one_character(csv_file: Path, delimiter: str) -> None:
    with pytest.raises(FileError, match="give one character"):
        read(csv_file, b"a;b\n", delimiter)


def test_json_values_become_what_a_cell_would_hold(json_file: Path) -> None:
    found = read(json_file, b'{"a": 1, "b": null, "c": true, "d": {"e": ["\xc3\xbc"]}, "f": 1.5}')
    assert found == [Row(1, {"a": "1", "b": "", "c": "true", "d": '{"e": ["ü"]}', "f": "1.5"})]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"[1]", "Not a JSON object."),
        (b"{", "Not JSON: "),
        (b"[" * 99_999, "Not JSON: it is nested too deeply."),
        (b'{"a": 1, "a": 2}', "Not JSON: a name is given twice in one object."),
        (b'{"a": NaN}', "Not JSON: NaN is not a JSON number."),
        (b'{"a": ' + b"9" * 5_000 + b"}", "Not JSON: a number is too long."),
    ],
)
def test_a_broken_line_of_json_does_not_stop_the_next(
    json_file: Path, line: bytes, problem: str
) -> None:
    first, second = read(json_file, line + b'\n\n{"a": "1"}\n')
    assert (first.line, first.cells) == (1, {})
    assert first.problem.startswith(problem)
    assert second == Row(3, {"a": "1"})


def test_the_position_reaches_the_size_of_the_file(csv_file: Path) -> None:
    csv_file.write_bytes(b"a\n" + b"1\n" * 50_000)
    with open_rows(csv_file) as source:
        next(source.rows)
        assert 0 < source.position() < csv_file.stat().st_size
        assert sum(1 for _ in source.rows) == 49_999
        assert source.position() == csv_file.stat().st_size
