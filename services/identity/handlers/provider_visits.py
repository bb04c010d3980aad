"""Sending a browser to the provider of identities and taking it back: to sign in, to prove anew, to link an account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity import metrics
from services.identity.domain.accounts import Account
from services.identity.domain.provider_visits import (
    CLOCK_DIFFERENCE,
    VISIT_FOR,
    LinkedElsewhere,
    ProviderRefused,
    ProviderVisit,
    UnknownPerson,
    VisitPurpose,
)
from services.identity.domain.sessions import BadCredentials
from services.identity.handlers.desk import Caller, Desk, digest_of, new_token, system
from services.identity.handlers.opening import Progress, begin, proceed
from services.identity.providers import Claims, Provider
from services.identity.storage import accounts, provider_visits, sessions
from services.identity.storage.provider_visits import ProviderIdentity
from shared.audit.chain import Line, note
from shared.database import Connection
from shared.edge import check_text

LONGEST_DISPLAY_NAME = 200


class _LinkedMeanwhile(Exception):
    """Another visit of the same person was quicker: nothing of this one is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where to send the browser, and what it must still hold when it comes back."""

    address: str
    browser_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What the browser came back with: query parameters and its cookie, none of them to be believed."""

    state: str
    code: str
    issuer: str | None
    browser_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    next_path: str
    progress: Progress | None = None  # of a sign-in
    session_token: str | None = None  # of a session that goes on under another identifier


def send(
    desk: Desk,
    provider: Provider,
    *,
    purpose: VisitPurpose,
    session_id: UUID | None = None,
    next_path: str = "",
    now: datetime,
) -> Sent:
    """Raises ProviderAway, ProviderRefused."""
    visit = ProviderVisit(
        nonce=new_token(),
        code_verifier=new_token() + new_token(),
        purpose=purpose,
        session_id=session_id,
        next_path=next_path,
        started_at=now,
    )
    state, browser_token = desk.new_token(), desk.new_token()
    address = provider.way_there(
        state=state, nonce=visit.nonce, code_verifier=visit.code_verifier, anew=purpose == "step-up"
    )
    with system(desk.pool) as connection:
        provider_visits.insert_visit(
            connection,
            visit,
            state_digest=digest_of(state),
            browser_digest=digest_of(browser_token),
            expires_at=now + VISIT_FOR,
        )
    return Sent(address=address, browser_token=browser_token)


def take_back(desk: Desk, provider: Provider, arrived: Arrived, *, caller: Caller, provision: bool) -> Returned:
    """Raises ProviderRefused, ProviderAway, UnknownPerson, LinkedElsewhere, BadCredentials."""
    with system(desk.pool) as connection:
        visit = provider_visits.take_visit(
            connection,
            state_digest=digest_of(arrived.state),
            browser_digest=digest_of(arrived.browser_token),
            now=caller.at,
        )
    if visit is None:
        _count_refusal()
        raise ProviderRefused("nobody was sent off from this browser with that state, or it is too long ago")
    try:
        claims = provider.come_back(
            code=arrived.code,
            code_verifier=visit.code_verifier,
            nonce=visit.nonce,
            issuer=arrived.issuer,
            at=caller.at,
        )
    except ProviderRefused:
        _count_refusal()
        raise
    if visit.purpose == "sign-in":
        progress = _sign_in(desk, provider, claims, caller=caller, provision=provision)
        return Returned(next_path=visit.next_path, progress=progress)
    token = _go_on(desk, provider, visit, claims, caller=caller)
    return Returned(next_path=visit.next_path, session_token=token)


def _sign_in(desk: Desk, provider: Provider, claims: Claims, *, caller: Caller, provision: bool) -> Progress:
    with system(desk.pool) as connection:
        account_id = provider_visits.find_linked_account(connection, provider.issuer, claims.subject)
        account = accounts.find_account(connection, account_id) if account_id else None
    if account is None and provision:
        account = _provision(desk, provider, claims, now=caller.at)
    if account is None:
        _count_refusal()
        raise UnknownPerson("there is no account for this person")
    if account.status != "active":
        _count_refusal()
        raise BadCredentials
    with system(desk.pool, account) as connection:
        begun = begin(account, by_provider=True, at=caller.at)
        progress = proceed(connection, desk, account, begun, caller=caller, token=None)
    metrics.sign_ins_total.labels("provider", "signed-in" if progress.session_token else "under-way").inc()
    return progress


def _provision(desk: Desk, provider: Provider, claims: Claims, *, now: datetime) -> Account:
    """An account without any role. Of two at once for the same person, one is kept."""
    account_id = desk.new_id()
    account = Account(
        id=account_id,
        name=f"p-{account_id.hex}",
        display_name=_display_name(claims.name) or f"p-{account_id.hex[:8]}",
        person_id=str(account_id),
        staff_number=None,
        status="active",
        created_at=now,
        changed_at=now,
    )
    identity = ProviderIdentity(issuer=provider.issuer, subject=claims.subject, account_id=account_id, linked_at=now)
    try:
        with system(desk.pool, account) as connection:
            _insert_linked(connection, account, identity)
    except _LinkedMeanwhile:
        with system(desk.pool) as connection:
            linked = provider_visits.find_linked_account(connection, provider.issuer, claims.subject)
            return accounts.lock_account(connection, linked or account_id)
    return account


def _insert_linked(connection: Connection, account: Account, identity: ProviderIdentity) -> None:
    """Raises _LinkedMeanwhile."""
    accounts.insert_account(connection, account)
    if not provider_visits.insert_identity(connection, identity):
        raise _LinkedMeanwhile
    note(connection, Line(action="account.provisioned", object_type="account", object_id=account.id))


def _go_on(desk: Desk, provider: Provider, visit: ProviderVisit, claims: Claims, *, caller: Caller) -> str:
    """Prove anew, or link, within the session that was sent off. Return its new identifier."""
    with system(desk.pool) as connection:
        session = sessions.find_open_session(connection, visit.session_id, now=caller.at) if visit.session_id else None
        account = accounts.find_account(connection, session.account_id) if session else None
        linked = provider_visits.find_linked_account(connection, provider.issuer, claims.subject)
    if session is None or account is None or account.status != "active":
        raise ProviderRefused("the session is over")
    token = desk.new_token()
    with system(desk.pool, account) as connection:
        if visit.purpose == "step-up":
            _check_proved_anew(visit, claims, is_same=linked == account.id)
            action = "step_up.given"
        else:
            _link(connection, provider, account, claims, now=caller.at)
            action = "oidc.linked"
        stepped_up_at = caller.at if visit.purpose == "step-up" else None
        if not sessions.rotate_session(
            connection, session.id, new_digest=digest_of(token), stepped_up_at=stepped_up_at
        ):
            raise ProviderRefused("the session is over")
        note(connection, Line(action=action, object_type="account", object_id=account.id))
    return token


def _check_proved_anew(visit: ProviderVisit, claims: Claims, *, is_same: bool) -> None:
    """Raises ProviderRefused for another person, and for a proof from before the browser was sent off."""
    proved_at = claims.authenticated_at
    is_fresh = proved_at is not None and proved_at >= (visit.started_at - CLOCK_DIFFERENCE).timestamp()
    if not (is_same and is_fresh):
        _count_refusal()
        raise ProviderRefused("the provider did not have this person prove who they are again")


def _link(connection: Connection, provider: Provider, account: Account, claims: Claims, *, now: datetime) -> None:
    """Raises LinkedElsewhere."""
    identity = ProviderIdentity(issuer=provider.issuer, subject=claims.subject, account_id=account.id, linked_at=now)
    if provider_visits.insert_identity(connection, identity):
        return
    if provider_visits.find_linked_account(connection, provider.issuer, claims.subject) != account.id:
        raise LinkedElsewhere("this person of the provider has another account here")


def _display_name(name: str | None) -> str | None:
    try:
        return check_text(name.strip())[:LONGEST_DISPLAY_NAME] if name and name.strip() else None
    except ValueError:
        return None


def _count_refusal() -> None:
    metrics.sign_ins_total.labels("provider", "refused").inc()
