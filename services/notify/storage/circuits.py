"""How each endpoint has answered lately: one row, which is locked while something is decided by it."""

from datetime import datetime
from typing import Final

from shared.database import Connection
from shared.gateways.circuits import Circuit

READ: Final = b"SELECT failures, openings, open_until, room, paced_until FROM circuit WHERE endpoint = %s"


def get_circuit(connection: Connection, endpoint: str) -> tuple[Circuit, datetime | None]:
    """The circuit and until when the endpoint is paced. Of one that was never called it is as if it had done well."""
    row = connection.execute(READ, [endpoint]).fetchone()
    return (Circuit(), None) if row is None else _read(row)


def lock_circuit(connection: Connection, endpoint: str, *, waits: bool) -> tuple[Circuit, datetime | None] | None:
    """As `get_circuit`, and nobody else decides by it meanwhile; None where somebody else does and nobody waits."""
    connection.execute("INSERT INTO circuit (endpoint) VALUES (%s) ON CONFLICT DO NOTHING", [endpoint])
    query = READ + b" FOR UPDATE"
    row = connection.execute(query if waits else query + b" SKIP LOCKED", [endpoint]).fetchone()
    return None if row is None else _read(row)


def _read(row: tuple[object, ...]) -> tuple[Circuit, datetime | None]:
    failures, openings, open_until, room, paced_until = row
    circuit = Circuit(
        failures=int(str(failures)),
        openings=int(str(openings)),
        open_until=open_until if isinstance(open_until, datetime) else None,
        room=int(str(room)) if room is not None else None,
    )
    return circuit, paced_until if isinstance(paced_until, datetime) else None


def set_circuit(connection: Connection, endpoint: str, circuit: Circuit) -> None:
    connection.execute(
        "UPDATE circuit SET failures = %s, openings = %s, open_until = %s, room = %s WHERE endpoint = %s",
        [circuit.failures, circuit.openings, circuit.open_until, circuit.room, endpoint],
    )


def set_pace(connection: Connection, endpoint: str, *, until: datetime) -> None:
    connection.execute("UPDATE circuit SET paced_until = %s WHERE endpoint = %s", [until, endpoint])


def count_open(connection: Connection, *, now: datetime) -> dict[str, int]:
    """By channel how many endpoints are left alone, or are only tried again."""
    rows = connection.execute(
        """
        SELECT split_part(endpoint, '/', 1), count(*) FILTER (WHERE open_until > %s OR room IS NOT NULL)
          FROM circuit
         GROUP BY 1
        """,
        [now],
    ).fetchall()
    return {str(row[0]): int(str(row[1])) for row in rows}
