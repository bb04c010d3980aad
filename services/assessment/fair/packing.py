"""A counted dossier as short plain lists and back, for a shelf outside of memory. Two parts: what all passes over
everybody read, and the records, which few need.

The form lives as long as one computation: nothing that is kept is written in it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, TypeVar

from services.assessment.fair.marks import Counted, Mark
from services.assessment.fair.records import Cadre, Contact, Dossier, Handover, Issue, Rating

Record = TypeVar("Record", Cadre, Issue, Rating, Contact, Handover)
Plain = list[Any]


def pack(one: Counted) -> tuple[Plain, Plain]:
    records: dict[str, int] = {}
    cells: dict[tuple[str, ...], int] = {}
    marks = [
        (
            records.setdefault(mark.record, len(records)),
            mark.indicator,
            cells.setdefault(mark.cell, len(cells)),
            *mark[3:],
        )
        for mark in one.marks
    ]
    dossier = one.dossier
    places = {issue.issue: place for place, issue in enumerate(dossier.issues)}
    compared = [_values_of(dossier.cadre), one.issues, one.effective_contacts, list(records), list(cells), marks]
    kept = [
        *([_values_of(record) for record in own] for own in _lists_of(dossier)),
        [places[issue.issue] for issue in one.counted_issues],
        [(contact, *note) for contact, note in one.contact_notes.items()],
    ]
    return compared, kept


def unpack(compared: Plain, kept: Plain | None = None) -> Counted:
    """Without the second part there are no records."""
    cadre, issues, effective_contacts, names, cells, marks = compared
    own_cells = [tuple(cell) for cell in cells]
    one = Counted(
        dossier=Dossier(cadre=_READ[Cadre](cadre)),
        marks=[
            Mark(names[record], indicator, own_cells[cell], value, weight, note, rater)
            for record, indicator, cell, value, weight, note, rater in marks
        ],
        issues=issues,
        effective_contacts=effective_contacts,
    )
    if kept is not None:
        *lists, counted, notes = kept
        for own, kind, rows in zip(_lists_of(one.dossier), KINDS, lists, strict=True):
            own.extend(map(_READ[kind], rows))
        one.counted_issues = [one.dossier.issues[place] for place in counted]
        one.contact_notes = {contact: (worth, reasons) for contact, worth, reasons in notes}
    return one


KINDS: Final = (Issue, Rating, Contact, Handover)


def _lists_of(dossier: Dossier) -> tuple[list[Any], ...]:
    return dossier.issues, dossier.ratings, dossier.contacts, dossier.handovers


def _values_of(record: Cadre | Issue | Rating | Contact | Handover) -> tuple[Any, ...]:
    values: tuple[Any, ...] = _VALUES[type(record)](record)
    return values


def _reader(kind: type[Record]) -> Callable[[Sequence[Any]], Record]:
    """Fills the slots of a frozen record: to make millions by their names takes far longer."""
    setters = [getattr(kind, name).__set__ for name in _names_of(kind)]

    def read(values: Iterable[Any]) -> Record:
        record = object.__new__(kind)
        for set_value, value in zip(setters, values, strict=True):
            set_value(record, value)
        return record

    return read


def _names_of(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind)]


_VALUES: Final[dict[type[Any], Any]] = {kind: attrgetter(*_names_of(kind)) for kind in (Cadre, *KINDS)}
_READ: Final[dict[type[Any], Any]] = {kind: _reader(kind) for kind in (Cadre, *KINDS)}
