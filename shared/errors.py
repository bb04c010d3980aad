"""The kinds of failure that a caller can expect. Anything else is a bug and travels."""


class LianxinError(Exception):
    """An expected failure. `code` is stable and for programs; `detail` is for people and never echoes personal data.

    `detail_zh` is the same in Chinese, where somebody wrote that.
    """

    code = "error"
    detail_zh: str | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotFound(LianxinError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not-found"


class Conflict(LianxinError):
    """The request contradicts what already stands."""

    code = "conflict"


class Rejected(LianxinError):
    """The request can never succeed as it is."""

    code = "rejected"


class Unauthenticated(LianxinError):
    """Nobody we know is asking."""

    code = "unauthenticated"


class Forbidden(LianxinError):
    """Somebody we know asks for something that their role may not do."""

    code = "forbidden"


class Transient(LianxinError):
    """The same request may succeed later: a dependency is away or busy."""

    code = "unavailable"


class TooMany(LianxinError):
    """The same request may succeed after a while, and that while is known."""

    code = "too-many-requests"

    def __init__(self, detail: str, *, retry_after_seconds: float) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds
