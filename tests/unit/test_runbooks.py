"""Runbooks name only what there is, and every alert leads to one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from tests.unit.documents import DOCS, PROJECT, code, names, page, rows, section

FOLDER = DOCS / "runbooks"
RUNBOOKS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
GROUPS = yaml.safe_load((DOCS / "operations" / "alerts.yaml").read_text())["groups"]
LEADS = {
    rule["alert"]: rule["annotations"]["runbook"] for group in GROUPS for rule in group["rules"]
}
# Names of PostgreSQL's own: settings, and columns of pg_stat_archiver and pg_stat_activity.
POSTGRESQL = {
    "archive_command",
    "failed_count",
    "last_archived_time",
    "max_connections",
    "pg_dump",
    "pg_read_all_stats",
    "pg_wal",
    "recovery_target_time",
}
of_each_page = pytest.mark.parametrize(
    "path", [*RUNBOOKS, FOLDER / "README.md"], ids=lambda path: path.name
)


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Return each command of manage.py that a page names, with the options it is given."""
    whole = text.replace("\\\n", " ")
    found = re.findall(r"manage\.py ([a-z_]+)([^`|#\n]*)", whole)
    return [(name, re.findall(r"(?<= )--[a-z-]+", given)) for name, given in found]


def command(name: str) -> BaseCommand:
    app = get_commands()[name]
    return app if isinstance(app, BaseCommand) else load_command_class(app, name)


def literals() -> set[str]:
    """Return every name that the code writes between quotes: log events, codes, tables, columns."""
    return {
        name
        for app in ("config", "cases", "audit", "outbox")
        for path in (PROJECT / app).rglob("*.py")
        for name in re.findall(r"\"([a-z]+(?:_[a-z]+)*)\"", path.read_text())
    }


def metrics() -> set[str]:
    """Return the metrics that their page tells of, which is compared with what is exposed."""
    return {
        code(row[0]) for row in rows(section("how-to/watch-the-service.md", "Metrics"), width=4)
    }


def test_there_are_the_six_that_operators_were_promised() -> None:
    assert [path.stem for path in RUNBOOKS] == [
        "audit-mismatch",
        "dead-letters",
        "high-error-rate",
        "migration-failure",
        "outbox-backlog",
        "restore-from-backup",
    ]


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_each_has_its_six_parts(path: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)

    assert re.findall(r"^## (.+)$", prose, re.MULTILINE) == [
        "Symptom",
        "First command",
        "Causes",
        "Fix",
        "Prove it",
        "Escalate",
    ]


def test_the_list_leads_from_every_alert_to_the_runbook_that_the_alert_names() -> None:
    told = {
        alert: re.findall(r"\((.+)\)", where)
        for alerts, where in rows(section("runbooks/README.md", "Which one"), width=2)
        for alert in names(alerts)
        if alert[0].isupper()
    }
    leads = {
        alert: [re.sub(r"^README\.md", "", path.removeprefix("docs/runbooks/"))]
        for alert, path in LEADS.items()
    }

    assert told == leads


def test_every_runbook_is_in_the_list() -> None:
    listed = re.findall(r"\((.+?\.md)\)", section("runbooks/README.md", "Which one"))

    assert set(listed) == {path.name for path in RUNBOOKS}


@pytest.mark.parametrize("alert", LEADS)
def test_the_runbook_of_an_alert_exists(alert: str) -> None:
    path, _, heading = LEADS[alert].partition("#")

    assert (PROJECT / path).is_file()
    assert not heading or section(
        path.removeprefix("docs/"), heading.replace("-", " ").capitalize()
    )


@of_each_page
def test_its_commands_and_their_options_exist(path: Path) -> None:
    unknown = []
    for name, options in commands(path.read_text()):
        if name not in get_commands():
            unknown.append(name)
            continue
        known = command(name).create_parser("manage.py", name)._option_string_actions
        unknown += [f"{name} {option}" for option in options if option not in known]

    assert unknown == []


@of_each_page
def test_its_targets_of_make_exist(path: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()

    named = re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), re.MULTILINE)

    assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


@of_each_page
def test_the_events_metrics_and_columns_that_it_names_exist(path: Path) -> None:
    text = path.read_text()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    named = {name for name in names(prose) if re.fullmatch(r"[a-z]+(_[a-z]+)+", name)}
    named |= set(re.findall(r"\.event==\"(\w+)\"", text))

    assert named - literals() - metrics() - {*get_commands()} - POSTGRESQL == set()


def test_a_command_an_option_or_a_name_that_is_not_there_is_found() -> None:
    assert commands("`manage.py drain_outbox --follow \\\n  --loud # --not-this`\n") == [
        ("drain_outbox", ["--follow", "--loud"])
    ]
    assert "--loud" not in command("drain_outbox").create_parser("", "")._option_string_actions
    assert "outbox_event_dead" in literals()
    assert "outbox_pending" in metrics()
    assert "outbox_event_deaf" not in literals() | metrics() | {*get_commands()}


def test_the_metrics_that_it_asks_for_by_name_are_told() -> None:
    asked = re.search(r"grep -E '\^outbox_\((.+?)\)'", page("runbooks/outbox-backlog.md"))
    assert asked is not None

    assert {f"outbox_{name.removesuffix('_total')}" for name in asked[1].split("|")} <= metrics()
