"""Proves the trail: recomputes its chains, replays it, compares it with what the tables hold.

``audit.verify.single.verify_case`` checks one case, ``audit.verify.run`` all of them, on two cores.
Nothing here but ``single`` loads Django.
"""

from __future__ import annotations

from audit.verify.findings import KINDS, Finding, Report, Tally

__all__ = ["KINDS", "Finding", "Report", "Tally"]
