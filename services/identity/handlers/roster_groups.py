"""Groups as a staff system keeps them over SCIM, and the roles that membership gives and takes."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from scim2_models import ForbiddenException, InvalidValueException, NotFoundException, PatchOp, SearchRequest

from services.identity.handlers.roster_users import check_version, read_id, too_many
from services.identity.roster.models import POLICY, PROTECTED, RosterGroup
from services.identity.roster.searching import MOST_SEARCHED, Found, page_of, select
from services.identity.roster.shaping import check_resource, grant_of, members_of, show_group
from services.identity.storage import roster_groups, roster_users
from services.identity.storage.roster_groups import RosterGroupRow
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction


def create_group(pool: Pool, group: RosterGroup, *, base_url: str, new_id: UUID, now: datetime) -> RosterGroup:
    """Raises SCIMException."""
    check_resource(group)
    row = _row_of(group, new_id, now)
    with transaction(pool) as connection:
        roster_groups.insert_group(connection, row)
        _put_members(connection, row, members_of(group), now=now)
        made = _get(connection, new_id, base_url)
        _note(connection, "roster.create_group", row, made)
    return made


def get_group(pool: Pool, group_id: str, *, base_url: str) -> RosterGroup:
    """Raises NotFoundException."""
    with transaction(pool) as connection:
        return _get(connection, read_id(group_id), base_url)


def search_groups(pool: Pool, request: SearchRequest[RosterGroup], *, base_url: str) -> Found[RosterGroup]:
    """Raises SCIMException where too many would have to be looked through."""
    offset, count = page_of(request)
    with transaction(pool) as connection:
        total = roster_groups.count_groups(connection)
        if request.filter is None and request.sort_by is None:
            rows = roster_groups.list_groups(connection, offset=offset, limit=count)
            shown = [show_group(row, base_url) for row in rows]
            return Found(total=total, start_index=offset + 1, resources=shown)
        if total > MOST_SEARCHED:
            raise too_many()
        rows = roster_groups.list_groups(connection, offset=0, limit=MOST_SEARCHED)
    return select(request, [show_group(row, base_url) for row in rows])


def replace_group(
    pool: Pool, group_id: str, group: RosterGroup, *, base_url: str, if_match: str | None, now: datetime
) -> RosterGroup:
    """Raises SCIMException."""
    check_resource(group)
    members_of(group)

    def put(present: RosterGroup) -> RosterGroup:
        group.replace(present)
        return group

    return _change(pool, read_id(group_id), put, base_url=base_url, if_match=if_match, now=now)


def patch_group(
    pool: Pool, group_id: str, patch: PatchOp[RosterGroup], *, base_url: str, if_match: str | None, now: datetime
) -> RosterGroup:
    """Raises SCIMException."""

    def put(present: RosterGroup) -> RosterGroup:
        changed = present.model_copy(deep=True)
        patch.patch(changed, POLICY)
        return changed

    return _change(pool, read_id(group_id), put, base_url=base_url, if_match=if_match, now=now)


def delete_group(pool: Pool, group_id: str, *, if_match: str | None, now: datetime) -> None:
    """What membership gave is taken. Raises SCIMException."""
    identifier = read_id(group_id)
    with transaction(pool) as connection:
        check_version(roster_groups.lock_group(connection, identifier), if_match)
        members = roster_groups.list_member_ids(connection, identifier)
        roster_groups.delete_group(connection, identifier)
        roster_groups.align_grants(connection, members, now=now)
        note(connection, Line(action="roster.delete_group", object_type="roster_group", object_id=identifier))


def _change(
    pool: Pool,
    group_id: UUID,
    put: Callable[[RosterGroup], RosterGroup],
    *,
    base_url: str,
    if_match: str | None,
    now: datetime,
) -> RosterGroup:
    with transaction(pool) as connection:
        check_version(roster_groups.lock_group(connection, group_id), if_match)
        wanted = put(_get(connection, group_id, base_url))
        check_resource(wanted)
        row = _row_of(wanted, group_id, now)
        roster_groups.set_group(connection, row)
        _put_members(connection, row, members_of(wanted), now=now)
        changed = _get(connection, group_id, base_url)
        _note(connection, "roster.change_group", row, changed)
    return changed


def _put_members(connection: Connection, row: RosterGroupRow, wanted: list[UUID], *, now: datetime) -> None:
    present = roster_groups.list_member_ids(connection, row.id)
    if roster_users.list_holders(connection, sorted(set(wanted) ^ set(present)), sorted(PROTECTED)):
        raise ForbiddenException(detail="a member holds a role that a security administrator alone looks after")
    if roster_groups.set_members(connection, row.id, wanted) != len(wanted):
        raise InvalidValueException(detail="a member is no user of this roster")
    roster_groups.align_grants(connection, sorted({*wanted, *present}), now=now)


def _row_of(group: RosterGroup, group_id: UUID, now: datetime) -> RosterGroupRow:
    role, organisation_code = grant_of(group)
    return RosterGroupRow(
        id=group_id,
        display_name=group.display_name or "",
        external_id=group.external_id,
        role=role,
        organisation_code=organisation_code,
        version=1,
        created_at=now,
        changed_at=now,
        members=[],
    )


def _get(connection: Connection, group_id: UUID, base_url: str) -> RosterGroup:
    rows = roster_groups.list_groups(connection, group_id=group_id, offset=0, limit=1)
    if not rows:
        raise NotFoundException(detail="there is no such resource")
    return show_group(rows[0], base_url)


def _note(connection: Connection, action: str, row: RosterGroupRow, group: RosterGroup) -> None:
    details = {"role": row.role, "organisation": row.organisation_code, "members": len(group.members or [])}
    note(connection, Line(action=action, object_type="roster_group", object_id=row.id, details=details))
