"""The locked requirements agree with pyproject.toml and with each other."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]


def declared() -> tuple[list[Requirement], list[Requirement]]:
    """What pyproject.toml asks for: the service, and what development adds."""
    pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    service = [Requirement(line) for line in pyproject["project"]["dependencies"]]
    return service, [Requirement(line) for line in pyproject["dependency-groups"]["dev"]]


def locked(name: str) -> dict[str, str]:
    """The versions in a lock, by project name."""
    pins = re.findall(
        r"^([\w.-]+)(?:\[.+\])?==([^\s;]+)", (PROJECT / name).read_text(), re.MULTILINE
    )
    return {canonicalize_name(project): version for project, version in pins}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_lock_holds_what_is_declared(name: str) -> None:
    service, development = declared()
    wanted = service if name == "requirements.txt" else service + development
    pins = locked(name)
    off = [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert off == [], f"Run 'make lock': {name} does not hold {off}"


def test_development_uses_the_versions_of_the_service() -> None:
    development = locked("requirements-dev.txt")
    assert {name: development.get(name) for name in locked("requirements.txt")} == locked(
        "requirements.txt"
    )


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_carries_hashes(name: str) -> None:
    entries = re.split(r"^(?=\w)", (PROJECT / name).read_text(), flags=re.MULTILINE)
    assert [entry.split()[0] for entry in entries if "==" in entry and "--hash=" not in entry] == []
