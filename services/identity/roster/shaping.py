"""Between rows and SCIM resources: what is kept where, what may stand in a text, and what a version is called."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from scim2_models import Context, ForbiddenException, InvalidValueException

from services.identity.roster.models import GRANTABLE, PROTECTED, EnterpriseUser, GrantingGroup, RosterGroup, RosterUser
from shared.edge import check_text

LONGEST_TEXT: Final = 500
LONGEST_CODE: Final = 64
MOST_VALUES: Final = 10_000
USER: Final = str(RosterUser.__schema__)
ENTERPRISE: Final = str(EnterpriseUser.__schema__)
GROUP: Final = str(RosterGroup.__schema__)
GRANTING: Final = str(GrantingGroup.__schema__)
# What the account itself holds, or what we tell and are not told. `active` is kept as the roster said it: an account
# that is disabled although the roster did not say so was disabled by an administrator.
_OF_THE_ACCOUNT: Final = frozenset({"schemas", "id", "externalId", "meta", "userName", "groups"})


def show_user(row: Any, base_url: str) -> RosterUser:  # noqa: ANN401 - a row of storage, which this room does not know
    enterprise = {**row.attributes.get(ENTERPRISE, {}), "employeeNumber": row.staff_number}
    extended = any(value is not None for value in enterprise.values())
    document = {
        **{name: value for name, value in row.attributes.items() if name != ENTERPRISE},
        "schemas": [USER, *([ENTERPRISE] if extended else [])],
        "id": str(row.account_id),
        "externalId": row.external_id,
        "userName": row.name,
        "active": False if row.status == "disabled" else row.attributes.get("active"),
        "groups": [{**one, "$ref": f"{base_url}/Groups/{one['value']}"} for one in row.groups] or None,
        **({ENTERPRISE: enterprise} if extended else {}),
        "meta": _meta("User", f"{base_url}/Users/{row.account_id}", row),
    }
    return RosterUser.model_validate(document)


def show_group(row: Any, base_url: str) -> RosterGroup:  # noqa: ANN401 - a row of storage, which this room does not know
    granting = {"role": row.role, "organisationCode": row.organisation_code}
    extended = any(granting.values())
    document = {
        "schemas": [GROUP, *([GRANTING] if extended else [])],
        "id": str(row.id),
        "externalId": row.external_id,
        "displayName": row.display_name,
        "members": [{**one, "$ref": f"{base_url}/Users/{one['value']}", "type": "User"} for one in row.members] or None,
        **({GRANTING: granting} if extended else {}),
        "meta": _meta("Group", f"{base_url}/Groups/{row.id}", row),
    }
    return RosterGroup.model_validate(document)


def is_held(row: Any) -> bool:  # noqa: ANN401 - same
    """Whether an administrator disabled the account, who alone may then enable it."""
    return row.status == "disabled" and row.attributes.get("active") is not False


def keep_of(user: RosterUser) -> dict[str, Any]:
    """What is stored beside the account, in SCIM's own names."""
    document = user.model_dump(scim_ctx=Context.DEFAULT)
    kept = {name: value for name, value in document.items() if name not in _OF_THE_ACCOUNT}
    if ENTERPRISE in kept:
        kept[ENTERPRISE] = {
            name: value for name, value in kept[ENTERPRISE].items() if name not in {"schemas", "employeeNumber"}
        }
    return kept


def staff_number_of(user: RosterUser) -> str | None:
    """Raises InvalidValueException."""
    enterprise = user[EnterpriseUser]
    number = enterprise.employee_number if enterprise is not None else None
    return _code(number, "employeeNumber")


def grant_of(group: RosterGroup) -> tuple[str | None, str | None]:
    """Role and organisation. Raises ForbiddenException for a role that takes more than a roster."""
    granting = group[GrantingGroup]
    role = granting.role if granting is not None else None
    if role in PROTECTED:
        raise ForbiddenException(detail=f"the role {role} is granted by a security administrator, never by a roster")
    if role is not None and role not in GRANTABLE:
        raise InvalidValueException(detail="role must be one of " + ", ".join(GRANTABLE))
    return role, _code(granting.organisation_code if granting is not None else None, "organisationCode")


def members_of(group: RosterGroup) -> list[UUID]:
    """Raises InvalidValueException."""
    try:
        return sorted({UUID(member.value) for member in group.members or []})
    except (TypeError, ValueError):  # no value at all, or none of ours
        raise InvalidValueException(detail="a member is no user of this roster") from None


def display_name_of(user: RosterUser) -> str:
    return (user.display_name or (user.name.formatted if user.name else None) or user.user_name or "")[:200]


def check_resource(resource: RosterUser | RosterGroup) -> None:
    """Raises InvalidValueException for what would look like something else, or is longer than anything real."""
    for text in _texts(resource.model_dump(scim_ctx=Context.DEFAULT)):
        if not 1 <= len(text) <= LONGEST_TEXT:
            raise InvalidValueException(detail=f"a text has 1 to {LONGEST_TEXT} characters")
        try:
            check_text(text)
        except ValueError:
            raise InvalidValueException(detail="a text has control or invisible characters") from None


def version_of(number: int) -> str:
    return f'W/"{number}"'


def _meta(kind: str, location: str, row: Any) -> dict[str, Any]:  # noqa: ANN401 - same
    return {
        "resourceType": kind,
        "created": row.created_at,
        "lastModified": row.changed_at,
        "location": location,
        "version": version_of(row.version),
    }


def _code(text: str | None, name: str) -> str | None:
    if text is not None and (len(text) > LONGEST_CODE or any(character.isspace() for character in text)):
        raise InvalidValueException(detail=f"{name} has 1 to {LONGEST_CODE} characters and no spaces")
    return text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        if len(value) > MOST_VALUES:
            raise InvalidValueException(detail=f"an attribute has at most {MOST_VALUES} values")
        for one in value:
            yield from _texts(one)
