"""The forms of an import: which file, and which of its columns is what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.conf import settings

from cases.imports.mapping import REQUIRED, guessed
from cases.imports.uploads import refused_size, shown
from cases.intake import SHORT_MAX, WRITABLE
from cases.models import UploadedRegister

_HELP: Final = {
    "external_reference": "The id it has at its source: by it, a later delivery knows the case.",
    "received_at": "When the regulator got it.",
    "priority": "LOW, NORMAL, HIGH or URGENT.",
    "subject": "The regulated party.",
}
_LABELS: Final = {
    "external_reference": "External reference",
    "received_at": "Received",
    "due_at": "Due",
}
_LABEL_MAX: Final = 80
# What a row cannot do without comes first.
_ORDER: Final = (*REQUIRED, *(name for name in WRITABLE if name not in REQUIRED))
_CHOOSE: Final = {"required": "Choose a column."}
# The source's column stands beside the one name for all rows.
_SOURCE_COLUMN: Final = "source_column"


def label_of(field: str) -> str:
    """Return what a field of a case is called in an import."""
    return _LABELS.get(field, field.replace("_", " ").capitalize())


class UploadForm(forms.Form):
    """A file, and what stands between its cells."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # said in our words
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.jsonl,.ndjson"}),
    )
    delimiter = forms.ChoiceField(
        label="Between the cells",
        required=False,
        choices=[
            ("", "Find out from the first line"),
            (",", "Comma"),
            (";", "Semicolon"),
            ("\t", "Tab"),
            ("|", "Bar |"),
        ],
    )

    def __init__(self, *args: Any, too_large: int = 0, **kwargs: Any) -> None:
        """Take what was sent; ``too_large`` is the size of a file that was not received."""
        super().__init__(*args, **kwargs)
        missing = str(refused_size(too_large)) if too_large else "Choose a file."
        self.fields["file"].error_messages["required"] = missing
        self.fields[
            "file"
        ].help_text = (
            f"CSV or JSON Lines (.jsonl) in UTF-8, at most {settings.IMPORT_MAX_MIB:,} MiB."
        )


class MappingForm(forms.Form):
    """A column for each field; those that are called alike are chosen beforehand."""

    def __init__(
        self, data: Any = None, *, register: UploadedRegister, may_submit: bool, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        # Columns are told by number: a name may hold anything.
        self._offered = dict(_offered(register))
        chosen = register.mapping or guessed([column["name"] for column in register.columns])
        choices = [
            ("", "No column"),
            *((value, label) for value, (_, label) in self._offered.items()),
        ]
        numbers = {column: value for value, (column, _) in reversed(self._offered.items())}
        for name in WRITABLE:
            field = forms.ChoiceField(
                label=label_of(name),
                choices=choices,
                required=name in REQUIRED and name != "source",
                error_messages=_CHOOSE,
                help_text=_HELP.get(name, ""),
                initial=numbers.get(chosen.get(name, ""), ""),
            )
            self.fields[_SOURCE_COLUMN if name == "source" else name] = field
        self.fields[_SOURCE_COLUMN].label = "Source, by column"
        self.fields["source"] = forms.CharField(
            label="Source",
            required=not (data or {}).get(_SOURCE_COLUMN, self[_SOURCE_COLUMN].initial),
            max_length=SHORT_MAX,
            initial=register.source,
            help_text="Where the register comes from, for rows that name no source of their own. "
            "The next delivery has to bear the same name.",
        )
        self.fields["time_zone"] = forms.CharField(
            label="Time zone",
            max_length=SHORT_MAX,
            initial=register.time_zone or settings.SLA_TIME_ZONE,
            help_text="Of times without an offset, like Europe/Berlin.",
        )
        if may_submit:
            self.fields["submit"] = forms.BooleanField(
                label="Submit what is created",
                required=False,
                initial=register.submit,
                help_text="Who submits a case may not decide on it.",
            )

    def columns(self) -> Iterator[forms.BoundField]:
        """Yield the fields that ask for a column."""
        return (self[_SOURCE_COLUMN if name == "source" else name] for name in _ORDER)

    def others(self) -> Iterator[forms.BoundField]:
        """Yield the fields that ask for something else."""
        return (self[name] for name in ("source", "time_zone", "submit") if name in self.fields)

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen, as ``registers.choose`` takes it; the form is valid."""
        given = self.cleaned_data
        by_field = {name: given[_SOURCE_COLUMN if name == "source" else name] for name in WRITABLE}
        return {
            "mapping": {name: self._offered[value][0] for name, value in by_field.items() if value},
            "source": given["source"],
            "time_zone": given["time_zone"],
            "submit": given.get("submit", False),
        }


def _offered(register: UploadedRegister) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what can be chosen: its number, the column as a mapping names it, and a label."""
    for n, column in enumerate(register.columns):
        name = column["name"]
        label = shown(name, _LABEL_MAX) or f"(column {n + 1}, without a name)"
        yield str(n), (name, label)
        for m, key in enumerate(column["keys"]):
            yield f"{n}.{m}", (f"{name}:{key}", f"{label} → {key}")
