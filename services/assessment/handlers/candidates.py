"""What can be tried on a closed period: schemes proposed and agreed to, and those of indicators as text to change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.assessment.domain.drafts import write_draft
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.domain.schemes import read_scheme
from services.assessment.domain.scores import UnknownScheme
from services.assessment.storage import rule_schemes, schemes
from shared import proposals
from shared.database import Connection, Pool, transaction

MOST_PROPOSALS: Final = 50
Origin = Literal["proposed", "adopted", "indicators"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """`key` names it among all that can be tried."""

    key: str
    origin: Origin
    scheme: RuleScheme
    document: str


def list_candidates(pool: Pool, *, with_proposals: bool, now: datetime) -> list[Candidate]:
    """What waits for a second person first, the newest at the top."""
    with transaction(pool) as connection:
        proposed = list(_list_proposed(connection, now=now)) if with_proposals else []
        adopted = [_make("adopted", one.document) for one in rule_schemes.list_rule_schemes(connection)]
        drafts = [write_draft(read_scheme(one.definition)) for one in schemes.list_schemes(connection)]
    return [*proposed, *adopted, *(_make("indicators", draft) for draft in drafts)]


def find_candidate(candidates: Sequence[Candidate], key: str) -> Candidate:
    """Raises UnknownScheme."""
    found = next((one for one in candidates if one.key == key), None)
    if found is None:
        raise UnknownScheme("there is no such scheme")
    return found


def _list_proposed(connection: Connection, *, now: datetime) -> Iterator[Candidate]:
    found = proposals.list_proposals(
        connection, ("scheme.adopt",), status="open", before=None, limit=MOST_PROPOSALS, now=now
    )
    for one in found:
        document = str(one.document["text"])
        scheme = read_rule_scheme(document)
        yield Candidate(key=f"proposed/{one.id}", origin="proposed", scheme=scheme, document=document)


def _make(origin: Origin, document: str) -> Candidate:
    scheme = read_rule_scheme(document)
    key = f"{origin}/{scheme.name}/{scheme.version}"
    return Candidate(key=key, origin=origin, scheme=scheme, document=document)
