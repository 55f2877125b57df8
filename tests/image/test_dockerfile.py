"""The Dockerfile is read whole; it and compose.yaml give away as little as they can."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.image.dockerfile import stages
from tests.starts import PROJECT

COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "regulatory-cases" in service["image"]}


def test_lines_that_go_on_are_one_and_stages_are_told_apart(tmp_path):
    file = tmp_path / "Dockerfile"
    file.write_text(
        "ARG BASE=x\nFROM ${BASE} AS build\nRUN one \\\n    # why\n    && two\nFROM ${BASE}\n"
        'COPY --from=build /srv /srv\nHEALTHCHECK --retries=3 \\\n CMD ["ask"]\n'
        'CMD ["serve", "it"]\n'
    )

    build, last = stages(file)

    assert [(name, " ".join(said.split())) for name, said in build.steps] == [("RUN", "one && two")]
    assert (last.steps, last.probe, last.command) == (
        [("COPY", "--from=build /srv /srv")],
        ["ask"],
        ["serve", "it"],
    )


@pytest.mark.parametrize("line", ["ADD x y", "VOLUME /data", "RUNN x", "ENTRYPOINT x"])
def test_an_instruction_that_nobody_would_carry_out_is_refused(tmp_path, line):
    file = tmp_path / "Dockerfile"
    file.write_text(f"FROM x\n{line}\n")

    with pytest.raises(ValueError, match=line.split()[0]):
        stages(file)


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret():
    text = (PROJECT / "Dockerfile").read_text()
    last = stages(PROJECT / "Dockerfile")[-1]

    assert int(last.last("USER").partition(":")[0]) > 1000
    assert not any(name == "RUN" for name, _ in last.steps)  # it installs nothing
    assert not re.search(r"SECRET|PASSWORD|TOKEN|DATABASE_URL", text)


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_may_more_than_it_must(name):
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert service.get("read_only") or name == "broker"  # RabbitMQ writes its plugins and cookie
    assert service["healthcheck" if name != "web" else "image"]  # the image brings its own


def test_the_service_starts_after_roles_those_after_migrations_and_these_after_the_database():
    starts = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}
    done = {"condition": "service_completed_successfully"}

    assert {"web", "migrate", "drainer", "sla-timer", "notice-timer", "daily-timer"} == OURS
    assert starts["migrate"] == {"database": {"condition": "service_healthy"}}
    assert starts["roles"] == {"migrate": done}
    for name in OURS - {"migrate"}:
        assert starts[name]["roles"] == done


def test_what_is_to_run_now_and_then_does_at_the_pace_that_is_told():
    """Anchors are signed where their key is, which no container has."""
    page = (PROJECT / "docs" / "deployment.md").read_text()
    paces = {"SLA timer": ("sla-timer", 300), "notice timer": ("notice-timer", 60)}
    for told, (name, seconds) in (paces | {"daily": ("daily-timer", 86_400)}).items():
        (row,) = re.findall(rf"^\| {told} \| (.*?) \|", page, re.MULTILINE)
        commands = re.findall(r"`(?:manage\.py )?([^`]+)`", row)
        script = SERVICES[name]["command"][-1]
        ran = re.findall(r"manage\.py (.+)$", script, re.MULTILINE)
        assert ran == [one for one in commands if one not in ("EMAIL_URL", "anchor_audit")]
        assert f"sleep {seconds} " in script


def test_the_database_is_healthy_only_once_others_reach_it():
    """While the image makes it, a server answers at the socket that nobody else can talk to."""
    probe = SERVICES["database"]["healthcheck"]["test"]

    assert probe[probe.index("--host") + 1] == "127.0.0.1"


def test_nothing_of_the_service_but_its_migrations_knows_the_password_of_the_superuser():
    superuser = "${POSTGRES_PASSWORD"
    for name in OURS:
        given = SERVICES[name]["environment"]
        assert given["POSTGRES_PASSWORD"] == given["MIGRATE_DATABASE_URL"] == ""
        assert (superuser in given["DATABASE_URL"]) is (name == "migrate")


def test_only_what_is_called_or_calls_others_is_on_a_network_with_a_way_out():
    outside = {name for name, service in SERVICES.items() if "outside" in service["networks"]}

    assert outside == {"web", "drainer", "notice-timer"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_no_secret_stands_in_compose_and_none_has_a_default():
    text = (PROJECT / "compose.yaml").read_text()

    assert set(re.findall(r"\$\{(\w+PASSWORD)(:\?)?", text)) == {
        ("POSTGRES_PASSWORD", ":?"),
        ("CASES_APP_PASSWORD", ":?"),
        ("RABBITMQ_PASSWORD", ":?"),
    }
