"""A citizen's own data, put together for the citizen who asks for it."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from services.intake.handlers.citizens import list_known_elsewhere
from services.intake.sealing import vault
from services.intake.storage import citizens
from services.intake.storage import disclosures as storage
from shared.audit import chain
from shared.database import Pool, transaction

TEXTS = ("title", "description", "reply")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    citizen: dict[str, Any] = field(repr=False)
    issues: list[dict[str, Any]] = field(repr=False)
    contacts: list[storage.DisclosedContact]
    ratings: list[storage.DisclosedRating]
    households: list[storage.DisclosedHousehold]


def disclose(pool: Pool, citizen_ref: UUID) -> Disclosure:
    """Raises CitizenNotFound, also for one who is restricted or erased.

    Only records within the officer's reach, and of the citizen only what these tell: `withheld` says that others stand.
    """
    with transaction(pool) as connection:
        citizen = citizens.get_citizen(connection, citizen_ref)
        key = vault().open_key(citizen_ref, citizen.wrapped)
        if key is None:
            raise citizens.CitizenNotFound("nothing is known of this citizen any more")
        withheld = citizen_ref in list_known_elsewhere(connection, [citizen_ref])
        if withheld:
            name, phone = citizens.get_told(connection, citizen_ref)
            citizen = replace(citizen, name=name, phone=phone, id_number=None, id_kind=None, address=None)
        issues = storage.list_issues(connection, citizen_ref)
        contacts = storage.list_contacts(connection, citizen_ref)
        ratings = storage.list_ratings(connection, citizen_ref)
        households = storage.list_households(connection, citizen_ref)
        details = {"withheld": withheld, "issues": len(issues), "contacts": len(contacts), "ratings": len(ratings)}
        chain.note(connection, chain.Line(action="citizen.disclose", object_type="citizen", details=details))
    own = {
        name: vault().open("citizen", name, citizen_ref, getattr(citizen, name), key)
        for name in ("name", "phone", "id_number", "address")
    }
    opened = [
        {**asdict(issue), **{name: vault().open("issue", name, issue.id, getattr(issue, name), key) for name in TEXTS}}
        for issue in issues
    ]
    return Disclosure(
        citizen={**own, "id_kind": citizen.id_kind, "recorded_at": citizen.recorded_at, "withheld": withheld},
        issues=opened,
        contacts=contacts,
        ratings=ratings,
        households=households,
    )
