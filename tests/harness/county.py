"""A small county for experiments: registered over HTTP before a load falls on it."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from tests.harness.client import Answer, Client, Unreachable
from tests.harness.journal import Entry, Journal, Kind
from tests.harness.plan import Shape
from tests.harness.waiting import wait_for

TOWNSHIPS = 4
CADRES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    root: str
    organisations: tuple[str, ...]
    cadres: tuple[str, ...]

    @property
    def shape(self) -> Shape:
        return Shape(organisations=self.organisations, cadres=self.cadres)


class Registrar:
    """Registers and records over HTTP, one thing after another, and notes in the journal what it asked and got."""

    def __init__(self, client: Client, journal: Journal) -> None:
        self._client = client
        self._journal = journal

    def organisation(self, code: str, **body: Any) -> None:
        self.send("organisation", f"/v1/organisations/{code}", body, reference=code, method="PUT")

    def cadre(self, staff_number: str, name: str) -> None:
        self.send("cadre", f"/v1/cadres/{staff_number}", {"name": name}, reference=staff_number, method="PUT")

    def post(self, staff_number: str, **body: Any) -> None:
        self.send("post", f"/v1/cadres/{staff_number}/posts", body)

    def duty(self, **body: Any) -> None:
        self.send("duty", "/v1/duties", body)

    def send(self, kind: Kind, path: str, body: dict[str, Any], **more: str) -> dict[str, Any]:
        """POST, or what `method` says; with a correlation id where one is given. Raises RuntimeError when refused.

        `reference` is what a register entry is known by; anything else goes by its id.
        """
        method, key, reference = more.get("method", "POST"), uuid.uuid4().hex, more.get("reference", body.get("id"))
        headers = {"Idempotency-Key": key}
        if "correlation_id" in more:
            headers["X-Correlation-Id"] = more["correlation_id"]
        self._journal.write(Entry(what="attempted", kind=kind, key=key, reference=reference))
        content = json.dumps(body).encode()
        answer = wait_for(lambda: self._ask(method, path, content, headers), f"an answer to {method} {path}")
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        document: dict[str, Any] = answer.document
        kept = reference or str(document["id"])
        self._journal.write(Entry(what="acked", kind=kind, key=key, reference=kept, status=answer.status))
        return document

    def _ask(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> Answer | None:
        """None where there is no answer, as from a door that was opened anew since: the key makes a repeat harmless."""
        try:
            return self._client.send(method, path, content, headers)
        except Unreachable:
            return None


def register_county(registrar: Registrar, *, code: str = "320000") -> County:
    """Safe to repeat."""
    registrar.organisation(code, name="云阳县", level="50", region_type="county")
    townships = tuple(f"{code}-{number:02}" for number in range(1, TOWNSHIPS + 1))
    for number, township in enumerate(townships, 1):
        registrar.organisation(township, name=f"第{number}镇", level="61", parent_code=code, region_type="town")
    cadres = tuple(f"{code}-C{number:03}" for number in range(1, CADRES + 1))
    for number, staff_number in enumerate(cadres):
        registrar.cadre(staff_number, f"干部{number + 1}")
        registrar.post(
            staff_number,
            organisation_code=townships[number % TOWNSHIPS],
            post_kind="township_deputy",
            post_level="142",
            from_on="2024-01-01",
        )
    registrar.duty(
        post_kind="township_deputy", contact_kind="visit", required_count=4, per="month", valid_from="2025-01-01"
    )
    return County(root=code, organisations=townships, cadres=cadres)
