#!/usr/bin/env python
"""Run Django's commands for this project.

Where no DATABASE_URL is set, the local and test environments use the embedded PostgreSQL; it runs
for as long as a command that may need it.
"""

import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NoReturn

from config import embedded_postgres
from config.variables import WrongSettings

# Everything else gets a server. `run_local` starts it itself, after it has looked at the port.
COMMANDS_WITHOUT_DATABASE: Final = {
    "check",
    "collectstatic",
    "compilemessages",
    "configuration",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "run_local",
    "spectacular",
    "startapp",
    "startproject",
    "version",
}
MIGRATING: Final = {"migrate", "run_local"}
TRY_AGAIN: Final = 75  # EX_TEMPFAIL of sysexits.h
HELP_OPTIONS: Final = {"-h", "--help", "--version"}


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 (after the line above)
    from django.db import InterfaceError, OperationalError, ProgrammingError, connection  # noqa: PLC0415 (as above)
    from psycopg.errors import UndefinedColumn, UndefinedFunction, UndefinedTable  # noqa: PLC0415 (as above)
    from uuid_utils.compat import uuid7  # noqa: PLC0415 (only where a command runs)

    from cases.signals import request_id  # noqa: PLC0415 (as above)
    from config.migrated import MISSING, is_migrated  # noqa: PLC0415 (as above)
    from config.postgresql import sessions  # noqa: PLC0415 (as above)

    # What a command logs and changes belongs together, as that of a request does.
    request_id.set(":".join((*sys.argv[1:2], str(uuid7()))))
    sessions.process = sys.argv[1] if len(sys.argv) > 1 else sessions.process
    with _database(sys.argv[1:]):
        try:
            execute_from_command_line(sys.argv)
        except (InterfaceError, OperationalError) as error:
            # Away, full, or somebody else holds a lock: nothing that a traceback explains.
            if "--traceback" in sys.argv:
                raise
            _refuse(str(error).strip())
        except ProgrammingError as error:
            undefined = isinstance(
                error.__cause__, UndefinedTable | UndefinedColumn | UndefinedFunction
            )
            if undefined and sys.argv[1] not in MIGRATING and "--traceback" not in sys.argv:
                connection.close()
                if not is_migrated(connection):
                    _refuse(MISSING)
            raise


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(f"The database does not do this now: {why}\n")
    sys.exit(TRY_AGAIN)


def _database(arguments: list[str]) -> AbstractContextManager[object]:
    """Return the embedded server, where this command is to have it."""
    needless = not arguments or arguments[0] in COMMANDS_WITHOUT_DATABASE
    if arguments[:1] == ["check"] and "--database" in arguments:
        needless = False
    embedded = os.environ.get("APP_ENV", "local") in {"local", "test"}
    given = any(os.environ.get(name) for name in ("DATABASE_URL", "DATABASE_URL_FILE"))
    if needless or HELP_OPTIONS & set(arguments) or given or not embedded:
        return nullcontext()

    # Without this, a SIGTERM would end the command on the spot and leave the server behind.
    # Commands that have handlers of their own put them in this one's place.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _leave)
    # dbshell looks for psql; a machine without PostgreSQL has the one beside the server.
    os.environ["PATH"] += os.pathsep + str(embedded_postgres.find_programs())
    return embedded_postgres.running()


def _leave(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except (embedded_postgres.EmbeddedPostgresError, WrongSettings) as error:
        sys.exit(str(error))
