"""A client of the drill: changes cases through the services until told to stop.

A process of its own. Now and then it takes a whole transaction back: what it wrote then must arrive
nowhere. Writes on standard output what it did, as JSON.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import django

_PAUSE_SECONDS: Final = 0.01
_TAKEN_BACK: Final = 0.05  # of all changes
_CASES_AT_ONCE: Final = 40  # few enough that each gets many events


def main(seed: str) -> None:
    """Change cases until SIGTERM."""
    django.setup()
    from django.db import Error, connection, transaction  # noqa: PLC0415 (needs Django)

    from cases.errors import CaseError  # noqa: PLC0415 (needs Django)

    chance, counts, stopping = random.Random(seed), Counter[str](), []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    work = changes(chance)
    while not stopping:
        back = chance.random() < _TAKEN_BACK
        try:
            with transaction.atomic():
                keep = work()
                transaction.set_rollback(back)
            if not back:
                keep()
            counts["taken back" if back else "changes"] += 1
        except CaseError:
            counts["refused"] += 1
        except Error:
            counts["database errors"] += 1
            connection.close()
        time.sleep(_PAUSE_SECONDS * 2 * chance.random())
    sys.stdout.write(json.dumps(counts))


def changes(chance: random.Random) -> Callable[[], Callable[[], None]]:
    """Return what makes one change, and returns what is to be remembered once it is committed."""
    from cases import services  # noqa: PLC0415 (needs Django)
    from cases.policies import DEFAULT_ROLES, Actor  # noqa: PLC0415 (needs Django)

    actor = Actor(id="drill", roles=frozenset({"admin"}), permissions=DEFAULT_ROLES["admin"])
    open_cases: list[str] = []
    steps: tuple[Callable[[str], Any], ...] = (
        lambda case_id: services.submit_case(case_id=case_id, actor=actor),
        lambda case_id: services.start_review(case_id=case_id, reviewer_id="rob", actor=actor),
        lambda case_id: services.assign_reviewer(case_id=case_id, reviewer_id="rosa", actor=actor),
        lambda case_id: services.restrict_case(case_id=case_id, reason="Drill", actor=actor),
        lambda case_id: services.escalate_case(case_id=case_id, reason="Drill", actor=actor),
    )

    def work() -> Callable[[], None]:
        if len(open_cases) < _CASES_AT_ONCE:
            case = services.create_case(fields={"title": "Drill"}, actor=actor)
            return lambda: open_cases.append(case.id)
        case_id, luck = chance.choice(open_cases), chance.random()
        if luck < 0.6:
            services.add_note(case_id=case_id, body="Drill", actor=actor)
        elif luck < 0.95:
            chance.choice(steps)(case_id)
        else:
            services.close_case(case_id=case_id, reason="Drill", actor=actor)
            return lambda: open_cases.remove(case_id)
        return lambda: None

    return work


if __name__ == "__main__":
    main(sys.argv[1])
