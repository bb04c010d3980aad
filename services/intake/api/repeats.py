"""Requests with a key that are carried out at once: their effect, their key and their answer are one commit.

What waits for a group's commit has its key in its command (doors.describe). Here the route itself is the use case.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends, Request, Response

from services.intake.api.doors import doors, read_key
from services.intake.domain.commands.base import IdempotencyKey
from services.intake.handlers import keys
from shared.database import Pool
from shared.witness import ASKED

KEPT_HEADERS: Final = ("content-type", "location")


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """`run` does the work once for a key, and gives its answer again to every repeat."""

    pool: Pool
    key: IdempotencyKey | None

    def run(self, work: Callable[[Pool], Response], *, again: Callable[[Pool], Response] | None = None) -> Response:
        """The work gets a pool whose transactions are parts of this one. What it raises leaves no key behind.

        `again` answers a repeat where no answer may be kept. Raises KeyReused.
        """
        if self.key is None:
            return work(self.pool)
        answer: Response | None = None

        def do(pool: Pool) -> str | None:
            nonlocal answer
            answer = work(pool)
            return None if again is not None else _written(answer)

        kept = keys.run_once(self.pool, self.key, do, now=datetime.now(UTC))
        if answer is not None:
            return answer
        return again(self.pool) if kept is None and again is not None else _read(kept or "{}")


async def _once(request: Request) -> Once:
    """Raises BadKey. After the dependency that says who asks."""
    return Once(pool=doors(request).pool, key=await read_key(request, request.scope[ASKED][0]))


_once.takes_key = True  # type: ignore[attr-defined] # read by the OpenAPI document
Keyed = Annotated[Once, Depends(_once)]


def _written(answer: Response) -> str:
    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    return json.dumps({"status": answer.status_code, "headers": headers, "body": bytes(answer.body).decode()})


def _read(kept: str) -> Response:
    document = json.loads(kept)
    return Response(document["body"], status_code=document["status"], headers=document["headers"])
