"""A counted dossier as short plain lists and back, for a shelf outside of memory. Two parts: what all passes over
everybody read, and the records, which few need.

The form lives as long as one computation: nothing that is kept is written in it.
"""

from functools import partial
from typing import Any, Final

from services.assessment.fair.marks import Cell, Counted, Mark
from services.assessment.fair.records import (
    Cadre,
    Contact,
    Dossier,
    Handover,
    Issue,
    Rating,
    make_record,
    values_of,
)

Plain = list[Any]
LISTED: Final = (Issue, Rating, Contact, Handover)
_make_mark: Final = partial(tuple.__new__, Mark)  # of a tuple of all its values


def pack(one: Counted) -> tuple[Plain, Plain]:
    """Marks go column by column, with the names and cells in them once."""
    records: dict[str, int] = {}
    cells: dict[Cell, int] = {}
    names, indicators, kinds, *rest = zip(*one.marks, strict=True) if one.marks else ((),) * len(Mark._fields)
    columns = [
        [records.setdefault(name, len(records)) for name in names],
        indicators,
        [cells.setdefault(cell, len(cells)) for cell in kinds],
        *rest,
    ]
    dossier = one.dossier
    places = {issue.issue: place for place, issue in enumerate(dossier.issues)}
    compared = [values_of(dossier.cadre), one.issues, one.effective_contacts, list(records), list(cells), columns]
    kept = [
        *([values_of(record) for record in own] for own in _lists_of(dossier)),
        [places[issue.issue] for issue in one.counted_issues],
        [(contact, *note) for contact, note in one.contact_notes.items()],
    ]
    return compared, kept


def unpack(compared: Plain, kept: Plain | None = None) -> Counted:
    """Without the second part there are no records."""
    cadre, issues, effective_contacts, records, cells, (names, indicators, kinds, *rest) = compared
    own_cells = [tuple(cell) for cell in cells]
    columns = (map(records.__getitem__, names), indicators, map(own_cells.__getitem__, kinds), *rest)
    one = Counted(
        dossier=Dossier(cadre=make_record(Cadre, cadre)),
        marks=list(map(_make_mark, zip(*columns, strict=True))),
        issues=issues,
        effective_contacts=effective_contacts,
    )
    if kept is not None:
        *lists, counted, notes = kept
        for own, kind, rows in zip(_lists_of(one.dossier), LISTED, lists, strict=True):
            own.extend(make_record(kind, row) for row in rows)
        one.counted_issues = [one.dossier.issues[place] for place in counted]
        one.contact_notes = {contact: (worth, reasons) for contact, worth, reasons in notes}
    return one


def _lists_of(dossier: Dossier) -> tuple[list[Any], ...]:
    return dossier.issues, dossier.ratings, dossier.contacts, dossier.handovers
