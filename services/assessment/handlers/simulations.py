"""Trying a scheme on a closed period: put to what was published and to nothing else, it tells no more of raters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import orjson

from services.assessment.domain.channels import find_main_channel
from services.assessment.domain.periods import Period
from services.assessment.domain.rules.faults import BadRules, BadTable
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.domain.scores import NotPublished, SubjectKind
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.simulating import Simulation, simulate
from services.assessment.scoring.workspace import Table, Value
from services.assessment.storage import publications
from shared.database import Connection, Pool, transaction

MOST_SUBJECTS: Final = 5_000
MOST_STEPS: Final = 2_000_000  # of formulas over rows: some ten seconds
COMPOSITE: Final = "composite"
MAIN_CHANNEL: Final = "main_channel"  # groups alone: no scheme reads it
TEXTS: Final = ("peer_group", "post_level", "post_kind", "organisation")
# What stands for "as it was": the published composite itself.
AS_PUBLISHED: Final = """
format = 1
name = "as-published"
version = 1
title = { zh = "已公布得分", en = "As published" }
[measures]
composite = "composite"
[items.published]
name = { zh = "已公布得分", en = "Published score" }
kind = "formula"
formula = "composite"
full = 100
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationRequest:
    subject_kind: SubjectKind
    period: Period
    candidate: str
    baseline: str | None  # the published composite where none is given
    tolerance: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`area` is the code of the organisation right below the top of the tree, as far as the reader sees it."""

    name: str
    area: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What both schemes came to, and by code what the subjects and the organisations are called."""

    before: RuleScheme
    after: RuleScheme
    simulation: Simulation
    subject_names: Mapping[str, str]
    organisation_names: Mapping[str, str]
    organisation_of: Mapping[str, str]  # by code of the subject


def try_scheme(pool: Pool, request: SimulationRequest) -> Trial:
    """Raises BadRules, BadTable, NotPublished."""
    schemes = [read_rule_scheme(text) for text in (request.baseline or AS_PUBLISHED, request.candidate)]
    with transaction(pool) as connection:
        found = publications.list_publications(
            connection, request.subject_kind, request.period, after=None, limit=MOST_SUBJECTS + 1
        )
        places = _list_places(connection, request.period)
    if not found:
        raise NotPublished("nothing is published of that")
    if len(found) > MOST_SUBJECTS:
        raise BadTable(f"more than {MOST_SUBJECTS} subjects are within reach: try it on a part of the tree")
    if sum(scheme.size for scheme in schemes) * len(found) > MOST_STEPS:
        raise BadTable(f"{len(found)} subjects and schemes of this size are too much for one request: ask of a part")
    documents = [orjson.loads(one.document) for one in found]
    rows = [read_publication(document) for document in documents]
    before, after = (evaluate(scheme, lay_out_publications(scheme, rows)) for scheme in schemes)
    organisations = [str(row["organisation"] or "") for row in rows]
    by = {"area": [places[code].area if code in places else "" for code in organisations]}
    by |= {name: [str(row[name] or "") for row in rows] for name in TEXTS}
    if request.subject_kind == "cadre":
        by |= {MAIN_CHANNEL: [find_main_channel(one.channels) or "" for one in found]}
    return Trial(
        before=before.scheme,
        after=after.scheme,
        simulation=simulate(before, after, by=by, tolerance=request.tolerance),
        subject_names={document["subject"]["code"]: document["subject"]["name"] for document in documents},
        organisation_names={code: place.name for code, place in places.items()},
        organisation_of=dict(zip(before.table.subjects, organisations, strict=True)),
    )


def _list_places(connection: Connection, period: Period) -> dict[str, Place]:
    """By code, the organisations within the reader's reach, each in the part of the tree that it lay in at the end."""
    known = {one.subject_id: one for one in publications.list_organisations(connection)}
    parents = publications.list_parents(connection, on=period.end)
    places = {}
    for organisation_id, one in known.items():
        line = [organisation_id]
        while (parent := parents.get(line[-1])) in known and parent not in line:
            line.append(parent)
        area = known[line[-2] if len(line) > 1 else line[-1]]
        places[one.code] = Place(name=one.name, area=area.code)
    return places


def read_publication(document: Mapping[str, Any]) -> dict[str, Value]:
    """What a publication says, as measures: what the office did by name, each indicator in per cent, and texts.

    A band counts with its middle, as it does in the composite. What is withheld is missing.
    """
    level, _, kind = str(document["peer_group"] or "").rpartition(".")
    organisation = document["organisation"]
    row: dict[str, Value] = {
        "subject": str(document["subject"]["code"]),
        "organisation": str(organisation["code"]) if organisation else None,
        "peer_group": document["peer_group"],
        "post_level": level or None,
        "post_kind": kind or None,
        COMPOSITE: _number(document["composite"]),
    }
    for indicator in document["indicators"]:
        for name, amount in indicator["components"].items():
            row[name] = Fraction(amount)
        if indicator["ratings_at_least"] is not None:
            row["ratings"] = Fraction(indicator["ratings_at_least"])
        share = _share(indicator)
        row[indicator["key"]] = None if share is None else share * 100
    return row


def list_measures(rows: Sequence[Mapping[str, Value]]) -> list[str]:
    return sorted({name for row in rows for name in row})


def _share(indicator: Mapping[str, Any]) -> Fraction | None:
    if (band := indicator["band"]) is not None:
        return (Fraction(band["from"]) + Fraction(band["to"])) / 2
    return _number(indicator["value"])


def _number(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def lay_out_publications(scheme: RuleScheme, rows: Sequence[Mapping[str, Value]]) -> Table:
    """The columns that the scheme names. Raises BadRules for one that publications do not have."""
    known = list_measures(rows)
    columns: dict[str, tuple[Value, ...]] = {}
    for key, measure in scheme.measures.items():
        if measure.column not in known and not measure.optional:
            raise BadRules(f"measures.{key}", f"no publication says {measure.column}; they say {', '.join(known)}")
        columns[key] = tuple(_cell(measure.column, row, blank=measure.blank_value) for row in rows)
    return Table(subjects=tuple(str(row["subject"]) for row in rows), periods=("",) * len(rows), columns=columns)


def _cell(column: str, row: Mapping[str, Value], *, blank: Fraction | None) -> Value:
    value = row.get(column)
    return blank if value is None else value
