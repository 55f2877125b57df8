"""`make restore-drill`: back up under load, lose the server, restore to a moment, verify it all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from config.embedded_postgres.place import Place, locate, make_folder, prepare, url_of
from config.embedded_postgres.programs import run, usable_programs
from tests.api.postgres import Postgres
from tests.starts import PROJECT

ROWS = 200  # of a register
PATIENCE = 120  # seconds


class Office:
    """The commands of the service on one database, and registers that come in."""

    def __init__(self, url: str, scratch: Path, key: str = "") -> None:
        self.url, self.scratch, self.key = url, scratch, key

    def manage(self, *arguments: str, expected: int = 0) -> str:
        """Run a command and show what it printed; ends all where it ends as it should not."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env={
                **os.environ,
                "APP_ENV": "test",
                "LOG_LEVEL": "warning",
                "DATABASE_URL": self.url,
                **({"AUDIT_ANCHOR_KEY": self.key} if self.key else {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if "--generate-key" not in arguments:
            say(
                f"$ manage.py {' '.join(arguments)}",
                done.stdout.rstrip(),
                f"exit {done.returncode}",
            )
        if done.returncode != expected:
            sys.exit(f"{arguments[0]} should have ended with {expected}.\n{done.stdout}")
        return done.stdout

    def register(self, source: str) -> None:
        """Load a register: every row a case with its event and its obligations."""
        file = self.scratch / f"{source}.csv"
        rows = "".join(f"Late reporting,{source}-{n}\n" for n in range(ROWS))
        file.write_text(f"title,external_reference\n{rows}")
        self.manage("import_cases", str(file), "--source", source, "--submit")


class Writer(threading.Thread):
    """Lets registers come in until it is told to stop."""

    def __init__(self, office: Office) -> None:
        super().__init__(daemon=True)
        self.office, self.ended, self.count = office, threading.Event(), 0

    def run(self) -> None:
        while not self.ended.is_set():
            self.office.register(f"meanwhile{self.count}")
            self.count += 1


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines if line))
    sys.stdout.flush()


def place(base: Path) -> Place:
    base.mkdir()
    base.chmod(0o755)  # the server's account has to pass
    return replace(locate("local"), base=base, socket=base / "s")


def count(postgres: Postgres, source: str) -> int:
    with closing(postgres.session()) as session:
        found = session.execute(
            "SELECT count(*) FROM cases JOIN audit_events ON case_id = cases.id"
            " WHERE source LIKE %s AND sequence = 0",
            [source],
        ).fetchone()
    return int(found[0])


def sure(right: bool, what: str) -> None:
    say(f"{'yes' if right else 'NO'}: {what}")
    if not right:
        sys.exit(1)


def archiving(postgres: Postgres, archive: Path) -> None:
    """Have every finished piece of the log copied away, once and never over another."""
    postgres.execute("ALTER SYSTEM SET archive_mode = on")
    copy = f"test ! -f {archive}/%f && cp %p {archive}/%f"
    postgres.execute(f"ALTER SYSTEM SET archive_command = '{copy}'")
    postgres.stop()
    postgres.start()


def archived(postgres: Postgres) -> None:
    """End the piece of the log in hand, and wait until it is away."""
    with closing(postgres.session()) as session:
        last = session.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()[0]
        end = time.monotonic() + PATIENCE
        query = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
        while session.execute(query, [last]).fetchone() != (True,):
            assert time.monotonic() < end
            time.sleep(0.1)


def drill(scratch: Path, stack: ExitStack) -> None:
    old = Postgres(place(scratch / "old"))
    new = Postgres(place(scratch / "new"))
    for postgres in (old, new):
        prepare(postgres.place)
        stack.callback(postgres.stop)
    old.start()
    programs = usable_programs(old.place)
    say(run(old.place, programs / "postgres", "--version").strip())
    archive = scratch / "archive"
    make_folder(archive, 0o700, old.place.account)
    archiving(old, archive)
    office = Office(old.url, scratch)
    office.manage("migrate", "--verbosity", "0")
    words = office.manage("anchor_audit", "--generate-key", "cases.example.org/audit").split()
    office.key = next(w.removeprefix("AUDIT_ANCHOR_KEY=") for w in words if "PRIVATE" in w)
    office.register("first")
    anchors = [scratch / "anchor-1.txt", scratch / "anchor-2.txt"]
    office.manage("anchor_audit", "--output", str(anchors[0]))

    meanwhile = base_backup(old, new, office, programs)
    office.register("before")
    with closing(old.session()) as session:
        moment = session.execute("SELECT clock_timestamp()::text").fetchone()[0]
    time.sleep(1)
    office.register("after")
    office.manage("anchor_audit", "--output", str(anchors[1]))
    archived(old)
    old.kill()
    time.sleep(1)
    shutil.rmtree(old.place.data)
    say(f"The server and its files are lost. To be restored: {moment}")

    restore(new, archive, moment)
    restored = Office(url_of(new.place), scratch, office.key)
    restored.manage("verify_audit")
    found = {name: count(new, name) for name in ("first", "meanwhile%", "before", "after")}
    say(f"Cases with their first event: {found}")
    sure(found["first"] == found["before"] == ROWS, "what was there at that moment is there")
    sure(found["meanwhile%"] == ROWS * meanwhile, "and what came in during the backup")
    sure(found["after"] == 0, "what came later is gone")
    restored.manage("verify_audit", "--anchor", str(anchors[0]))
    said = restored.manage("verify_audit", "--anchor", str(anchors[1]), expected=1)
    sure("does not know anchor 2" in said, "the anchor from after it gives the loss away")
    new.execute("SELECT setval('case_number', nextval('case_number') + 10000)")
    restored.register("onwards")
    with closing(new.session()) as session:
        first = session.execute("SELECT min(id) FROM cases WHERE source = 'onwards'").fetchone()[0]
    sure(first > "CASE-010000", f"no number of the lost time is given again: {first} is the next")
    restored.manage("verify_audit", "--anchor", str(anchors[0]))
    dump_and_load(new, restored, programs, scratch)


def base_backup(old: Postgres, new: Postgres, office: Office, programs: Path) -> int:
    """Copy the server's files while registers come in; returns how many did."""
    make_folder(new.place.data, 0o700, new.place.account)
    writer = Writer(office)
    writer.start()
    socket = ("--host", str(old.place.socket), "--username", "postgres")
    backup = ("--pgdata", str(new.place.data), "--checkpoint", "fast", "--wal-method", "none")
    run(new.place, programs / "pg_basebackup", *socket, *backup)
    writer.ended.set()
    writer.join(PATIENCE)
    sure(writer.count > 0, f"a base backup while {writer.count} registers came in")
    return writer.count


def restore(postgres: Postgres, archive: Path, moment: str) -> None:
    """Let the server play the archive up to a moment, and go on from there."""
    with (postgres.place.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp {archive}/%f %p'\n"
            f"recovery_target_time = '{moment}'\n"
            "recovery_target_action = 'promote'\n"
            "archive_mode = off\n"
        )
    (postgres.place.data / "recovery.signal").touch()
    postgres.start()
    end = time.monotonic() + PATIENCE
    with closing(postgres.session()) as session:
        while session.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            assert time.monotonic() < end
            time.sleep(0.1)


def dump_and_load(postgres: Postgres, office: Office, programs: Path, scratch: Path) -> None:
    """Dump the whole database and load it into an empty one; data alone are refused."""
    place = postgres.place
    whole = scratch / "new" / "whole.dump"
    whole.touch()
    if place.account is not None:
        os.chown(whole, place.account.pw_uid, place.account.pw_gid)
    socket = ("--host", str(place.socket), "--username", "postgres")
    name = office.url.partition("?")[0].rpartition("/")[2]
    run(place, programs / "pg_dump", *socket, "--format", "custom", "--file", str(whole), name)
    run(place, programs / "createdb", *socket, "copy")
    restore = (*socket, "--dbname", "copy", "--exit-on-error", "--single-transaction", str(whole))
    run(place, programs / "pg_restore", *restore)
    copy = Office(office.url.replace(f"/{name}?", "/copy?"), scratch, office.key)
    copy.manage("verify_audit", "--anchor", str(scratch / "anchor-1.txt"))
    copy.manage("check", "--database", "default", "--fail-level", "WARNING")

    run(place, programs / "createdb", *socket, "empty")
    empty = Office(office.url.replace(f"/{name}?", "/empty?"), scratch)
    empty.manage("migrate", "--verbosity", "0")
    only = (*socket, "--dbname", "empty", "--data-only", "--table", "cases", str(whole))
    refusal = run(place, programs / "pg_restore", *only, check=False)
    say(*refusal.splitlines()[:3])
    sure("a case starts as an unassigned DRAFT" in refusal, "data without the schema are refused")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rc-restore-", dir="/tmp") as made:
        scratch = Path(made)
        scratch.chmod(0o755)
        with ExitStack() as stack:
            drill(scratch, stack)
    say("The drill found nothing.")


if __name__ == "__main__":
    main()
