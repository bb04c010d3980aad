"""What a published channel must look like, so that a citizen who uses it as it stands gets through."""

import re
from collections.abc import Mapping
from typing import Final

from services.intake.domain.commands.channels import ChannelKind

_FORMS: Final[Mapping[ChannelKind, re.Pattern[str]]] = {
    # Short numbers such as 12345, landlines with area and extension, mobiles.
    "phone": re.compile(r"\+?[0-9](?:[0-9 ()-]{1,22})[0-9]", re.ASCII),
    "mailbox": re.compile(r"[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}", re.ASCII),
    "web": re.compile(r"https?://[A-Za-z0-9.-]{1,180}(?::[0-9]{1,5})?(?:/[!-~]*)?", re.ASCII),
}


def is_usable(kind: ChannelKind, address: str) -> bool:
    """An office and an account of a social medium are named in any words."""
    form = _FORMS.get(kind)
    return form is None or form.fullmatch(address) is not None
