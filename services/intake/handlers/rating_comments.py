"""Raters' own words: read by few, told to nobody else; what others are told is a paraphrase."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.intake.domain.ratings import repeats_verbatim
from services.intake.sealing import vault
from services.intake.storage import rating_comments as storage
from services.intake.storage.rating_comments import SealedComment
from shared.access.principal import Principal
from shared.audit import chain
from shared.database import Connection, Pool, transaction
from shared.errors import Rejected
from shared.versions import Expected, check_version


class Verbatim(Rejected):
    """Whoever wrote it could be told by the words."""

    code = "verbatim-paraphrase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """`text` is None where the rater was erased or restricted."""

    rating_id: UUID
    is_accusation: bool
    text: str | None = field(repr=False)
    paraphrase: str | None = field(repr=False)
    recorded_at: datetime
    version: int


def list_comments(
    pool: Pool, *, is_accusation: bool, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Comment]:
    """Comments on ratings within reach, without those on the reader's own work or line."""
    with transaction(pool) as connection:
        sealed = storage.list_comments(connection, is_accusation=is_accusation, after=after, limit=limit)
    return [_open(comment) for comment in sealed]


def flag_comment(pool: Pool, rating_id: UUID, principal: Principal) -> None:
    """Send it to the queue of accusations, from which only those who look at them bring it back.

    Raises CommentNotFound. A repeat changes nothing.
    """
    _turn(pool, rating_id, principal, is_accusation=True)


def clear_comment(pool: Pool, rating_id: UUID, principal: Principal) -> None:
    """It accuses nobody after all. Raises CommentNotFound."""
    _turn(pool, rating_id, principal, is_accusation=False)


def paraphrase_comment(
    pool: Pool, rating_id: UUID, paraphrase: str, principal: Principal, *, expected: Expected
) -> None:
    """Raises CommentNotFound, also for an accusation; Verbatim where eight characters in a row are the rater's own.

    Raises Outdated where somebody else has said it in other words since, or the rater something else.
    """
    with transaction(pool) as connection:
        standing = storage.lock_version(connection, rating_id)
        comment = _open(storage.get_comment(connection, rating_id, is_accusation=False))
        if comment.text is None:
            raise storage.CommentNotFound("there is no such comment")
        check_version(standing, expected)
        if repeats_verbatim(paraphrase, comment.text):
            raise Verbatim("a paraphrase does not repeat the words of the rater")
        sealed = vault().seal("rating_comment", "paraphrase", rating_id, paraphrase)
        storage.set_paraphrase(connection, rating_id, sealed, by=principal.account_id)
        _note(connection, "rating_comment.paraphrase", rating_id)


def _turn(pool: Pool, rating_id: UUID, principal: Principal, *, is_accusation: bool) -> None:
    with transaction(pool) as connection:
        storage.get_comment(connection, rating_id)
        if storage.set_accusation(connection, rating_id, is_accusation=is_accusation, by=principal.account_id):
            _note(connection, "rating_comment.flag" if is_accusation else "rating_comment.clear", rating_id)


def _open(comment: SealedComment) -> Comment:
    key = None if comment.citizen_ref is None else vault().open_key(comment.citizen_ref, comment.citizen_key)
    return Comment(
        rating_id=comment.rating_id,
        is_accusation=comment.is_accusation,
        text=vault().open("rating_comment", "text", comment.rating_id, comment.text, key),
        paraphrase=vault().open("rating_comment", "paraphrase", comment.rating_id, comment.paraphrase, None),
        recorded_at=comment.recorded_at,
        version=comment.version,
    )


def _note(connection: Connection, action: str, rating_id: UUID) -> None:
    chain.note(connection, chain.Line(action=action, object_type="rating", object_id=rating_id))
