"""What an import can find wrong: in a row, which is refused or only flagged, and with a file as a whole."""

from dataclasses import dataclass
from typing import Literal

from shared.errors import Rejected

Severity = Literal["error", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark about one row. `detail` may name columns, limits and rules, and never repeats what a cell holds."""

    line: int
    severity: Severity
    code: str
    column: str = ""
    detail: str = ""


class FileRefused(Rejected):
    """The file cannot be read from here on. Rows that were read before stay as they are."""

    code = "file-refused"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def error(line: int, code: str, detail: str, column: str = "") -> Finding:
    return Finding(line=line, severity="error", code=code, column=column, detail=detail)


def flag(line: int, code: str, detail: str, column: str = "") -> Finding:
    return Finding(line=line, severity="flag", code=code, column=column, detail=detail)
