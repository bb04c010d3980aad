"""What staff find on their desk: their own records, the open issues within reach, and whom a name leads to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.handlers.texts import ContactRecord
from services.intake.sealing import vault
from services.intake.storage import desk as storage
from services.intake.storage.desk import Names, OwnContact
from services.intake.storage.registers import Cadre
from shared.database import Pool, transaction
from shared.errors import Conflict, LianxinError, NotFound, Rejected

MOST_CONTACTS = 50
MOST_ISSUES = 100
MOST_CADRES = 12
MOST_PLACES = 10
MOST_SUGGESTED_PLACES = 300


class UnknownCadre(Rejected):
    code = "unknown-cadre"


class SeveralCadres(Rejected):
    code = "several-cadres"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIssue:
    id: UUID
    type: str
    category: str
    status: str
    title: str | None = field(repr=False)
    received_at: datetime
    respond_by: datetime | None
    responded_at: datetime | None
    due_at: datetime | None
    organisation_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    issues: list[OpenIssue]
    has_more: bool


def list_own_contacts(pool: Pool) -> list[OwnContact]:
    with transaction(pool) as connection:
        return storage.list_own_contacts(connection, limit=MOST_CONTACTS)


def list_last_places(pool: Pool) -> list[str]:
    with transaction(pool) as connection:
        return storage.list_last_places(connection, limit=MOST_PLACES)


def find_unit(pool: Pool, contact: ContactRecord) -> str | None:
    """Find who received first what was told at this contact."""
    with transaction(pool) as connection:
        return contact.organisation_code or storage.find_unit(connection, contact.staff_number, contact.occurred_at)


def list_places(pool: Pool) -> list[tuple[str, str]]:
    """List code and name of where contacts may be, as far as the reach goes."""
    with transaction(pool) as connection:
        return storage.list_places(connection, limit=MOST_SUGGESTED_PLACES)


def find_names(
    pool: Pool,
    *,
    organisations: Iterable[str | None] = (),
    cadres: Iterable[str | None] = (),
    categories: Iterable[str | None] = (),
    on: date,
) -> Names:
    wanted = {
        kind: sorted({code for code in codes if code is not None})
        for kind, codes in (("organisations", organisations), ("cadres", cadres), ("categories", categories))
    }
    with transaction(pool) as connection:
        return storage.find_names(connection, **wanted, on=on)


def list_open_issues(pool: Pool) -> Worklist:
    with transaction(pool) as connection:
        rows = storage.list_open_issues(connection, limit=MOST_ISSUES + 1)
    return Worklist(issues=[_open(row) for row in rows[:MOST_ISSUES]], has_more=len(rows) > MOST_ISSUES)


def find_cadres(pool: Pool, text: str) -> list[Cadre]:
    with transaction(pool) as connection:
        return storage.find_cadres(connection, text.strip(), limit=MOST_CADRES) if text.strip() else []


def resolve_cadre(pool: Pool, text: str) -> str:
    """Return the staff number of whom a number, a name, or a number and a name lead to. Raises UnknownCadre,
    SeveralCadres.
    """
    number = text.split(maxsplit=1)[0] if text.strip() else ""
    found = find_cadres(pool, number)
    if any(cadre.staff_number == number for cadre in found):
        return number
    named = [cadre for cadre in found if cadre.name == text.strip()] or found
    if not named:
        raise UnknownCadre("no such cadre within reach")
    if len(named) > 1:
        raise SeveralCadres("several cadres fit")
    return named[0].staff_number


def refuse(outcome: Outcome) -> None:
    """Raises Refused, Contradicted or Missing where the outcome is no success."""
    if outcome.status == "conflict":
        raise Contradicted(outcome)
    if outcome.status == "rejected":
        raise Missing(outcome) if outcome.code.endswith("-not-found") else Refused(outcome)


class _Failed(LianxinError):
    """What became of a request, for a page to say; its code is the outcome's own."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.code = outcome.code


class Refused(_Failed, Rejected):
    pass


class Contradicted(_Failed, Conflict):
    pass


class Missing(_Failed, NotFound):
    pass


def _open(row: storage.OpenIssue) -> OpenIssue:
    key = None if row.citizen_ref is None else vault().open_key(row.citizen_ref, row.citizen_key)
    return OpenIssue(
        id=row.id,
        type=row.type,
        category=row.category,
        status=row.status,
        title=row.title or vault().open("issue", "title", row.id, row.title_sealed, key),
        received_at=row.received_at,
        respond_by=row.respond_by,
        responded_at=row.responded_at,
        due_at=row.due_at,
        organisation_code=row.organisation_code,
    )
