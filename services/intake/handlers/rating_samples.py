"""Drawing whom to call back, by somebody other than the unit, once a period and so that anybody can draw again."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.rating_samples import ALGORITHM, digest_list, draw, read_period
from services.intake.storage import rating_samples as storage
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
    sample: Sample
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """The seed that was asked for, and the one that stands in for it where none was."""

    given: str | None
    spare: str


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
                    "algorithm": ALGORITHM,
                    "share": Decimal(str(rules.sample_share)),
                    "drawn_by": acting.account_id if acting else None,
                    "drawn_at": now,
                }
                _draw(connection, values, rules)
                standing = storage.get_sample(connection, UUID(str(values["id"])))
                return Drawn(sample=standing, is_new=True)
    if seeds.given is not None and seeds.given != standing.seed:
        raise SampleDrawn("the period was drawn with another seed")
    return Drawn(sample=standing, is_new=False)


def get_sample(pool: Pool, sample_id: UUID) -> Sample:
    """Raises SampleNotFound."""
    with transaction(pool) as connection:
        return storage.get_sample(connection, sample_id)


def list_members(pool: Pool, sample_id: UUID, *, after: tuple[UUID, UUID] | None, limit: int) -> list[ShownMember]:
    """The whole list that was drawn from. Raises SampleNotFound."""
    with transaction(pool) as connection:
        storage.get_sample(connection, sample_id)
        return storage.list_members(connection, sample_id, after=after, limit=limit)


def list_drawn(pool: Pool, sample_id: UUID) -> list[UUID]:
    """Those that were drawn, in the order of their ids. Raises SampleNotFound."""
    with transaction(pool) as connection:
        storage.get_sample(connection, sample_id)
        return storage.list_drawn(connection, sample_id)


def _draw(connection: Connection, values: dict[str, object], rules: RatingRules) -> None:
    organisation_id, seed = UUID(str(values["organisation_id"])), str(values["seed"])
    begins_at, ends_at = values["begins_at"], values["ends_at"]
    assert isinstance(begins_at, datetime)  # noqa: S101 - as put together above
    assert isinstance(ends_at, datetime)  # noqa: S101
    members = storage.list_closed(connection, organisation_id, begins_at, ends_at)
    drawn = draw(members, seed, rules.sample_share)
    values["list_hash"] = digest_list(members)
    storage.insert_sample(connection, values, members, drawn)
    tasks = storage.insert_tasks(connection, values, lowest_level=rules.lowest_level)
    details = {"seed": seed, "members": len(members), "drawn": len(drawn), "tasks": tasks}
    line = chain.Line(
        action="rating_sample.draw",
        object_type="rating_sample",
        object_id=UUID(str(values["id"])),
        details={**details, "list_hash": digest_list(members).hex()},
    )
    chain.note(connection, line)
