"""Answering what is published: the closed periods, and the publications within the reader's reach, word for word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.assessment.domain.periods import Period, periods_ending_with
from services.assessment.domain.schemes import Scheme, read_scheme
from services.assessment.domain.scores import NotPublished, SubjectKind, UnknownScheme
from services.assessment.storage import closed_periods, publications, releases, schemes
from services.assessment.storage.publications import Publication
from services.assessment.storage.schemes import StoredScheme
from shared.database import Connection, Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationReading:
    """A publication with the scheme whose words its figures are defined by."""

    document: dict[str, Any]
    content_hash: bytes
    scheme: Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A publication to the byte, with all that it was computed from."""

    scheme: StoredScheme
    inputs: str
    inputs_hash: bytes
    document: str
    content_hash: bytes


def list_published_periods(pool: Pool) -> list[Period]:
    """Every closed period, newest first. Which there are is a matter of the calendar, and of days asked for, alone."""
    with transaction(pool) as connection:
        months = releases.list_closed_months(connection)
        custom = [one.period for one in closed_periods.list_closed_periods(connection) if one.period.kind == "custom"]
    periods = [period for month in months for period in periods_ending_with(month)] + custom
    return sorted(periods, key=lambda period: (period.next_start, period.days), reverse=True)


def read_publication(pool: Pool, kind: SubjectKind, code: str, period: Period) -> PublicationReading:
    """Raises NotPublished: out of reach, unknown and not closed are one and the same to the reader."""
    with transaction(pool) as connection:
        found = publications.find_publication(connection, kind, code, period)
        if found is None:
            raise NotPublished("nothing is published of that")
        return _with_schemes(connection, [found])[0]


def read_package(pool: Pool, kind: SubjectKind, code: str, period: Period) -> Package:
    """Raises NotPublished, also for what was published before inputs were kept; UnknownScheme."""
    with transaction(pool) as connection:
        found = publications.find_publication(connection, kind, code, period)
        if found is None or found.inputs is None or found.inputs_hash is None:
            raise NotPublished("nothing is published of that")
        stored = schemes.find_scheme(connection, found.scheme_name, found.scheme_version)
    if stored is None:
        raise UnknownScheme("the scheme of a publication is not loaded")
    return Package(
        scheme=stored,
        inputs=found.inputs,
        inputs_hash=found.inputs_hash,
        document=found.document,
        content_hash=found.content_hash,
    )


def list_publications(
    pool: Pool, kind: SubjectKind, period: Period, *, after: str | None, limit: int
) -> list[PublicationReading]:
    with transaction(pool) as connection:
        found = publications.list_publications(connection, kind, period, after=after, limit=limit)
        return _with_schemes(connection, found)


def _with_schemes(connection: Connection, found: Sequence[Publication]) -> list[PublicationReading]:
    """Raises UnknownScheme."""
    known: dict[tuple[str, int], Scheme] = {}
    for one in found:
        key = (one.scheme_name, one.scheme_version)
        if key not in known:
            stored = schemes.find_scheme(connection, *key)
            if stored is None:
                raise UnknownScheme("the scheme of a publication is not loaded")
            known[key] = read_scheme(stored.definition)
    return [
        PublicationReading(
            document=orjson.loads(one.document),
            content_hash=one.content_hash,
            scheme=known[one.scheme_name, one.scheme_version],
        )
        for one in found
    ]
