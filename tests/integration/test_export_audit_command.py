"""manage.py export_audit: its files, its options, its exit codes, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from audit.models import AuditEvent
from cases import services
from tests.cast import WRITER
from tests.factories import CaseFactory
from tests.integration.import_runs import run
from tests.starts import PROJECT, Process, in_test, own_database, start

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def events(path: str = "trail.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def here() -> list[str]:
    """Return the names in the working directory, which is the test's own."""
    return sorted(path.name for path in Path().iterdir())


@contextmanager
def process(*args: str, stdout: int | None = None) -> Iterator[Process]:
    """Run the command as an operator does; what is left of it at the end is killed."""
    with start(
        str(PROJECT / "manage.py"), "export_audit", *args, environment=in_test(),
        folder=Path.cwd(), out=stdout, err=subprocess.PIPE,
    ) as running:  # fmt: skip
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def held_up() -> Iterator[Callable[[], int]]:
    """Keep the trail locked; yields what waits for an export to wait, and returns its session."""
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE 'COPY %'"
    )

    def wait() -> int:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with psycopg.connect(own_database()) as other:
                if row := other.execute(waiting).fetchone():
                    return int(row[0])
            time.sleep(0.05)
        message = "no export came as far as the lock"
        raise AssertionError(message)

    with psycopg.connect(own_database()) as holder:
        holder.execute("LOCK TABLE audit_events")
        yield wait
        holder.rollback()


def test_it_writes_every_event_of_every_case_as_json_lines() -> None:
    open_case, restricted = CaseFactory(status="CLOSED"), CaseFactory(restricted=True)

    done = run("export_audit", "--output", "trail.jsonl")

    assert done.exit == 0
    told = [(event["case_id"], event["sequence"]) for event in events()]
    assert told == [(open_case.id, n) for n in range(4)] + [(restricted.id, n) for n in range(2)]
    assert here() == ["trail.jsonl"]  # nothing of the writing is left beside it


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--case", "CASE-000001"], lambda e: e.case_id == "CASE-000001"),
        (["--type", "CASE_CLOSED"], lambda e: e.event_type == "CASE_CLOSED"),
        (
            ["--type", "CASE_CREATED", "--type", "CASE_CLOSED", "--actor", "rob"],
            lambda e: e.event_type == "CASE_CLOSED",
        ),
        (["--from", "2026-03-01"], lambda e: e.occurred_at.month >= 3),
        (["--to", "2026-03-01T01:00:00+01:00"], lambda e: e.occurred_at.month < 3),
        (["--from", "2026-03-01", "--to", "2026-03-02"], lambda e: e.occurred_at.month == 3),
    ],
)
def test_options_choose(options, says) -> None:
    for month in (2, 3, 4):
        at = f"2026-0{month}-01T00:00:00Z"
        services.create_case(fields={"title": at}, actor=WRITER, at=_moment(at))
    CaseFactory(status="CLOSED")

    run("export_audit", "--output", "trail.jsonl", *options)

    wanted = [e for e in AuditEvent.objects.order_by("case_id", "sequence") if says(e)]
    assert [e["id"] for e in events()] == [str(e.id) for e in wanted]


def _moment(text: str):
    from datetime import datetime  # noqa: PLC0415 (only here)

    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("form", "start", "end"),
    [
        ("jsonl", '{"id":"', "}\n"), ("csv", "\ufeffcase_id,sequence,", "\r\n"),
        ("xes", "<?xml ", "</log>\n"),
    ],
)  # fmt: skip
def test_every_format_goes_to_standard_output_too(form, start, end, capfd) -> None:
    CaseFactory()

    done = run("export_audit", "--format", form)
    assert done.exit == 0
    told = capfd.readouterr()
    text = told.out

    assert text.startswith(start)
    assert text.endswith(end)
    assert "1 events" in told.err


def test_json_says_how_much_was_written() -> None:
    CaseFactory(status="SUBMITTED")

    report = run("export_audit", "--output", "trail.csv", "--format", "csv", "--json").report

    assert report.pop("seconds") >= 0
    assert report == {
        "events": 2, "bytes": Path("trail.csv").stat().st_size, "file": "trail.csv"
    }  # fmt: skip


def test_the_log_names_who_took_it_away_and_what(caplog) -> None:
    CaseFactory()
    caplog.set_level("INFO")

    run("export_audit", "--output", "t", "--exported-by", "audrey", "--actor", "wanda")

    [told] = [r.msg for r in caplog.records if r.name == "exports"]
    assert (told["actor_id"], told["format"], told["rows"]) == ("audrey", "jsonl", 1)
    assert told["asked"] == ["actor_id"]
    assert told["request_id"].startswith("export_audit:")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "yesterday"], "--from: Not a time"),
        (["--from", "2026-02-30"], "--from: Not a time"),
        (["--to", "2026-03-01T00:00:00"], "--to: The time zone is missing"),
        (["--from", "2026-03-01", "--to", "2026-03-01"], "--to must be later than --from"),
        (["--case", ""], "--case: This field may not be blank"),
        (["--actor", "a\nb"], "--actor: Line breaks"),
        (["--exported-by", " "], "--exported-by: This field may not be blank"),
        (["--json"], "--json needs --output"),
        (["--output", "nowhere/trail"], "trail cannot be written: No such file"),
        (["--output", "/dev/null"], "/dev/null is no regular file"),
        (["--output", "."], "is no regular file"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(options, says) -> None:
    done = run("export_audit", *options)

    assert done.exit == 2
    assert says in done.error
    assert here() == []


@pytest.mark.parametrize("options", [["--format", "xml"], ["--type", "CLOSED"]])
def test_what_it_does_not_know_is_a_usage_error(options) -> None:
    done = run("export_audit", *options)

    assert done.error.startswith("Error: argument --")


def test_a_file_that_is_there_is_replaced_through_links() -> None:
    CaseFactory()
    Path("real").write_text("old")
    Path("link").symlink_to("real")

    run("export_audit", "--output", "link")

    assert Path("link").is_symlink()
    assert len(events("real")) == 1


def test_a_reader_who_leaves_ends_it_quietly() -> None:
    services.create_cases(rows=[{"title": "x" * 200}] * 1000, actor=WRITER)

    with process(stdout=subprocess.PIPE) as running:
        first = running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()
        code = running.wait(30)

    assert json.loads(first)["sequence"] == 0
    assert code == 1
    assert "Traceback" not in said
    assert "Error" not in said


def test_a_full_disk_is_told_and_no_traceback() -> None:
    CaseFactory()

    with Path("/dev/full").open("wb") as full, process(stdout=full.fileno()) as running:
        said = running.stderr.read()
        code = running.wait(30)

    assert code == 1
    assert "Writing to standard output failed: No space left on device" in said
    assert "Traceback" not in said


def test_sigterm_leaves_what_was_there_and_nothing_else() -> None:
    CaseFactory()
    Path("trail.jsonl").write_text("yesterday's")

    with held_up() as wait, process("--output", "trail.jsonl") as running:
        wait()
        assert len(here()) == 2
        running.send_signal(signal.SIGTERM)
        code = running.wait(30)

    assert code == 128 + signal.SIGTERM
    assert here() == ["trail.jsonl"]
    assert Path("trail.jsonl").read_text() == "yesterday's"


def test_a_database_that_goes_away_is_a_reason_to_try_again_later() -> None:
    CaseFactory()

    with held_up() as wait, process("--output", "trail.jsonl") as running:
        pid = wait()
        with psycopg.connect(own_database()) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        said = running.stderr.read()
        code = running.wait(30)

    assert code == 75
    assert "The database does not answer; the file is not complete." in said
    assert "Traceback" not in said
    assert here() == []
