"""The documentation says what the code says."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields

import pytest
import yaml
from django.conf import settings
from django.urls import resolve

from cases import policies, services
from cases.admin.actions import ACTIONS
from cases.events import CaseEvent
from cases.lifecycle import LIFECYCLE, CaseAction, CaseStatus
from config import metrics
from config.environment import VARIABLES
from config.http import errors
from config.metrics.page import DatabaseCollector
from outbox import cloudevents
from outbox.destinations import KNOWN
from outbox.metrics import drainer_registry
from tests.unit.documents import DOCS, PROJECT, code, names, page, rows, section
from tests.unit.samples import event_classes

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
CONTRACTS = PYPROJECT["tool"]["importlinter"]["contracts"]


# --- Architecture ---------------------------------------------------------------------------------


def diagram() -> str:
    found = re.search(r"```mermaid\nstateDiagram-v2\n(.+?)```", page("architecture.md"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_lifecycle_diagram_shows_every_move_and_no_other() -> None:
    drawn = set(re.findall(r"^ +(\S+) --> (\S+): (\S+)$", diagram(), re.MULTILINE))

    assert drawn == {
        (str(source), str(step.target), str(action))
        for action, step in LIFECYCLE.items()
        if step.target is not None
        for source in step.sources or ("[*]",)
    }


def test_the_lifecycle_diagram_ends_where_nothing_leads_on() -> None:
    ends = set(re.findall(r"^ +(\S+) --> \[\*\]$", diagram(), re.MULTILINE))

    moves = {source for step in LIFECYCLE.values() if step.target for source in step.sources}
    assert ends == set(CaseStatus) - moves


def test_the_notes_of_the_diagram_list_what_leaves_the_status_as_it_is() -> None:
    notes = re.findall(r"note right of (\S+)\n(.+?)end note", diagram(), re.DOTALL)

    assert {status: set(text.replace(",", " ").split()) for status, text in notes} == {
        str(status): {
            str(action)
            for action, step in LIFECYCLE.items()
            if step.target is None and status in step.sources
        }
        for status in CaseStatus
    }


LAYERS = [contract for contract in CONTRACTS if contract["type"] == "layers"]


@pytest.mark.parametrize(
    ("heading", "contract"),
    [*zip(("Layers of the project", "Layers of `cases`"), LAYERS, strict=True)],
    ids=("project", "cases"),
)
def test_the_layers_are_those_of_the_import_contracts(heading, contract) -> None:
    table = section("architecture.md", heading)
    told = [(set(names(layer)), among) for layer, among in rows(table, width=2)]

    among = {"|": "no", ":": "yes", "": "-"}
    assert told == [
        (set(re.split(r" [|:] ", layer)), among[next(iter(re.findall("[|:]", layer)), "")])
        for layer in contract["layers"]
    ]


def test_the_forbidden_imports_are_those_of_the_import_contracts() -> None:
    told = {
        name: (set(names(these)), set(names(forbidden)))
        for name, these, forbidden in rows(section("architecture.md", "Forbidden imports"), width=3)
    }
    contracts = {c["name"]: c for c in CONTRACTS if c["type"] == "forbidden"}

    assert {name: forbidden for name, (_, forbidden) in told.items()} == {
        name: set(contract["forbidden_modules"]) for name, contract in contracts.items()
    }
    # "HTTP stays at the edge" is told in words: its list is everything but the api packages.
    for name in set(contracts) - {"HTTP stays at the edge"}:
        assert told[name][0] == set(contracts[name]["source_modules"])


def test_the_guards_named_exist() -> None:
    sql = "".join(
        path.read_text() for app in ("cases", "audit", "outbox")
        for path in (PROJECT / app / "migrations").glob("*.py")
    )  # fmt: skip
    table = section("architecture.md", "Where each guard is")

    named = {name for row in rows(table, width=3) for name in re.findall(r"`(\w+_\w+)`", row[2])}

    assert {name for name in named if name not in sql} == set()


# --- Reference ------------------------------------------------------------------------------------


def test_the_errors_are_those_of_the_table() -> None:
    told = [(code(row[0]), int(row[1])) for row in rows(page("reference/errors.md"), width=4)]

    assert len(told) == len(set(told))
    assert set(told) == {(row.code, row.status) for row in errors.TABLE.values()}


def test_every_event_stands_with_both_of_its_names_and_its_details() -> None:
    envelope = {field.name for field in fields(CaseEvent)}
    told = {
        code(kind): (code(message), names(details), re.findall(r"`(\w+)`\?", details))
        for kind, message, details in rows(section("reference/events.md", "Types"), width=3)
    }

    assert {kind: message for kind, (message, _, _) in told.items()} == dict(cloudevents.TYPES)
    for kind in event_classes():
        own = [field for field in fields(kind) if field.name not in envelope]
        _, details, optional = told[kind.type]
        assert set(details) == {field.name for field in own}
        assert set(optional) == {field.name for field in own if field.default is None}


def test_the_role_matrix_is_the_default_one() -> None:
    text = page("reference/roles.md")
    head = re.search(r"^\| permission \|(.+)\|$", text, re.MULTILINE)
    assert head is not None
    roles = [name.strip() for name in head[1].split("|")]
    matrix = [(code(row[0]), row[1:]) for row in rows(text, width=len(roles) + 1)]

    assert {answer for _, answers in matrix for answer in answers} <= {"yes", "-"}
    assert {permission for permission, _ in matrix} == policies.ALL_PERMISSIONS
    assert {
        role: {permission for permission, answers in matrix if answers[column] == "yes"}
        for column, role in enumerate(roles)
    } == dict(policies.DEFAULT_ROLES)


def test_every_action_stands_with_all_that_belongs_to_it() -> None:
    told = {row[0]: row[1:] for row in rows(page("reference/actions.md"), width=8)}

    assert told == {
        f"`{action}`": [
            f"`{policies.PERMISSIONS[action]}`",
            f"`{getattr(services, policies.PERMISSIONS[action]).__name__}`",
            told[f"`{action}`"][2],  # the endpoint is looked at below
            ACTIONS[action].label if action in ACTIONS else "-",
            ", ".join(step.sources) or "-",
            step.target or "same",
            f"`{step.event.type}`",
        ]
        for action, step in LIFECYCLE.items()
    }


@pytest.mark.parametrize("action", [a for a in CaseAction if a is not CaseAction.MARK_OVERDUE])
def test_the_endpoint_of_every_action_is_there_and_shown(action: CaseAction) -> None:
    endpoint = next(
        code(row[3])
        for row in rows(page("reference/actions.md"), width=8)
        if row[0] == f"`{action}`"
    )
    method, path = endpoint.replace("{case_id}", "CASE-000001").split()

    view = resolve(path).func

    assert method.lower() in (getattr(view, "actions", None) or vars(view.cls))
    assert f"-X {method} $API{path} " in page("api.md")


def test_every_environment_variable_is_declared() -> None:
    read = {
        name
        for path in [
            PROJECT / "manage.py",
            PROJECT / "gunicorn.conf.py",
            *(
                p
                for app in ("config", "cases", "audit", "outbox")
                for p in (PROJECT / app).rglob("*.py")
            ),
        ]
        for name in re.findall(r"os\.environ(?:\.\w+\(|\[)\"([A-Z_]+)\"", path.read_text())
    }

    assert read - {"DJANGO_SETTINGS_MODULE", "PATH", "TMPDIR"} <= {*VARIABLES.known}
    assert {code(row[0]) for row in rows(section("configuration.md", "Variables"), width=4)} == {
        *VARIABLES.known
    }


def test_the_checks_named_in_the_configuration_exist() -> None:
    refused = rows(section("configuration.md", "What production refuses"), width=2)
    checks = "".join(
        path.read_text() for app in ("config", "outbox") for path in (PROJECT / app).rglob("*.py")
    )

    assert {
        name for row in refused for name in names(row[0]) if f'id="{name}"' not in checks
    } == set()


def test_the_destinations_named_in_the_settings_are_those_that_are_known() -> None:
    meaning = VARIABLES.known["OUTBOX_DESTINATIONS"].meaning

    assert set(names(meaning)) == set(KNOWN)


@pytest.mark.django_db
def test_every_metric_stands_with_its_kind_and_its_labels() -> None:
    told = {
        code(name): (kind, set(names(labels)))
        for name, kind, labels, _ in rows(
            section("how-to/watch-the-service.md", "Metrics"), width=4
        )
    }
    collectors = [*metrics.registry._collector_to_names, *drainer_registry._collector_to_names]
    exposed = {
        family.name: (family.type, set(getattr(collector, "_labelnames", ())))
        for collector in collectors
        for family in collector.collect()
    }
    exposed |= {
        family.name: (family.type, {label for sample in family.samples for label in sample.labels})
        for family in DatabaseCollector().collect()
    }

    assert told == exposed


def test_every_alert_is_explained_here_or_has_a_page_of_its_own() -> None:
    here = "docs/how-to/watch-the-service.md#when-an-alert-fires"
    groups = yaml.safe_load((DOCS / "operations" / "alerts.yaml").read_text())["groups"]
    table = section("how-to/watch-the-service.md", "When an alert fires")

    assert {code(row[0]) for row in rows(table, width=2)} == {
        rule["alert"]
        for group in groups
        for rule in group["rules"]
        if rule["annotations"]["see"] == here
    }


def test_the_size_of_a_body_is_the_one_told() -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == 1024 * 1024
    assert "at most 1 MiB" in page("api.md")


# --- The rest -------------------------------------------------------------------------------------


def test_the_proxy_shown_hands_no_claims_of_callers_on() -> None:
    """nginx inherits no header of its server into a location that sets one of its own."""
    shown = page("deployment.md")
    locations = re.findall(r"location [^{]+\{([^}]*)\}", shown)

    assert sum("proxy_pass" in block for block in locations) > 1
    assert not any("proxy_set_header" in block for block in locations)
    for claim in (
        'X-Actor-ID ""',
        'X-Actor-Roles ""',
        "X-Forwarded-Proto $scheme",
        "X-Forwarded-For $proxy_add_x_forwarded_for",
    ):
        assert f"\n    proxy_set_header {claim};" in shown


def test_every_direct_dependency_has_a_line() -> None:
    groups = PYPROJECT["dependency-groups"]
    project = PYPROJECT["project"]
    extra = project["optional-dependencies"]["traces"]
    declared = project["dependencies"], extra, groups["dev"], groups["browser"]
    headings = "The service", "Traces", "A workstation", "A browser"

    for heading, requirements in zip(headings, declared, strict=True):
        told = [code(row[0]) for row in rows(section("dependencies.md", heading), width=5)]
        assert told == [re.split(r"[^\w-]", line)[0] for line in requirements]


def test_every_target_of_the_makefile_is_explained() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None

    told = {code(row[0]) for row in rows(section("CONTRIBUTING.md", "Targets"), width=2)}

    assert told == {f"make {target}" for target in phony[1].split()}


def test_every_folder_of_tests_is_explained() -> None:
    told = {code(row[0]) for row in rows(section("CONTRIBUTING.md", "Tests"), width=2)}

    assert told == {f"tests/{path.parent.name}" for path in (PROJECT / "tests").glob("*/README.md")}
