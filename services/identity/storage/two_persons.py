"""Whether there is a second person in this installation, who could agree to what one person asks for."""

from datetime import datetime

from shared.database import Connection


def is_second_person_there(connection: Connection) -> bool:
    """Whether there is somebody, or ever was, who could agree."""
    return connection.execute("SELECT 1 FROM two_persons").fetchone() is not None


def note_second_person(connection: Connection, *, at: datetime) -> None:
    """From now on there are two."""
    connection.execute("INSERT INTO two_persons (since) VALUES (%s) ON CONFLICT DO NOTHING", [at])
