"""The publications of one period: written down once, with what they were computed from, under one hash."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.assessment.domain.periods import Period
from services.assessment.domain.releases import (
    QUESTIONS,
    Holder,
    Parents,
    Question,
    Release,
    tell_cadre,
    tell_organisations,
)
from services.assessment.domain.rounding import Rounded, round_told
from services.assessment.domain.scores import Placement, Subject, UnknownScheme
from services.assessment.handlers.publishing import Basis, Published, describe, freeze, seal
from services.assessment.handlers.schemes import read_scheme_in_force
from services.assessment.handlers.windows import sum_measures
from services.assessment.storage import closed_periods, publications, releases, schemes, scores
from services.assessment.storage.closed_periods import ClosedPeriod, PublicationLine
from shared.database import Connection

SUBJECTS_A_BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When it is closed, and by whose clock days begin."""

    at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edition:
    """One period's publications: what may be told of whose ratings, in the words of which scheme."""

    period: Period
    basis: Basis
    moment: Moment
    organisations: Mapping[UUID, Subject]
    told: Mapping[UUID, Mapping[Question, Rounded]]
    channels: Mapping[UUID, str]


class PeriodHash:
    """One hash over a period, publication by publication in the order of their keys. docs/periods.md has the form."""

    def __init__(self, period: Period, basis: Basis) -> None:
        head = {
            "period": period.label,
            "scheme": {
                "name": basis.scheme.name,
                "version": basis.scheme.version,
                "definition_hash": basis.definition_hash.hex(),
            },
            "parameters": dict(basis.parameters),
        }
        self._hash = hashlib.sha256(seal(head)[0].encode() + b"\n")
        self.count = 0

    def add(self, line: PublicationLine) -> None:
        inputs_hash = line.inputs_hash.hex() if line.inputs_hash is not None else "-"
        text = f"{line.subject_kind} {line.subject_id} {inputs_hash} {line.content_hash.hex()}\n"
        self._hash.update(text.encode())
        self.count += 1

    def digest(self) -> bytes:
        return self._hash.digest()


def find_basis(connection: Connection, scheme_name: str) -> Basis:
    """The scheme in force. Raises UnknownScheme."""
    scheme = read_scheme_in_force(connection, scheme_name)
    stored = schemes.find_scheme(connection, scheme.name, scheme.version)
    if stored is None:
        raise UnknownScheme("the scheme in force is not loaded")
    return Basis(scheme=scheme, definition_hash=stored.content_hash, parameters={})


def publish_period(
    connection: Connection, period: Period, basis: Basis, parents: Parents, *, moment: Moment
) -> ClosedPeriod:
    """Write down what everybody did in it, and one hash over all of that."""
    told = releases.list_releases(connection, period)
    organisations = publications.list_organisations(connection)
    edition = _Edition(
        period=period,
        basis=basis,
        moment=moment,
        organisations={organisation.subject_id: organisation for organisation in organisations},
        told=_tell_cadres(told, period) | _tell_organisations(told, parents, period),
        channels=publications.count_channels(connection, period, time_zone=moment.zone.key),
    )
    for batch in _batches(publications.list_cadres_at_work(connection, period)):
        asked = [(cadre.subject_id, period) for cadre in batch]
        _write(connection, edition, batch, scores.list_placements_of_cadres(connection, asked, today=period.next_start))
    for batch in _batches(organisations):
        placements = {(one.subject_id, period): Placement(organisation_id=one.subject_id) for one in batch}
        _write(connection, edition, batch, placements)
    return _seal_period(connection, edition)


def _seal_period(connection: Connection, edition: _Edition) -> ClosedPeriod:
    total = PeriodHash(edition.period, edition.basis)
    for line in closed_periods.stream_lines(connection, edition.period):
        total.add(line)
    closed = ClosedPeriod(
        period=edition.period,
        scheme_name=edition.basis.scheme.name,
        scheme_version=edition.basis.scheme.version,
        definition_hash=edition.basis.definition_hash,
        parameters=seal(edition.basis.parameters)[0],
        publication_count=total.count,
        content_hash=total.digest(),
        log_position=closed_periods.find_log_position(connection),
        closed_at=edition.moment.at,
    )
    closed_periods.insert_closed_period(connection, closed)
    return closed


def _write(
    connection: Connection,
    edition: _Edition,
    subjects: Sequence[Subject],
    placements: Mapping[tuple[UUID, Period], Placement],
) -> None:
    asked = [(subject.subject_id, edition.period) for subject in subjects]
    moment = edition.moment
    measures = sum_measures(connection, subjects[0].subject_kind, asked, as_of=moment.at, zone=moment.zone)
    rows = [
        _row(edition, subject, placements[subject.subject_id, edition.period], measures.get(key, {}))
        for subject, key in zip(subjects, asked, strict=True)
    ]
    publications.insert_publications(connection, rows)


def _row(edition: _Edition, subject: Subject, placement: Placement, process: Mapping[str, int]) -> dict[str, Any]:
    home = placement.organisation_id
    published = Published(
        subject=subject,
        period=edition.period,
        organisation=edition.organisations.get(home) if home is not None else None,
        peer_group=placement.peer_group,
    )
    frozen = freeze(published, process, edition.told.get(subject.subject_id, {}), edition.basis)
    inputs, inputs_hash = seal(frozen)
    document, content_hash = seal(describe(frozen, edition.basis.scheme))
    return {
        "subject_kind": subject.subject_kind,
        "subject_id": subject.subject_id,
        "subject_code": subject.code,
        "organisation_id": home,
        "period_kind": edition.period.kind,
        "period_start": edition.period.start,
        "period_end": edition.period.end,
        "scheme_name": edition.basis.scheme.name,
        "scheme_version": edition.basis.scheme.version,
        "inputs": inputs,
        "inputs_hash": inputs_hash.hex(),
        "document": document,
        "content_hash": content_hash.hex(),
        "channels": edition.channels.get(subject.subject_id, "{}") if subject.subject_kind == "cadre" else None,
    }


def _tell_cadres(told: Iterable[Release], period: Period) -> dict[UUID, dict[Question, Rounded]]:
    by_holder: dict[tuple[Holder, Question], list[Release]] = {}
    for release in told:
        if release.holder.kind == "cadre":
            by_holder.setdefault((release.holder, release.question), []).append(release)
    figures: dict[UUID, dict[Question, Rounded]] = {}
    for (holder, question), of_one in by_holder.items():
        if (sum_told := tell_cadre(of_one, period)) is not None:
            figures.setdefault(holder.id, {})[question] = round_told(sum_told)
    return figures


def _tell_organisations(
    told: Sequence[Release], parents: Parents, period: Period
) -> dict[UUID, dict[Question, Rounded]]:
    figures: dict[UUID, dict[Question, Rounded]] = {}
    for question in QUESTIONS:
        sums = tell_organisations((release for release in told if release.question == question), parents, period)
        for organisation_id, sum_told in sums.items():
            figures.setdefault(organisation_id, {})[question] = round_told(sum_told)
    return figures


def _batches(subjects: Sequence[Subject]) -> Iterable[Sequence[Subject]]:
    for start in range(0, len(subjects), SUBJECTS_A_BATCH):
        yield subjects[start : start + SUBJECTS_A_BATCH]
