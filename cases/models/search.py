"""The words of cases, by which they are found: derived data, kept by the database's own triggers.

The table stands beside ``cases`` because its index is dear to change: an action that leaves the
texts alone, and most do, does not touch it. What a word is, the SQL function
``case_search_words`` says for cases and for searches alike: see the migration ``0005_search``.
"""

from __future__ import annotations

from typing import Any, Final, cast

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import BooleanField, F, Func, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.expressions import OrderBy
from django.db.models.functions import RowNumber

from cases import replica

# So many cases are looked at one by one, in the order of the list, before the index is asked.
NEAR: Final = 2000
# So many hits and more are no longer fetched by the index.
MANY: Final = 20_000


class CaseWords(models.Model):
    """The words of one case."""

    case = models.OneToOneField(
        "cases.Case",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        # Only the trigger on cases writes here, and no case is ever deleted: a check by the
        # database would cost every new case a lock and tell nothing.
        db_constraint=False,
    )
    document = SearchVectorField()

    class Meta:
        db_table = "case_words"
        default_permissions = ()
        indexes = (GinIndex(fields=["document"], name="case_words_document"),)


class _Matches(Func):
    """``document @@ query``."""

    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()


def found_one_by_one(search: str) -> Q:
    """Return the condition that a case has the words, looked up case by case.

    Written so that the planner cannot take the index of words for it: quick where many cases
    have the words, since a list is full soon, and always right.
    """
    hit = _Matches(F("document"), Func(Value(search), function="case_search_query"))
    return Q(Subquery(CaseWords.objects.filter(case=OuterRef("pk")).values(hit=hit)))


def hits_near(cases: QuerySet[Any], search: str, size: int) -> tuple[list[str], bool]:
    """Look for words among the first cases of an ordered list, ``NEAR`` of them.

    The planner cannot tell how many cases have a word that begins so: its guess is the same for
    all. So nothing is guessed: a list of common words is full within these few cases, and what is
    not is mostly rare enough for the index.

    Returns:
        The ids of the first ``size`` cases found, and whether that is all: the list is full, or
        there are no more cases to look at.
    """
    order = cast(list[OrderBy], list(cases.query.order_by))
    near = cases.annotate(place=Window(RowNumber(), order_by=order)).values_list("pk", "place")
    # One case more, found or not, tells that there are more than could be looked at.
    try:
        sql, params = near[: NEAR + 1].query.sql_with_params()
    except EmptyResultSet:  # no case can be in the list, so there is none to look at
        return [], True
    with replica.connection().cursor() as cursor:
        # What stands in parentheses comes in its own order: nothing above it sorts or hashes.
        cursor.execute(
            f"SELECT id, place FROM ({sql}) AS near (id, place) WHERE place > %s OR"  # noqa: S608 (our own)
            " (SELECT document @@ case_search_query(%s) FROM case_words WHERE case_id = near.id)"
            " LIMIT %s",
            [*params, NEAR, search, size],
        )
        rows = cursor.fetchall()
    ids = [case_id for case_id, place in rows if place <= NEAR]
    return ids, len(ids) == len(rows)


def hits_anywhere(search: str) -> list[str] | None:
    """Return the ids of all cases that have the words, from the index; None for ``MANY`` or more.

    That many are dearer to fetch than to come by in the order of the list.
    """
    with replica.connection().cursor() as cursor:
        cursor.execute("SELECT case_search_hits(%s, %s)", [search, MANY])
        ids = [case_id for (case_id,) in cursor.fetchall()]
    return ids if len(ids) < MANY else None
