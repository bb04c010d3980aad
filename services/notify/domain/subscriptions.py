"""Who wants to be told, and of what."""

import re
from dataclasses import dataclass
from uuid import UUID

from services.notify.domain.addresses import UnsafeName, check_address, check_display_name
from services.notify.domain.messages import Language
from shared.errors import Conflict, NotFound, Rejected

_SUBSCRIPTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class MissingAddress(Rejected):
    code = "missing-address"


class UnknownOrganisation(Rejected):
    """There is none, or it is out of the asking person's reach."""

    code = "unknown-organisation"


class NameTaken(Conflict):
    code = "name-taken"


class UnknownSubscription(NotFound):
    code = "unknown-subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be told: of one organisation and all below it, or, without one, of the whole county."""

    name: str
    recipient_name: str
    email: str | None
    organisation_id: UUID | None
    language: Language
    channels: tuple[str, ...]

    def check(self) -> None:
        """Raises UnsafeName, UnsafeAddress, MissingAddress. What passes can stand in a mail header."""
        if not _SUBSCRIPTION_NAME.fullmatch(self.name):
            raise UnsafeName("a subscription's name has 1 to 64 letters, digits, dots, hyphens and underscores")
        check_display_name(self.recipient_name)
        if self.email is not None:
            check_address(self.email)
        if "email" in self.channels and self.email is None:
            raise MissingAddress("delivery by e-mail needs an address")
