"""What came in at a destination, and the verdict on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
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


def judge(committed: Mapping[str, tuple[str, int]], arrivals: Sequence[Arrival]) -> Verdict:
    """Compare what arrived with what was committed.

    A loss is a committed event that the destination never took: one that it read and answered with
    an error has to come again. Of each case the first arrivals must be in order, sequence by
    sequence with none left out, since a gap would be filled too late; and so must the first ones
    that were taken, since a consumer that refused one has not got it.

    Args:
        committed: case id and sequence by event id, from the audit trail.
        arrivals: in the order in which they came.
    """
    seen = {arrival.id for arrival in arrivals}
    taken = [arrival for arrival in arrivals if arrival.taken]
    return Verdict(
        arrivals=len(arrivals),
        repeats=len(arrivals) - len(seen),
        losses=tuple(sorted(committed.keys() - {arrival.id for arrival in taken})),
        out_of_order=tuple(sorted(_disordered(arrivals) | _disordered(taken))),
        not_committed=tuple(sorted(seen - committed.keys())),
    )


def _disordered(arrivals: Sequence[Arrival]) -> set[str]:
    """Return the cases whose first arrivals are not 0, 1, 2 and so on."""
    firsts: dict[str, dict[int, None]] = defaultdict(dict)  # as a set that keeps its order
    for arrival in arrivals:
        firsts[arrival.case_id][arrival.sequence] = None
    return {case for case, got in firsts.items() if list(got) != list(range(len(got)))}
