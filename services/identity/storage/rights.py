"""Who may ask the database who is signed in: granted after the migrations, because they know no role's name."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

# Whatever answers a question of the other services. Each exists from its own migration on.
DOORS = ("resolve_session", "resolve_client", "list_token_keys", "explain_session", "list_holders")


def grant_doors(owner_url: str, *, roles: Sequence[str]) -> list[str]:
    """Let these roles ask; return the functions that there are. Those roles get nothing else by this."""
    with psycopg.connect(owner_url, connect_timeout=5) as connection:
        found = connection.execute(
            """
            SELECT proc.proname, proc.oid::regprocedure::text
              FROM pg_catalog.pg_proc AS proc
              JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
             WHERE namespace.nspname = 'public' AND proc.proname = ANY (%s)
             ORDER BY proc.proname
            """,
            [list(DOORS)],
        ).fetchall()
        for role in roles:
            name = sql.Identifier(role)
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
            for _, signature in found:
                # The catalogue's own spelling of name and argument types.
                door = sql.SQL(signature)
                connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(door, name))
        return [str(name) for name, _ in found]
