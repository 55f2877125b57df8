"""Environment variables: each is declared once, where it is read, with its kind and its meaning.

Whatever is wrong is collected, so that one start names all of it. From the declarations
``manage.py configuration`` writes the tables in docs/configuration.md and ``.env.example``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

_ON: Final = frozenset({"on", "true", "yes", "1"})
_OFF: Final = frozenset({"off", "false", "no", "0"})
_SHOWN_MOST: Final = 60  # characters of a wrong value that a sentence repeats


class WrongSettings(ImproperlyConfigured):
    """Environment variables hold what they must not: a sentence on each, one a line."""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """What is declared of a variable; texts stand as they stand in the environment."""

    name: str
    section: str
    kind: str
    """What it takes, in words."""
    default: str
    production: str
    """The default where APP_ENV is production."""
    meaning: str
    """Markdown; links are relative to docs/."""
    secret: bool = False
    shown: str = ""
    """How the table words the default, where its value says nothing or is nobody's business."""
    example: str = ""
    """What production sets it to, for who starts from ``.env.example``."""


class Variables:
    """Reads variables of one environment. A value that is wrong counts as unset until ``finish``.

    Secrets can come from files: ``NAME_FILE`` holds the path, and wins over ``NAME``. Nothing is
    looked up in other variables: a value that begins with a dollar sign is that value.
    """

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source
        self._files = environ.FileAwareMapping(env=source)
        self._section = ""
        self.production = False
        self.known: dict[str, Variable] = {}
        self.problems: list[str] = []

    def section(self, heading: str) -> None:
        """Begin a section of the table."""
        self._section = heading

    def text(
        self,
        name: str,
        default: str = "",
        *,
        production: str | None = None,
        meaning: str,
        secret: bool = False,
        example: str = "",
        shown: str = "",
        blank: bool = False,
    ) -> str:
        """Return a text; a line break at its end, as editors leave it in files, is dropped.

        Args:
            name: of the variable.
            default: without it, or in production without ``production``.
            production: the default there, where that is another one.
            meaning: a phrase for the table.
            secret: it is never repeated, and can come from a file.
            example: what production sets it to.
            shown: how the table words the default, where its value says nothing.
            blank: an empty text is one; elsewhere it counts as unset.
        """
        variable = self._declare(
            name,
            "a secret" if secret else "text",
            default,
            production,
            meaning,
            secret=secret,
            example=example,
            shown=shown,
        )
        fallback = default if production is None or not self.production else production
        return self._read(variable, lambda text: text.removesuffix("\n"), fallback, blank=blank)

    def choice(
        self,
        name: str,
        default: str,
        *others: str,
        production: str | None = None,
        meaning: str,
        example: str = "",
    ) -> str:
        """Return one of some words, in small letters, of which the default is the first."""
        words = tuple(dict.fromkeys((default, *others)))

        def one_of_them(text: str) -> str:
            return _sure(text.strip().lower(), lambda word: word in words)

        kind = f"{', '.join(words[:-1])} or {words[-1]}"
        variable = self._declare(name, kind, default, production, meaning, example=example)
        fallback = default if production is None or not self.production else production
        return self._read(variable, one_of_them, fallback)

    def flag(self, name: str, *, default: bool, meaning: str, example: str = "") -> bool:
        """Return whether something is on; a word that is neither on nor off is wrong."""

        def on_or_off(text: str) -> bool:
            return _sure(text.strip().lower(), lambda word: word in _ON | _OFF) in _ON

        shown = "on" if default else "off"
        variable = self._declare(name, "on or off", shown, None, meaning, example=example)
        return self._read(variable, on_or_off, default)

    def whole(
        self,
        name: str,
        default: int,
        *,
        least: int,
        most: int,
        production: int | None = None,
        meaning: str,
    ) -> int:
        """Return a whole number within bounds."""

        def number(text: str) -> int:
            digits = _sure(text.strip(), lambda word: word.isascii() and word.isdecimal())
            return _sure(int(digits), lambda found: least <= found <= most)

        kind = f"a whole number from {least} to {most}"
        there = None if production is None else str(production)
        variable = self._declare(name, kind, str(default), there, meaning)
        fallback = default if production is None or not self.production else production
        return self._read(variable, number, fallback)

    def names(
        self,
        name: str,
        default: list[str],
        *,
        production: list[str] | None = None,
        meaning: str,
        example: str = "",
    ) -> list[str]:
        """Return a list that is written with commas; blanks around names do not count."""

        def parted(text: str) -> list[str]:
            return [word for part in text.split(",") if (word := part.strip())]

        variable = self._declare(
            name,
            "names, with commas between",
            ",".join(default),
            None if production is None else ",".join(production),
            meaning,
            example=example,
        )
        fallback = default if production is None or not self.production else production
        return self._read(variable, parted, list(fallback), blank=True)

    def path(self, name: str, default: Path | None, *, below: Path, meaning: str) -> Path | None:
        """Return a path; a default below the project's folder is shown without that."""
        shown = "" if default is None else str(default.relative_to(below))
        variable = self._declare(name, "a path", shown, None, meaning)
        return self._read(variable, Path, default)

    def finish(self) -> None:
        """Let nothing go on with values that are wrong.

        Raises:
            WrongSettings: names each of them.
        """
        if self.problems:
            raise WrongSettings("\n".join(self.problems))

    def _declare(
        self,
        name: str,
        kind: str,
        default: str,
        production: str | None,
        meaning: str,
        *,
        secret: bool = False,
        example: str = "",
        shown: str = "",
    ) -> Variable:
        variable = Variable(
            name=name,
            section=self._section,
            kind=kind,
            default=default,
            production=default if production is None else production,
            meaning=meaning,
            secret=secret,
            shown=shown,
            example=example,
        )
        if name in self.known:
            message = f"{name} is declared twice."
            raise ValueError(message)
        self.known[name] = variable
        return variable

    def _read(
        self, variable: Variable, cast: Callable[[str], T], fallback: T, *, blank: bool = False
    ) -> T:
        """Return the value; a blank one counts as unset unless ``blank``."""
        name = variable.name
        try:
            text = (self._files if variable.secret else self._source).get(name)
        except (OSError, UnicodeDecodeError) as error:
            cause = getattr(error, "strerror", None) or "not UTF-8"
            self.problems.append(f"The file that {name}_FILE names cannot be read: {cause}.")
            return fallback
        if text is None or not (blank or text.strip()):
            return fallback
        try:
            return cast(text)
        except ValueError:
            given = repr(text if len(text) <= _SHOWN_MOST else f"{text[:_SHOWN_MOST]}…")
            self.problems.append(f"{name} is {given}: it must be {variable.kind}.")
            return fallback


def _sure(value: T, right: Callable[[T], bool]) -> T:
    if not right(value):
        raise ValueError
    return value
