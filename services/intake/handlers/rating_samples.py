"""Drawing whom to call back, by somebody other than the unit, once a period and so that anybody can draw again."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.rating_samples import (
    ALGORITHM,
    UnitCounts,
    digest_list,
    digest_secret,
    draw,
    draw_targeted,
    read_period,
)
from services.intake.domain.sample_findings import Findings, estimate
from services.intake.storage import rating_samples as storage
from services.intake.storage import sample_findings
from services.intake.storage.citizens import elevated
from services.intake.storage.rating_samples import OrganisationNotFound, Sample, ShownMember
from shared.audit import chain
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict
from shared.identifiers import new_id
from shared.reach import current


class PeriodNotOver(Conflict):
    code = "period-not-over"


class SampleDrawn(Conflict):
    code = "sample-drawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """`is_over`: nobody of those who were drawn is still to be called, so that the secret may be told."""

    sample: Sample
    is_new: bool
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """The seed that was asked for, the one that stands in for it where none was, and what nobody knows beside it."""

    given: str | None
    spare: str
    secret: str


def draw_sample(
    pool: Pool, organisation_code: str, period: str, *, seeds: Seeds, rules: RatingRules, now: datetime
) -> Drawn:
    """Draw, or give what was drawn: a period of an organisation is drawn once.

    Raises OrganisationNotFound, BadPeriod, PeriodNotOver, SampleDrawn.
    """
    begins_at, ends_at = read_period(period)
    if now < ends_at:
        raise PeriodNotOver("what is closed in a period is known when it is over")
    with transaction(pool) as connection:
        organisation_id = storage.find_organisation(connection, organisation_code)
        if organisation_id is None:
            raise OrganisationNotFound("there is no such organisation")
        with elevated(connection):
            storage.lock_sampling(connection, organisation_id)
            standing = storage.find_sample(connection, organisation_id, period)
            if standing is None:
                acting = current()
                values = {
                    "id": new_id(),
                    "organisation_id": organisation_id,
                    "period": period,
                    "begins_at": begins_at,
                    "ends_at": ends_at,
                    "seed": seeds.given or seeds.spare,
                    "secret": seeds.secret,
                    "algorithm": ALGORITHM,
                    "share": Decimal(str(rules.sample_share)),
                    "self_attested_share": _decimal(rules.self_attested_share),
                    "drawn_by": acting.account_id if acting else None,
                    "drawn_at": now,
                }
                _draw(connection, values, rules)
                standing = storage.get_sample(connection, UUID(str(values["id"])))
                return Drawn(sample=standing, is_new=True, is_over=storage.is_over(connection, standing.id))
            is_over = storage.is_over(connection, standing.id)
    if seeds.given is not None and seeds.given != standing.seed:
        raise SampleDrawn("the period was drawn with another seed")
    return Drawn(sample=standing, is_new=False, is_over=is_over)


def get_sample(pool: Pool, sample_id: UUID) -> Drawn:
    """Raises SampleNotFound."""
    with transaction(pool) as connection:
        sample = storage.get_sample(connection, sample_id)
        with elevated(connection):
            return Drawn(sample=sample, is_new=False, is_over=storage.is_over(connection, sample_id))


def list_members(
    pool: Pool, sample_id: UUID, *, after: tuple[UUID, UUID] | None, limit: int
) -> tuple[list[ShownMember], dict[UUID, UnitCounts]]:
    """The whole list that was drawn from, and how many were drawn of each unit. Raises SampleNotFound."""
    with transaction(pool) as connection:
        storage.get_sample(connection, sample_id)
        members = storage.list_members(connection, sample_id, after=after, limit=limit)
        return members, storage.count_units(connection, sample_id)


def get_findings(pool: Pool, sample_id: UUID) -> tuple[Findings, bool]:
    """What came of the calls so far, and whether that is all. Raises SampleNotFound."""
    with transaction(pool) as connection:
        storage.get_sample(connection, sample_id)
        with elevated(connection):
            called = sample_findings.list_called(connection, sample_id)
            units = storage.count_units(connection, sample_id)
            return estimate(called, units), storage.is_over(connection, sample_id)


def list_drawn(pool: Pool, sample_id: UUID) -> list[UUID]:
    """Those that were drawn in either way, in the order of their ids. Raises SampleNotFound."""
    with transaction(pool) as connection:
        storage.get_sample(connection, sample_id)
        return storage.list_drawn(connection, sample_id)


def _draw(connection: Connection, values: dict[str, object], rules: RatingRules) -> None:
    organisation_id, seed = UUID(str(values["organisation_id"])), str(values["seed"])
    begins_at, ends_at = values["begins_at"], values["ends_at"]
    assert isinstance(begins_at, datetime)  # noqa: S101 - as put together above
    assert isinstance(ends_at, datetime)  # noqa: S101
    members = storage.list_closed(connection, organisation_id, begins_at, ends_at)
    key = f"{seed}\n{values['secret']}"
    drawn, targeted = draw(members, key, rules.sample_share), draw_targeted(members, key, rules.self_attested_share)
    values["list_hash"] = digest_list(members)
    storage.insert_sample(connection, values, members, drawn=drawn, targeted=targeted)
    tasks = storage.insert_tasks(connection, values, lowest_level=rules.lowest_level)
    details = {
        "seed": seed,
        "secret_hash": digest_secret(str(values["secret"])),
        "members": len(members),
        "drawn": len(drawn),
        "self_attested": sum(member.is_self_attested for member in members),
        "targeted": len(targeted),
        "tasks": tasks,
    }
    line = chain.Line(
        action="rating_sample.draw",
        object_type="rating_sample",
        object_id=UUID(str(values["id"])),
        details={**details, "list_hash": digest_list(members).hex()},
    )
    chain.note(connection, line)


def _decimal(share: float | None) -> Decimal | None:
    return None if share is None else Decimal(str(share))
