"""What is wrong with a scheme or with the table that it is put to, and where."""

import re
from typing import Final

from services.assessment.domain.rules.chinese import translate
from shared.errors import Rejected

# Other places are keys as they are written in the file.
LINE: Final = re.compile(r"line (\d+)")


class BadRules(Rejected):
    """The scheme does not read. The detail begins with the place: a key, a reason."""

    code = "bad-scheme"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        chinese = translate(reason)
        self.detail_zh = None if chinese is None else f"{_name_place(place)}：{chinese}"


class BadTable(Rejected):
    """The table cannot be scored with the scheme. The detail names the row and the column."""

    code = "bad-table"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail_zh = translate(detail)


def _name_place(place: str) -> str:
    if place == "scheme":
        return "方案"
    line = LINE.fullmatch(place)
    return place if line is None else f"第{line[1]}行"
