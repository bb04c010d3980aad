"""Requests that carry a key of their caller: each is done once, however often it is sent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.intake.domain.commands.base import Command, IdempotencyKey, Outcome
from services.intake.sealing import vault
from services.intake.storage import keys as storage
from shared.database import Connection, Pool, joined, transaction
from shared.errors import Rejected
from shared.identifiers import new_id

AnyCommand = TypeVar("AnyCommand", bound=Command)
KeyName = tuple[str, str]
REUSED = "the idempotency key stood for another request"


class KeyReused(Rejected):
    code = "key-reused"


def run_once_per_key(
    connection: Connection,
    commands: Sequence[AnyCommand],
    run: Callable[[list[AnyCommand]], list[Outcome]],
    *,
    now: datetime,
) -> list[Outcome]:
    """Run the commands whose key is new or absent; settle the others from what their key stood for.

    A key is kept only when its request succeeded: a refused one left nothing behind that a repeat could find.
    """
    claims = [(command.key, command.id) for command in commands if command.key is not None]
    if not claims:
        return run(list(commands))
    taken = storage.claim_keys(connection, claims, created_at=now)
    stored = storage.list_keys(connection, [key for key, _ in claims])
    settled: dict[int, Outcome] = {}
    owners: dict[KeyName, int] = {}
    copies: dict[int, KeyName] = {}
    fresh: list[int] = []
    for position, command in enumerate(commands):
        if command.key is None:
            fresh.append(position)
            continue
        name = (command.key.caller, command.key.key)
        fingerprint, record_id = stored[name]
        if fingerprint != command.key.fingerprint:
            settled[position] = _reused()
        elif name not in taken:
            settled[position] = Outcome(status="unchanged", id=record_id)
        elif name in owners:
            copies[position] = name
        else:
            owners[name] = position
            fresh.append(position)
    outcomes = run([commands[position] for position in fresh]) if fresh else []
    settled.update(zip(fresh, outcomes, strict=True))
    _keep_or_release(connection, [(commands[position], settled[position]) for position in owners.values()])
    for position, name in copies.items():
        settled[position] = _as_repeat(settled[owners[name]])
    return [settled[position] for position in range(len(commands))]


def run_once(pool: Pool, key: IdempotencyKey, do: Callable[[Pool], str | None], *, now: datetime) -> str | None:
    """Run what is no command of a group, unless the key stood for it before; then return the answer that was kept.

    `do` returns the answer to keep, if any. Key, answer and what it does are one transaction. Raises KeyReused.
    """
    record_id = new_id()
    with transaction(pool) as connection:
        if (key.caller, key.key) in storage.claim_keys(connection, [(key, record_id)], created_at=now):
            answer = do(joined(connection))
            storage.keep_answer(connection, key, vault().seal_if("idempotency_key", "answer", record_id, answer))
            return answer
        fingerprint, record_id = storage.list_keys(connection, [key])[key.caller, key.key]
        if fingerprint != key.fingerprint:
            raise KeyReused(REUSED)
        sealed = storage.get_answer(connection, key)
    return vault().open("idempotency_key", "answer", record_id, sealed, None)


def _keep_or_release(connection: Connection, done: Sequence[tuple[Command, Outcome]]) -> None:
    """Let each key stand for the record that its request was about, which may be older than the request."""
    released = []
    moved = []
    for command, outcome in done:
        if command.key is None:
            continue
        if not _succeeded(outcome):
            released.append(command.key)
        elif outcome.id is not None and outcome.id != command.id:
            moved.append((command.key, outcome.id))
    if released:
        storage.release_keys(connection, released)
    if moved:
        storage.set_records(connection, moved)


def _succeeded(outcome: Outcome) -> bool:
    return outcome.status in {"created", "changed", "unchanged"}


def _as_repeat(outcome: Outcome) -> Outcome:
    return replace(outcome, status="unchanged") if _succeeded(outcome) else outcome


def _reused() -> Outcome:
    return Outcome(status="rejected", code=KeyReused.code, detail=REUSED)
