"""Takes the generated files through intake's door, and waits until assessment has scored every cadre."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from demo.county import COLUMNS
from demo.credentials import Asking, Credential

REQUEST_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.5
ATTEMPTS = 6
PAGE = 200
Tell = Callable[[str], None]


class LoadFailed(Exception):
    """The demo county is not in, and the text says what stands in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    intake_url: str
    importer: Credential
    assessment_url: str
    officer: Credential


class Loader:
    """Loading the same files again is harmless: intake knows a record by its source's own number."""

    def __init__(
        self,
        doors: Doors,
        *,
        tell: Tell,
        time_limit_seconds: float,
        transport: httpx.BaseTransport | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._intake = open_door(doors.intake_url, doors.importer, transport)
        self._assessment = open_door(doors.assessment_url, doors.officer, transport)
        self._tell = tell
        self._deadline = time.monotonic() + time_limit_seconds
        self._poll_seconds = poll_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._intake.close()
        self._assessment.close()

    def load(self, folder: Path) -> None:
        for name in COLUMNS:
            self._import_file(f"lianxin-{name}", folder / f"{name}.csv")

    def wait_for_scores(self, staff_numbers: set[str], *, period: str) -> None:
        """Returns when every cadre has a score row for the period."""
        told = -1
        while True:
            scored = staff_numbers & set(self._scored_cadres(period))
            if len(scored) != told:
                told = len(scored)
                self._tell(f"scores: {told} of {len(staff_numbers)} cadres")
            if len(scored) == len(staff_numbers):
                return
            self._pause(f"only {told} of {len(staff_numbers)} cadres have a score")

    def _import_file(self, profile: str, path: Path) -> None:
        answer = self._send(
            self._intake,
            "POST",
            "/v1/imports",
            params={"profile": profile, "dry_run": "false", "file_name": path.name},
            content=path.read_bytes(),
            headers={"Content-Type": "text/csv"},
        )
        status: dict[str, Any] = {"state": "due"}
        while status["state"] not in ("done", "failed"):
            self._pause(f"the import of {path.name} is still {status['state']}")
            status = self._send(self._intake, "GET", f"/v1/imports/{answer['id']}")
        if status["state"] == "failed":
            raise LoadFailed(f"intake could not import {path.name}: {status.get('reason')}")
        if status["errors"]:
            raise LoadFailed(
                f"intake refused {status['errors']} rows of {path.name}; see GET /v1/imports/{answer['id']}/findings"
            )
        self._tell(
            f"{path.name}: {status['rows_read']} rows, {status['created']} new, {status['unchanged']} known already, "
            f"{status['flags']} flagged"
        )

    def _scored_cadres(self, period: str) -> Iterator[str]:
        cursor: str | None = None
        while True:
            query = {"subject": "cadre", "period": period, "sort": "code", "limit": str(PAGE)}
            if cursor:
                query["cursor"] = cursor
            page = self._send(self._assessment, "GET", "/v1/scores", params=query)
            for score in page["items"]:
                yield score["subject"]["code"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def _send(self, client: httpx.Client, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        """A door that is still starting or busy is tried again; an answer that will not change is reported."""
        trouble = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = client.request(method, path, **request)
            except httpx.TransportError as error:
                trouble = f"{client.base_url} cannot be reached: {type(error).__name__}"
            else:
                if answer.is_success:
                    document: dict[str, Any] = answer.json()
                    return document
                trouble = f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}"
                if answer.status_code not in (429, 502, 503, 504):
                    raise LoadFailed(trouble)
            if attempt < ATTEMPTS:
                self._pause(trouble)
        raise LoadFailed(trouble)

    def _pause(self, unfinished: str) -> None:
        if time.monotonic() >= self._deadline:
            raise LoadFailed(f"the time limit was reached: {unfinished}")
        time.sleep(self._poll_seconds)


def open_door(url: str, credential: Credential, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    return httpx.Client(
        base_url=url.rstrip("/"),
        auth=Asking(credential),
        timeout=REQUEST_TIMEOUT_SECONDS,
        transport=transport,
        # The doors are on this machine or named outright; a proxy of the environment must not see what lets us in.
        trust_env=False,
    )
