"""Who is invited to rate by what means, who has yet to be, and how many of the invited did."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.rating_samples import read_period
from services.intake.storage import rating_invitations as storage
from services.intake.storage import rating_samples
from services.intake.storage.citizens import elevated
from services.intake.storage.rating_invitations import Method
from services.intake.storage.rating_links import Rated
from services.intake.storage.rating_samples import OrganisationNotFound
from shared import outbox
from shared.contracts.intake.ratings import RatingInvited
from shared.database import Connection, Pool, transaction
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.outbox import OutgoingEvent
from shared.reach import current

INVITED_FOR = timedelta(days=30)  # what was closed longer ago is not asked about any more
INVITATIONS_A_SWEEP = 5_000


def invite(connection: Connection, rated: Rated, method: Method, *, now: datetime) -> UUID:
    """Note that the citizen is asked, and tell it; return the invitation. Under the system's reach."""
    acting = current()
    invitation_id = storage.make_invitation(
        connection, rated, method, invitation_id=new_id(), by=acting.account_id if acting else None, at=now
    )
    event = RatingInvited(
        invitation_id=invitation_id,
        issue_id=rated.issue_id,
        contact_id=rated.contact_id,
        method=method,
        invited_at=now,
    )
    told = OutgoingEvent(event=event, sequence=1, correlation_id=correlation_id())
    outbox.append(connection, [told], recorded_at=now, correlation_id=correlation_id())
    return invitation_id


def list_due_invitations(
    pool: Pool, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[storage.DueInvitation]:
    with transaction(pool) as connection:
        return storage.list_due_invitations(connection, after=after, limit=limit)


def sweep_invitations(pool: Pool, rules: RatingRules, *, now: datetime) -> int:
    """Find whom nobody has asked some days after the closing; return how many. As the system."""
    before = now - rules.invite_after
    with transaction(pool) as connection:
        return storage.insert_due_invitations(
            connection, closed_before=before, closed_after=before - INVITED_FOR, limit=INVITATIONS_A_SWEEP
        )


def count_participation(pool: Pool, organisation_code: str, period: str) -> dict[str, dict[str, int]]:
    """Raises OrganisationNotFound, BadPeriod."""
    begins_at, ends_at = read_period(period)
    with transaction(pool) as connection:
        organisation_id = rating_samples.find_organisation(connection, organisation_code)
        if organisation_id is None:
            raise OrganisationNotFound("there is no such organisation")
        with elevated(connection):
            return storage.count_participation(connection, organisation_id, begins_at, ends_at)
