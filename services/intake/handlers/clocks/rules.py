"""Defining and listing the rules of the clocks. A version is never changed; another content succeeds it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from tomllib import loads
from typing import Any, Final

from services.intake.domain.clocks.documents import BadRule, read_rule
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.clocks import DefineClockRule
from services.intake.handlers.batches import Events, run_batch
from services.intake.storage import clock_rules as storage
from shared.database import Connection, Pool, transaction
from shared.errors import NotFound
from shared.identifiers import new_id
from shared.observability import new_correlation_id

PRESETS: Final = Path(__file__).parents[2] / "clock_presets.toml"


class PresetUnknown(NotFound):
    code = "unknown-preset"


def define_clock_rules(pool: Pool, commands: Sequence[DefineClockRule], *, now: datetime) -> list[Outcome]:
    """Define rules. The content of the newest version again changes nothing."""

    def run(connection: Connection, fresh: list[DefineClockRule], _: Events) -> list[Outcome]:
        storage.lock_rules(connection)
        newest = dict(storage.list_newest_rules(connection, [command.code for command in fresh]))
        outcomes: list[Outcome] = []
        rows: list[dict[str, Any]] = []
        for command in fresh:
            document = plain(command.document)
            standing = newest.get(command.code)
            try:
                read_rule(command.code, 1, document)
            except BadRule as error:
                outcomes.append(Outcome(status="rejected", code=error.code, detail=error.detail))
                continue
            if standing is not None and standing.document == document:
                outcomes.append(Outcome(status="unchanged", id=standing.id))
                continue
            version = 1 if standing is None else standing.version + 1
            newest[command.code] = storage.StoredRule(
                id=command.id, code=command.code, version=version, document=document, recorded_at=now
            )
            rows.append({"id": command.id, "code": command.code, "version": version, "document": document})
            outcomes.append(Outcome(status="created" if standing is None else "changed", id=command.id))
        if rows:
            storage.insert_rules(connection, rows, recorded_at=now)
        return outcomes

    return run_batch("define_clock_rules", pool, commands, run, now=now)


def list_clock_rules(pool: Pool, *, after: tuple[str, int], limit: int) -> list[storage.StoredRule]:
    """Every version of every rule."""
    with transaction(pool) as connection:
        return storage.list_rules_after(connection, after=after, limit=limit)


def read_presets() -> dict[str, dict[str, dict[str, Any]]]:
    """The shipped rules by set and by code. `rows` says where each was taken from and is no part of a rule."""
    sets = loads(PRESETS.read_text("utf-8"))["sets"]
    return {name: content["rules"] for name, content in sets.items()}


def put_preset(pool: Pool, name: str, *, organisation_code: str | None, now: datetime) -> dict[str, Outcome]:
    """Define all rules of a set, for a place or for all; return what became of each. Raises PresetUnknown."""
    presets = read_presets()
    if name not in presets:
        raise PresetUnknown(f"there are the sets {', '.join(sorted(presets))}")
    place = {} if organisation_code is None else {"organisation_code": organisation_code}
    suffix = "" if organisation_code is None else f"-{organisation_code}"
    commands = [
        DefineClockRule(
            id=new_id(),
            correlation_id=new_correlation_id(),
            code=f"{code}{suffix}",
            document={**{key: value for key, value in document.items() if key != "rows"}, **place},
        )
        for code, document in presets[name].items()
    ]
    outcomes = define_clock_rules(pool, commands, now=now)
    return {command.code: outcome for command, outcome in zip(commands, outcomes, strict=True)}


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as the database gives it back: days as texts, and nothing that is not there."""
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in document.items()
        if value is not None
    }
