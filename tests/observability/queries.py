"""What a query of Prometheus asks for, read by a parser of its language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import promql_parser as promql

# What a scrape adds to every sample.
OF_THE_SCRAPE = {"job", "instance"}


@dataclass
class Query:
    """The metrics that a query reads, the labels it compares, groups by and leaves."""

    text: str
    compared: dict[str, list[promql.Matcher]] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)
    left: set[str] | None = None
    """Labels of its result, where it aggregates; None: those of the metric."""

    @classmethod
    def read(cls, text: str) -> Query:
        """Read a query; what Grafana puts into it is put in.

        Raises:
            ValueError: it is none.
        """
        query = cls(text.replace("$__rate_interval", "5m"))
        promql.walk(promql.parse(query.text), query._see)
        return query

    def _see(self, node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            self.compared.setdefault(node.name, []).extend(node.matchers.matchers)
        elif isinstance(node, promql.AggregateExpr):
            by = set(node.modifier.labels) if node.modifier else set()
            self.grouped |= by
            # The outermost one is seen first; topk and its like leave labels as they are.
            if self.left is None and not str(node).startswith(("topk", "bottomk")):
                self.left = by

    def unknown(self, exposed: dict[str, set[str]]) -> Iterator[str]:
        """Yield what it asks for and the service does not tell."""
        there: set[str] = set()
        for name, matchers in self.compared.items():
            if name == "up":  # Prometheus' own
                there |= OF_THE_SCRAPE
                continue
            if name not in exposed:
                yield name
            labels = exposed.get(name, set()) | OF_THE_SCRAPE
            there |= labels
            yield from (f"{name}: {m.name}" for m in matchers if m.name not in labels)
        yield from (f"by {label}" for label in self.grouped - there)
