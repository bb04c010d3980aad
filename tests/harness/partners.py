"""Those who are told something in an experiment: receivers of webhooks under an agreement, and cadres with a phone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from services.notify.domain.agreements import Terms
from services.notify.domain.destinations import EgressRules, read_networks
from services.notify.domain.endpoints import EndpointWish
from services.notify.handlers import agreements, endpoints
from services.notify.handlers.endpoints import EndpointDesk
from shared.crypto import KeyRing
from shared.database import Pool, open_pool
from shared.identifiers import new_id
from shared.reach import SYSTEM, acting
from tests.fakes import person
from tests.harness.suite import Suite

RULES = EgressRules(networks=read_networks(["127.0.0.0/8"]), plain_loopback=True)
OFFICER, APPROVER = person("department_officer", name="proposer"), person("approver", name="decider")
PUSH_SETTINGS: Mapping[str, str] = {
    "LIANXIN_NOTIFY_WEBHOOK_NETWORKS": '["127.0.0.0/8"]',
    "LIANXIN_NOTIFY_WEBHOOK_PLAIN_LOOPBACK": "true",
}


def sms_settings(folder: Path, url: str) -> dict[str, str]:
    """A gateway that is as fast as we are."""
    file = folder / "sms.toml"
    file.write_text(
        f'url = "{url}"\nper_minute = 100000\nfields = {{ to = "{{phone}}", text = "{{text}}", '
        'reference = "{reference}" }\n'
    )
    return {"LIANXIN_NOTIFY_SMS_GATEWAY": str(file)}


@contextmanager
def open_desk(suite: Suite) -> Iterator[EndpointDesk]:
    url = suite.urls["LIANXIN_NOTIFY_DATABASE_URL"]
    pool = open_pool(url, size=4, application="harness", statement_timeout_seconds=60, system=True)
    try:
        yield EndpointDesk(pool=pool, crypto=KeyRing(suite.folder / "keys" / "notify"), rules=RULES)
    finally:
        pool.close()


def connect(desk: EndpointDesk, urls: Sequence[str], *, number: str, event_types: tuple[str, ...] = ()) -> UUID:
    """One endpoint at each address, under one agreement, which two persons agreed to; return the agreement."""
    now = datetime.now(UTC)
    terms = Terms(
        number=number,
        partner="harness",
        client_id=None,
        event_types=event_types,
        organisation_id=None,
        content="facts",
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=1),
    )
    with acting(SYSTEM):
        made = agreements.propose_agreement(desk.pool, terms, by=OFFICER, new_id=new_id(), now=now)
        agreements.decide_agreement(desk.pool, made.id, "agreed", by=APPROVER, now=now)
        for url in urls:
            wish = EndpointWish(url=url, signs_with="v1")
            endpoint, _ = endpoints.propose_endpoint(desk, made.id, wish, by=OFFICER, new_id=new_id, now=now)
            endpoints.decide_endpoint(desk.pool, endpoint.id, "approve", by=APPROVER, now=now)
    return made.id


def end_agreement(pool: Pool, agreement_id: UUID) -> None:
    with acting(SYSTEM):
        agreements.end_agreement(pool, agreement_id, reason="the experiment is over", now=datetime.now(UTC))


def give_phones(suite: Suite, staff_numbers: Sequence[str], *, channels: Sequence[str] = ("inbox", "sms")) -> None:
    """Cadres who want to be told at any hour, as often as there is something, over these channels."""
    with suite.database("notify") as notify:
        notify.cursor().executemany(
            """
            INSERT INTO recipient (id, staff_number, mobile, email, channels, quiet_from, quiet_until, daily_cap)
            VALUES (%s, %s, %s, %s, %s, '00:00', '00:00', 1000)
                ON CONFLICT (staff_number) DO UPDATE
               SET mobile = excluded.mobile, email = excluded.email, channels = excluded.channels,
                   quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
                   daily_cap = excluded.daily_cap
            """,
            [
                (new_id(), staff_number, f"139{number:08}", f"cadre-{number}@example.org", list(channels))
                for number, staff_number in enumerate(staff_numbers)
            ],
        )
