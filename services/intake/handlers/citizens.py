"""Finding the citizen whom a record is about, or entering a new one; and opening what is sealed for readers."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol, TypeVar
from uuid import UUID, uuid4

from services.intake.domain.citizens import Citizen, handles_of, mask_name, mask_phone
from services.intake.domain.repeats import AnyStored, KnownRecords, Named
from services.intake.handlers.records import Candidate
from services.intake.sealing import Vault, vault
from services.intake.storage import citizens as storage
from shared.ciphers import SymmetricKey
from shared.database import Connection
from shared.reach import current

FIELDS = ("name", "phone", "id_number", "address")
CALLED_BY = ("name", "phone")


@dataclass(slots=True, kw_only=True)
class KnownCitizen:
    ref: UUID
    key: SymmetricKey
    has_id_number: bool
    is_new: bool = False
    told: Mapping[str, object] | None = None  # what one record told, where that is not what is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedCitizen:
    """What everybody sees who may see the record: enough to tell one caller from another, too little to call."""

    name: str | None
    phone: str | None


@dataclass(slots=True)
class _Desk:
    """Who is known by what, while one batch is settled: those in the database, and those that the batch brings."""

    vault: Vault
    may_tell_anew: bool
    known_elsewhere: set[UUID] = field(default_factory=set)
    by_handle: dict[tuple[str, str], list[KnownCitizen]] = field(default_factory=lambda: defaultdict(list))
    new_rows: list[dict[str, object]] = field(default_factory=list)
    told_anew: list[dict[str, object]] = field(default_factory=list)
    handles: list[dict[str, object]] = field(default_factory=list)

    def settle(self, citizen: Citizen) -> KnownCitizen:
        known = self._find(citizen)
        told = None
        if known is None:
            known = self._enter(citizen)
        elif not known.is_new and not self._may_tell_anew(citizen, known):
            return replace(known, told=self._seal_told(citizen, known))
        else:
            self.told_anew.append(self._seal(citizen, known))
            if citizen.name is None or citizen.phone is None:
                told = self._seal_told(citizen, known)
        known.has_id_number = known.has_id_number or citizen.id_number is not None
        for kind, value in handles_of(citizen):
            if known not in self.by_handle[kind, value]:
                self.by_handle[kind, value].append(known)
                digest = "\\x" + self.vault.handle(kind, value).hex()
                self.handles.append({"kind": kind, "digest": digest, "citizen_ref": known.ref})
        return known if told is None else replace(known, told=told)

    def _may_tell_anew(self, citizen: Citizen, known: KnownCitizen) -> bool:
        """Naming a document is not enough: whoever does not know name and phone as well tells of one record alone."""
        named = [pair for pair in handles_of(citizen) if pair[0] == "phone_and_name"]
        is_named = any(known is one for pair in named for one in self.by_handle[pair])
        return is_named and self.may_tell_anew and known.ref not in self.known_elsewhere

    def _find(self, citizen: Citizen) -> KnownCitizen | None:
        """By the document, else by phone and name together; never by a phone alone, which may be a whole family's."""
        found = {kind: self.by_handle[kind, value] for kind, value in handles_of(citizen)}
        same_document = found.get("id_number", [])
        if same_document:
            return same_document[0]
        same_name = found.get("phone_and_name", [])
        without_document = [known for known in same_name if not known.has_id_number]
        if citizen.id_number is not None or len(same_name) > 1:
            return without_document[0] if without_document else None
        return same_name[0] if same_name else None

    def _enter(self, citizen: Citizen) -> KnownCitizen:
        ref = uuid4()
        new = self.vault.new_key(ref)
        known = KnownCitizen(ref=ref, key=new.key, has_id_number=False, is_new=True)
        wrapped = {"wrapped": "\\x" + new.wrapped.hex(), "epoch": new.epoch}
        self.new_rows.append({**self._seal(citizen, known), **wrapped})
        return known

    def _seal(self, citizen: Citizen, known: KnownCitizen) -> dict[str, object]:
        sealed = {
            name: self.vault.seal_if("citizen", name, known.ref, getattr(citizen, name), known.key) for name in FIELDS
        }
        return {"ref": known.ref, "id_kind": citizen.id_kind, **sealed}

    def _seal_told(self, citizen: Citizen, known: KnownCitizen) -> dict[str, object]:
        """Sealed as the citizen's own, so that whoever opens a record need not know which of both it is."""
        return {
            name: self.vault.seal_if("citizen", name, known.ref, getattr(citizen, name), known.key)
            for name in CALLED_BY
        }


def settle_citizens(connection: Connection, wanted: Sequence[Citizen], *, now: datetime) -> list[KnownCitizen]:
    """Find or enter the citizens of a batch, in one go.

    A cadre's own record leaves who is known already as they are: the cadre may be the one they complain about. So does
    the record of a sender who does not see all records of a citizen: what others were told is not theirs to change, and
    what they were told instead stays with their record.
    """
    if not wanted:
        return []
    sender = current()
    desk = _Desk(vault(), may_tell_anew=sender is None or sender.staff_number is None)
    names = {pair for citizen in wanted for pair in handles_of(citizen)}
    digests = {digest: pair for pair in names for digest in desk.vault.handles(*pair)}
    with storage.elevated(connection):
        if digests:
            storage.lock_handles(connection, [desk.vault.handles(*pair)[0][-1] for pair in names])
            found = storage.list_by_handles(connection, list(digests))
            _note_known(desk, found, digests)
            if found and desk.may_tell_anew:
                desk.known_elsewhere = list_known_elsewhere(connection, {row.citizen_ref for row in found})
        settled = [desk.settle(citizen) for citizen in wanted]
        storage.insert_citizens(connection, desk.new_rows, desk.handles, recorded_at=now)
        storage.set_details(connection, desk.told_anew)
    return settled


def list_known_elsewhere(connection: Connection, refs: Collection[UUID]) -> set[UUID]:
    """List whom records name that a scoped sender does not see: beyond that reach, or complaints hidden within it."""
    sender = current()
    if not refs or sender is None or sender.kind != "scoped":
        return set()
    with storage.reaching(connection, sender.kind):
        return storage.list_known_elsewhere(connection, sorted(refs))


def _note_known(desk: _Desk, found: Sequence[storage.FoundHandle], digests: Mapping[bytes, tuple[str, str]]) -> None:
    by_ref: dict[UUID, KnownCitizen] = {}
    for row in found:
        if row.citizen_ref not in by_ref:
            key = desk.vault.open_key(row.citizen_ref, row.wrapped)
            if key is None:
                raise ValueError("a citizen who can be found has a key")
            by_ref[row.citizen_ref] = KnownCitizen(ref=row.citizen_ref, key=key, has_id_number=row.has_id_number)
        standing = desk.by_handle[digests[row.digest]]
        if by_ref[row.citizen_ref] not in standing:
            standing.append(by_ref[row.citizen_ref])


class HasCitizen(Named, Protocol):
    @property
    def citizen(self) -> Citizen | None: ...


AnyCommand = TypeVar("AnyCommand", bound=HasCitizen)


def settle_new(
    connection: Connection,
    candidates: Sequence[Candidate[AnyCommand]],
    list_standing: Callable[[list[AnyCommand]], list[AnyStored]],
    *,
    now: datetime,
) -> dict[int, KnownCitizen]:
    """Settle the citizens of what may become new records, by position.

    A repeat of a record that stands enters nobody: its citizen may have been erased since, and must not come back so.
    """
    named = [
        (position, candidate.command, candidate.command.citizen)
        for position, candidate in enumerate(candidates)
        if candidate.check.refusal is None and candidate.command.citizen is not None
    ]
    if not named:
        return {}
    standing = KnownRecords[AnyStored]()
    standing.add(list_standing([command for _, command, _ in named]), fresh=False)
    fresh = [(position, citizen) for position, command, citizen in named if standing.find(command) is None]
    settled = settle_citizens(connection, [citizen for _, citizen in fresh], now=now)
    return {position: known for (position, _), known in zip(fresh, settled, strict=True)}


def by_record(commands: Sequence[Named], settled: Mapping[int, KnownCitizen]) -> dict[UUID, KnownCitizen]:
    """Of commands for one id, the first makes the record."""
    return {commands[position].id: settled[position] for position in sorted(settled, reverse=True)}


class Inserted(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def citizen_ref(self) -> UUID | None: ...


def keep_used(
    connection: Connection,
    kind: Literal["issue", "contact"],
    settled: Mapping[UUID, KnownCitizen],
    inserted: Sequence[Inserted],
) -> None:
    """Keep nothing of whom only refused records named, and with the others what they told and nobody took over.

    `settled` goes by the id of the record.
    """
    used = {record.citizen_ref for record in inserted}
    unused = {known.ref for known in settled.values() if known.is_new and known.ref not in used}
    known_of = [(record.id, settled[record.id]) for record in inserted if record.id in settled]
    told = [{"id": record_id, **known.told} for record_id, known in known_of if known.told is not None]
    if unused or told:
        with storage.elevated(connection):
            storage.set_told(connection, kind, told)
            storage.delete_citizens(connection, sorted(unused))


def mask_citizen(
    citizen_ref: UUID | None, name: bytes | None, phone: bytes | None, key: SymmetricKey | None
) -> MaskedCitizen | None:
    if citizen_ref is None or key is None:
        return None
    plain_name = vault().open("citizen", "name", citizen_ref, name, key)
    plain_phone = vault().open("citizen", "phone", citizen_ref, phone, key)
    return MaskedCitizen(
        name=None if plain_name is None else mask_name(plain_name),
        phone=None if plain_phone is None else mask_phone(plain_phone),
    )
