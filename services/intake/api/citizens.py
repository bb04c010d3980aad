"""How requests describe a citizen. What is wrong is refused without being repeated."""

from datetime import UTC, datetime

from services.intake.domain.citizens import Citizen, IdKind, describe_citizen
from shared.edge import ShortText
from shared.http import Body


class CitizenBody(Body):
    name: ShortText | None = None
    phone: ShortText | None = None
    id_number: ShortText | None = None
    id_kind: IdKind | None = None
    address: ShortText | None = None


def read_citizen(body: CitizenBody | None) -> Citizen | None:
    """Raises NotValid."""
    if body is None:
        return None
    return describe_citizen(
        name=body.name,
        phone=body.phone,
        id_number=body.id_number,
        id_kind=body.id_kind,
        address=body.address,
        today=datetime.now(UTC).date(),
    )
