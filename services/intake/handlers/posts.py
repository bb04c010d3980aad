"""Recording and ending the posts of cadres."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from services.intake.domain.codes import POST_LEVELS
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.registers import EndPost, RecordPost
from services.intake.domain.registers import rejected
from services.intake.domain.repeats import not_found, other_content, unknown
from services.intake.handlers.batches import BatchRaced, Events, run_batch
from services.intake.storage import posts as storage
from services.intake.storage import registers
from shared.contracts.intake.registers import PostRecorded
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent

ENDS_BEFORE_BEGIN = Outcome(status="rejected", code="ends-before-begin", detail="the last day lies before the first")


def record_posts(pool: Pool, commands: Sequence[RecordPost], *, now: datetime) -> list[Outcome]:
    """Record posts. A repeat changes nothing, or ends the post where the command may amend."""

    def run(connection: Connection, fresh: list[RecordPost], events: Events) -> list[Outcome]:
        return take_posts(connection, fresh, events, now=now)

    return run_batch("record_posts", pool, commands, run, now=now)


def take_posts(connection: Connection, fresh: Sequence[RecordPost], events: Events, *, now: datetime) -> list[Outcome]:
    """The same within the transaction of somebody else."""
    cadre_ids = registers.find_cadre_ids(connection, [command.staff_number for command in fresh])
    organisation_ids = registers.find_organisation_ids(connection, [item.organisation_code for item in fresh])
    ended = registers.list_ended(connection, [item.organisation_code for item in fresh])
    asked: list[storage.Post | Outcome] = []
    for command in fresh:
        cadre_id = cadre_ids.get(command.staff_number)
        organisation_id = organisation_ids.get(command.organisation_code)
        if cadre_id is None:
            asked.append(unknown("cadre"))
        elif organisation_id is None:
            asked.append(unknown("organisation"))
        elif (refusal := _check(command, ended.get(command.organisation_code))) is not None:
            asked.append(refusal)
        else:
            asked.append(
                storage.Post(
                    id=command.id,
                    cadre_id=cadre_id,
                    organisation_id=organisation_id,
                    post_kind=command.post_kind,
                    post_level=command.post_level,
                    from_on=command.from_on,
                    until_on=command.until_on,
                    sequence=1,
                )
            )
    rows = [post for post in asked if isinstance(post, storage.Post)]
    ledger = _PostLedger(storage.insert_posts(connection, rows, recorded_at=now), events)
    if len(ledger.fresh) < len(rows):
        ledger.add(storage.lock_posts(connection, [post for post in rows if post.id not in ledger.fresh]))
    outcomes = [
        post if isinstance(post, Outcome) else ledger.take(post, command)
        for post, command in zip(asked, fresh, strict=True)
    ]
    storage.end_posts(connection, list(ledger.amended.values()))
    return outcomes


def _check(command: RecordPost, ended_on: date | None) -> Outcome | None:
    if command.post_level not in POST_LEVELS:
        return rejected("unknown-post-level", "the post level is none of the code list")
    if command.until_on is not None and command.until_on < command.from_on:
        return ENDS_BEFORE_BEGIN
    if ended_on is not None and command.from_on >= ended_on:
        return rejected("organisation-ended", "the organisation was no more on the first day of the post")
    return None


def end_posts(pool: Pool, commands: Sequence[EndPost], *, now: datetime) -> list[Outcome]:
    """End posts on their last day. Ending on the same day again changes nothing; another day contradicts it."""

    def run(connection: Connection, fresh: list[EndPost], events: Events) -> list[Outcome]:
        ledger = _PostLedger([], events)
        ledger.add(storage.lock_posts_by_id(connection, [command.id for command in fresh]))
        outcomes = [ledger.end(command) for command in fresh]
        storage.end_posts(connection, list(ledger.amended.values()))
        return outcomes

    return run_batch("end_posts", pool, commands, run, now=now)


class _PostLedger:
    """The posts that a batch is about, as they stand after each of its commands."""

    def __init__(self, inserted: Iterable[storage.Post], events: Events) -> None:
        self._events = events
        self._by_id: dict[object, storage.Post] = {}
        self._by_key: dict[object, storage.Post] = {}
        self.fresh: set[object] = set()
        self.amended: dict[object, storage.Post] = {}
        for post in inserted:
            self._keep(post)
            self.fresh.add(post.id)

    def add(self, posts: Iterable[storage.Post]) -> None:
        for post in posts:
            self._keep(post)

    def _keep(self, post: storage.Post) -> None:
        self._by_id[post.id] = post
        self._by_key[_key(post)] = post

    def take(self, asked: storage.Post, command: RecordPost) -> Outcome:
        post = self._by_key.get(_key(asked)) or self._by_id.get(asked.id)
        if post is None:
            raise BatchRaced("a post was being recorded by somebody else")
        if asked == post and post.id in self.fresh:
            self.fresh.discard(post.id)
            self._events.append(announce_post(post, command.correlation_id))
            return Outcome(status="created", id=post.id)
        if replace(asked, id=post.id, sequence=post.sequence) == post:
            return Outcome(status="unchanged", id=post.id)
        same_but_end = replace(asked, id=post.id, sequence=post.sequence, until_on=post.until_on) == post
        if not (command.amend and same_but_end and asked.until_on is not None):
            return other_content(post.id)
        return self._amend(post, asked.until_on, command.correlation_id)

    def end(self, command: EndPost) -> Outcome:
        post = self._by_id.get(command.id)
        if post is None:
            return not_found("post")
        if command.until_on < post.from_on:
            return ENDS_BEFORE_BEGIN
        if post.until_on is not None:
            same = post.until_on == command.until_on
            return Outcome(status="unchanged", id=post.id) if same else other_content(post.id)
        return self._amend(post, command.until_on, command.correlation_id)

    def _amend(self, post: storage.Post, until_on: date, correlation_id: str) -> Outcome:
        amended = replace(post, until_on=until_on, sequence=post.sequence + 1)
        self._keep(amended)
        self.amended[amended.id] = amended
        self._events.append(announce_post(amended, correlation_id))
        return Outcome(status="changed", id=amended.id)


def announce_post(post: storage.Post, correlation_id: str) -> OutgoingEvent:
    event = PostRecorded(
        post_id=post.id,
        cadre_id=post.cadre_id,
        organisation_id=post.organisation_id,
        post_kind=post.post_kind,
        post_level=post.post_level,
        from_on=post.from_on,
        until_on=post.until_on,
    )
    return OutgoingEvent(event=event, sequence=post.sequence, correlation_id=correlation_id)


def _key(post: storage.Post) -> tuple[object, ...]:
    return (post.cadre_id, post.organisation_id, post.post_kind, post.from_on)
