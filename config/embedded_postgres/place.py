"""Where the embedded server lives: its folders, the account that runs it, its URL."""

import os
import pwd
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

Purpose = Literal["local", "test"]

PROJECT: Final = Path(__file__).resolve().parents[2]
DATABASE: Final = "regulatory_cases"
SUPERUSER: Final = "postgres"
PORT: Final = 5432  # only names the socket file; set so that a PGPORT of the caller has no say
FOLDERS: Final[dict[Purpose, str]] = {"local": "postgres", "test": "postgres-test"}
# Where the data of a root user live when the server's account may not enter the project.
SYSTEM_STATE: Final = Path("/var/lib")
# Not tempfile.gettempdir(): with another TMPDIR, the next shell would look for another socket.
SHORT_PATHS: Final = Path("/tmp")  # noqa: S108 (the folder below it is 0700 and its owner checked)
LONGEST_SOCKET_PATH: Final = 103  # bytes; Linux allows 107, macOS 103
LOG_LINES: Final = 8  # of the server's log, quoted in errors


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the text says why, and what to do."""


@dataclass(frozen=True)
class Place:
    """Where one server lives and who runs it."""

    purpose: Purpose
    base: Path  # holds everything below; belongs to the caller
    socket: Path
    account: pwd.struct_passwd | None  # whose account the server runs in; None: the caller's own

    @property
    def data(self) -> Path:
        """The data folder, once initdb has ended well."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """What the server said since its last start."""
        return self.base / "log"

    @property
    def owner(self) -> int:
        """User id of the server's account."""
        return os.geteuid() if self.account is None else self.account.pw_uid


def locate(purpose: Purpose) -> Place:
    """Decide where the server of this checkout lives; changes nothing on the disk."""
    account = _server_account()
    digest = sha256(os.fsencode(PROJECT)).hexdigest()[:12]  # two checkouts never share
    base = PROJECT / "var"
    if account is not None and not may_enter(base, account):
        base = SYSTEM_STATE / f"regulatory-cases-{digest}"
    base /= FOLDERS[purpose]
    socket = base / "s"
    length = len(os.fsencode(socket / f".s.PGSQL.{PORT}"))
    if length > LONGEST_SOCKET_PATH or "," in str(socket):  # libpq reads a comma as a second host
        socket = SHORT_PATHS / f"regulatory-cases-{os.geteuid()}-{digest}-{purpose}"
    return Place(purpose, base, socket, account)


def _server_account() -> pwd.struct_passwd | None:
    """Return the account that takes root's place, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in accounts:
            return accounts[name]
    text = (
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody' to run "
        "it in. Work as an ordinary user, or set DATABASE_URL to a server of your own."
    )
    raise EmbeddedPostgresError(text)


def may_enter(path: Path, account: pwd.struct_passwd) -> bool:
    """Tell whether the account may pass through or execute the path and all its parents.

    What does not exist yet is made by this module, open enough.
    """
    for step in (path, *path.parents):
        if not step.exists():
            continue
        status = step.stat()
        allowed = status.st_mode
        if status.st_uid == account.pw_uid:
            allowed >>= 6
        elif status.st_gid == account.pw_gid:
            allowed >>= 3
        if not allowed & 0o1:
            return False
    return True


def prepare(place: Place) -> None:
    """Make the folders; raises EmbeddedPostgresError when one belongs to somebody else."""
    try:
        for parent in (place.base.parent, place.base):
            make_folder(parent, 0o755)
        make_folder(place.socket, 0o700, place.account)
    except OSError as error:
        text = (
            f"The embedded PostgreSQL cannot make its folder: {error}. Make the project's folder "
            "writable, or set DATABASE_URL to a server of your own."
        )
        raise EmbeddedPostgresError(text) from error
    expected = {place.base: os.geteuid(), place.socket: place.owner, place.data: place.owner}
    for folder, owner in expected.items():
        # lstat: a link which a stranger laid in a shared folder counts as the stranger's.
        if os.path.lexists(folder) and folder.lstat().st_uid != owner:
            text = (
                f"{folder} belongs to user {folder.lstat().st_uid}, but the embedded PostgreSQL "
                f"needs it to belong to user {owner}. It was made by another user: work as that "
                "one, or remove the folder (its data are lost)."
            )
            raise EmbeddedPostgresError(text)


def make_folder(path: Path, mode: int, account: pwd.struct_passwd | None = None) -> None:
    """Make a folder with these permissions, for this account; leaves an existing one as it is."""
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return
    path.chmod(mode)  # whatever the umask
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


def url_of(place: Place) -> str:
    """Return the URL of the database in the server that lives there."""
    folder = quote(os.fsencode(place.socket), safe="")
    return f"postgresql://{SUPERUSER}@:{PORT}/{DATABASE}?host={folder}"


def failure(place: Place, what: str) -> EmbeddedPostgresError:
    """Build the error that says what happened, what the server logged, and what to do."""
    lines = []
    if place.log.exists():
        lines = place.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    said = "\n".join(["", f"The last lines of {place.log}:", *lines]) if lines else ""
    return EmbeddedPostgresError(
        f"The embedded PostgreSQL in {place.base} cannot be used. {what}{said}\n"
        "Try again; if that does not help, remove the folder (its data are lost) or set "
        "DATABASE_URL to a server of your own."
    )
