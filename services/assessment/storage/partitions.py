"""The parts of scores and tallies, one a year: made ahead and dropped whole, by functions of their owner."""

from datetime import date

from shared.database import Connection


def make_years(connection: Connection, *, first: int, last: int) -> int:
    """Make those that are missing, and those of years of which something came early; return how many."""
    return _ask(connection, "SELECT make_years(%s, %s)", [first, last])


def drop_score_years(connection: Connection, before: date) -> int:
    """Return how many scores went. None while anything of scores is held."""
    return _ask(connection, "SELECT drop_score_years(%s)", [before])


def _ask(connection: Connection, query: str, parameters: list[object]) -> int:
    row = connection.execute(query.encode(), parameters).fetchone()
    return int(str(row[0])) if row is not None else 0
