"""Webhook endpoints: proposed and agreed to, verified, changed, and given keys that sign for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from services.notify.domain.agreements import Agreement, NotInForce, UnknownAgreement, UnsoundAgreement, narrow
from services.notify.domain.audiences import open_types
from services.notify.domain.destinations import EgressRules
from services.notify.domain.endpoints import (
    LONGEST_OVERLAP,
    MOST_ENDPOINTS,
    MOST_KEYS,
    OVERLAP,
    AlreadyProposed,
    Endpoint,
    EndpointStatus,
    EndpointWish,
    Step,
    TooManyEndpoints,
    TooManyKeys,
    UnknownEndpoint,
    step_from,
)
from services.notify.signing.webhooks import KeyKind, make_key
from services.notify.storage import agreements, owners, webhook_deliveries
from services.notify.storage import endpoints as storage
from services.notify.storage.endpoints import StoredKey
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.crypto import CryptoProvider
from shared.database import Connection, Pool, transaction
from shared.proposals import AlreadyDecided, OwnProposal
from shared.versions import Expected, check_version

PURPOSE: Final = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDesk:
    """What keeping endpoints needs beside the database: keys to seal theirs with, and where they may lie."""

    pool: Pool
    crypto: CryptoProvider | None
    rules: EgressRules


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """`shown` is what the receiver verifies by: of a secret it is never shown again."""

    stored: StoredKey
    shown: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    kind: KeyKind
    overlap: timedelta = OVERLAP


def propose_endpoint(
    desk: EndpointDesk,
    agreement_id: UUID,
    wish: EndpointWish,
    *,
    by: Principal,
    new_id: Callable[[], UUID],
    now: datetime,
) -> tuple[Endpoint, MadeKey]:
    """Return it with its first key.

    Raises UnsafeDestination, UnknownAgreement, NotInForce, UnsoundAgreement, AlreadyProposed, TooManyEndpoints.
    """
    desk.rules.read_url(wish.url)
    with transaction(desk.pool) as connection:
        agreement = _get_in_force(connection, agreement_id, now)
        _check_filter(connection, agreement, wish.event_types, wish.organisation_id)
        if storage.is_proposed(connection, agreement_id, wish):
            raise AlreadyProposed("the same endpoint waits for a decision already")
        if storage.count_endpoints(connection, agreement_id) >= MOST_ENDPOINTS:
            raise TooManyEndpoints(f"an agreement has at most {MOST_ENDPOINTS} endpoints")
        endpoint_id = new_id()
        storage.insert_endpoint(connection, endpoint_id, agreement_id, wish, by=(by.name, by.person_id), now=now)
        _own(connection, endpoint_id, by)
        made = _make_key(desk, endpoint_id, wish.signs_with, by=by, key_id=new_id(), now=now)
        storage.insert_key(connection, made.stored)
        endpoint = _get(connection, endpoint_id)
        note(connection, _line("endpoint.propose", endpoint, details={"signs_with": wish.signs_with}))
    return endpoint, made


def decide_endpoint(
    pool: Pool,
    endpoint_id: UUID,
    step: Literal["approve", "refuse"],
    *,
    by: Principal,
    reason: str | None = None,
    now: datetime,
) -> Endpoint:
    """The second person's word. Raises UnknownEndpoint, OwnProposal, AlreadyDecided."""
    with transaction(pool) as connection:
        endpoint = _lock(connection, endpoint_id, None)
        if endpoint.status != "proposed":
            raise AlreadyDecided(f"it is {endpoint.status}")
        if endpoint.proposer_person_id == by.person_id:
            raise OwnProposal("whoever proposed it cannot decide it too")
        status = step_from(endpoint.status, step)
        storage.set_decided(connection, endpoint_id, status, by=(by.name, by.person_id), reason=reason, now=now)
        if step == "approve":
            storage.set_position_to_end(connection, endpoint_id)
        decided = _get(connection, endpoint_id)
        note(connection, _line(f"endpoint.{step}", decided, reason=reason))
    return decided


def take_step(pool: Pool, endpoint_id: UUID, step: Step, *, expected: Expected, now: datetime) -> Endpoint:
    """Verify again, pause, resume, remove. Raises UnknownEndpoint, StepNotPossible, Outdated.

    Where it has arrived already, a repeat changes nothing. A receiver that never agreed is asked again before it is
    sent anything.
    """
    with transaction(pool) as connection:
        endpoint = _lock(connection, endpoint_id, expected)
        following: EndpointStatus = (
            endpoint.status if _has_arrived(endpoint.status, step) else step_from(endpoint.status, step)
        )
        if following == endpoint.status:
            return endpoint
        if following == "active" and endpoint.disabled_because == "handshake":
            following = "unverified"
        storage.set_status(connection, endpoint_id, following)
        if following == "active":
            webhook_deliveries.start_anew(connection, endpoint_id, now=now)
        if following == "removed":
            webhook_deliveries.withdraw_open(connection, endpoint_id, reason="the endpoint was removed", now=now)
        stepped = _get(connection, endpoint_id)
        note(connection, _line(f"endpoint.{step}", stepped, details={"was": endpoint.status}))
    return stepped


def change_filter(
    pool: Pool,
    endpoint_id: UUID,
    *,
    event_types: tuple[str, ...],
    organisation_id: UUID | None,
    expected: Expected,
) -> Endpoint:
    """For what is not made out of the log yet. Raises UnknownEndpoint, UnsoundAgreement, Outdated."""
    with transaction(pool) as connection:
        endpoint = _lock(connection, endpoint_id, expected)
        agreement = agreements.find_agreement(connection, endpoint.agreement_id)
        if agreement is None:
            raise UnknownEndpoint("there is no such endpoint")
        _check_filter(connection, agreement, event_types, organisation_id)
        if (list(event_types), organisation_id) == (endpoint.event_types, endpoint.organisation_id):
            return endpoint
        storage.set_filter(connection, endpoint_id, event_types=event_types, organisation_id=organisation_id)
        changed = _get(connection, endpoint_id)
        note(connection, _line("endpoint.change", changed, details={"types": len(event_types)}))
    return changed


def rotate_key(
    desk: EndpointDesk, endpoint_id: UUID, rotation: Rotation, *, by: Principal, new_id: UUID, now: datetime
) -> MadeKey:
    """A new key that signs from now on; the old one of its kind goes on signing beside it for the overlap.

    Asking for the kind that the endpoint has no key of adds one. Raises UnknownEndpoint, TooManyKeys.
    """
    with transaction(desk.pool) as connection:
        endpoint = _lock(connection, endpoint_id, None)
        storage.delete_retired_keys(connection, endpoint_id, now=now)
        if len(storage.list_keys(connection, [endpoint_id], now=now)) >= MOST_KEYS:
            raise TooManyKeys("the keys of the last rotations still sign: wait until they have ended")
        until = now + min(max(rotation.overlap, timedelta(0)), LONGEST_OVERLAP)
        storage.retire_key(connection, endpoint_id, rotation.kind, at=until)
        made = _make_key(desk, endpoint_id, rotation.kind, by=by, key_id=new_id, now=now)
        storage.insert_key(connection, made.stored)
        _own(connection, endpoint_id, by)
        details = {"kind": rotation.kind, "key": str(new_id), "old_until": until.isoformat()}
        note(connection, _line("endpoint.rotate", endpoint, details=details))
    return made


def get_endpoint(pool: Pool, endpoint_id: UUID, *, now: datetime) -> tuple[Endpoint, list[StoredKey]]:
    """Raises UnknownEndpoint."""
    with transaction(pool) as connection:
        return _get(connection, endpoint_id), storage.list_keys(connection, [endpoint_id], now=now)


def list_endpoints(pool: Pool, *, status: EndpointStatus | None, before: UUID | None, limit: int) -> list[Endpoint]:
    with transaction(pool) as connection:
        return storage.list_endpoints(connection, status=status, before=before, limit=limit)


def aad_of(key_id: UUID) -> bytes:
    """So that nobody who writes into the database can put one key in the place of another."""
    return b"webhook_key|sealed|" + key_id.bytes


def _make_key(
    desk: EndpointDesk, endpoint_id: UUID, kind: KeyKind, *, by: Principal, key_id: UUID, now: datetime
) -> MadeKey:
    if desk.crypto is None:
        raise RuntimeError("this process was opened without keys")
    made = make_key(kind)
    stored = StoredKey(
        id=key_id,
        endpoint_id=endpoint_id,
        kind=kind,
        sealed=desk.crypto.encrypt(PURPOSE, aad=aad_of(key_id), data=made.material),
        public_key=made.shown if kind == "v1a" else None,
        created_at=now,
        created_by=by.name,
        retires_at=None,
    )
    return MadeKey(stored=stored, shown=made.shown)


def _own(connection: Connection, endpoint_id: UUID, by: Principal) -> None:
    """The first person to have to do with an endpoint looks after it: a machine reads no messages."""
    if by.kind == "person":
        owners.set_owner_of_endpoint(connection, endpoint_id, by.account_id, by.staff_number)


def _get_in_force(connection: Connection, agreement_id: UUID, now: datetime) -> Agreement:
    agreement = agreements.find_agreement(connection, agreement_id)
    if agreement is None:
        raise UnknownAgreement("there is no such agreement")
    if not agreement.is_in_force(now):
        raise NotInForce("the agreement is not in force")
    return agreement


def _check_filter(
    connection: Connection, agreement: Agreement, event_types: tuple[str, ...], organisation_id: UUID | None
) -> None:
    narrow(agreement.event_types or open_types(), event_types)
    within = agreement.organisation_id
    if organisation_id is None or organisation_id == within:
        return
    known = agreements.is_below(connection, organisation_id, within or organisation_id)
    if not known:
        raise UnsoundAgreement("the agreement does not cover that organisation")


def _has_arrived(status: EndpointStatus, step: Step) -> bool:
    return (step, status) in {
        ("pause", "paused"),
        ("resume", "active"),
        ("remove", "removed"),
        ("verify", "unverified"),
    }


def _lock(connection: Connection, endpoint_id: UUID, expected: Expected) -> Endpoint:
    found = storage.lock_endpoint(connection, endpoint_id)
    if found is None:
        raise UnknownEndpoint("there is no such endpoint")
    check_version(found.version, expected)
    return found


def _get(connection: Connection, endpoint_id: UUID) -> Endpoint:
    found = storage.find_endpoint(connection, endpoint_id)
    if found is None:
        raise UnknownEndpoint("there is no such endpoint")
    return found


def _line(
    action: str, endpoint: Endpoint, *, reason: str | None = None, details: Mapping[str, object] | None = None
) -> Line:
    """The URL may carry a secret of the receiver's, so it stays out of the audit."""
    return Line(
        action=action,
        object_type="webhook_endpoint",
        object_id=endpoint.id,
        reason=reason,
        details={"agreement": str(endpoint.agreement_id), "status": endpoint.status, **(details or {})},
    )
