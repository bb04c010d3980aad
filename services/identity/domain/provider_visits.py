"""Visits to a provider of identities: what a browser is sent for, and what may come of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from shared.errors import Conflict, Forbidden, Unauthenticated

VisitPurpose = Literal["sign-in", "step-up", "link"]
VISIT_FOR: Final = timedelta(minutes=10)
CLOCK_DIFFERENCE: Final = timedelta(seconds=30)


class ProviderRefused(Unauthenticated):
    """The provider did not confirm who somebody is, or what came back is not what was asked for."""

    code = "provider-refused"


class UnknownPerson(Forbidden):
    """The provider knows them, and nobody gave them an account here."""

    code = "unknown-person"


class LinkedElsewhere(Conflict):
    code = "linked-elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderVisit:
    nonce: str
    code_verifier: str
    purpose: VisitPurpose
    session_id: UUID | None
    next_path: str
    started_at: datetime
