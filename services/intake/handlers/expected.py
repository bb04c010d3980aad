"""Changes of registers that are meant for one version of an entry: made to that version, or not at all (If-Match)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from services.intake.domain.commands.base import Command, Outcome
from services.intake.domain.repeats import outdated
from services.intake.storage import categories, registers, standing
from services.intake.storage.standing import Key, Kind
from shared.database import Connection

AnyCommand = TypeVar("AnyCommand", bound=Command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """`lock` is what a batch of this use case takes before any row: to be taken before the entry's own."""

    kind: Kind
    key: Callable[[Any], Key]
    lock: Callable[[Connection], None] = lambda _: None


def _by(*names: str) -> Callable[[Any], Key]:
    return lambda command: [getattr(command, name) for name in names]


GUARDED: Final[Mapping[str, Guarded]] = {
    "assign_liaisons": Guarded(
        kind="liaison_assignment", key=_by("staff_number", "from_on", "household_number", "point_code")
    ),
    "cancel_days": Guarded(kind="reception_day", key=_by("id")),
    "define_categories": Guarded(
        kind="category",
        key=_by("code", "organisation_code"),
        lock=categories.lock_categories,
    ),
    "define_groups": Guarded(kind="population_group", key=_by("code")),
    "end_channels": Guarded(kind="published_channel", key=_by("id")),
    "end_organisations": Guarded(kind="organisation", key=_by("code"), lock=registers.lock_organisations),
    "end_posts": Guarded(kind="post", key=_by("id")),
    "hold_days": Guarded(kind="reception_day", key=_by("id")),
    "record_departures": Guarded(kind="cadre", key=_by("staff_number")),
    "register_cadres": Guarded(kind="cadre", key=_by("staff_number")),
    "record_populations": Guarded(
        kind="place_population", key=_by("organisation_code", "place_code", "population_group", "counted_on")
    ),
    "register_households": Guarded(kind="contact_household", key=_by("number", "from_on")),
    "register_organisations": Guarded(kind="organisation", key=_by("code"), lock=registers.lock_organisations),
    "register_points": Guarded(kind="contact_point", key=_by("code", "from_on")),
}


def run_expected(
    use_case: str,
    connection: Connection,
    commands: Sequence[AnyCommand],
    run: Callable[[list[AnyCommand]], list[Outcome]],
) -> list[Outcome]:
    """Run the commands; those for one version one by one, each judged by what stands when its turn comes."""
    guarded = GUARDED.get(use_case)
    careful = [position for position, command in enumerate(commands) if command.expected is not None]
    if guarded is None or not careful:
        return run(list(commands))
    others = [position for position in range(len(commands)) if position not in careful]
    done = run([commands[position] for position in others]) if others else []
    outcomes = dict(zip(others, done, strict=True))
    for position in careful:
        outcomes[position] = _run_one(connection, guarded, commands[position], run)
    return [outcomes[position] for position in range(len(commands))]


def _run_one(
    connection: Connection,
    guarded: Guarded,
    command: AnyCommand,
    run: Callable[[list[AnyCommand]], list[Outcome]],
) -> Outcome:
    guarded.lock(connection)
    found = standing.lock_version(connection, guarded.kind, guarded.key(command))
    if found is None or found[1] not in (command.expected or ()):
        return outdated(found[0] if found is not None else None)
    return run([command])[0]
