"""How every writing route works: read the body, wait for the commit, answer with what became of it."""

import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Request, Response

from services.intake.api.register_doors import RegisterDoors
from services.intake.domain.commands.base import Actor, IdempotencyKey, Outcome
from services.intake.domain.issues.rules import LifeRules
from services.intake.domain.rating_rules import RatingRules
from services.intake.domain.repeats import OUTDATED
from services.intake.grouping import Group
from services.intake.handlers import (
    consultations,
    contacts,
    corrections,
    issues,
    ratings,
    receptions,
    reviews,
    suggestions,
)
from services.intake.handlers.entering import enter_contacts
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.sealing import vault
from services.intake.settings import IntakeSettings
from shared.access.principal import Principal
from shared.answers import RECORDS
from shared.at_once import AtOnce
from shared.conditions import read_expected
from shared.database import Pool
from shared.errors import Rejected
from shared.http import json_response, problem, read_body
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.reach import current

if TYPE_CHECKING:
    from services.intake.domain.commands.consultations import (
        AnnounceConsultation,
        AnswerConsultation,
        WithdrawConsultation,
    )
    from services.intake.domain.commands.contacts import RecordContact
    from services.intake.domain.commands.corrections import AmendContact, VoidContact
    from services.intake.domain.commands.issue_steps import StepCommand
    from services.intake.domain.commands.issues import ReceiveIssue
    from services.intake.domain.commands.ratings import SubmitRating
    from services.intake.domain.commands.receptions import CancelReceptionDay, HoldReceptionDay, OfferReceptionDay
    from services.intake.domain.commands.reviews import DecideReview
    from services.intake.domain.commands.suggestions import DecideSuggestion

BATCHES_AT_ONCE = 2  # of contacts: one is computed while another waits for the database
_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)

ANSWERS = RECORDS  # of routes that make records, as STEPS are of steps


class BadKey(Rejected):
    code = "bad-idempotency-key"


class Doors(RegisterDoors):
    """One group a use case over one pool. Lives as long as the app's event loop."""

    def __init__(self, pool: Pool, settings: IntakeSettings, rating_rules: RatingRules) -> None:
        self.pool = pool
        self.rating_rules = rating_rules
        self.settings = settings
        self._executor = ThreadPoolExecutor(max_workers=settings.pool_size, thread_name_prefix="group")
        self.open_registers(self._group)
        self._at_once = AtOnce(pool, most=BATCHES_AT_ONCE)
        self.contacts: Group[RecordContact] = self._group(
            contacts.record_contacts,
            enter=lambda commands: enter_contacts(self._at_once, commands, now=datetime.now(UTC)),
            most_at_once=BATCHES_AT_ONCE,
        )
        self.amendments: Group[AmendContact] = self._group(corrections.amend_contacts)
        self.reviews: Group[DecideReview] = self._group(reviews.decide_reviews)
        self.voids: Group[VoidContact] = self._group(corrections.void_contacts)
        self.issues: Group[ReceiveIssue] = self._group(
            partial(issues.receive_issues, refuse_unknown_categories=settings.unknown_category == "refuse")
        )
        self.steps: Group[StepCommand] = self._group(partial(take_steps, rules=_life_rules(settings)))
        self.adoptions: Group[DecideSuggestion] = self._group(suggestions.decide_suggestions)
        self.consultations: Group[AnnounceConsultation] = self._group(consultations.announce)
        self.withdrawals: Group[WithdrawConsultation] = self._group(consultations.withdraw)
        self.consultation_answers: Group[AnswerConsultation] = self._group(consultations.answer)
        self.reception_days: Group[OfferReceptionDay] = self._group(receptions.offer_days)
        self.reception_cancellations: Group[CancelReceptionDay] = self._group(receptions.cancel_days)
        self.reception_holdings: Group[HoldReceptionDay] = self._group(receptions.hold_days)
        self.ratings: Group[SubmitRating] = self._group(partial(ratings.submit_ratings, rules=rating_rules))

    def _group(self, handler: Any, *, enter: Any = None, most_at_once: int = 1) -> Group[Any]:  # noqa: ANN401 - the attributes say of what
        return Group(
            self._now(handler),
            self._executor,
            enter=enter,
            most_at_once=most_at_once,
        )

    def _now(self, handler: Any) -> Callable[[list[Any]], Any]:  # noqa: ANN401 - same
        return lambda commands: handler(self.pool, commands, now=datetime.now(UTC))

    async def drain(self) -> None:
        for group in vars(self).values():
            if isinstance(group, Group):
                await group.drain()
        self._executor.shutdown()
        self._at_once.close()


def _life_rules(settings: IntakeSettings) -> LifeRules:
    return LifeRules(
        return_within=timedelta(hours=settings.return_within_hours),
        object_within=timedelta(hours=settings.object_within_hours),
        reopen_within=timedelta(hours=settings.reopen_within_hours),
        longest_extension=timedelta(hours=settings.longest_extension_hours),
        most_extensions=settings.most_extensions,
    )


def doors(request: Request) -> Doors:
    opened: Doors = request.app.state.doors
    return opened


async def describe(request: Request, principal: Principal, *, record_id: UUID | None = None) -> dict[str, Any]:
    """What every command has: its id, its correlation id, the caller's reach and key, and the version it is for."""
    return {
        "id": record_id or new_id(),
        "correlation_id": correlation_id(),
        "reach": current(),
        "key": await read_key(request, principal),
        "expected": read_expected(request),
    }


async def describe_step(request: Request, principal: Principal, issue_id: UUID) -> dict[str, Any]:
    """What every step of an issue has: the issue, and who takes it."""
    described = await describe(request, principal, record_id=issue_id)
    is_machine = principal.kind == "machine"
    actor = Actor(account_id=principal.account_id, person_id=principal.person_id, is_machine=is_machine)
    return {**described, "actor": actor}


async def read_key(request: Request, principal: Principal) -> IdempotencyKey | None:
    """Raises BadKey. The digest covers method, path and body: a key stands for one request and no other."""
    key = read_key_text(request)
    if key is None:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for part in (request.method.encode(), request.url.path.encode(), await read_body(request)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return IdempotencyKey(caller=str(principal.account_id), key=key, fingerprint=vault().keyed(digest.digest()))


def read_key_text(request: Request) -> str | None:
    """Raises BadKey."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadKey("an idempotency key has 1 to 255 visible ASCII characters")
    return key


def answer(outcome: Outcome, *, location: str | None = None) -> Response:
    """`location` is the path under which a new record can be read; a code in it may be of any script."""
    if outcome.status == "conflict":
        return problem(412 if outcome.code == OUTDATED else 409, outcome.code, outcome.detail)
    if outcome.status == "rejected":
        return problem(404 if outcome.code.endswith("-not-found") else 422, outcome.code, outcome.detail)
    document = {"id": outcome.id, "status": outcome.status}
    if outcome.status == "created":
        return json_response(document, status=201, headers={"Location": quote(location)} if location else None)
    return json_response(document)
