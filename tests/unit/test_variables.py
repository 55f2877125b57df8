"""Environment variables are read by their kinds, and what is wrong is said in a sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.environment import VARIABLES
from config.variables import Variables, WrongSettings

PROJECT = Path(__file__).parents[2]


def reader(**environment: str) -> Variables:
    return Variables(environment)


@pytest.mark.parametrize("word", ["on", "true", "YES", " 1 "])
def test_several_words_say_that_something_is_on(word) -> None:
    assert reader(X=word).flag("X", default=False, meaning="")


@pytest.mark.parametrize("word", ["off", "False", "no", "0"])
def test_several_words_say_that_something_is_off(word) -> None:
    assert not reader(X=word).flag("X", default=True, meaning="")


@pytest.mark.parametrize("word", ["maybe", "onn", "2", "on off"])
def test_other_words_are_no_yes_and_no_no(word) -> None:
    variables = reader(X=word)

    assert variables.flag("X", default=True, meaning="") is True
    with pytest.raises(WrongSettings, match=rf"^X is '{word}': it must be on or off\.$"):
        variables.finish()


@pytest.mark.parametrize("word", ["many", "-1", "4", "99", "1.5", "٣", "1_0", "0x5", "9" * 500])
def test_a_number_is_whole_and_within_its_bounds(word) -> None:
    variables = reader(X=word)

    assert variables.whole("X", 7, least=5, most=50, meaning="") == 7
    with pytest.raises(WrongSettings, match=r"it must be a whole number from 5 to 50\.$"):
        variables.finish()


def test_bounds_of_a_number_belong_to_it() -> None:
    variables = reader(X="5", Y="50")

    assert variables.whole("X", 7, least=5, most=50, meaning="") == 5
    assert variables.whole("Y", 7, least=5, most=50, meaning="") == 50


def test_a_choice_is_one_of_its_words_in_any_case() -> None:
    variables = reader(X="JSON", Y="xml")

    assert variables.choice("X", "console", "json", meaning="") == "json"
    assert variables.choice("Y", "console", "json", meaning="") == "console"
    assert variables.problems == ["Y is 'xml': it must be console or json."]


def test_an_empty_variable_counts_as_unset_unless_empty_means_something() -> None:
    variables = reader(A="", B="  ", C="", D="", E="")

    assert variables.text("A", "x", meaning="") == "x"
    assert variables.flag("B", default=True, meaning="")
    assert variables.whole("C", 3, least=1, most=5, meaning="") == 3
    assert variables.text("D", "x", meaning="", blank=True) == ""
    assert variables.names("E", ["x"], meaning="") == []
    variables.finish()


def test_names_are_parted_by_commas_and_blanks_do_not_count() -> None:
    assert reader(X=" a, b ,,c").names("X", [], meaning="") == ["a", "b", "c"]


def test_production_has_defaults_of_its_own() -> None:
    variables = reader()
    variables.production = True

    assert variables.text("A", "x", production="y", meaning="") == "y"
    assert variables.choice("B", "x", "y", production="y", meaning="") == "y"
    assert variables.names("C", ["x"], production=[], meaning="") == []


@pytest.mark.parametrize("value", ["$HOME", "$OTHER", "$$", r"\$x", "a$b"])
def test_a_dollar_sign_leads_to_no_other_variable(value) -> None:
    variables = reader(X=value, OTHER="nothing to do with it")

    assert variables.text("X", "x", meaning="", secret=True) == value


def test_a_file_wins_over_the_variable_itself_but_only_of_a_secret(tmp_path) -> None:
    path = tmp_path / "secret"
    path.write_text("from the file\n")
    variables = reader(A="given", A_FILE=str(path), B="given", B_FILE=str(path))

    assert variables.text("A", meaning="", secret=True) == "from the file"
    assert variables.text("B", meaning="") == "given"


def test_a_file_that_cannot_be_read_is_said(tmp_path) -> None:
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    variables = reader(A_FILE=str(tmp_path / "none"), B_FILE=str(tmp_path / "latin"))

    variables.text("A", meaning="", secret=True)
    variables.text("B", meaning="", secret=True)

    assert variables.problems == [
        "The file that A_FILE names cannot be read: No such file or directory.",
        "The file that B_FILE names cannot be read: not UTF-8.",
    ]


def test_a_long_wrong_value_is_cut_short() -> None:
    variables = reader(X="x" * 10_000)

    variables.flag("X", default=True, meaning="")

    assert len(variables.problems[0]) < 120


def test_nothing_is_declared_twice() -> None:
    variables = reader()
    variables.text("X", meaning="")

    with pytest.raises(ValueError, match="X is declared twice"):
        variables.flag("X", default=True, meaning="")


# --- What is made of the declarations -------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with copies of the two files that the command writes."""
    (tmp_path / "docs").mkdir()
    for name in ("docs/configuration.md", ".env.example"):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def check(folder: Path) -> str:
    """Return what the comparison says, nothing where all is as it should be."""
    out = StringIO()
    try:
        call_command("configuration", check=True, folder=folder, stdout=out)
    except CommandError:
        return out.getvalue()
    return ""


@pytest.mark.parametrize("name", ["docs/configuration.md", ".env.example"])
def test_a_file_that_is_not_what_the_code_makes_is_seen_and_mended(folder, name) -> None:
    path = folder / name
    path.write_text(path.read_text().replace("LOGIN_FAILURES", "LOGIN_FAILINGS"))

    assert "LOGIN_FAILINGS" in check(folder)
    call_command("configuration", folder=folder)
    assert check(folder) == ""
    assert path.read_text() == (PROJECT / name).read_text()


def test_no_secret_has_a_default_that_is_shown() -> None:
    assert {v.name for v in VARIABLES.known.values() if v.secret and v.default and not v.shown} == {
        "THROTTLE_STORAGE"  # its default holds none
    }


def started(script: str) -> subprocess.CompletedProcess[str]:
    """Start the service from a shell that has read a file of variables."""
    check = f"{sys.executable} manage.py check"
    ours = {*VARIABLES.known, "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    command = ["sh", "-c", f"set -a; {script}; set +a; {check}"]
    return subprocess.run(
        command, cwd=PROJECT, env=kept, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_example_is_refused_until_its_secrets_are_set() -> None:
    done = started(". ./.env.example")

    assert done.returncode != 0
    assert "SECRET_KEY can be guessed" in done.stderr
    assert done.stderr.count("config.E") == 1


def test_a_shell_reads_every_line_of_the_example_and_all_its_defaults_are_right(tmp_path) -> None:
    path = tmp_path / "env"
    lines = (PROJECT / ".env.example").read_text().splitlines()
    shown = [line.removeprefix("#") for line in lines if line.startswith("#") and line[1] != " "]
    assert len(shown) == len(VARIABLES.known)
    path.write_text("\n".join([*shown, *(line for line in lines if line and line[0] != "#")]))

    done = started(f". {path}; SECRET_KEY={'abcdefghij' * 6}")

    assert done.returncode == 0, done.stderr
