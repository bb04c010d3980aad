"""What every request has in common, and what comes of one."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.reach import Reach

Status = Literal["created", "unchanged", "changed", "rejected", "conflict"]
DIRECT = "lianxin"  # the source of whatever was entered here and not taken over from another system


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one command: `code` is stable and for programs, `flags` name what is odd but was accepted."""

    status: Status
    id: UUID | None = None
    code: str = ""
    detail: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A caller's own name for a request, with a digest of the request it stood for."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`id` is the client's own where it made one, else the door's; a record that already exists keeps the id it has.

    `reach` is what its sender may touch; absent, the batch may touch what its pool may. `expected` is heeded by the
    steps and corrections of records that stand.
    """

    id: UUID
    correlation_id: str
    key: IdempotencyKey | None = None
    reach: Reach | None = None
    expected: frozenset[int] | None = None  # the versions of the record that it is meant for; absent, any


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who takes a step. Of a process or an import there is no account; one person may have several accounts."""

    account_id: UUID | None = None
    person_id: str | None = None
    is_machine: bool = False


NOBODY = Actor()
