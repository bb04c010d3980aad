"""Handling units and their teams that another system names only in its cases: registered when they are first met."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from services.intake.domain.commands.base import Command
from services.intake.domain.commands.registers import RecordPost, RegisterCadre, RegisterOrganisation
from services.intake.importing.codes import make_code
from services.intake.importing.fields import Compiler, Notes, Origin
from services.intake.importing.findings import Finding, flag
from services.intake.importing.profile import CadreRule, Registration, UnitRule
from services.intake.importing.targets import LONGEST_TITLE

MOST_KEPT = 100_000
NO_UNIT = flag(0, "no-handling-unit", "the row names no handling unit; the issue stays unassigned")
TWO_PARENTS = flag(0, "unit-under-two", "the unit stood under another one in an earlier row; that one counts")
Assignment = tuple[str | None, str | None, Finding | None]


class Registrar:
    """Finds the handling unit and the responsible cadre of a row, and what must be registered before it."""

    def __init__(
        self, rules: Registration, compiler: Compiler, *, correlation_id: str, new_id: Callable[[], UUID]
    ) -> None:
        self._units = [
            (rule, compiler.column_text(rule.column) if rule.column else None) for rule in rules.organisations
        ]
        self._cadre = rules.cadre
        self._cadre_text: Origin | None = compiler.column_text(rules.cadre.column) if rules.cadre else None
        self._common: dict[str, Any] = {"correlation_id": correlation_id}
        self._new_id = new_id
        self._parents: dict[str, str | None] = {}
        self._staff: set[str] = set()
        self._known: dict[tuple[str | None, ...], Assignment] = {}

    def assign(self, cells: list[str], values: dict[str, Any], missing: list[Command], notes: Notes) -> None:
        names = tuple(read(cells) if read else None for _, read in self._units)
        person = self._cadre_text(cells) if self._cadre_text else None
        key = (*names, person)
        known = self._known.get(key)
        if known is None:
            known = self._meet(names, person, missing)
            if len(self._known) < MOST_KEPT:
                self._known[key] = known
        values["organisation_code"], values["staff_number"], note = known
        if note is not None:
            notes.append(note)

    def _meet(self, names: tuple[str | None, ...], person: str | None, missing: list[Command]) -> Assignment:
        note: Finding | None = None
        parent: str | None = None
        for (rule, read), name in zip(self._units, names, strict=True):
            if read is not None and name is None:
                return None, None, NO_UNIT
            code = rule.code if rule.code is not None else make_code(name or "", rule.code_prefix)
            if code not in self._parents:
                self._parents[code] = parent
                missing.append(self._organisation(rule, code, name, parent))
            elif self._parents[code] != parent:
                note = TWO_PARENTS
            parent = code
        if self._cadre is None or person is None or parent is None:
            return parent, None, note
        return parent, self._meet_cadre(self._cadre, person, parent, missing), note

    def _organisation(self, rule: UnitRule, code: str, name: str | None, parent: str | None) -> Command:
        title = rule.name or rule.names.get(name or "", name or "")
        return RegisterOrganisation(
            id=self._new_id(),
            code=code,
            name=title[:LONGEST_TITLE],
            level=rule.level,
            parent_code=parent,
            region_type=rule.region_type,
            **self._common,
        )

    def _meet_cadre(self, rule: CadreRule, person: str, unit: str, missing: list[Command]) -> str:
        number = make_code(person, rule.staff_number_prefix)
        if number not in self._staff:
            self._staff.add(number)
            name = (person + rule.name_suffix)[:LONGEST_TITLE]
            missing.append(RegisterCadre(id=self._new_id(), staff_number=number, name=name, **self._common))
            missing.append(self._post(rule, number, unit, rule.from_on))
        return number

    def _post(self, rule: CadreRule, number: str, unit: str, from_on: date) -> Command:
        return RecordPost(
            id=self._new_id(),
            staff_number=number,
            organisation_code=unit,
            post_kind=rule.post_kind,
            post_level=rule.post_level,
            from_on=from_on,
            **self._common,
        )
