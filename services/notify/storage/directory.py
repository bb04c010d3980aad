"""Who holds a role in which unit, as identity knows it now: asked over a connection of its own, by one function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from psycopg.rows import class_row

from shared.database import Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    account_id: UUID
    staff_number: str | None
    organisation_code: str


class Directory(Protocol):
    def list_holders(self, role: str, organisation_codes: Sequence[str]) -> list[Holder]: ...


class IdentityDirectory:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def list_holders(self, role: str, organisation_codes: Sequence[str]) -> list[Holder]:
        """Raises DatabaseAway."""
        with transaction(self._pool) as connection, connection.cursor(row_factory=class_row(Holder)) as cursor:
            return cursor.execute(
                "SELECT account_id, staff_number, organisation_code FROM list_holders(%s, %s)",
                [role, list(organisation_codes)],
            ).fetchall()


class NoDirectory:
    """Of an installation whose worker may not ask identity: nobody is told by role."""

    def list_holders(self, role: str, organisation_codes: Sequence[str]) -> list[Holder]:  # noqa: ARG002 - as above
        return []
