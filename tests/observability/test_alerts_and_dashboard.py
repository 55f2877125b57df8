"""Alerts and dashboard ask for what the service really tells, and for all of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from http import HTTPStatus
from typing import Any

import pytest
import yaml
from promql_parser import MatchOp

from config.http.errors import TABLE
from tests.api.server import PATIENCE, running_server
from tests.cast import WRITER
from tests.integration.receiver import receiver
from tests.observability.alarms import ALARMS, unit_tests
from tests.observability.drainer import following, to
from tests.observability.figures import Figures, scrape
from tests.observability.queries import Query
from tests.starts import PROJECT

pytestmark = pytest.mark.django_db

FOLDER = PROJECT / "docs" / "operations"
GROUPS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
QUERIES = [
    *((name, rule["expr"], "") for name, rule in ALERTS.items()),
    *(
        (title, target["expr"], target["legendFormat"])
        for title, panel in PANELS.items()
        for target in panel["targets"]
    ),
]
# By default there are none, and nothing is told of them.
POOL = {"DATABASE_POOL_SIZE": "2"}
of_each_query = pytest.mark.parametrize(("where", "text", "legend"), QUERIES)


@pytest.fixture(scope="module")
def exposed(database) -> dict[str, set[str]]:
    """Return what a web server and a drainer tell, each sample with its labels."""
    with receiver() as there, running_server(database, workers=2, **POOL, **to(there)) as server:
        created = server.ask("POST", "/cases", WRITER, {"title": "Late reporting"})
        assert created.status_code == 201
        server.ask("POST", f"/cases/{created.json()['id']}/close", WRITER, {"reason": "x"})
        with following(database, **to(there)) as drainer:
            end = time.monotonic() + PATIENCE
            while not (told := drainer()).total("outbox_delivered_total"):
                assert time.monotonic() < end, told.text
                time.sleep(0.1)
        while not (web := scrape(server)).total("database_pool_size"):
            assert time.monotonic() < end, web.text
            time.sleep(0.1)
        both = Figures(web.text + told.text).labels()
    # When a count began is told as well; nobody looks at that.
    return {name: labels for name, labels in both.items() if not name.endswith("_created")}


@of_each_query
def test_every_query_asks_for_metrics_and_labels_that_there_are(exposed, where, text, legend):
    assert list(Query.read(text).unknown(exposed)) == []


@of_each_query
def test_every_value_that_is_compared_can_occur(where, text, legend):
    known = {
        "status": {str(status.value) for status in HTTPStatus},
        "outcome": {"done"} | {row.code for row in TABLE.values()},
        "job": {"cases-web", "cases-drainer"},
        "route": {"/cases", "/cases/export.csv", "/admin/cases/case/import/", "/health/ready"},
    }
    for matchers in Query.read(text).compared.values():
        for matcher in matchers:
            if matcher.op in (MatchOp.Re, MatchOp.NotRe):
                assert [v for v in known[matcher.name] if re.fullmatch(matcher.value, v)]
            else:
                assert matcher.value in known[matcher.name]


@of_each_query
def test_a_legend_names_labels_that_the_query_leaves(where, text, legend):
    words = legend or str(ALERTS.get(where, {}).get("annotations", ""))
    named = set(re.findall(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}", words))

    assert named <= (Query.read(text).left or set())


def test_all_that_is_told_stands_on_the_dashboard(exposed):
    shown = {
        name
        for panel in PANELS.values()
        for target in panel["targets"]
        for name in Query.read(target["expr"]).compared
    }

    assert shown == set(exposed)


def test_every_panel_has_a_place_of_its_own():
    taken: set[tuple[int, int]] = set()
    for panel in PANELS.values():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len(PANELS) == len(DASHBOARD["panels"])
    assert len({panel["id"] for panel in PANELS.values()}) == len(PANELS)


def test_every_alert_fires_when_it_is_to_and_not_a_minute_before(tmp_path) -> None:
    assert {*ALARMS} == {*ALERTS}
    program = shutil.which("promtool")
    if program is None:
        reason = "No promtool on this machine (Debian: prometheus); CI insists on it."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    rules, file = FOLDER / "alerts.yaml", tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump(unit_tests(ALERTS, str(rules))))

    for command in (["check", "rules", str(rules)], ["test", "rules", str(file)]):
        done = subprocess.run([program, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", ALERTS.values(), ids=ALERTS)
def test_every_alert_says_how_urgent_it_is_and_where_to_read_on(rule):
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")
    path, _, anchor = rule["annotations"]["see"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (PROJECT / path).read_text(), re.MULTILINE)
    assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("sum(no_such_metric)", ["no_such_metric"]),
        ('rate(case_actions_total{result="done"}[5m])', ["case_actions_total: result"]),
        ("sum by (route) (case_actions_total)", ["by route"]),
        ("max(cases_overdue) - max(cases_overdu offset 1d)", ["cases_overdu"]),
    ],
)
def test_what_a_query_lacks_is_found(exposed, text, lacking):
    assert list(Query.read(text).unknown(exposed)) == lacking


@pytest.mark.parametrize("text", ["sum(", "rate(cases_overdue)", "sum by (x cases_overdue"])
def test_what_is_no_query_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        Query.read(text)
