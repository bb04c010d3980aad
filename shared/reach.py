"""What the acting person may touch in this request: the row-level security of every transaction reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Roots include everything below them. Roots and the records of a cadre add up."""

    kind: Literal["system", "everywhere", "scoped"]
    organisation_codes: tuple[str, ...] = ()
    staff_number: str | None = None  # the records of this cadre are within reach
    actor_staff_number: str | None = None  # who the actor is as a cadre, whatever is within reach
    actor_organisation_codes: tuple[str, ...] = ()  # of all the actor's grants, for the same rule
    account_id: UUID | None = None
    person_id: str | None = None  # the same for all accounts of one person
    actor: str = "system"  # the account's or client's name, for the audit: never a citizen's
    role: str = "system"  # the roles under which the action was allowed, with commas between them


SYSTEM: Final = Reach(kind="system")
_current: ContextVar[Reach | None] = ContextVar("reach", default=None)


def current() -> Reach | None:
    return _current.get()


def enter(reach: Reach | None) -> Token[Reach | None]:
    return _current.set(reach)


def leave(token: Token[Reach | None]) -> None:
    _current.reset(token)


@contextmanager
def acting(reach: Reach | None) -> Iterator[None]:
    token = enter(reach)
    try:
        yield
    finally:
        leave(token)
