"""Lists, exports and reports from a replica: nobody can tell, but for who has to answer them."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import CharField, Func, Value

from cases import replica as reads
from cases.exports import ExportBroken, cases_as_csv
from cases.filters import EVERY_CASE
from cases.models import NEWEST_FIRST, Case
from config.embedded_postgres.place import PORT, SUPERUSER
from config.models import ApiToken
from config.postgresql.base import DatabaseWrapper
from config.tokens import create_token, revoke_tokens
from tests.api import expect
from tests.api.postgres import Postgres, own_postgres, streaming_replica
from tests.api.server import Answer, Server, running_server
from tests.cast import AUDITOR, REVIEWER, SUPERVISOR, WRITER
from tests.factories import UserFactory
from tests.starts import in_test, run

READS = {
    "list": ("/cases", WRITER),
    "search": ("/cases?search=late", WRITER),
    "summary": ("/cases/summary", WRITER),
    "reports": ("/cases/reports", SUPERVISOR),
    "cases as CSV": ("/cases/export.csv", SUPERVISOR),
    "trail as JSON lines": ("/audit-events/export.jsonl", AUDITOR),
    "trail as CSV": ("/audit-events/export.csv", AUDITOR),
    "trail as XES": ("/audit-events/export.xes", AUDITOR),
}
# Longer than any replica here needs, shorter than a test is patient.
WAIT_MS = "5000"


@pytest.fixture(scope="module")
def primary() -> Iterator[Postgres]:
    with own_postgres() as server:
        server.run_ahead()
        yield server


@pytest.fixture(scope="module")
def replica(primary) -> Iterator[Postgres]:
    with streaming_replica(primary) as standby:
        yield standby


@pytest.fixture(scope="module")
def service(primary, replica) -> Iterator[Server]:
    urls = {"DATABASE_REPLICA_URL": replica.url, "REPLICA_WAIT_MS": WAIT_MS}
    with running_server(primary.url, **urls) as running:
        yield running


@pytest.fixture(scope="module")
def impatient(primary, replica) -> Iterator[Server]:
    """Start a service for what leaves the replica alone for a while."""
    urls = {"DATABASE_REPLICA_URL": replica.url, "REPLICA_WAIT_MS": "20"}
    with running_server(primary.url, **urls) as running:
        yield running


def create(service: Server, title: str) -> str:
    answer = service.ask("POST", "/cases", WRITER, {"title": title})
    return expect.the_case(answer, 201)["id"]


def read(service: Server, name: str) -> Answer:
    path, actor = READS[name]
    answer = service.ask("GET", path, actor)
    assert answer.status_code == 200, answer.content
    return answer


def statements(replica: Postgres, *about: str) -> int:
    """Count the statements on cases or their trail, or on this, that the replica was asked."""
    lines, about = replica.logged().splitlines(), about or ('"cases"', '"audit_events"')
    return sum(any(word in line for word in about) for line in lines)


@pytest.mark.parametrize("name", READS)
def test_it_answers_with_what_was_written_the_moment_before(service, replica, name) -> None:
    before = statements(replica)

    for n in range(2):
        case_id = create(service, f"Late reporting {name} {n}")
        answer = read(service, name)

        if name == "summary":
            listed = service.ask("GET", "/cases?limit=200", WRITER).json()["results"]
            assert answer.json()["total"] == len(listed)
        elif name != "reports":
            assert case_id.encode() in answer.content
    assert statements(replica) > before + 1


def test_it_is_not_asked_for_what_is_known_while_nothing_is_written(service, replica) -> None:
    """A server writes by itself now and then, but not all the time."""

    def asked_between_two_reads() -> bool:
        read(service, "list")
        before, lists = statements(replica, "pg_last_wal_replay_lsn"), statements(replica)
        read(service, "list")
        assert statements(replica) > lists
        return statements(replica, "pg_last_wal_replay_lsn") > before

    create(service, "Late reporting")
    assert not all(asked_between_two_reads() for _ in range(20))


def test_commits_that_do_not_wait_for_the_disk_are_waited_for(primary, service) -> None:
    try:
        primary.execute("ALTER ROLE postgres SET synchronous_commit = off")
        primary.end_sessions("application_name LIKE 'regulatory-cases web'")
        for n in range(5):
            case_id = create(service, f"Late reporting {n}")
            assert case_id.encode() in read(service, "list").content
    finally:
        primary.execute("ALTER ROLE postgres RESET synchronous_commit")
        primary.end_sessions("application_name LIKE 'regulatory-cases web'")


def test_the_back_offices_list_comes_from_it(primary, service, replica) -> None:
    case_id = create(service, "Late reporting")
    session = session_of_ada(primary, service)
    before = statements(replica)

    page = service.ask("GET", "/admin/cases/case/?queue=all", Cookie=session)

    assert case_id.encode() in page.content
    assert statements(replica) > before


def session_of_ada(primary: Postgres, service: Server) -> str:
    """Log in as a superuser; return the cookies."""
    who = {"USERNAME": "ada", "PASSWORD": secrets.token_urlsafe(), "EMAIL": "ada@example.org"}
    told = {f"DJANGO_SUPERUSER_{name}": value for name, value in who.items()}
    done = run(
        "manage.py", "createsuperuser", "--noinput", environment=in_test(primary.url, **told)
    )
    assert done.returncode == 0, done.stderr
    token = cookies_of(service.ask("GET", "/admin/login/"))["csrftoken"]
    form = {"username": "ada", "password": who["PASSWORD"], "csrfmiddlewaretoken": token}
    answer = service.ask(
        "POST",
        "/admin/login/?next=/admin/",
        body=urlencode(form).encode(),
        Content_Type="application/x-www-form-urlencoded",
        Cookie=f"csrftoken={token}",
    )
    return f"sessionid={cookies_of(answer)['sessionid']}"


def cookies_of(answer: Answer) -> dict[str, str]:
    pairs = (line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie") or ())
    return dict(pair.split("=", 1) for pair in pairs)


def test_who_was_shut_out_is_shut_out_there_as_well(service) -> None:
    case_id = create(service, "Late reporting")
    service.ask("POST", f"/cases/{case_id}/submit", WRITER)
    assert case_id.encode() in read(service, "list").content

    service.ask("POST", f"/cases/{case_id}/restrict", SUPERVISOR, {"reason": "Named"})

    assert case_id.encode() not in read(service, "list").content


def test_single_cases_and_writes_have_nothing_to_do_with_it(service, replica) -> None:
    before = statements(replica)

    case_id = create(service, "Late reporting")
    service.ask("GET", f"/cases/{case_id}", WRITER)
    service.ask("POST", f"/cases/{case_id}/submit", WRITER)
    service.ask("POST", f"/cases/{case_id}/start-review", REVIEWER, {"reviewer_id": "rob"})

    assert statements(replica) == before


def test_one_that_lags_behind_is_passed_by_and_asked_again_later(impatient, replica) -> None:
    replica.execute("SELECT pg_wal_replay_pause()")
    try:
        for name in READS:
            case_id = create(impatient, f"Late reporting {name}")
            answer = read(impatient, name)
            assert name in ("summary", "reports") or case_id.encode() in answer.content
    finally:
        replica.execute("SELECT pg_wal_replay_resume()")
    assert '"event":"replica_behind"' in impatient.logged()
    before = statements(replica)

    eventually(lambda: read(impatient, "list") and statements(replica) > before)


def test_who_lost_a_right_is_shown_nothing_by_it_while_replay_stands_still(
    impatient, primary, replica, django_db_blocker
) -> None:
    """A grant, the restriction's absence, a role and a token are lost: the replica has them all."""
    case_id = create(impatient, "Late reporting")
    impatient.ask("POST", f"/cases/{case_id}/submit", WRITER)
    access = {"user": "norman", "permission": "view_case", "operation": "grant"}
    sees = {"norman": (), "rob": ("reviewer",)}
    sees |= dict.fromkeys(("sue", "audrey"), ("supervisor", "auditor"))
    paths = ["/cases", "/cases/export.csv", "/audit-events/export.jsonl"]
    tokens: dict[str, str] = {}

    def ask(name: str, path: str) -> Answer:
        return impatient.ask("GET", path, Authorization=f"Bearer {tokens[name]}")

    with django_db_blocker.unblock(), leading(DEFAULT_DB_ALIAS, **place_of(primary)):
        for name, roles in sees.items():
            user = UserFactory(username=name, roles=roles)
            tokens[name] = create_token(user=user, name="reads", days=1, by="ada")[1]
        expect.the_case(impatient.ask("POST", f"/cases/{case_id}/access", SUPERVISOR, access))
        shown = {
            (name, path)
            for name in sees
            for path in paths
            if case_id in str(ask(name, path).content)
        }
        before = statements(replica)
        eventually(lambda: ask("sue", "/cases").status_code == 200 and statements(replica) > before)

        replica.execute("SELECT pg_wal_replay_pause()")
        try:
            for path, body in (
                ("restrict", {"reason": "Named"}),
                ("access", access | {"operation": "revoke"}),
            ):
                expect.the_case(impatient.ask("POST", f"/cases/{case_id}/{path}", SUPERVISOR, body))
            User.objects.get(username="sue").groups.clear()
            revoke_tokens(ApiToken.objects.filter(user__username="audrey"), by="ada")
            answers = {key: ask(*key) for key in sorted(shown)}
        finally:
            replica.execute("SELECT pg_wal_replay_resume()")

    assert {name for name, _ in shown} == {*sees}
    assert {path for _, path in shown} == {*paths}
    assert [key for key, answer in answers.items() if case_id in str(answer.content)] == []
    assert {answers["sue", path].status_code for path in paths[1:]} == {403}
    assert answers["audrey", "/cases"].status_code == 401


@pytest.fixture
def prompt(replica) -> Iterator[None]:
    """Let the replica put the replay of a clean-up before any statement, and tell of it."""
    told = {
        "max_standby_streaming_delay": "0",
        "log_recovery_conflict_waits": "on",
        "deadlock_timeout": "'10ms'",
    }
    for name, value in told.items():
        replica.execute(f"ALTER SYSTEM SET {name} = {value}")
    replica.execute("SELECT pg_reload_conf()")
    yield
    for name in told:
        replica.execute(f"ALTER SYSTEM RESET {name}")
    replica.execute("SELECT pg_reload_conf()")


def clean_up(primary: Postgres) -> None:
    """Clean up what a statement that runs on the replica may still have to see."""
    primary.execute("CREATE TABLE scratch AS SELECT FROM generate_series(1, 10)")
    primary.execute("DELETE FROM scratch")
    primary.execute("VACUUM scratch")
    primary.execute("DROP TABLE scratch")


@pytest.mark.usefixtures("prompt")
def test_a_read_that_a_clean_up_cancels_is_read_from_the_primary(
    primary, replica, django_db_blocker, monkeypatch
) -> None:
    monkeypatch.setitem(settings.DATABASES, reads.REPLICA, {})
    monkeypatch.setattr(reads, "_rests_until", 0.0)
    asked: list[str] = []

    def read_meanwhile() -> None:
        asked.append(reads.connection().alias)
        if asked == [reads.REPLICA]:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(clean_up, primary)
                reads._asked(reads.connection(), "SELECT pg_sleep(60)")

    with (
        django_db_blocker.unblock(),
        leading(reads.REPLICA, **place_of(replica)),
        leading(DEFAULT_DB_ALIAS, **place_of(primary)),
    ):
        reads.from_replica(read_meanwhile)

    assert asked == [reads.REPLICA, DEFAULT_DB_ALIAS]


@pytest.mark.usefixtures("prompt")
def test_an_export_that_a_clean_up_cancels_breaks_off(
    impatient, primary, replica, django_db_blocker, monkeypatch
) -> None:
    for n in range(9):
        create(impatient, f"Late reporting {n}")
    monkeypatch.setitem(settings.DATABASES, reads.REPLICA, {})
    monkeypatch.setattr(reads, "_rests_until", 0.0)
    many = Func(Value("x"), Value(1_000_000), function="repeat", output_field=CharField())

    with (
        django_db_blocker.unblock(),
        leading(reads.REPLICA, **place_of(replica)),
        leading(DEFAULT_DB_ALIAS, **place_of(primary)),
    ):
        export = cases_as_csv(SUPERVISOR, EVERY_CASE, NEWEST_FIRST)
        rows = Case.objects.values_list(many)  # megabytes, more than any buffer takes
        blocks = reads.from_replica(replace(export, rows=rows).start)
        assert next(blocks)
        clean_up(primary)
        eventually(lambda: "waiting after" in replica.logged())  # it is cancelled by then
        with pytest.raises(ExportBroken):
            list(blocks)


def test_one_that_goes_away_in_the_middle_costs_no_reader_anything(impatient, replica) -> None:
    found: list[int] = []
    done = threading.Event()

    def keep_reading() -> None:
        while not done.is_set():
            found.append(impatient.ask("GET", "/cases?limit=1", WRITER).status_code)

    readers = [threading.Thread(target=keep_reading) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        eventually(lambda: len(found) > 20)
        replica.stop()
        eventually(lambda: '"event":"replica_away"' in impatient.logged())
        seen = len(found)
        eventually(lambda: len(found) > seen + 20)
        replica.start()
        before = statements(replica)
        eventually(lambda: statements(replica) > before)
    finally:
        done.set()
        for reader in readers:
            reader.join()

    assert set(found) == {200}


@contextmanager
def leading(alias: str, **where: Any) -> Iterator[DatabaseWrapper]:
    """Let an alias lead elsewhere, on the tests' own way to their server, until the block ends."""
    before = connections[DEFAULT_DB_ALIAS]
    connections[alias] = DatabaseWrapper({**before.settings_dict, **where}, alias=alias)
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias]
        connections[DEFAULT_DB_ALIAS] = before


@pytest.mark.usefixtures("django_db_modify_db_settings")
def test_the_standby_of_another_cluster_is_none_however_far_it_is(
    replica, django_db_blocker
) -> None:
    with (
        django_db_blocker.unblock(),
        leading(reads.REPLICA, **place_of(replica)) as standby,
        leading(DEFAULT_DB_ALIAS, NAME="postgres") as ours,
    ):
        assert reads._asked(standby, reads._REPLAYED) > reads._asked(ours, reads._WRITTEN)

        assert not reads._caught_up()


@pytest.mark.parametrize("command", [["verify_audit"], ["export_audit", "--format", "jsonl"]])
def test_what_only_reads_runs_on_it_alone(service, replica, command) -> None:
    create(service, "Late reporting")

    done = run("manage.py", *command, environment=in_test(replica.url))

    assert done.returncode == 0, done.stderr


def test_one_that_is_promoted_is_read_no_more_not_even_to_the_end(
    primary, replica, service, django_db_blocker, monkeypatch
) -> None:
    """The last test: the replica is none after it."""
    monkeypatch.setitem(settings.DATABASES, reads.REPLICA, {})
    monkeypatch.setattr(reads, "_rests_until", 0.0)
    asked: list[str] = []

    def read_and_promote() -> None:
        asked.append(reads.connection().alias)
        if asked == [reads.REPLICA]:
            replica.execute("SELECT pg_promote()")
        reads._asked(reads.connection(), "SELECT 1")

    with (
        django_db_blocker.unblock(),
        leading(reads.REPLICA, **place_of(replica)),
        leading(DEFAULT_DB_ALIAS, **place_of(primary)),
    ):
        reads.from_replica(read_and_promote)

    assert asked == [reads.REPLICA, DEFAULT_DB_ALIAS]
    case_id = create(service, "Late reporting")
    assert case_id.encode() in read(service, "list").content
    assert '"event":"replica_behind"' in service.logged()


def place_of(server: Postgres) -> dict[str, Any]:
    name = urlsplit(server.url).path[1:]
    return {"HOST": str(server.place.socket), "PORT": PORT, "USER": SUPERUSER, "NAME": name}


def eventually(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
