"""The second factor: codes by time (RFC 6238), each usable once, and recovery codes for a lost device."""

import re
from typing import Final

from shared.errors import Conflict, Rejected

SECONDS_A_CODE: Final = 30
STEPS_ASIDE: Final = 1  # clocks differ: one code before and one after the present one
RECOVERY_CODES: Final = 10
_TIME_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY_CODE = re.compile(r"[a-z2-7]{24}", re.ASCII)


class NoSecondFactor(Conflict):
    code = "no-second-factor"


class HasSecondFactor(Conflict):
    code = "has-second-factor"


class SecondFactorNeeded(Conflict):
    """A role that this account holds may not be used without one."""

    code = "second-factor-needed"


class SecondFactorUnavailable(Rejected):
    """The installation has no keys directory, so that no secret could be kept safely."""

    code = "second-factor-unavailable"


def counters_around(timestamp: float, *, after: int) -> list[int]:
    """The counters whose codes are good now, without the one that was used last and all before it."""
    present = int(timestamp) // SECONDS_A_CODE
    return [counter for counter in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1) if counter > max(after, 0)]


def read_code(text: str) -> tuple[str | None, str | None]:
    """Tell a time code from a recovery code; spaces and hyphens between the characters do not matter."""
    plain = text.replace(" ", "").replace("-", "").lower()
    if _TIME_CODE.fullmatch(plain):
        return plain, None
    if _RECOVERY_CODE.fullmatch(plain):
        return None, plain
    return None, None


def show_recovery_code(plain: str) -> str:
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))
