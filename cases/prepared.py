"""Marks the statements that PostgreSQL shall keep planned."""

from __future__ import annotations


class Prepared(str):
    """A constant statement of the hot path: parsed and planned once for each connection.

    Only for statements whose plan is the same whatever the values are, like a look by primary key.
    A list is none: what is a good plan for a rare status is a bad one for a common one. The
    database wrapper (``config.postgresql``) acts on it.
    """

    __slots__ = ()
