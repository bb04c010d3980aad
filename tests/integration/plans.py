"""How PostgreSQL would do what it is asked."""

from typing import ClassVar

import psycopg


class Explaining(psycopg.Cursor):
    """Notes how what it is asked would be done."""

    plan: ClassVar[list[str]] = []

    def execute(self, query, parameters=None, **options):  # type: ignore[override, explicit-override] # as it is asked here
        asked = query if isinstance(query, bytes) else query.encode()
        rows = psycopg.Cursor(self.connection).execute(b"EXPLAIN " + asked, parameters, **options).fetchall()
        self.plan[:] = [str(line) for (line,) in rows]
        return super().execute(query, parameters, **options)
