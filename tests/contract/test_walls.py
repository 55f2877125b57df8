"""Each wall between packages is there, and a violation of it is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "cases", "audit", "outbox")


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the packages that a test may spoil, and puts back what it has spoiled."""
    copy = tmp_path_factory.mktemp("packages")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_walls_stand(tree):
    found = lint(tree)

    assert found.returncode == 0, found.stdout
    assert "5 kept, 0 broken" in found.stdout


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("config over audit and outbox", "cases/events.py", "import audit.chain"),
        ("config over audit and outbox", "audit/chain.py", "import outbox.cloudevents"),
        ("config over audit and outbox", "outbox/relay.py", "import config.health"),
        ("the layers of cases", "cases/models/case.py", "import cases.services"),
        ("the layers of cases", "cases/selectors.py", "import cases.api.views"),
        ("HTTP stays at the edge", "cases/services/review.py", "import rest_framework"),
        ("HTTP stays at the edge", "cases/admin/forms.py", "import rest_framework"),
        ("the rules are plain Python", "cases/policies.py", "import django"),
        ("the rules are plain Python", "audit/chain.py", "import django"),
        ("listeners take only", "audit/receivers.py", "import cases.models"),
        ("listeners take only", "outbox/receivers.py", "import cases.services"),
    ],
)
def test_a_violation_is_found(tree, contract, module, line):
    spoiled = tree / module
    before = spoiled.read_text()
    spoiled.write_text(f"{line}\n" + before.replace("from __future__", "# from"))

    found = lint(tree)

    spoiled.write_text(before)

    assert found.returncode == 1
    broken = [row for row in found.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken), found.stdout
