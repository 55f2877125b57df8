"""Every address of the back office with real arguments, collected from the URL conf itself.

A new address is found by itself. One whose argument nobody can name here fails the walk: give
``Arguments`` a value that leads somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from django.apps import apps
from django.contrib import admin
from django.db.models import ForeignKey, Model
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from cases.models import Case

ROOT = "admin"
# The model whose pages stand under an address.
_MODEL = re.compile(rf"{ROOT}/(\w+)/(\w+)/")
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


@dataclass(frozen=True)
class Arguments:
    """What fills the holes of an address."""

    rows: Mapping[type[Model], tuple[str, ...]]
    others: Mapping[str, tuple[str, ...]]

    def of(self, name: str, model: type[Model] | None) -> tuple[str, ...]:
        """Return the values of one hole; KeyError where nobody thought of it."""
        if name in ("object_id", "id") and model is not None:
            return self.rows[model]
        return self.others[name]


@dataclass(frozen=True)
class Address:
    """One address as the URL conf has it, and the paths that it stands for."""

    pattern: str
    model: type[Model] | None
    paths: tuple[str, ...]

    @property
    def is_list(self) -> bool:
        """Tell whether it is the list of a model."""
        return self.model is not None and bool(_MODEL.fullmatch(self.pattern))


def admin_addresses(arguments: Arguments) -> list[Address]:
    """Return every address below ``/admin``, each path proved to lead where it should."""
    found = []
    for pattern, view in _patterns(get_resolver(), ""):
        # Of two that are the same, like ours and Django's for logging out, the first one answers.
        if not pattern.startswith(ROOT) or pattern in {address.pattern for address in found}:
            continue
        model = _model_of(pattern)
        paths = tuple(_filled(pattern, model, arguments))
        for path in paths:
            assert _view_at(path) is view, f"{path} does not lead to {pattern}"
        found.append(Address(pattern, model, paths))
    return found


@cache  # the URL conf stays as it is, and is walked anew for each case that was changed
def _view_at(path: str) -> object:
    return resolve(path).func


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, object]]:
    for one in resolver.url_patterns:
        here = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _patterns(one, here)
        elif isinstance(one, URLPattern):
            yield here, one.callback


def _model_of(pattern: str) -> type[Model] | None:
    match = _MODEL.match(pattern)
    return apps.all_models[match[1]].get(match[2]) if match else None


def _filled(pattern: str, model: type[Model] | None, arguments: Arguments) -> Iterator[str]:
    names = [match[1] or match[2] for match in _ARGUMENT.finditer(pattern)]
    text = _ARGUMENT.sub("{}", pattern).replace("^", "").replace("$", "")
    for values in product(*(arguments.of(name, model) for name in names)):
        yield "/" + text.format(*values)


def queries_of(address: Address, secret: str) -> list[str]:
    """Return what could be asked of a page besides: filters, searches, jumps, completions."""
    if address.pattern == "admin/autocomplete/":
        return list(_completions(secret))
    if not address.is_list:
        return []
    assert address.model is not None
    # The last one is of filters that Django would take from an address, by any way to a case.
    ways = "&".join(f"{way}__istartswith={secret[:3]}" for way in _ways(address.model))
    return [
        f"?q={secret}&search={secret}&queue=all&_facets=True",
        "?_popup=1&_to_field=title&o=-1.2&p=0&all=&e=1",
        f"?{ways}",
    ]


def _ways(model: type[Model]) -> Iterator[str]:
    names = {field.name for field in model._meta.get_fields()}
    yield from (name for name in ("title", "case_id", "message", "payload") if name in names)
    for relation in model._meta.related_objects:
        field = relation.related_model._meta
        if "content_object" in {one.name for one in field.get_fields()}:
            yield f"{relation.name}__content_object__title"


def _completions(secret: str) -> Iterator[str]:
    """Yield a question of the autocomplete for every relation that leads to a case."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey) and field.related_model is Case:
                about = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}"
                yield f"?{about}&field_name={field.name}&term={secret}"


def actions_of(model: type[Model]) -> list[str]:
    """Return the names of the actions above a list, and of the one that Django brings along."""
    mine = admin.site.get_model_admin(model).actions or ()
    return ["delete_selected", *(one if isinstance(one, str) else one.__name__ for one in mine)]
