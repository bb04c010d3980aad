"""Lines of the audit chain, written in the transaction of the change they tell of."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from shared import reach
from shared.audit.canonical import canonical
from shared.database import Connection, Pool, transaction
from shared.observability import correlation_id

Decision = Literal["allowed", "denied"]

LONGEST_TEXT: Final = 200
LONGEST_REASON: Final = 2_000
MOST_DETAIL_BYTES: Final = 16_384
_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to remember: opaque ids, codes and counts; of a citizen nothing but ciphertext.

    Who did it comes from the reach of the request, unless the line names somebody: at a sign-in there is none yet.
    """

    action: str
    object_type: str | None = None
    object_id: str | UUID | None = None
    decision: Decision = "allowed"
    reason: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    actor: str | None = None
    account_id: UUID | None = None
    role: str | None = None


def note(connection: Connection, *lines: Line) -> None:
    """Append to the chain in the caller's transaction: the change and its record are kept together or not at all.

    The head of the chain stays locked until that commit, so it is the last thing that a transaction should do.
    """
    append(connection, [as_row(line) for line in lines])


def record(pool: Pool, *lines: Line) -> None:
    """Append in a transaction of its own: what was refused has no other to go with."""
    rows = [as_row(line) for line in lines]
    with transaction(pool) as connection:
        append(connection, rows)


def append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute("SELECT append_audit(%s::jsonb)", [canonical(list(rows)).decode()])


def as_row(line: Line) -> dict[str, Any]:
    """The line with who did it and in which request, every text made safe to keep and to show."""
    acting = reach.current()
    account_id = line.account_id or (acting.account_id if acting else None)
    organisations = ",".join(acting.organisation_codes) if acting else ""
    row = {
        "account_id": str(account_id) if account_id else None,
        "actor": _tidy(line.actor or (acting.actor if acting else "system"), LONGEST_TEXT),
        "role": _tidy(line.role or (acting.role if acting else "system"), LONGEST_TEXT),
        "organisation": _tidy(organisations, LONGEST_REASON) or None,
        "action": _tidy(line.action, LONGEST_TEXT),
        "object_type": _tidy(line.object_type, LONGEST_TEXT) if line.object_type else None,
        "object_id": _tidy(str(line.object_id), LONGEST_TEXT) if line.object_id is not None else None,
        "decision": line.decision,
        "reason": _tidy(line.reason, LONGEST_REASON) if line.reason else None,
        "correlation_id": _tidy(correlation_id(), LONGEST_TEXT),
        "details": _tidy_details(line.details),
    }
    if len(canonical(row["details"])) > MOST_DETAIL_BYTES:
        raise ValueError(f"the details of {line.action} are too long")
    return row


def _tidy(text: str, longest: int) -> str:
    """One line that no screen, file or other log can take for two, or read backwards."""
    shown = "".join(_shown(character) for character in text[:longest])
    return unicodedata.normalize("NFC", shown)[:longest]


def _shown(character: str) -> str:
    # Cc: controls, line ends and NUL. Cf: what turns writing round or hides. Cs: halves. Zl, Zp: more line ends.
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else character


def _tidy_details(value: Any) -> Any:  # noqa: ANN401 - as JSON has it
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in value):
            raise ValueError("a key of the details is not a plain name")
        return {key: _tidy_details(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy_details(inner) for inner in value]
    if isinstance(value, UUID):
        return str(value)
    return _tidy(value, LONGEST_REASON) if isinstance(value, str) else value
