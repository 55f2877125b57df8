"""Write what environment variables there are into the documentation, from their declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.variables import Variable

_BEGIN: Final = "<!-- Written by make configuration, from config/environment.py. -->\n"
_END: Final = "<!-- Here ends what is written by make configuration. -->\n"
_HEAD: Final = """\
# Environment variables of the service, written by make configuration: docs/configuration.md says
# more. What production must have stands first; all others are commented out, with what production
# has by default. The service reads no file by itself: this one is for systemd (EnvironmentFile),
# for compose (env_file), and for shells: set -a; . ./.env; set +a
"""


class Command(BaseCommand):
    """Write the tables of docs/configuration.md, and .env.example."""

    help = (
        "Write the tables of variables into docs/configuration.md, and .env.example. "
        "Exit 0: done, 1: --check found that they are not what the code makes."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--check", action="store_true", help="Only compare.")
        parser.add_argument(
            "--folder", type=Path, default=settings.BASE_DIR, help="Of the project; where to write."
        )

    def handle(self, *args: Any, check: bool, folder: Path, **options: Any) -> None:
        """Write both files, or compare them."""
        del args, options
        variables = settings.VARIABLES.known.values()
        page, example = folder / "docs" / "configuration.md", folder / ".env.example"
        before, rest = page.read_text().split(_BEGIN)
        after = rest.split(_END)[1]
        made = {
            page: "".join((before, _BEGIN, tables(variables), _END, after)),
            example: example_of(variables),
        }
        if not check:
            for path, text in made.items():
                path.write_text(text)
            return
        drift = [line for path, text in made.items() for line in _difference(path, text)]
        if drift:
            self.stdout.write("".join(drift))
            message = "The documentation is not what the code makes: make configuration"
            raise CommandError(message)


def tables(variables: Iterable[Variable]) -> str:
    """Return a table for each section, in Markdown."""
    lines: list[str] = []
    for heading, rows in groupby(variables, lambda variable: variable.section):
        lines += [
            "",
            f"### {heading}",
            "",
            "| variable | takes | default | meaning |",
            "| --- | --- | --- | --- |",
            *(f"| `{row.name}` | {row.kind} | {_default(row)} | {row.meaning} |" for row in rows),
        ]
    return "\n".join([*lines, "", ""])


def _default(variable: Variable) -> str:
    """Say what holds where nothing is set."""
    if variable.shown:
        return variable.shown
    default, production = (
        f"`{v}`" if v else "none" for v in (variable.default, variable.production)
    )
    return default if default == production else f"{default}; {production} in production"


def example_of(variables: Iterable[Variable]) -> str:
    """Return a file that sets what production needs and shows everything else."""
    known = list(variables)
    lines = [_HEAD, *_needed(known)]
    for heading, rows in groupby(known, lambda variable: variable.section):
        lines += [f"\n# --- {heading} ---\n"]
        for row in rows:
            files = f" From a file: {row.name}_FILE." if row.secret else ""
            default = "" if row.shown else row.production
            lines += [f"\n# {row.kind}: {_plain(row.meaning)}.{files}\n"]
            lines += [f"#{row.name}={_quoted(default)}\n"]
    return "".join(lines)


def _needed(variables: Iterable[Variable]) -> Iterator[str]:
    yield "\n"
    for row in variables:
        if row.example:
            yield f"{row.name}={_quoted(row.example)}\n"


def _plain(markdown: str) -> str:
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", markdown).replace("`", "")


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value


def _difference(path: Path, text: str) -> Iterator[str]:
    there = path.read_text() if path.exists() else ""
    return unified_diff(
        there.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"{path.name} as it is",
        f"{path.name} as the code makes it",
    )
