"""The locked requirements agree with pyproject.toml and with each other."""

import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]


LOCKS = ("requirements.txt", "requirements-traces.txt", "requirements-dev.txt")


def declared(lock: str) -> list[Requirement]:
    """What pyproject.toml asks for: each lock holds what those before it hold, and more."""
    pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    project = pyproject["project"]
    parts = [
        project["dependencies"],
        project["optional-dependencies"]["traces"],
        pyproject["dependency-groups"]["dev"],
    ]
    wanted = parts[: LOCKS.index(lock) + 1]
    return [Requirement(line) for part in wanted for line in part]


def locked(name: str) -> dict[str, str]:
    """The versions in a lock, by project name."""
    pins = re.findall(
        r"^([\w.-]+)(?:\[.+\])?==([^\s;]+)", (PROJECT / name).read_text(), re.MULTILINE
    )
    return {canonicalize_name(project): version for project, version in pins}


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_holds_what_is_declared(name: str) -> None:
    wanted = declared(name)
    pins = locked(name)
    off = [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert off == [], f"Run 'make lock': {name} does not hold {off}"


@pytest.mark.parametrize(("smaller", "larger"), [*itertools.pairwise(LOCKS)])
def test_a_larger_lock_has_the_versions_of_the_smaller_one(smaller: str, larger: str) -> None:
    more = locked(larger)
    assert {name: more.get(name) for name in locked(smaller)} == locked(smaller)


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_carries_hashes(name: str) -> None:
    entries = re.split(r"^(?=\w)", (PROJECT / name).read_text(), flags=re.MULTILINE)
    assert [entry.split()[0] for entry in entries if "==" in entry and "--hash=" not in entry] == []


def test_the_bill_of_materials_names_what_is_locked_with_its_hashes(tmp_path: Path) -> None:
    recipe = re.search(r"cyclonedx-py (requirements .+)", (PROJECT / "Makefile").read_text())
    assert recipe is not None
    assert "--validate" in recipe[1]
    bill = tmp_path / "sbom.json"
    asked = recipe[1].replace("var/sbom.json", str(bill)).split()

    subprocess.run(
        [Path(sys.executable).parent / "cyclonedx-py", *asked],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )

    told = json.loads(bill.read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["component"]["name"] == "regulatory-case-management"
    found = {canonicalize_name(one["name"]): one["version"] for one in told["components"]}
    assert found == locked("requirements.txt")
    for one in told["components"]:
        assert one["purl"].startswith("pkg:pypi/")
        assert [h for ref in one["externalReferences"] for h in ref["hashes"]], one["name"]


def test_a_package_that_could_not_be_audited_is_a_failure_and_no_hole_is_passed_over() -> None:
    audits = re.findall(r"^\t.*pip-audit (.+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)

    assert [line.split()[-1] for line in audits] == list(LOCKS)
    for line in audits:
        assert "--strict" in line
        assert not re.search("--ignore-vuln|--skip-editable|--dry-run", line)
