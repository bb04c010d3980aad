"""The telephones of the staff in the database, as keyed digests: enough to know one again, too little to call."""

from collections.abc import Sequence

from shared.database import Connection


def set_phones(connection: Connection, staff_number: str, digests: Sequence[bytes]) -> bool:
    """Put these in the place of what is known of the cadre. Whether there is such a cadre."""
    row = connection.execute("SELECT id FROM cadre WHERE staff_number = %s", [staff_number]).fetchone()
    if row is None:
        return False
    connection.execute("DELETE FROM staff_phone WHERE cadre_id = %s", [row[0]])
    connection.execute(
        """
        INSERT INTO staff_phone (digest, cadre_id)
        SELECT DISTINCT digest, %s::uuid FROM unnest(%s::bytea[]) AS digest
        """,
        [row[0], list(digests)],
    )
    return True
