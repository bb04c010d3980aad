"""The national code lists that registers are checked against, and what a code of each must look like."""

import re
from typing import Final

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

# GB/T 12404-1997, subordination of units: central, province, prefecture, county, township with its three kinds,
# committee with its two, other.
LEVELS: Final = frozenset({"10", "20", "40", "50", "60", "61", "62", "63", "70", "71", "72", "90"})

# Post levels as public personnel systems write them: a head and a deputy for each rung, then members and clerks.
POST_LEVELS: Final = frozenset({"111", "112", "121", "122", "131", "132", "141", "142", "150", "160", "199"})

_PROVINCES: Final = "1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|81|82"
# GB/T 2260 has six digits, for province, prefecture and county; below a county three more, for the township by
# GB/T 10114, and three more for the committee.
_DIVISION: Final = re.compile(
    rf"(?:{_PROVINCES})(?:0000|(?!00)[0-9]{{2}}00|(?!00)[0-9]{{2}}(?!00)[0-9]{{2}}"
    rf"(?:(?:[0-9]{{3}}){{1,2}})?)",
    re.ASCII,
)
_RUNGS: Final = (2, 4, 6, 9, 12)


def is_division_code(text: str) -> bool:
    """Whether the form is right; whether there is such a place, no form can tell."""
    return _DIVISION.fullmatch(text) is not None and text[6:9] != "000"


def lies_under(code: str, above: str) -> bool:
    """Whether one place lies in another, or is the same."""
    return code.startswith(significant_part(above))


def significant_part(code: str) -> str:
    """A code without the zeros that stand for everything below: 330100 becomes 3301."""
    for rung in _RUNGS:
        if not code[rung:].strip("0"):
            return code[:rung]
    return code


def is_credit_code(text: str) -> bool:
    """GB 32100: eighteen characters, the last of which checks the others."""
    try:
        return bool(uscc.validate(text) == text)
    except ValidationError:
        return False
