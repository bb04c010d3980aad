"""How PostgreSQL would do what it is asked."""

from typing import ClassVar

import psycopg
from psycopg import sql


class Explaining(psycopg.Cursor):
    """Notes how what it is asked would be done."""

    plan: ClassVar[list[str]] = []

    def execute(self, query, parameters=None, **options):  # type: ignore[override, explicit-override] # as it is asked here
        text = query.as_string(self.connection) if isinstance(query, sql.Composable) else query
        asked = text if isinstance(text, bytes) else text.encode()
        rows = psycopg.Cursor(self.connection).execute(b"EXPLAIN " + asked, parameters, **options).fetchall()
        self.plan[:] = [str(line) for (line,) in rows]
        return super().execute(query, parameters, **options)
