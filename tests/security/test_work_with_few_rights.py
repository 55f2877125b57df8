"""The whole service works as the role of config/postgresql/roles.sql, migrated by the owner."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now

from audit.checks import check_guards
from audit.models import AuditAnchor, AuditEvent
from audit.signed_note import SigningKey
from cases.lifecycle import CaseAction
from cases.models import Case, IdempotencyKey, SlaTarget, UploadedRegister
from config.models import AccountNotice, ApiToken
from config.notices import tell
from outbox.models import OutboxEvent
from tests.api.conftest import Caller
from tests.cast import ALMIGHTY
from tests.factories import CaseFactory, UserFactory, act
from tests.integration.test_unit_of_work import BEFORE, prepared
from tests.integration.uploads import begin, choose, register, the_upload, upload
from tests.security.roles import Roles, database_with_roles, transactional_db  # noqa: F401 (a fixture)

RIGHT = "correct horse battery staple"
KEY = SigningKey.generate("office.example/audit")


@pytest.fixture(scope="module")
def roles(transactional_db, django_db_blocker) -> Iterator[Roles]:  # noqa: F811
    with django_db_blocker.unblock(), database_with_roles("few", empty=True) as made:
        yield made


@pytest.fixture
def as_the_service(roles, django_db_blocker) -> Iterator[None]:
    """Whatever the test does, it does as the service's role, and it commits."""
    with django_db_blocker.unblock(), roles.django_as(roles.app):
        yield


pytestmark = pytest.mark.usefixtures("as_the_service")


def run(command: str, *arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def grace(roles, django_db_blocker) -> None:
    with django_db_blocker.unblock(), roles.django_as(roles.app):
        UserFactory(username="grace", password=None)


@pytest.mark.parametrize("action", BEFORE)
def test_every_action_works(grace, monkeypatch, action: CaseAction):
    monkeypatch.setattr("tests.integration.test_unit_of_work.UserFactory", lambda **given: None)
    case = prepared(action)

    act(action, case, ALMIGHTY)

    assert Case.objects.get(pk=case.id).version == case.version + 1


def test_people_log_in_work_and_leave(settings):
    ada = UserFactory(username="ada", is_superuser=True)
    browser = Client()
    log_in = {"username": "ada", "password": "wrong"}
    assert browser.post("/admin/login/", log_in).status_code == 200
    assert browser.post("/admin/login/", log_in | {"password": RIGHT}).status_code == 302

    for page in ("/admin/", "/admin/tables/", "/admin/cases/case/?queue=all&search=late",
                 "/admin/audit/auditevent/", "/admin/outbox/outboxevent/"):  # fmt: skip
        assert browser.get(page).status_code == 200
    upload(browser, register("R-1,Uploaded,,"))
    choose(browser, the_upload())
    begin(browser, the_upload())
    assert Case.objects.filter(external_reference="R-1").count() == 1
    new = "a longer and better word"
    sent = {"old_password": RIGHT, "new_password1": new, "new_password2": new}
    assert browser.post("/admin/password_change/", sent).status_code == 302
    assert browser.post("/admin/logout/").status_code in (200, 302)
    ada.refresh_from_db()
    assert ada.check_password(new)


def test_programs_call_with_tokens_and_keys(settings):
    settings.ACTOR_HEADERS = False
    UserFactory(username="robot", roles=["case_writer"], password=None)
    token = json.loads(run("create_api_token", "robot", "--name", "nightly", "--json"))["token"]
    caller = Caller()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    made = [
        caller.post("/cases", {"title": "By token"}, HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)
    ]

    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["id"] == made[1].json()["id"]
    assert caller.get("/cases?search=token").status_code == 200
    assert caller.get("/cases/summary").status_code == 200
    assert caller.get("/health/ready").status_code == 200
    run("revoke_api_tokens", "robot")
    assert ApiToken.objects.get(user__username="robot").state == "revoked"


def test_every_command_of_an_operator_works(settings, tmp_path, capsys):
    settings.AUDIT_ANCHOR_KEY = KEY.text
    CaseFactory(due_at="2026-01-05T12:00:00Z")
    table = tmp_path / "register.csv"
    table.write_text("external_reference,title\nC-1,From a file\n")
    Session.objects.create(session_key="old", session_data="", expire_date=now().replace(year=2020))

    run("import_cases", str(table), source="files", json=True)
    assert Case.objects.filter(source="files").count() == 1
    run("check_slas")
    assert Case.objects.filter(overdue_at__isnull=False).exists()
    run("drain_outbox")
    assert not OutboxEvent.objects.filter(processed_at=None).exists()
    run("requeue_outbox", all=True, dry_run=True)
    run("purge_outbox", "--older-than", "0s")
    assert not OutboxEvent.objects.exists()
    run("purge_idempotency_keys", "--older-than", "0s")
    assert not IdempotencyKey.objects.exists()
    run("purge_imports", "--older-than", "0s")
    assert not UploadedRegister.objects.exists()
    run("clearsessions")
    assert not Session.objects.filter(session_key="old").exists()
    run("seal_second_factors")
    settings.EMAIL_URL = "smtp://127.0.0.1"  # the tests keep what would be sent
    tell(UserFactory(email="ada@example.org"), "password_changed")
    run("send_notices")
    assert AccountNotice.objects.get().state == "sent"
    run("anchor_audit")
    assert AuditAnchor.objects.count() == 1
    run("export_audit", output=tmp_path / "trail.jsonl")
    lines = (tmp_path / "trail.jsonl").read_text().splitlines()
    assert len(lines) == AuditEvent.objects.count()
    assert json.loads(run("verify_audit", "--json"))["findings"] == []
    run("axes_reset")
    capsys.readouterr()


def test_targets_are_set(client):
    client.force_login(UserFactory(username="sue", is_superuser=True))

    target = SlaTarget.objects.get(priority="HIGH")
    address = f"/admin/cases/slatarget/{target.pk}/change/"
    client.post(address, {"priority": "HIGH", "working_days": 7})

    target.refresh_from_db()
    assert target.working_days == 7


def test_every_guard_is_there_and_on():
    assert check_guards(databases=["default"]) == []
