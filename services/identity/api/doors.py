"""What the routes for programs have in common: the shapes of proofs, and how a sign-in's progress is told."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import Field

from services.identity.browsing import give_progress
from services.identity.credentials import PasswordHashing
from services.identity.domain.passwords import PasswordRules
from services.identity.domain.sessions import SessionRules
from services.identity.handlers.desk import Desk
from services.identity.handlers.opening import Progress
from services.identity.settings import IdentitySettings
from shared.crypto import CryptoProvider
from shared.database import Pool
from shared.http import Body, json_response, settings_of

# Bounds on the work, not rules: what is too short or too long is refused as a password by its own rules.
GivenPassword = Annotated[str, Field(min_length=1, max_length=1_000)]
GivenName = Annotated[str, Field(min_length=1, max_length=200)]
GivenCode = Annotated[str, Field(min_length=6, max_length=64)]


class CodeBody(Body):
    code: GivenCode


class NewPasswordBody(Body):
    new_password: GivenPassword


def make_desk(settings: IdentitySettings, pool: Pool, keys: CryptoProvider | None) -> Desk:
    return Desk(
        pool=pool,
        hashing=PasswordHashing(),
        keys=keys,
        sessions=SessionRules(
            idle_seconds=settings.session_idle_minutes * 60,
            absolute=timedelta(hours=settings.session_hours),
            most=settings.sessions_per_account,
        ),
        passwords=PasswordRules(
            composition=settings.password_composition,
            valid_for=timedelta(days=settings.password_valid_days) if settings.password_valid_days else None,
        ),
        failures_per_network=settings.sign_in_failures_per_network,
        second_factor_roles=frozenset(settings.require_second_factor),
    )


async def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AppDesk = Annotated[Desk, Depends(desk_of)]


AppSettings = Annotated[IdentitySettings, Depends(settings_of)]


def show_progress(progress: Progress) -> Response:
    """For programs: either signed in, or the step that is still needed."""
    document: dict[str, Any] = {"status": "signed-in" if progress.need is None else f"{progress.need}-needed"}
    if progress.need is None:
        document["account"] = {"id": progress.account.id, "name": progress.account.name}
    if progress.recovery_codes:
        document["recovery_codes"] = list(progress.recovery_codes)
    return give_progress(json_response(document), progress)
