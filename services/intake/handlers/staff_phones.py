"""The telephones of the staff, against which those of raters are held. Only keyed digests of them are kept."""

from collections.abc import Sequence

from services.intake.domain.citizens import NotValid, normalise_phone
from services.intake.sealing import vault
from services.intake.storage import staff_phones as storage
from shared.audit import chain
from shared.database import Pool, transaction
from shared.errors import NotFound, Rejected


class CadreNotFound(NotFound):
    code = "cadre-not-found"


class BadPhone(Rejected):
    code = "invalid-phone"


def put_phones(pool: Pool, staff_number: str, phones: Sequence[str]) -> int:
    """Replace what is known of the cadre; return how many there are. Raises CadreNotFound, BadPhone.

    Under every key that the index ever had: with one that comes later they have to be told again.
    """
    try:
        numbers = {normalise_phone(phone) for phone in phones}
    except NotValid:
        raise BadPhone("one of them is no number of the mainland") from None
    digests = [digest for number in sorted(numbers) for digest in vault().handles("phone", number)]
    with transaction(pool) as connection:
        if not storage.set_phones(connection, staff_number, digests):
            raise CadreNotFound("there is no such cadre")
        line = chain.Line(action="staff_phone.put", object_type="cadre", details={"count": len(numbers)})
        chain.note(connection, line)
    return len(numbers)
