"""What may stand in the header of a mail: one plain address, and a name that breaks nothing."""

import re
import unicodedata

from shared.errors import Rejected

LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 100
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*", re.ASCII)


class UnsafeAddress(Rejected):
    """Not one plain e-mail address: two of them, a line break, a name in brackets, ..."""

    code = "unsafe-address"


class UnsafeName(Rejected):
    code = "unsafe-name"


def check_address(address: str) -> None:
    """Raises UnsafeAddress."""
    local_part = address.partition("@")[0]
    if len(address) > LONGEST_ADDRESS or len(local_part) > LONGEST_LOCAL_PART or not _ADDRESS.fullmatch(address):
        raise UnsafeAddress("not one plain e-mail address")


def check_display_name(name: str) -> None:
    """Raises UnsafeName. An encoded word (=?...?=) is refused too: mail libraries decode it, line breaks and all."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise UnsafeName(f"a recipient's name has 1 to {LONGEST_NAME} characters")
    if "=?" in name or any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name):
        raise UnsafeName("a recipient's name has no control characters")
