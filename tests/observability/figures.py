"""What a scrape says, read by Prometheus' own parser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.api.server import Server


@dataclass(frozen=True)
class Figures:
    """The samples of one scrape."""

    text: str

    def samples(self) -> Iterator[Sample]:
        for family in text_string_to_metric_families(self.text):
            yield from family.samples

    def total(self, name: str, **labels: str) -> float:
        """Add up what has this name and at least these labels; 0 where nothing has."""
        return sum(
            sample.value
            for sample in self.samples()
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self) -> dict[str, set[str]]:
        """Return the names of samples, each with the names of its labels."""
        found: dict[str, set[str]] = {}
        for sample in self.samples():
            found.setdefault(sample.name, set()).update(sample.labels)
        return found


def scrape(server: Server) -> Figures:
    status, body = server.get("/metrics")
    assert status == 200, body
    return Figures(body.decode())
