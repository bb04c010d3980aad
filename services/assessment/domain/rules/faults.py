"""What is wrong with a scheme or with the table that it is put to, and where."""

from shared.errors import Rejected


class BadRules(Rejected):
    """The scheme does not read. The detail begins with the place: a key, a reason."""

    code = "bad-scheme"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class BadTable(Rejected):
    """The table cannot be scored with the scheme. The detail names the row and the column."""

    code = "bad-table"
