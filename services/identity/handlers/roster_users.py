"""People as a staff system keeps them over SCIM: accounts made, changed, disabled and given up."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from scim2_models import (
    ConflictException,
    ForbiddenException,
    InvalidValueException,
    NotFoundException,
    PatchOp,
    PreconditionFailedException,
    SCIMException,
    SearchRequest,
    UniquenessException,
)

from services.identity import metrics
from services.identity.domain.accounts import Account, IncompatibleRoles, NameTaken, UnsafeName, check_name
from services.identity.domain.roster import IsAccount
from services.identity.roster.models import POLICY, PROTECTED, RosterUser
from services.identity.roster.searching import MOST_SEARCHED, Found, condition_of, page_of, select
from services.identity.roster.shaping import (
    check_resource,
    display_name_of,
    is_held,
    keep_of,
    show_user,
    staff_number_of,
    version_of,
)
from services.identity.storage import accounts, roster_groups, roster_users, sessions
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction

UNIQUE: Final = "an account has this userName"


def create_user(pool: Pool, user: RosterUser, *, base_url: str, new_id: UUID, now: datetime) -> RosterUser:
    """Raises SCIMException."""
    check_resource(user)
    name, staff_number = _name_of(user), staff_number_of(user)
    with transaction(pool) as connection:
        account = Account(
            id=new_id,
            name=name,
            display_name=display_name_of(user),
            person_id=_person_of(connection, new_id, staff_number),
            staff_number=staff_number,
            status="disabled" if user.active is False else "active",
            created_at=now,
            changed_at=now,
        )
        try:
            accounts.insert_account(connection, account)
        except NameTaken:
            raise UniquenessException(detail=UNIQUE) from None
        _refuse_protected(connection, [account.id])
        roster_users.insert_user(
            connection, account.id, external_id=user.external_id, attributes=keep_of(user), now=now
        )
        made = _get(connection, account.id, base_url)
        _note(connection, "roster.create_user", account.id)
    return made


def get_user(pool: Pool, user_id: str, *, base_url: str) -> RosterUser:
    """Raises NotFoundException."""
    with transaction(pool) as connection:
        return _get(connection, read_id(user_id), base_url)


def search_users(pool: Pool, request: SearchRequest[RosterUser], *, base_url: str) -> Found[RosterUser]:
    """Raises SCIMException where too many would have to be looked through."""
    offset, count = page_of(request)
    with transaction(pool) as connection:
        condition = condition_of(request)
        total = roster_users.count_users(connection, condition)
        if request.filter is None and request.sort_by is None:
            rows = roster_users.list_users(connection, offset=offset, limit=count)
            shown = [show_user(row, base_url) for row in rows]
            return Found(total=total, start_index=offset + 1, resources=shown)
        if total > MOST_SEARCHED:
            raise too_many()
        rows = roster_users.list_users(connection, condition, offset=0, limit=MOST_SEARCHED)
    return select(request, [show_user(row, base_url) for row in rows])


def replace_user(
    pool: Pool, user_id: str, user: RosterUser, *, base_url: str, if_match: str | None, now: datetime
) -> RosterUser:
    """Raises SCIMException."""
    check_resource(user)

    def put(present: RosterUser) -> RosterUser:
        user.replace(present)
        return user

    return _change(pool, read_id(user_id), put, base_url=base_url, if_match=if_match, now=now)


def patch_user(
    pool: Pool, user_id: str, patch: PatchOp[RosterUser], *, base_url: str, if_match: str | None, now: datetime
) -> RosterUser:
    """Raises SCIMException."""

    def put(present: RosterUser) -> RosterUser:
        changed = present.model_copy(deep=True)
        patch.patch(changed, POLICY)
        return changed

    return _change(pool, read_id(user_id), put, base_url=base_url, if_match=if_match, now=now)


def delete_user(pool: Pool, user_id: str, *, if_match: str | None, now: datetime) -> None:
    """The account stays disabled for the audit's sake, and its name becomes free. Raises SCIMException."""
    account_id = read_id(user_id)
    with transaction(pool) as connection:
        check_version(roster_users.lock_user(connection, account_id), if_match)
        _refuse_protected(connection, [account_id])
        _disable(connection, account_id, now=now)
        roster_users.delete_user(connection, account_id)
        roster_groups.align_grants(connection, [account_id], now=now)
        roster_users.rename_account(connection, account_id, f"deleted.{account_id}", now=now)
        _note(connection, "roster.delete_user", account_id)


def read_id(text: str) -> UUID:
    """Raises NotFoundException."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundException(detail="there is no such resource") from None


def check_version(version: int | None, if_match: str | None) -> None:
    """Raises NotFoundException, PreconditionFailedException."""
    if version is None:
        raise NotFoundException(detail="there is no such resource")
    if if_match is not None and if_match != "*":
        wanted = [part.strip() for part in if_match.split(",")]
        if version_of(version) not in wanted:
            raise PreconditionFailedException(detail="it has changed since")


def too_many() -> SCIMException:
    refusal = SCIMException(
        detail=f"more than {MOST_SEARCHED} to look through: ask for less, for one by meta.lastModified"
    )
    refusal.scim_type = "tooMany"
    return refusal


def _change(
    pool: Pool,
    account_id: UUID,
    put: Callable[[RosterUser], RosterUser],
    *,
    base_url: str,
    if_match: str | None,
    now: datetime,
) -> RosterUser:
    with transaction(pool) as connection:
        check_version(roster_users.lock_user(connection, account_id), if_match)
        _refuse_protected(connection, [account_id])
        (row,) = roster_users.list_users(connection, IsAccount(account_id), offset=0, limit=1)
        wanted = put(show_user(row, base_url))
        check_resource(wanted)
        if is_held(row):
            raise ForbiddenException(detail="an administrator has disabled this account, who alone can enable it")
        _write(connection, account_id, wanted, now=now)
        _refuse_protected(connection, [account_id])
        changed = _get(connection, account_id, base_url)
        _note(connection, "roster.change_user", account_id)
    return changed


def _write(connection: Connection, account_id: UUID, wanted: RosterUser, *, now: datetime) -> None:
    name, staff_number = _name_of(wanted), staff_number_of(wanted)
    try:
        roster_users.rename_account(connection, account_id, name, now=now)
        accounts.set_person(
            connection,
            account_id,
            display_name=display_name_of(wanted),
            person_id=_person_of(connection, account_id, staff_number),
            staff_number=staff_number,
            at=now,
        )
    except NameTaken:
        raise UniquenessException(detail=UNIQUE) from None
    except IncompatibleRoles:
        raise ConflictException(detail="the accounts of that person hold roles that may not come together") from None
    roster_users.set_user(connection, account_id, external_id=wanted.external_id, attributes=keep_of(wanted), now=now)
    if wanted.active is False:
        _disable(connection, account_id, now=now)
    else:
        accounts.set_status(connection, account_id, "active", at=now)


def _disable(connection: Connection, account_id: UUID, *, now: datetime) -> None:
    accounts.set_status(connection, account_id, "disabled", at=now)
    ended = sessions.end_sessions(connection, account_id, reason="disabled", at=now)
    metrics.sessions_ended_total.labels("disabled").inc(ended)


def _get(connection: Connection, account_id: UUID, base_url: str) -> RosterUser:
    rows = roster_users.list_users(connection, IsAccount(account_id), offset=0, limit=1)
    if not rows:
        raise NotFoundException(detail="there is no such resource")
    return show_user(rows[0], base_url)


def _name_of(user: RosterUser) -> str:
    try:
        return check_name(user.user_name or "")
    except UnsafeName as fault:
        raise InvalidValueException(detail=f"userName: {fault.detail}") from None


def _person_of(connection: Connection, account_id: UUID, staff_number: str | None) -> str:
    """Accounts of one staff number belong to one person, so that nobody is a second person to themselves."""
    other = roster_users.find_person(connection, staff_number, but=account_id) if staff_number else None
    return other or str(account_id)


def _refuse_protected(connection: Connection, account_ids: list[UUID]) -> None:
    """A roster keeps its hands off whoever holds a role that it may not give, whichever account holds it."""
    if roster_users.list_holders(connection, account_ids, sorted(PROTECTED)):
        raise ForbiddenException(detail="this person holds a role that a security administrator alone looks after")


def _note(connection: Connection, action: str, account_id: UUID) -> None:
    note(connection, Line(action=action, object_type="account", object_id=account_id))
