"""Sessions and sign-ins under way: how long they last and what is still needed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from shared.errors import Conflict, Unauthenticated

SessionMethod = Literal["password", "password+code", "provider", "provider+code"]
FirstProof = Literal["password", "provider"]
EndReason = Literal["signed-out", "replaced", "displaced", "everywhere", "disabled", "password-changed"]
# What a person who has proved to be themselves still has to do before there is a session.
Need = Literal["code", "new-password", "second-factor"]

UNFINISHED_FOR: Final = timedelta(minutes=10)
DEVICE_FAMILIAR_FOR: Final = timedelta(days=180)
TRIES: Final = 5


class BadCredentials(Unauthenticated):
    """Says the same for every cause: no such account, a wrong password, a disabled account."""

    code = "bad-credentials"

    def __init__(self) -> None:
        super().__init__("the name or the password is wrong")


class BadCode(Unauthenticated):
    code = "bad-code"

    def __init__(self) -> None:
        super().__init__("the code is wrong or was used before")


class NothingUnderWay(Unauthenticated):
    code = "no-sign-in-under-way"

    def __init__(self) -> None:
        super().__init__("there is no sign-in under way, or it took too long; begin again")


class NotNeeded(Conflict):
    code = "step-not-needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    idle_seconds: int = 900
    absolute: timedelta = timedelta(hours=8)
    most: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedSignIn:
    account_id: UUID
    method: FirstProof
    code_given: bool
    failed_tries: int
    expires_at: datetime


def is_local_path(path: str) -> bool:
    """Whether a browser sent there stays on this host, however it reads the text."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isascii()
        and path.isprintable()
        and "\\" not in path
        and len(path) <= 500
    )


def way_of(method: FirstProof, *, code_given: bool) -> SessionMethod:
    if method == "password":
        return "password+code" if code_given else "password"
    return "provider+code" if code_given else "provider"
