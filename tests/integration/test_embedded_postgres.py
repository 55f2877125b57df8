"""The embedded PostgreSQL: its URL, its life, and what it survives."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from config import embedded_postgres
from config.embedded_postgres import EmbeddedPostgresError, place

# Another process that uses the server until its standard input ends.
USER_PROGRAM = """
import sys
from pathlib import Path
from config import embedded_postgres
from config.embedded_postgres import place

place.PROJECT = Path(sys.argv[1])
with embedded_postgres.running("test"):
    print("running", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty checkout that the server's account can enter, which pytest's own folders forbid."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setattr(place, "PROJECT", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """The data that a server leaves behind: to make them takes longer than all that comes after."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        patch.setattr(place, "PROJECT", Path(folder))
        with embedded_postgres.running("test"):
            pass
        yield place.locate("test").base


@pytest.fixture
def used(project: Path, data: Path) -> Path:
    """A checkout whose server has run before."""
    base = place.locate("test").base
    base.parent.mkdir()
    subprocess.run(["cp", "-a", data, base], check=True)
    return project


@contextmanager
def another_user(project: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", USER_PROGRAM, str(project)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield process  # afterwards Popen closes its standard input and waits for its end


def ask(query: str) -> object:
    with psycopg.connect(embedded_postgres.database_url("test")) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def is_running() -> bool:
    try:
        ask("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def postmaster() -> int:
    lines = (place.locate("test").data / "postmaster.pid").read_text().splitlines()
    return int(lines[0])


class TestUrl:
    @pytest.mark.parametrize("name", ["plain", "Upper Case", "100% + ä?&=#@:", "a,b", "x" * 120])
    def test_libpq_and_django_environ_read_the_same_socket_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(place, "PROJECT", tmp_path / name)
        socket = str(place.locate("local").socket)
        url = embedded_postgres.database_url()
        libpq = conninfo_to_dict(url)
        django = environ.Env.db_url_config(url)
        assert libpq == {
            "host": socket,
            "port": "5432",
            "user": "postgres",
            "dbname": "regulatory_cases",
        }
        assert django["OPTIONS"] == {"host": socket}
        assert (django["NAME"], django["USER"], django["PORT"], django["HOST"]) == (
            "regulatory_cases",
            "postgres",
            5432,
            "",
        )

    @pytest.mark.parametrize("name", ["x" * 120, "a,b"])
    def test_a_path_that_libpq_cannot_take_gets_a_short_folder(
        self, project: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(place, "PROJECT", project / name)
        socket = place.locate("test").socket
        assert socket.parent == place.SHORT_PATHS
        assert socket != place.locate("local").socket

    def test_it_changes_nothing_on_the_disk(self, project: Path) -> None:
        embedded_postgres.database_url()
        assert list(project.iterdir()) == []

    def test_purposes_and_checkouts_never_share(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        urls = {embedded_postgres.database_url("local"), embedded_postgres.database_url("test")}
        monkeypatch.setattr(place, "PROJECT", project / "other")
        urls |= {embedded_postgres.database_url("local"), embedded_postgres.database_url("test")}
        assert len(urls) == 4


class TestLife:
    def test_data_outlive_the_server(self, project: Path) -> None:
        with embedded_postgres.running("test") as url, psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert not is_running()
        with embedded_postgres.running("test"):
            assert ask("SELECT answer FROM kept") == 42

    def test_a_workstation_is_durable_and_speaks_utc_and_utf8(self, project: Path) -> None:
        query = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
        names = ["fsync", "TimeZone", "server_encoding", "listen_addresses"]
        with (
            embedded_postgres.running() as url,
            psycopg.connect(url) as connection,
        ):
            assert dict(connection.execute(query, [names]).fetchall()) == {
                "fsync": "on",
                "TimeZone": "UTC",
                "server_encoding": "UTF8",
                "listen_addresses": "",
            }

    def test_nobody_else_may_enter_the_socket_folder(self, used: Path) -> None:
        with embedded_postgres.running("test"):
            assert place.locate("test").socket.stat().st_mode & 0o777 == 0o700

    def test_the_last_user_stops_the_server(self, used: Path) -> None:
        with another_user(used) as other:
            with embedded_postgres.running("test"):
                assert is_running()
            assert is_running()
            other.communicate(timeout=60)
            assert not is_running()

    def test_two_users_start_at_once(self, project: Path) -> None:
        with another_user(project), another_user(project), embedded_postgres.running("test"):
            assert is_running()


class TestAccidents:
    def test_a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops(
        self, used: Path
    ) -> None:
        with another_user(used) as other:
            left_behind = postmaster()
            other.kill()
            other.wait()
        with embedded_postgres.running("test"):
            assert postmaster() == left_behind
        assert not is_running()

    def test_a_killed_server_is_started_again(self, used: Path) -> None:
        with another_user(used):
            os.kill(postmaster(), signal.SIGKILL)
            with embedded_postgres.running("test"):
                assert is_running()

    def test_a_pid_file_that_names_a_stranger_is_no_obstacle(self, used: Path) -> None:
        here = place.locate("test")
        with another_user(used) as other:
            os.kill(postmaster(), signal.SIGKILL)
            other.kill()
        # PostgreSQL itself would believe this one, as it runs in the server's account.
        with subprocess.Popen(["sleep", "60"], user=here.owner) as stranger:
            pid_file = here.data / "postmaster.pid"
            _, *rest = pid_file.read_text().splitlines(keepends=True)
            pid_file.write_text("".join([f"{stranger.pid}\n", *rest]))
            with embedded_postgres.running("test"):
                assert is_running()
            stranger.kill()

    def test_an_interrupted_initdb_is_done_again(self, project: Path) -> None:
        (project / "var/postgres-test/data.unfinished/base").mkdir(parents=True)
        with embedded_postgres.running("test"):
            assert is_running()


class TestErrors:
    def test_no_programs(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMBEDDED_POSTGRES_BIN", str(project))
        with (
            pytest.raises(EmbeddedPostgresError, match="No PostgreSQL server was found"),
            embedded_postgres.running("test"),
        ):
            pass

    def test_data_of_another_version(self, used: Path) -> None:
        with embedded_postgres.running("test"):
            pass
        (place.locate("test").data / "PG_VERSION").write_text("9\n")
        with (
            pytest.raises(EmbeddedPostgresError, match="was written by PostgreSQL 9"),
            embedded_postgres.running("test"),
        ):
            pass

    def test_a_server_that_does_not_start_is_quoted(self, used: Path) -> None:
        with embedded_postgres.running("test"):
            pass
        settings = place.locate("test").data / "postgresql.conf"
        settings.write_text("max_connections = many\n")
        with (
            pytest.raises(EmbeddedPostgresError, match='parameter "max_connections"'),
            embedded_postgres.running("test"),
        ):
            pass

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
    def test_the_folder_of_somebody_else(self, used: Path) -> None:
        with embedded_postgres.running("test"):
            pass
        os.chown(place.locate("test").base, 12345, 12345)
        with (
            pytest.raises(EmbeddedPostgresError, match="belongs to user 12345"),
            embedded_postgres.running("test"),
        ):
            pass
