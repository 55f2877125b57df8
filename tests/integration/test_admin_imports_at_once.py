"""Imports by several windows and people at once, and killed ones: nothing is doubled."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test import Client

from cases import services
from cases.admin import imports
from cases.imports import registers, uploads
from cases.models import Case, RegisterState, UploadedRegister
from tests.cast import WRITER
from tests.factories import UserFactory
from tests.integration.import_runs import assert_gapless, killed_after, start
from tests.integration.uploads import (
    address,
    begin,
    choose,
    counts,
    go_on,
    register,
    the_upload,
    upload,
)
from tests.integration.waiting import until_somebody_waits

pytestmark = pytest.mark.usefixtures("committed")

ROWS = [f"R-{n},Late reporting {n},," for n in range(2_000)]


def desk(username: str) -> Client:
    browser = Client()
    browser.force_login(UserFactory(username=username, roles=["case_writer"]))
    return browser


def test_two_windows_of_one_person_load_every_row_once(at_once) -> None:
    browser = desk("wanda")
    upload(browser, register(*ROWS))
    one = the_upload()
    choose(browser, one)

    def press() -> list[int]:
        window = Client()
        window.cookies = browser.cookies
        sent = [{"do": "begin"}, *[{"do": "work"}] * 3]
        return [window.post(address(one), data).status_code for data in sent]

    assert at_once(press, press) == [[302] * 4] * 2
    go_on(browser, one)

    assert counts(one) == {"created": 2_000}
    assert Case.objects.count() == 2_000
    assert_gapless()


def test_two_windows_do_not_get_round_the_limit_of_waiting_uploads(at_once, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "MOST_WAITING", 1)
    browser = desk("wanda")

    def send() -> int:
        window = Client()
        window.cookies = browser.cookies
        return upload(window, register(*ROWS)).status_code

    assert sorted(at_once(send, send, send)) == [200, 200, 302]
    assert UploadedRegister.objects.count() == 1


def test_while_one_window_is_at_it_another_one_waits_for_nothing(everything) -> None:
    browser = desk("wanda")
    upload(browser, register(*ROWS[:3]))
    one = the_upload()
    browser.post(address(one), {"do": "choose"})
    choose(browser, one)
    UploadedRegister.objects.update(state=RegisterState.LOADING, next_part=0)
    before = everything()
    # The transaction ends before the pool does: who waited for it after all can then go on.
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        UploadedRegister.objects.select_for_update().get()

        alone(pool, lambda: registers.work(one.id, WRITER, seconds=0)).result(timeout=10)

    assert everything() == before


def alone(pool: ThreadPoolExecutor, work: Callable[[], object]) -> Future[object]:
    """Run in a thread, and so on a connection of its own."""

    def run() -> object:
        try:
            return work()
        finally:
            connection.close()

    return pool.submit(run)


def test_two_people_who_import_the_same_register_make_each_case_once(at_once) -> None:
    browsers = [desk("wanda"), desk("walter")]
    for browser, rows in zip(browsers, (ROWS[:500], ROWS[499::-1]), strict=True):
        upload(browser, register(*rows))
    wandas, walters = (UploadedRegister.objects.get(actor_id=n) for n in ("wanda", "walter"))
    for browser, one in zip(browsers, (wandas, walters), strict=True):
        choose(browser, one)

    at_once(lambda: begin(browsers[0], wandas), lambda: begin(browsers[1], walters))

    both = [counts(wandas), counts(walters)]
    assert sum(one.get("created", 0) for one in both) == Case.objects.count() == 500
    assert [sum(one.values()) for one in both] == [500, 500], both
    assert_gapless()


def test_rows_that_somebody_takes_in_the_other_way_round_are_looked_at_again() -> None:
    """Each waits for the other: PostgreSQL ends that by refusing who first looks for the cause."""
    browser = desk("wanda")
    upload(browser, register(*ROWS[:3]))
    one = the_upload()
    choose(browser, one)

    def take(n: int) -> None:
        fields = {"title": "Taken", "source": "Register", "external_reference": f"R-{n}"}
        services.create_case(fields=fields, actor=WRITER)

    def importing_looks_first() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '1s'")
        begin(browser, one)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '60s'")
            take(2)
            importing = alone(pool, importing_looks_first)
            until_somebody_waits()
            take(0)
        importing.result(timeout=30)

    assert counts(one) == {"created": 1, "updated": 2}
    assert Case.objects.count() == 3


def test_killed_in_the_middle_it_goes_on_where_it_stopped() -> None:
    browser = desk("wanda")
    upload(browser, register(*ROWS))
    one = the_upload()
    choose(browser, one)
    registers.begin(one.id, WRITER)
    code = (
        "from uuid import UUID; from cases.imports import registers; from cases.policies import *;"
        "actor = Actor(id='wanda', permissions=DEFAULT_ROLES['case_writer']);"
        f"registers.work(UUID('{one.id}'), actor, seconds=60)"
    )
    deadline = time.monotonic() + 60
    with killed_after(start("shell", "-c", code)):
        while not Case.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    found = Case.objects.count()
    assert 0 < found < 2_000
    assert counts(one) == {"created": found}

    go_on(browser, one)

    assert counts(one) == {"created": 2_000}
    assert Case.objects.values("external_reference").distinct().count() == 2_000
    assert_gapless()


def test_a_reference_that_stands_in_two_stretches_of_one_run_goes_in_once(monkeypatch) -> None:
    monkeypatch.setattr(imports, "SECONDS", 0)
    browser = desk("wanda")
    upload(browser, register(*ROWS[:600], "R-0,Something else,,"))
    one = the_upload()
    choose(browser, one)

    begin(browser, one)

    assert counts(one) == {"created": 600, "rejected": 1}
    assert Case.objects.get(external_reference="R-0").title == "Late reporting 0"


def test_a_stretch_that_was_begun_before_the_columns_changed_does_no_work(everything) -> None:
    browser = desk("wanda")
    upload(browser, register(*ROWS[:600]))
    one = the_upload()
    choose(browser, one)
    UploadedRegister.objects.update(state=RegisterState.CHECKING, next_part=1)
    stretch = registers.Stretch(the_upload(), WRITER)
    UploadedRegister.objects.update(next_part=0)
    before = everything()

    assert stretch.next_part() is False

    assert everything() == before
