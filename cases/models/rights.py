"""Whether rights that somebody remembers still hold: the table that the database keeps for it.

The value in ``rights_version`` changes with every change of accounts, groups, permissions, grants
and tokens, in the transaction of that change (migration ``0008_rights_version``).
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import BooleanField, Func

from cases.errors import RightsUnconfirmed
from cases.policies import Actor

# There is one row. Without the limit PostgreSQL, where it has not counted them, expects thousands,
# and plans each look at a case anew rather than keep a plan that seems so dear.
CURRENT: Final = "(SELECT value FROM rights_version LIMIT 1)"

# A condition on ``%(rights_version)s``: the actor's, None where the rights have just been read.
HOLD: Final = f"(%(rights_version)s::uuid IS NULL OR {CURRENT} = %(rights_version)s::uuid)"


class StillHold(Func):
    """The same condition for a queryset, on a version that is given."""

    arity = 1
    template = f"{CURRENT} = %(expressions)s"
    output_field: Any = BooleanField()


def demand_fresh(actor: Actor) -> None:
    """Refuse remembered rights, where the statement to come does not compare their version.

    Raises:
        RightsUnconfirmed: the rights are remembered.
    """
    if actor.rights_version is not None:
        raise RightsUnconfirmed
