"""What came in at a destination, and the verdict on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Arrival(NamedTuple):
    """One message as a destination got it."""

    id: str
    case_id: str
    sequence: int
    taken: bool = True
    """Whether the destination told the sender that it has it; it was seen in any case."""

    @classmethod
    def of(cls, message: Mapping[str, Any], *, taken: bool = True) -> Arrival:
        """Read a CloudEvent."""
        return cls(message["id"], message["subject"], int(message["sequence"]), taken)


@dataclass(frozen=True)
class Verdict:
    """What became of the committed events at one destination; a list names events or cases."""

    arrivals: int
    repeats: int
    losses: tuple[str, ...]
    out_of_order: tuple[str, ...]
    not_committed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything arrived, in order, and nothing else did."""
        return not (self.losses or self.out_of_order or self.not_committed)


def judge(committed: Mapping[str, tuple[str, int]], arrivals: Iterable[Arrival]) -> Verdict:
    """Compare what arrived with what was committed.

    A loss is a committed event that the destination never took: one that it read and answered with
    an error has to come again. Order is that of the first arrivals of each case, refused or not:
    sequence by sequence, none left out, since a gap would be filled too late.

    Args:
        committed: case id and sequence by event id, from the audit trail.
        arrivals: in the order in which they came.
    """
    times: Counter[str] = Counter()
    taken: set[str] = set()
    firsts: dict[str, list[int]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.id not in times:
            firsts[arrival.case_id].append(arrival.sequence)
        times[arrival.id] += 1
        if arrival.taken:
            taken.add(arrival.id)
    return Verdict(
        arrivals=times.total(),
        repeats=times.total() - len(times),
        losses=tuple(sorted(committed.keys() - taken)),
        out_of_order=tuple(
            sorted(case for case, got in firsts.items() if got != list(range(len(got))))
        ),
        not_committed=tuple(sorted(arrival for arrival in times if arrival not in committed)),
    )
