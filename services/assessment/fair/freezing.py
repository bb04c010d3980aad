"""A dossier as plain data and back, in one form: what a closed score is computed from, and can be computed from again.

Citizens are known by names that hold within one window only, so that two packages do not tell who came back.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final

from services.assessment.fair.records import (
    KINDS,
    Cadre,
    Contact,
    Dossier,
    Handover,
    Issue,
    Rating,
    Record,
    Span,
    amend,
    values_of,
)

IDS: Final = {Issue: "issue", Rating: "rating", Contact: "contact", Handover: "issue"}
LENGTH: Final = 16
_DEFAULTS: Final[dict[type[Any], list[tuple[str, Any]]]] = {
    kind: [(one.name, one.default) for one in fields(kind)] for kind in KINDS
}


def rename(dossier: Dossier, window: str) -> Dossier:
    return Dossier(
        cadre=dossier.cadre,
        issues=[amend(one, complainant=_name(one.complainant, window)) for one in dossier.issues],
        ratings=[
            amend(one, rater=_name(one.rater, window), device=_name(one.device, window)) for one in dossier.ratings
        ],
        contacts=[amend(one, citizen=_name(one.citizen, window)) for one in dossier.contacts],
        handovers=list(dossier.handovers),
    )


@lru_cache(100_000)  # the same few come again with the next records
def _name(person: str, window: str) -> str:
    return hashlib.sha256(f"{window} {person}".encode()).hexdigest()[:LENGTH] if person else ""


def freeze(dossier: Dossier, cleared: Iterable[str] = ()) -> dict[str, Any]:
    """Records by their ids; what stands at its default is left out. `cleared`: checks that somebody cleared."""
    return {
        "cadre": _write(dossier.cadre),
        "issues": _list(dossier.issues),
        "ratings": _list(dossier.ratings),
        "contacts": _list(dossier.contacts),
        "handovers": _list(dossier.handovers),
        "cleared": sorted(cleared),
    }


def thaw(data: Mapping[str, Any]) -> Dossier:
    return Dossier(
        cadre=Cadre(**data["cadre"]),
        issues=[Issue(**one) for one in data["issues"]],
        ratings=[Rating(**one) for one in data["ratings"]],
        contacts=[Contact(**one) for one in data["contacts"]],
        handovers=[Handover(**one) for one in data["handovers"]],
    )


def write_span(span: Span) -> dict[str, Any]:
    return {
        "starts_at": span.starts_at,
        "ends_at": span.ends_at,
        "as_of": span.as_of,
        "quarter_ends": list(span.quarter_ends),
    }


def read_span(data: Mapping[str, Any]) -> Span:
    return Span(**{**data, "quarter_ends": tuple(data["quarter_ends"])})


def _list(records: list[Record]) -> list[dict[str, Any]]:
    return [_write(one) for one in sorted(records, key=lambda one: str(getattr(one, IDS[type(one)])))]


def _write(record: Cadre | Issue | Rating | Contact | Handover) -> dict[str, Any]:
    return {
        name: value
        for (name, default), value in zip(_DEFAULTS[type(record)], values_of(record), strict=True)
        if value != default
    }
