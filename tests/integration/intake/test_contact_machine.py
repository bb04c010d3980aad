"""Recording, amending, voiding and repeating against PostgreSQL, step by step beside a plain model."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.corrections import AmendContact, VoidContact
from services.intake.handlers import contacts, corrections
from shared.database import Pool, transaction
from shared.identifiers import new_id
from tests.integration.intake.commands import a_contact
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration


@dataclass
class Known:
    command: RecordContact
    notes: list[str | None] = field(default_factory=list)
    is_void: bool = False
    last: AmendContact | VoidContact | None = None


class ContactMachine(RuleBasedStateMachine):
    """`pool` is given by the test that runs it."""

    pool: Pool
    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[UUID, Known] = {}
        self.now = NOW

    @rule(target=names, note=st.sampled_from([None, "一", "二"]))
    def record(self, note):
        command = a_contact(id=new_id(), note=note)
        self.known[command.id] = Known(command=command, notes=[note])
        assert contacts.record_contacts(self.pool, [command, command], now=self.now)[0].status == "created"
        return command.id

    @rule(name=names)
    def repeat_the_recording(self, name):
        assert contacts.record_contacts(self.pool, [self.known[name].command], now=self.now)[0].status == "unchanged"

    @rule(name=names)
    def contradict_the_recording(self, name):
        other = replace(self.known[name].command, people_count=99)
        assert contacts.record_contacts(self.pool, [other], now=self.now)[0].code == "other-content"

    @rule(name=names, note=st.sampled_from([None, "一", "二", "三"]), is_stale=st.booleans())
    def amend(self, name, note, is_stale):
        known = self.known[name]
        version = len(known.notes) + known.is_void + (1 if is_stale else 0)
        command = self._amendment(known.command, note, version)
        [outcome] = corrections.amend_contacts(self.pool, [command], now=self.now)
        if known.is_void:
            assert outcome.code == "already-voided"
        elif note == known.notes[-1]:
            assert outcome.status == "unchanged"
        elif is_stale:
            assert outcome.code == "changed-meanwhile"
        else:
            assert outcome.status == "changed"
            known.notes.append(note)
            known.last = command

    @rule(name=names)
    def void(self, name):
        known = self.known[name]
        command = VoidContact(id=name, correlation_id="a-test", reason_code="duplicate")
        [outcome] = corrections.void_contacts(self.pool, [command], now=self.now)
        assert outcome.status == ("unchanged" if known.is_void else "changed")
        known.is_void = True
        known.last = command

    @rule(name=names)
    def repeat_the_last_correction(self, name):
        last = self.known[name].last
        if isinstance(last, AmendContact) and not self.known[name].is_void:
            assert corrections.amend_contacts(self.pool, [last], now=self.now)[0].status == "unchanged"
        elif isinstance(last, VoidContact):
            assert corrections.void_contacts(self.pool, [last], now=self.now)[0].status == "unchanged"

    @rule()
    def time_passes(self):
        self.now += timedelta(hours=1)

    @invariant()
    def what_stands_is_what_the_model_says(self):
        for name, known in self.known.items():
            found = contacts.get_contact(self.pool, name)
            notes = [version.note for version in corrections.list_versions(self.pool, name)]
            expected = [*known.notes, known.notes[-1]] if known.is_void else known.notes
            assert (found.note, found.counts, found.voided_at is not None) == (
                known.notes[-1], not known.is_void, known.is_void,
            )  # fmt: skip
            assert notes == expected
            assert self._sequences(name) == list(range(1, len(expected) + 1))

    def _amendment(self, command: RecordContact, note: str | None, version: int) -> AmendContact:
        told: dict[str, Any] = {"kind": command.kind, "occurred_at": command.occurred_at, "note": note}
        return AmendContact(id=command.id, correlation_id="a-test", version=version, reason_code="mistyped", **told)

    def _sequences(self, name: UUID) -> list[int]:
        with transaction(self.pool) as connection:
            rows = connection.execute(
                "SELECT sequence FROM outbox WHERE aggregate_id = %s ORDER BY sequence", [name]
            ).fetchall()
        return [int(str(row[0])) for row in rows]


def test_a_contact_follows_a_plain_model_whatever_is_done_to_it(registered):
    machine = type("Machine", (ContactMachine,), {"pool": registered})
    quick = settings(
        max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )

    run_state_machine_as_test(machine, settings=quick)
