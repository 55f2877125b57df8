"""What the checks say of the collector of traces."""

from __future__ import annotations

import pytest

from config import checks
from config.checks import check_traces


@pytest.mark.parametrize(
    "endpoint", ["", "http://collector:4318", "https://collector.example.org/otlp"]
)
def test_no_collector_or_the_address_of_one_is_not_remarked_on(settings, endpoint) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint

    assert check_traces() == []


@pytest.mark.parametrize(
    "endpoint", ["collector:4318", "grpc://collector:4317", "http://", "http://collector:port"]
)
def test_what_is_no_address_is_refused(settings, endpoint) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint

    assert [message.id for message in check_traces()] == ["config.E040"]


def test_a_collector_without_the_libraries_is_refused_and_loads_nothing(
    settings, monkeypatch
) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://collector:4318"
    # As on a machine where requirements.txt alone is installed.
    monkeypatch.setattr(checks, "find_spec", lambda name: None)

    assert [message.id for message in check_traces()] == ["config.E041"]
    assert not checks.traces_wanted()
