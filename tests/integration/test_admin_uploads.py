"""What is taken as a register, and what is refused with a sentence that says what to do."""

from __future__ import annotations

import zlib
from tempfile import TemporaryFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cases.admin.uploads import RegisterHandler
from cases.imports import uploads
from cases.models import Case, RegisterPart, UploadedRegister
from tests.cast import WRITER
from tests.integration.pages import text
from tests.integration.uploads import (
    UPLOADS,
    address,
    bring_in,
    choose,
    counts,
    register,
    rejects,
    the_upload,
    upload,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(log_in):
    return log_in("wanda", "case_writer")


def refusal(answer) -> str:
    assert answer.status_code == 200
    assert not UploadedRegister.objects.exists()
    assert not RegisterPart.objects.exists()
    [sentence] = answer.context["form"].errors["file"]
    return sentence


XLSX = b"PK\x03\x04\x14\x00\x06\x00" + b"\0" * 200


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "empty.csv", "The file is empty."),
        (b" \n \n", "blank.csv", "The file is empty."),
        (b"external_reference,title\n", "header.csv", "There are no rows below the header."),
        (b"\n\n", "x.jsonl", "The file is empty."),
        (b"\xef\xbb\xbf", "mark.csv", "The file is empty."),
        (b"\xef\xbb\xbf\r\n", "mark.csv", "The file is empty."),
        (XLSX, "register.xlsx", "Save the table as CSV in UTF-8"),
        (XLSX, "register.csv", "This is a spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old.xls", "This is a spreadsheet"),
        (b"%PDF-1.7", "a.csv", "This is a PDF."),
        (b"\x1f\x8b\x08\x00", "a.csv.gz", "This file is compressed."),
        ("a,b\n1,2\n".encode("utf-16"), "utf16.csv", "The file is in UTF-16."),
        (b'[{"title": "x"}]', "list.json", "a file whose name ends in .jsonl"),
        (b"a,a\n1,2\n", "twice.csv", "names a column twice or is not UTF-8"),
        (b"\xe4,b\n1,2\n", "latin.csv", "names a column twice or is not UTF-8"),
        (b"a\0,b\n1,2\n", "nul.csv", "or with one that is none"),
        (b'"a,b\n1,2\n3,4\n', "quote.csv", "is not CSV: unexpected end of data."),
        (b"x" * 201 + b",b\n1,2\n", "long.csv", "Is the first line of the file its header?"),
        (",".join(map(str, range(201))).encode() + b"\n1\n", "wide.csv", "names 201 columns"),
    ],
)  # fmt: skip
def test_what_is_no_register_is_refused_with_a_sentence(writer, content, name, sentence) -> None:
    assert sentence in refusal(upload(writer, content, name))


def test_a_form_without_a_file_says_so(writer) -> None:
    assert refusal(writer.post(UPLOADS, {})) == "Choose a file."


def test_a_file_with_too_many_rows_is_left_to_the_command(writer, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "MOST_ROWS", 700)

    said = refusal(upload(writer, register(*(f"R-{n},Late,," for n in range(701)))))

    assert said.startswith("The file has more than 700 rows. Split it")


@pytest.mark.parametrize("over", [1, 200_000], ids=["by a byte", "by its announcement"])
def test_a_file_that_is_too_large_is_refused_and_says_how_large_it_may_be(
    writer, settings, over
) -> None:
    settings.IMPORT_MAX_MIB = 1
    content = register().ljust(uploads.MEBIBYTE + over, b"x")

    said = refusal(upload(writer, content))

    assert "at most 1 can be uploaded" in said
    assert upload(writer, register("R-1,Late,,").ljust(uploads.MEBIBYTE, b"\n")).status_code == 302


def test_who_leaves_too_many_uploads_lying_has_to_finish_one_first(writer, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "MOST_WAITING", 2)
    for n in range(2):
        assert upload(writer, register(f"R-{n},Late,,")).status_code == 302

    answer = upload(writer, register("R-3,Late,,"))

    assert "2 of your uploads wait" in text(answer)
    assert UploadedRegister.objects.count() == 2


@pytest.mark.parametrize(
    ("header", "chosen", "delimiter"),
    [
        ("external_reference,title", "", ","),
        ("external_reference;title", "", ";"),
        ("external_reference\ttitle", "", "\t"),
        ("external_reference|title", "", "|"),
        ('"external, reference";title', "", ";"),
        ("external_reference,title;a;b;c", ",", ","),
        ("title", "", ","),
    ],
)
def test_the_delimiter_is_found_out_unless_it_is_chosen(writer, header, chosen, delimiter) -> None:
    assert upload(writer, f"{header}\n1\n".encode(), delimiter=chosen).status_code == 302

    assert the_upload().delimiter == delimiter


def test_what_real_files_bring_goes_in_or_is_told_by_line(writer) -> None:
    content = (
        b"\xef\xbb\xbfexternal_reference,title,description\r\n"
        b'R-1,"Late, ""very"" late","one\r\ntwo"\r\n'
        b"R-2,Caf\xe9,\r\n"
        b"R-3,La\0te,\r\n"
        b"R-4,=HYPERLINK(A1),@SUM\r\n"
        b"R-5,<b>Fees</b>,\r\n"
        b"R-6,too,many,cells\r\n"
        b"R-7,\xf0\x9f\x98\x80 \xd8\xb4,\r\n"
    )

    one = bring_in(writer, content)

    assert counts(one) == {"created": 4, "rejected": 3}
    assert rejects(writer, one) == {
        4: "Not UTF-8: title.",
        5: "title: NUL characters are not allowed.",
        8: "The row has 4 cells, the header 3.",
    }
    assert Case.objects.get(external_reference="R-1").description == "one\r\ntwo"
    assert Case.objects.get(external_reference="R-4").title == "=HYPERLINK(A1)"


def test_what_stands_in_cells_is_text_on_every_page(writer) -> None:
    rows = ["R-1,<script>alert(1)</script>,=cmd|' /C calc'!A0,", "R-2,La\0te<i>,\ud800,"]
    content = "\n".join(["external_reference,title,<u>description</u>,priority", *rows, ""])
    upload(writer, content.encode("utf-8", "surrogatepass"))
    one = the_upload()
    pages = [writer.get(address(one)).content.decode()]

    choose(writer, one, description="2")
    pages += [writer.get(address(one)).content.decode(), writer.get(UPLOADS).content.decode()]

    for page in pages:
        assert not {"<script>alert", "<u>", "<i>", "\0"} & {
            tag for tag in ("<script>alert", "<u>", "<i>", "\0") if tag in page
        }
    assert "=cmd|&#x27; /C calc&#x27;!A0" in pages[1]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\wanda\\register.csv", "register.csv"),
        ('a"; filename="b.html\r\n.csv', "register"),
        ("x" * 300 + ".csv", "x" * 199 + "…"),
        ("Überfällig <b>.csv", "Überfällig <b>.csv"),
    ],
)
def test_the_name_of_a_file_is_a_name_and_nothing_else(name, kept) -> None:
    with TemporaryFile() as file:
        file.write(b"external_reference,title\nR-1,Late\n")
        file.seek(0)
        one = uploads.take_in(file, name=name, actor=WRITER, at="2026-11-25T09:00:00Z")

    assert kept == one.file_name or "filename" in name
    assert not set("\r\n\\/\0") & set(one.file_name)


def test_rows_are_kept_in_parts_and_come_out_as_they_were(writer) -> None:
    rows = [f"R-{n},Caf\\ud8{n:03},,{'y' * n}" for n in range(1100)]
    content = register(*rows).replace(b"\\ud8", b"\xe9")

    upload(writer, content)

    parts = RegisterPart.objects.order_by("number")
    sizes = [len(uploads.unpacked(bytes(part.rows))) for part in parts]
    assert sizes == [500, 500, 100]
    last = uploads.unpacked(bytes(parts[2].rows))[-1]
    assert (last.line, last.cells["priority"]) == (1101, "y" * 1099)
    assert last.problem == "Not UTF-8: title."
    with pytest.raises(zlib.error):
        uploads.unpacked(b"not packed")


def test_files_are_received_at_one_address_and_from_people_who_logged_in(
    writer, monkeypatch
) -> None:
    seen = []

    class Watched(RegisterHandler):
        def receive_data_chunk(self, raw_data, start):
            seen.append(len(raw_data))
            super().receive_data_chunk(raw_data, start)

    monkeypatch.setattr("cases.admin.uploads.RegisterHandler", Watched)
    for browser, path in ((Client(), UPLOADS), (Client(), "/admin/login/"), (writer, "/admin/")):
        browser.post(path, {"file": SimpleUploadedFile("x.csv", b"x" * 100_000)})
    assert seen == []
    upload(writer, register("R-1,Late,,"))
    assert seen
