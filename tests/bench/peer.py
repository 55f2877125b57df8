"""The peer: another implementation of the contract, in a folder that PEER names."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench.databases import play_sql, with_database
from tests.bench.load import BenchError
from tests.bench.servers import FOLDER, HOST, WORKERS, Server, free_port, running

REQUIREMENTS: Final = Path(__file__).parent / "requirements-peer.txt"
VARIANTS: Final = {"peer-sync": "main", "peer-async": "main_async"}


def checked(folder: Path) -> Path:
    """Return the folder; raises BenchError when it does not hold what the bench needs."""
    wanted = [*(folder / f"{module}.py" for module in VARIANTS.values()), *sql_files(folder)]
    if missing := [str(path) for path in wanted if not path.is_file()]:
        message = f"PEER={folder} is no peer: {', '.join(missing)} is missing."
        raise BenchError(message)
    return folder


def sql_files(folder: Path) -> list[Path]:
    """Return what makes and fills the peer's database, in this order; it stands beside the peer."""
    return [folder.parent / "sql" / f"{name}.sql" for name in ("schema", "load", "indexes_list")]


def fill(url: str, folder: Path, count: int) -> None:
    """Make and fill the peer's tables."""
    play_sql(url, *sql_files(folder), ncases=count)


def environment() -> Path:
    """Return the Python of the peer's environment, made when it is not there or is outdated."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = FOLDER / "peer"
    python, complete = home / "bin" / "python", home / f"complete-{digest}"
    if not complete.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        install = ["-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]
        subprocess.run([python, *install], check=True)
        complete.touch()
    return python


@contextmanager
def serving(name: str, folder: Path, maintenance: str, database: str) -> Iterator[Server]:
    """Run one variant of the peer until the end of the block."""
    port = free_port()
    url = with_database(maintenance, database, scheme="postgresql+psycopg")
    command = [str(environment()), "-m", "uvicorn", f"{VARIANTS[name]}:create_app", "--factory"]
    command += ["--host", HOST, "--port", str(port), "--workers", str(WORKERS), "--no-access-log"]
    variables = {"DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}  # the folder is not ours
    with running(name, command, variables, folder, port) as server:
        yield server
