"""Importing a register in the back office: the same rules and the same path as the command."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.utils.timezone import now

from audit.models import AuditEvent
from cases import services
from cases.admin import imports
from cases.models import Case, RegisterPart, RegisterState, UploadedRegister
from tests.cast import SUPERVISOR, WRITER
from tests.factories import UserFactory
from tests.integration.import_runs import assert_gapless, run
from tests.integration.pages import text
from tests.integration.uploads import (
    UPLOADS,
    address,
    begin,
    bring_in,
    choose,
    counts,
    offered,
    register,
    rejects,
    the_upload,
    upload,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(log_in):
    return log_in("wanda", "case_writer")


def test_rows_become_cases_of_the_person_with_their_audit_and_outbox_rows(writer) -> None:
    one = bring_in(writer, register("R-1,Late reporting,Three weeks,HIGH", "R-2,Fees,,"))

    assert (one.state, counts(one)) == (RegisterState.LOADED, {"created": 2})
    case = Case.objects.get(source="Register", external_reference="R-1")
    assert (case.title, case.priority, case.status, case.created_by) == (
        "Late reporting", "HIGH", "DRAFT", "wanda",
    )  # fmt: skip
    event = AuditEvent.objects.get(case_id=case.id)
    assert (event.actor_id, event.request_id) == ("wanda", f"import_cases:{one.id}")
    assert_gapless()


def test_nothing_is_written_before_the_person_says_so_and_no_number_is_used_up(writer) -> None:
    before = services.create_case(fields={"title": "x"}, actor=WRITER)
    upload(writer, register("R-1,Late,,", "R-2,,,", "R-3,Fees,,"))
    one = the_upload()

    choose(writer, one)

    page = writer.get(address(one))
    assert page.context["to_load"] == 2
    assert [(row["line"], row["reason"]) for row in page.context["refused"]] == [
        (3, "title: This field may not be blank.")
    ]
    assert [(row["line"], row["what"]) for row in page.context["sample"]] == [
        (2, "created"), (3, "rejected"), (4, "created"),
    ]  # fmt: skip
    assert Case.objects.count() == 1
    begin(writer, one)
    numbers = sorted(int(case.id.removeprefix("CASE-")) for case in Case.objects.all())
    first = int(before.id.removeprefix("CASE-"))
    assert numbers == [first, first + 1, first + 2]


MIXED = [
    "R-1,Same,,", "R-2,Changed,,", "R-3,Changed,,", "R-4,New,,", ",No reference,,", "R-4,Again,,",
    "R-5,Changed,,", "R-6,New too,,SOON", "R-2,Changed again,,", "R-7,New three,,LOW",
]  # fmt: skip


def deliver_first(actor=WRITER) -> None:
    """What the office has already: drafts, a submitted case, a draft that is restricted."""
    titles = {1: "Same", 2: "Draft", 3: "Draft", 5: "Draft"}
    rows = [
        {"title": title, "source": "Register", "external_reference": f"R-{n}", "priority": "NORMAL"}
        for n, title in titles.items()
    ]
    _, _, submitted, hidden = services.create_cases(rows=rows, actor=actor)
    services.submit_case(case_id=submitted.id, actor=actor)
    services.restrict_case(case_id=hidden.id, reason="Witness", actor=SUPERVISOR)


@pytest.mark.parametrize("gap", [0, 700], ids=["in one part", "across parts"])
def test_what_was_foretold_is_what_comes_and_what_the_command_does(
    writer, gap, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(imports, "SECONDS", 0)  # a part for each request
    deliver_first()
    content = register(*MIXED[:6], *(f"X-{n},Other,," for n in range(gap)), *MIXED[6:])
    upload(writer, content)
    one = the_upload()

    choose(writer, one)
    foretold = counts(one)
    told = {row["line"]: row["reason"] for row in one.refused}
    begin(writer, one)

    assert counts(one) == foretold == {
        "created": 2 + gap, "updated": 1, "unchanged": 1, "changed_not_applied": 1, "rejected": 5,
    }  # fmt: skip
    said = rejects(writer, one)
    assert said.keys() == told.keys()
    assert {line for line, why in said.items() if told[line] not in (why, "")} <= {10 + gap}
    assert Case.objects.get(external_reference="R-2").title == "Changed"
    assert_gapless()
    # And the command, afterwards, knows every case again.
    monkeypatch.chdir(tmp_path)
    Path("register.csv").write_bytes(content)
    again = run("import_cases", "register.csv", "--source", "Register", "--json")
    assert "created" not in again.counts


def test_the_command_and_the_pages_make_the_same_of_the_same_file(
    writer, monkeypatch, tmp_path
) -> None:
    deliver_first()
    monkeypatch.chdir(tmp_path)
    Path("register.csv").write_bytes(register(*MIXED))
    told = run("import_cases", "register.csv", "--source", "Register", "--json", "--dry-run")

    one = bring_in(writer, register(*MIXED))

    assert counts(one) == told.counts
    hidden = {8}  # the restricted draft: an operator is told what holds the row back
    assert {k: v for k, v in rejects(writer, one).items() if k not in hidden} == {
        k: v for k, v in told.reasons().items() if k not in hidden
    }


def test_a_second_delivery_creates_nothing(writer) -> None:
    content = register("R-1,Late,,", "R-2,Fees,,")
    bring_in(writer, content)

    again = bring_in(writer, content, source="Register")

    assert counts(again) == {"unchanged": 2}
    assert Case.objects.count() == 2


def test_of_a_case_that_is_hidden_from_the_person_no_more_is_told_than_that_it_is_known(
    writer,
) -> None:
    deliver_first()
    case = Case.objects.get(restricted=True)
    rows = ["R-5,Draft,,", "R-5,Changed,,"]
    for n, row in enumerate(rows):
        bring_in(writer, register(row))
        one = UploadedRegister.objects.latest("created_at")

        assert counts(one) == {"rejected": 1}, row
        assert rejects(writer, one) == {
            2: "A case with this source and external reference exists already."
        }
        assert case.id not in text(writer.get(address(one))), n


def test_what_is_created_is_submitted_where_that_was_asked_for(writer) -> None:
    upload(writer, register("R-1,Late,,"))
    one = the_upload()

    choose(writer, one, submit="on")
    begin(writer, one)

    case = Case.objects.get()
    assert (case.status, case.submitted_by, case.version) == ("SUBMITTED", "wanda", 1)


def test_who_may_create_but_not_submit_is_not_asked_and_cannot_smuggle_it_in(client) -> None:
    account = UserFactory(username="wim")
    account.user_permissions.set(
        Permission.objects.filter(codename__in=["create_case", "view_case"])
    )
    client.force_login(account)
    upload(client, register("R-1,Late,,"))
    one = the_upload()

    assert "submit" not in offered(client, one)
    choose(client, one, submit="on")
    begin(client, one)

    assert Case.objects.get().status == "DRAFT"


def test_rows_that_change_a_draft_are_refused_to_who_may_not_change_drafts(client) -> None:
    deliver_first()
    account = UserFactory(username="wim")
    account.user_permissions.set(
        Permission.objects.filter(codename__in=["create_case", "view_case"])
    )
    client.force_login(account)

    upload(client, register("R-2,Changed,,", "R-9,New,,"))
    one = the_upload()
    choose(client, one)
    foretold = counts(one)
    begin(client, one)

    assert counts(one) == foretold == {"created": 1, "rejected": 1}
    assert "update_case" in rejects(client, one)[2]


def test_columns_are_guessed_by_name_and_chosen_by_the_person(writer) -> None:
    content = register(
        '7,What happened,"region=North;channel=web",=1+1',
        header="External Reference,Subject line,Details,PRIORITY",
    )
    upload(writer, content)
    one = the_upload()
    guess = offered(writer, one)
    assert (guess["external_reference"], guess["priority"], guess["title"]) == ("0", "3", "")

    refused = choose(writer, one)
    assert "Choose a column." in text(refused)
    choose(writer, one, title="1", category="2.0", subject="2.1", priority="")
    begin(writer, one)

    case = Case.objects.get()
    assert (case.external_reference, case.title, case.category, case.subject) == (
        "7", "What happened", "North", "web",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"title": ""}, "title", "Choose a column."),
        ({"external_reference": ""}, "external_reference", "Choose a column."),
        ({"title": "17"}, "title", "Select a valid choice"),
        ({"source": ""}, "source", "This field is required."),
        ({"source": "a\0b"}, "source", "Null characters"),
        ({"source": "a\u202eb"}, "source", "changes of direction"),
        ({"source": "x" * 201}, "source", "at most 200"),
        ({"time_zone": "Berlin"}, "time_zone", "is no time zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "is no time zone"),
        ({"time_zone": ""}, "time_zone", "This field is required."),
    ],
)
def test_what_is_wrong_with_the_choice_is_said_at_its_field_and_what_was_typed_stays(
    writer, given, field, sentence
) -> None:
    upload(writer, register("R-1,Late,,"))
    one = the_upload()

    answer = choose(writer, one, **{"description": "", **given})

    assert sentence in " ".join(answer.context["form"].errors[field])
    assert answer.context["form"]["description"].value() == ""
    assert the_upload().state == RegisterState.UPLOADED


def test_other_columns_can_be_chosen_after_the_check_and_all_is_checked_anew(writer) -> None:
    upload(writer, register("R-1,Late,Long,"))
    one = the_upload()
    choose(writer, one)

    choose(writer, one, title="2")
    begin(writer, one)

    assert Case.objects.get().title == "Long"


def test_after_the_import_nothing_of_the_rows_is_kept_but_what_was_refused(writer) -> None:
    one = bring_in(writer, register("R-1,Secret matter,,", "R-2,,Refused secret,"))

    part = RegisterPart.objects.get()
    assert (bytes(part.rows), bytes(part.written)) == (b"", b"")
    assert "Secret matter" not in str(vars(UploadedRegister.objects.get()))
    assert "Refused secret" in part.rejects
    page = text(writer.get(address(one)))
    assert "Download what did not go in" in page
    again = writer.get(address(one, "import_rejects"))
    assert "attachment" in again["Content-Disposition"]
    assert "register.csv.rejects.jsonl" in again["Content-Disposition"]


def test_a_second_click_begins_nothing_and_a_late_choice_changes_nothing(writer) -> None:
    one = bring_in(writer, register("R-1,Late,,"))

    writer.post(address(one), {"do": "begin"})
    writer.post(address(one), {"do": "work"})
    writer.post(address(one), {"do": "choose", "title": "0", "external_reference": "0"})

    assert counts(one) == {"created": 1}
    assert Case.objects.get().version == 0


def test_an_upload_is_deleted_with_its_rows_and_its_cases_stay(writer) -> None:
    one = bring_in(writer, register("R-1,Late,,", "R-2,,,"))

    answer = writer.post(address(one), {"do": "forget"}, follow=True)

    assert "Deleted: register.csv." in text(answer)
    assert not UploadedRegister.objects.exists()
    assert not RegisterPart.objects.exists()
    assert Case.objects.count() == 1
    assert writer.post(address(one), {"do": "forget"}).status_code == 404


def test_uploading_forgets_what_anybody_left_lying_for_too_long(writer, settings) -> None:
    settings.IMPORT_KEEP_DAYS = 2
    upload(writer, register("R-1,Old,,"))
    upload(writer, register("R-1,Young,,"))
    old, young = UploadedRegister.objects.order_by("created_at")
    age = {old: timedelta(days=2, minutes=1), young: timedelta(days=1, hours=23)}
    for one, since in age.items():
        UploadedRegister.objects.filter(pk=one.pk).update(
            created_at=now() - since, actor_id="somebody"
        )

    upload(writer, register("R-1,New,,"))

    assert set(UploadedRegister.objects.exclude(actor_id="wanda")) == {young}
    assert RegisterPart.objects.count() == 2


@pytest.mark.parametrize("role", ["reviewer", "supervisor", "auditor"])
def test_who_may_not_create_cases_finds_no_import(log_in, role) -> None:
    writer = log_in("wanda", "case_writer")
    upload(writer, register("R-1,Late,,"))
    one = the_upload()
    other = log_in("somebody", role)

    assert "import/" not in text(other.get("/admin/cases/case/"))
    for page in (UPLOADS, address(one), address(one, "import_rejects")):
        assert other.get(page).status_code == 403
        assert other.post(page, {"do": "begin"}).status_code == 403
    assert upload(other, register("R-1,Late,,")).status_code == 403
    assert UploadedRegister.objects.count() == 1


def test_rights_that_are_taken_away_in_between_end_the_import(writer) -> None:
    upload(writer, register("R-1,Late,,"))
    one = the_upload()
    choose(writer, one)
    UserFactory._meta.model.objects.get(username="wanda").groups.clear()

    assert writer.post(address(one), {"do": "begin"}).status_code == 403
    assert not Case.objects.exists()


def test_the_pages_say_how_far_it_is_and_offer_a_button_that_needs_no_script(
    writer, monkeypatch
) -> None:
    monkeypatch.setattr(imports, "SECONDS", 0)
    upload(writer, register(*(f"R-{n},Late,," for n in range(1200))))
    one = the_upload()

    writer.post(address(one), {"do": "choose", **offered(writer, one), "source": "Register"})
    page = text(writer.get(address(one)))

    assert '<progress max="1200" value="500"' in page
    assert "500 of 1,200 rows" in page
    assert 'name="do" value="work">Go on' in page


def test_json_lines_are_mapped_by_the_names_of_their_objects(writer) -> None:
    content = (
        b'{"external_reference": "R-1", "what": "Late"}\n'
        b'{"external_reference": "R-2", "what": "Fees", "more": {"a": 1}}\n'
    )
    upload(writer, content, "register.jsonl")
    one = the_upload()
    assert [column["name"] for column in one.columns] == ["external_reference", "what", "more"]

    choose(writer, one, title="1", description="2")
    begin(writer, one)

    assert Case.objects.get(external_reference="R-2").description == '{"a": 1}'
