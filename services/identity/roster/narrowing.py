"""What a filter leaves over for the database to find: never less than what matches, so that the library still decides.

A part of a filter that is not known here narrows nothing. Values are only ever bound, and columns are named by storage.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator, ValuePath

from services.identity.domain.roster import (
    AllOf,
    AnyOf,
    Condition,
    HasText,
    How,
    Instant,
    IsAccount,
    IsActive,
    IsBetween,
    Text,
)
from services.identity.roster.models import EnterpriseUser

ENTERPRISE: Final = str(EnterpriseUser.__schema__).lower()
TEXTS: Final[dict[str, Text]] = {
    "username": "name",
    "externalid": "external_id",
    "displayname": "display_name",
    "name.familyname": "family_name",
    "name.givenname": "given_name",
    "name.formatted": "formatted",
    "title": "title",
    "emails": "emails",
    "emails.value": "emails",
    "phonenumbers": "phone_numbers",
    "phonenumbers.value": "phone_numbers",
    f"{ENTERPRISE}:employeenumber": "staff_number",
    f"{ENTERPRISE}:department": "department",
}
INSTANTS: Final[dict[str, Instant]] = {"meta.created": "created_at", "meta.lastmodified": "changed_at"}
LISTS: Final = frozenset(
    {"emails", "phone_numbers"}
)  # of which any value may match: their whole text is looked through
HOW: Final[dict[CompareOperator, How]] = {
    CompareOperator.eq: "equals",
    CompareOperator.sw: "begins",
    CompareOperator.co: "holds",
    CompareOperator.ew: "ends",
}
AFTER: Final = frozenset({CompareOperator.gt, CompareOperator.ge, CompareOperator.eq})
BEFORE: Final = frozenset({CompareOperator.lt, CompareOperator.le, CompareOperator.eq})


def narrow(node: FilterNode | None) -> Condition | None:
    """None where everything may match."""
    if isinstance(node, LogicalExpr):
        return _narrow_logical(node)
    if isinstance(node, ValuePath):
        return _narrow_inside(node)
    return _narrow_comparison(node) if isinstance(node, Comparison) else None


def _narrow_logical(node: LogicalExpr) -> Condition | None:
    parts = [narrow(part) for part in node.terms]
    known = tuple(part for part in parts if part is not None)
    if node.op is LogicalOperator.or_:
        return AnyOf(known) if len(known) == len(parts) else None
    return AllOf(known) if known else None


def _narrow_inside(node: ValuePath) -> Condition | None:
    """`emails[value eq "x"]`: of what stands inside, only comparisons of the value are understood, and all hold."""
    inner = node.val_filter
    is_all = isinstance(inner, LogicalExpr) and inner.op is LogicalOperator.and_
    terms = inner.terms if is_all and isinstance(inner, LogicalExpr) else (inner,)
    values = [one for one in terms if isinstance(one, Comparison) and one.attr_path.attr.lower() == "value"]
    known = [_text(node.attr_path.attr.lower(), one.op, one.value) for one in values]
    return AllOf(tuple(one for one in known if one is not None)) if any(known) else None


def _narrow_comparison(node: Comparison) -> Condition | None:
    path = node.attr_path
    name = ".".join(part.lower() for part in (path.attr, path.sub_attr) if part is not None)
    if name == "id" and node.op is CompareOperator.eq:
        return _account(node.value)
    if name == "active" and node.op is CompareOperator.eq and isinstance(node.value, bool):
        return IsActive(node.value)
    if name in INSTANTS:
        return _instant(INSTANTS[name], node)
    is_extended = path.uri is not None and path.uri.lower() == ENTERPRISE
    return _text(f"{ENTERPRISE}:{name}" if is_extended else name, node.op, node.value)


def _text(name: str, op: CompareOperator, value: object) -> Condition | None:
    column, how = TEXTS.get(name), HOW.get(op)
    if column is None or how is None or not isinstance(value, str) or not _is_plain(value):
        return None
    return HasText(column, "holds" if column in LISTS else how, value)


def _is_plain(value: str) -> bool:
    """Whether both sides change its letters in the same way, and no JSON writes it otherwise. A NUL is in no row."""
    return all(
        character.isprintable()
        and character not in '"\\'
        and (character.isascii() or not character.isalpha() or character.lower() == character.upper())
        for character in value
    )


def _account(value: object) -> Condition | None:
    try:
        return IsAccount(UUID(str(value)))
    except ValueError:
        return IsAccount(UUID(int=0))  # no account has it


def _instant(column: Instant, node: Comparison) -> Condition | None:
    try:
        at = datetime.fromisoformat(str(node.value))
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    since, until = at if node.op in AFTER else None, at if node.op in BEFORE else None
    return IsBetween(column, since, until) if since or until else None
