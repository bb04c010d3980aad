"""Restricting and erasing citizens: two persons, every crash point, restored databases, a fresh start."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from services.intake import journal, sealing
from services.intake.domain.citizens import describe_citizen
from services.intake.domain.commands.issue_steps import CloseIssue
from services.intake.handlers import epochs, erasures, issues
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.sealing import Vault
from shared import crash
from shared.ciphers import Undecipherable
from shared.crypto import KeyRing
from shared.database import Pool, open_pool, transaction
from shared.identifiers import new_id
from shared.keyfiles import KeyName, create_key
from tests.fakes import person
from tests.integration.intake.commands import an_issue
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration

PHONE, DOCUMENT = "13812345678", "11010519491231002X"
WHY = {"reason_code": "own_request", "reason": "本人申请删除"}
CRASHES = (
    "intake.erasure_journalled",
    "intake.citizen_erased",
    "intake.before_proposal_commit",
    "intake.after_proposal_commit",
)


class Died(BaseException):
    """What a killed process looks like to a test that stays alive."""


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Path]:
    """Keys of the months until three ago, so that epochs can end."""
    folder = tmp_path / "own-keys"
    folder.mkdir()
    for purpose, kid in (("epoch", 202601), ("text", 202601), ("index", 1), ("repeats", 1)):
        create_key(folder, KeyName(purpose=purpose, kid=kid))
    before = sealing.vault()
    sealing.use(Vault(KeyRing(folder)))
    yield folder
    sealing.use(before)


@pytest.fixture
def door(registered: Pool, keys: Path, tmp_path: Path) -> Door:  # noqa: ARG001 - its own keys are in force
    fresh = now()
    return Door(
        registered,
        {
            "clerk": person("clerk", "county", name="clerk"),
            "officer": person("department_officer", "county", name="officer", stepped_up_at=fresh),
            "approver": person("approver", "county", name="approver", stepped_up_at=fresh),
            "town_officer": person("department_officer", "town", name="town_officer", stepped_up_at=fresh),
            "town_approver": person("approver", "town", name="town_approver", stepped_up_at=fresh),
        },
        tmp_path,
    )


@pytest.fixture
def ref_of(ask):
    return lambda issue: ask("SELECT citizen_ref FROM issue WHERE id = %s", issue)[0][0]


def receive(
    pool: Pool, name: str = "金丝雀", *, closed: bool = True, organisation: str = "county", **citizen: str
) -> UUID:
    given = describe_citizen(**{"name": name, "phone": PHONE, **citizen}, today=date(2026, 3, 2))  # type: ignore[arg-type]
    command = an_issue(citizen=given, title="井盖坏了", organisation_code=organisation)
    assert issues.receive_issues(pool, [command], now=now())[0].status == "created"
    if closed:
        close(pool, command.id)
    return command.id


def close(pool: Pool, issue: UUID) -> None:
    closing = CloseIssue(id=issue, correlation_id="t", outcome="resolved", reply="已换")
    assert take_steps(pool, [closing], now=now())[0].status == "changed"


def agree(door: Door, kind: str, ref: object, *, of: str = "", **more: str) -> str:
    """Propose as an officer and approve as another person; return the proposal's path."""
    proposed = door.post(
        f"{of}officer", "/v1/citizen-proposals", {"kind": kind, "citizen_ref": str(ref), **WHY, **more}
    )
    assert proposed.status_code == 201, proposed.text
    path = f"/v1/citizen-proposals/{proposed.json()['id']}"
    assert door.post(f"{of}approver", f"{path}/decision", {"decision": "approve"}).status_code == 200
    return path


def test_an_erased_citizen_is_gone_and_the_case_stays(door, registered, ask, ref_of, keys):
    issue, sharing = receive(registered, id_number=DOCUMENT), receive(registered, "李四")
    ref = ref_of(issue)

    path = agree(door, "erase", ref)
    assert erasures.carry_out_approved(registered, now=now()) == 1
    assert erasures.carry_out_approved(registered, now=now()) == 0

    seen = door.get("clerk", f"/v1/issues/{issue}").json()
    assert (seen["citizen"], seen["title"], seen["texts_withheld"], seen["status"]) == (None, None, True, "closed")
    assert door.get("clerk", f"/v1/issues/{sharing}").json()["citizen"] == {"name": "李**", "phone": "138****5678"}
    assert door.post("officer", f"/v1/issues/{issue}/citizen/reveal", WHY).status_code == 404
    assert door.get("officer", f"/v1/citizens/{ref}/export").status_code == 404
    assert door.get("officer", path).json()["state"] == "approved"  # what became of it is for the audit to tell
    assert ask("SELECT state FROM citizen_proposal") == [("done",)]
    assert ask("SELECT citizen_ref FROM erasure") == [(ref,)]
    assert ask("SELECT count(*) FROM citizen_key WHERE citizen_ref = %s", ref) == [(0,)]
    assert ask("SELECT count(*) FROM citizen_handle WHERE citizen_ref = %s", ref) == [(0,)]
    events = ask("SELECT payload FROM outbox WHERE event_type = 'cn.lianxin.citizen.erased.v1'")
    assert [set(row[0]) for row in events] == [{"citizen_ref", "erased_at"}]
    assert journal.list_erased(keys) == [ref]


def test_one_person_alone_erases_nobody(door, registered, ref_of):
    ref = ref_of(receive(registered))
    body = {"kind": "erase", "citizen_ref": str(ref), **WHY}

    first, twice = (
        door.post("officer", "/v1/citizen-proposals", body),
        door.post("officer", "/v1/citizen-proposals", body),
    )

    assert [first.status_code, twice.status_code] == [201, 409]
    assert erasures.carry_out_approved(registered, now=now()) == 0
    assert door.post("clerk", "/v1/citizen-proposals", body).status_code == 403
    assert door.post("officer", "/v1/citizen-proposals", {**body, "citizen_ref": str(new_id())}).status_code == 404


@pytest.mark.parametrize("point", CRASHES)
def test_an_erasure_that_dies_anywhere_is_completed_once(door, registered, ask, ref_of, point, monkeypatch):
    ref = ref_of(receive(registered))
    agree(door, "erase", ref)

    def die(name: str) -> None:
        if name == point:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(crash, "point", die)
        with pytest.raises(Died):
            erasures.carry_out_approved(registered, now=now())
    erasures.carry_out_approved(registered, now=now())

    assert ask("SELECT state FROM citizen_proposal") == [("done",)]
    assert ask("SELECT state FROM citizen") == [("erased",)]
    assert ask("SELECT count(*) FROM outbox WHERE event_type = 'cn.lianxin.citizen.erased.v1'") == [(1,)]
    assert ask("SELECT count(*) FROM erasure") == [(1,)]
    assert journal.list_erased(sealing.vault().ring.directory) == [ref]


def test_an_open_case_is_restricted_and_not_erased(door, registered, ask, ref_of):
    ref = ref_of(receive(registered, closed=False))
    refused = door.post("officer", "/v1/citizen-proposals", {"kind": "erase", "citizen_ref": str(ref), **WHY})

    assert (refused.status_code, refused.json()["title"]) == (409, "open-case")

    other = ref_of(receive(registered, "李四"))
    path = agree(door, "erase", other)
    late = receive(registered, "李四", closed=False)  # comes in between approval and deed
    assert erasures.carry_out_approved(registered, now=now()) == 0

    assert door.get("officer", path).json()["outcome_code"] == "open-case"
    assert ask("SELECT state, review_on > current_date FROM citizen WHERE ref = %s", other) == [("restricted", True)]

    close(registered, late)

    assert erasures.carry_out_approved(registered, now=now()) == 1
    assert ask("SELECT state FROM citizen WHERE ref = %s", other) == [("erased",)]


def test_what_an_erasure_waits_for_is_told_to_nobody_who_may_not_know(door, registered, ask, ref_of):
    """Two citizens of the town are to be erased, one of whom has an open case above it: nothing tells them apart."""

    def hear(path: str, issue: UUID, ref: UUID) -> list[object]:
        seen = door.get("town_officer", path).json()
        plain = {
            name: value
            for name, value in seen.items()
            if name not in {"id", "citizen_ref", "proposed_at", "decided_at"}
        }
        bodies = [{"kind": kind, "citizen_ref": str(ref), **WHY} for kind in ("erase", "lift")]
        asked = [door.post("town_officer", "/v1/citizen-proposals", body).json() for body in bodies]
        shown = door.post("town_officer", f"/v1/issues/{issue}/citizen/reveal", WHY).json()
        read = door.get("town_officer", f"/v1/issues/{issue}").json()
        return [
            plain,
            asked,
            shown,
            read["citizen"],
            read["title"],
            door.get("town_officer", f"/v1/citizens/{ref}/export").json(),
        ]

    heard, elsewhere = [], {}
    for name in ("李四", "王五"):
        issue = receive(registered, name, organisation="town")
        elsewhere[name] = receive(registered, name, closed=name == "李四")
        path = agree(door, "erase", ref_of(issue), of="town_")
        erasures.carry_out_approved(registered, now=now())
        heard.append(hear(path, issue, ref_of(issue)))

    assert heard[0] == heard[1]
    states = ask("SELECT state FROM citizen WHERE ref IN (SELECT citizen_ref FROM citizen_proposal) ORDER BY state")
    assert states == [("erased",), ("restricted",)]
    lines = ask("SELECT decision, reason FROM audit_record WHERE action = 'citizen.erase' ORDER BY decision")
    assert lines == [("allowed", "own_request"), ("denied", "open-case")]

    close(registered, elsewhere["王五"])

    assert erasures.carry_out_approved(registered, now=now()) == 1
    assert ask("SELECT DISTINCT state FROM citizen") == [("erased",)]


def test_a_restricted_citizen_is_kept_and_used_for_nothing(door, registered, ask, ref_of):
    issue = receive(registered, id_number=DOCUMENT, closed=False)
    ref = ref_of(issue)
    without_day = door.post("officer", "/v1/citizen-proposals", {"kind": "restrict", "citizen_ref": str(ref), **WHY})
    agree(door, "restrict", ref, review_on=(now() + timedelta(days=30)).date().isoformat())
    erasures.carry_out_approved(registered, now=now())

    assert without_day.status_code == 422
    assert door.get("clerk", f"/v1/issues/{issue}").json()["texts_withheld"] is True
    assert door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", WHY).status_code == 404
    assert door.get("officer", f"/v1/citizens/{ref}/export").status_code == 404
    assert ask("SELECT count(*) FROM citizen_handle WHERE citizen_ref = %s", ref) == [(0,)]
    again = receive(registered, id_number=DOCUMENT)
    assert ref_of(again) != ref

    agree(door, "lift", ref)
    erasures.carry_out_approved(registered, now=now())

    assert door.get("clerk", f"/v1/issues/{issue}").json()["title"] == "井盖坏了"
    assert door.post("clerk", f"/v1/issues/{issue}/citizen/reveal", WHY).json()["id_number"] == DOCUMENT


def test_who_was_erased_and_comes_again_is_somebody_new(door, registered, ref_of):
    issue = receive(registered, id_number=DOCUMENT)
    agree(door, "erase", ref_of(issue))
    erasures.carry_out_approved(registered, now=now())

    again = receive(registered, id_number=DOCUMENT)

    assert ref_of(again) != ref_of(issue)
    assert door.get("clerk", f"/v1/issues/{issue}").json()["citizen"] is None


def test_a_repeat_of_an_old_request_does_not_bring_the_erased_back(door, registered, ask, ref_of):
    given = describe_citizen(name="金丝雀", phone=PHONE, today=date(2026, 3, 2))
    command = an_issue(
        citizen=given,
        organisation_code="county",
        outcome="resolved",
        reply="好",
        received_at=now() - timedelta(days=1),
        closed_at=now(),
    )
    issues.receive_issues(registered, [command], now=now())
    agree(door, "erase", ref_of(command.id))
    erasures.carry_out_approved(registered, now=now())

    assert issues.receive_issues(registered, [command], now=now())[0].status == "unchanged"
    assert ask("SELECT state FROM citizen") == [("erased",)]


def test_the_journal_survives_a_torn_line(tmp_path):
    first, second = new_id(), new_id()
    journal.note_erasures(tmp_path, [first], at=now())
    with (tmp_path / journal.FILE).open("a") as file:
        file.write("0190b7e0-torn")
    journal.note_erasures(tmp_path, [second], at=now())

    assert journal.list_erased(tmp_path) == [first, second]
    assert (tmp_path / journal.FILE).stat().st_mode & 0o777 == 0o600


@pytest.fixture
def backup(registered: Pool, postgres_admin_url: str) -> Iterator[Callable[[], Pool]]:
    """A copy of the database as it is at the call: what an insider restores one day."""
    with transaction(registered) as connection:
        name = connection.info.dbname
    copy = f"{name}_backup{os.getpid()}"
    pools: list[Pool] = []

    def take() -> Pool:
        with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(copy), sql.Identifier(name)))
        url = psycopg.conninfo.make_conninfo(str(registered.conninfo), dbname=copy)
        pools.append(open_pool(url, size=2, application="backup", system=True))
        return pools[-1]

    yield take
    for pool in pools:
        pool.close()
    with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(copy)))


def test_a_restored_database_is_erased_again_before_anything_else(door, registered, backup, ref_of):
    issue, other = receive(registered), receive(registered, "李四")
    restored = backup()
    agree(door, "erase", ref_of(issue))
    erasures.carry_out_approved(registered, now=now())

    assert issues.get_issue(restored, issue).title == "井盖坏了"
    assert erasures.erase_again(restored, now=now()) == 1
    assert erasures.erase_again(restored, now=now()) == 0

    assert issues.get_issue(restored, issue).texts_withheld
    assert issues.get_issue(restored, other).citizen is not None


def test_a_backup_from_before_two_epochs_tells_nothing_of_the_erased(door, registered, backup, ref_of, keys):
    issue, other = receive(registered), receive(registered, "李四")
    restored = backup()
    agree(door, "erase", ref_of(issue))
    erasures.carry_out_approved(registered, now=now())

    epochs.rotate_keys(registered, now=datetime(2026, 2, 1, tzinfo=UTC))
    assert issues.get_issue(restored, issue).citizen is not None  # the epoch before the last is still there
    epochs.rotate_keys(registered, now=datetime(2026, 3, 1, tzinfo=UTC))

    assert [file.name for file in sorted(keys.glob("epoch-*"))] == ["epoch-202602.key", "epoch-202603.key"]
    for lost in (issue, other):
        with pytest.raises(Undecipherable):
            issues.get_issue(restored, lost)
    assert issues.get_issue(registered, other).title == "井盖坏了"


def test_an_emergency_epoch_locks_every_backup_at_once(door, registered, backup, ref_of):
    issue, other = receive(registered), receive(registered, "李四")
    restored = backup()
    agree(door, "erase", ref_of(issue))
    erasures.carry_out_approved(registered, now=now())

    assert (
        epochs.rotate_keys(registered, now=datetime(2026, 1, 15, tzinfo=UTC), at_once=True, pause=lambda _: None) == 1
    )

    with pytest.raises(Undecipherable):
        issues.get_issue(restored, issue)
    assert issues.get_issue(registered, other).title == "井盖坏了"


@pytest.mark.usefixtures("keys")
def test_rotating_twice_in_a_month_does_nothing_and_old_texts_stay_readable(registered, ask):
    plain = an_issue(title="没有署名")
    issues.receive_issues(registered, [plain], now=now())
    signed = receive(registered)

    assert epochs.rotate_keys(registered, now=datetime(2026, 2, 1, tzinfo=UTC)) == 1
    assert epochs.rotate_keys(registered, now=datetime(2026, 2, 28, tzinfo=UTC)) == 0
    later = an_issue(title="下个月")
    issues.receive_issues(registered, [later], now=now())

    assert [issues.get_issue(registered, one).title for one in (plain.id, signed, later.id)] == [
        "没有署名",
        "井盖坏了",
        "下个月",
    ]
    assert ask("SELECT DISTINCT epoch FROM citizen_key") == [(202602,)]
    months = ask("SELECT get_byte(title_sealed, 4) * 256 + get_byte(title_sealed, 5) FROM issue ORDER BY id")
    assert months[0] != months[-1]


def test_a_rotation_that_is_cut_short_destroys_nothing_that_is_needed(registered, keys, monkeypatch):
    issue = receive(registered)
    for month in (2, 3):
        create_key(keys, KeyName(purpose="epoch", kid=202600 + month))
    with monkeypatch.context() as patch:
        patch.setattr(epochs, "rewrap_keys", lambda *_, **__: 0)
        epochs.rotate_keys(registered, now=datetime(2026, 3, 1, tzinfo=UTC))

    assert (keys / "epoch-202601.key").exists()
    assert epochs.rotate_keys(registered, now=datetime(2026, 3, 1, tzinfo=UTC)) == 1
    assert not (keys / "epoch-202601.key").exists()
    assert issues.get_issue(registered, issue).title == "井盖坏了"


def agree_on_all(pool: Pool) -> None:
    """An erasure of everybody who is known, as two persons have agreed to it."""
    with transaction(pool) as connection:
        connection.execute(
            """
            INSERT INTO citizen_proposal (id, kind, citizen_ref, issue_ids, reason_code, reason, proposed_by,
                                          proposer_person, proposed_at, state, decided_by, decider_person, decided_at)
            SELECT gen_random_uuid(), 'erase', ref, '{}', 'own_request', name, %s, 'one', %s, 'approved', %s, 'two', %s
              FROM citizen
            """,
            [new_id(), now(), new_id(), now()],
        )


def trace_of(ask: Callable[..., list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
    """Each citizen with everything that an erasure is: whole or not begun."""
    return ask(
        """
        SELECT citizen.state, proposal.state,
               (SELECT count(*) FROM citizen_key WHERE citizen_ref = citizen.ref),
               (SELECT count(*) FROM citizen_handle WHERE citizen_ref = citizen.ref) > 0,
               (SELECT count(*) FROM erasure WHERE citizen_ref = citizen.ref AND proposal_id = proposal.id),
               (SELECT count(*) FROM outbox WHERE aggregate_id = citizen.ref),
               (SELECT count(*) FROM audit_record
                 WHERE action = 'citizen.erase' AND decision = 'allowed' AND object_id = proposal.id::text)
          FROM citizen
          JOIN citizen_proposal AS proposal ON proposal.citizen_ref = citizen.ref
        """
    )


UNTOUCHED, GONE = ("active", "approved", 1, True, 0, 0, 0), ("erased", "done", 0, False, 1, 1, 1)


@pytest.mark.usefixtures("keys")
def test_many_are_erased_together_and_who_has_an_open_case_waits_alone(registered, ask):
    for number in range(5):
        receive(registered, phone=f"1381234000{number}", name=f"张{number}", closed=number != 2)
    agree_on_all(registered)

    assert erasures.carry_out_approved(registered, now=now()) == 4
    assert erasures.carry_out_approved(registered, now=now()) == 0

    held = ("restricted", "approved", 1, False, 0, 0, 0)
    assert sorted(map(str, trace_of(ask))) == sorted(map(str, [GONE] * 4 + [held]))
    assert ask("SELECT decision, reason FROM audit_record WHERE decision = 'denied'") == [("denied", "open-case")]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("point", CRASHES)
def test_a_death_between_many_leaves_whole_erasures_only(registered, ask, point, monkeypatch):
    monkeypatch.setattr(erasures, "ERASURES_A_COMMIT", 2)
    for number in range(5):
        receive(registered, phone=f"1381234000{number}", name=f"张{number}")
    agree_on_all(registered)
    hits: list[str] = []

    def die_the_second_time(name: str) -> None:
        hits.append(name)
        if hits.count(point) == 2:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(crash, "point", die_the_second_time)
        with pytest.raises(Died):
            erasures.carry_out_approved(registered, now=now())

    done = 4 if point == "intake.after_proposal_commit" else 2
    assert sorted(trace_of(ask)) == [UNTOUCHED] * (5 - done) + [GONE] * done
    erasures.carry_out_approved(registered, now=now())
    assert trace_of(ask) == [GONE] * 5
    assert len(journal.list_erased(sealing.vault().ring.directory)) == 5


def test_two_sweeps_at_once_erase_each_citizen_once(registered, ask, keys, monkeypatch):  # noqa: ARG001 - own keys
    monkeypatch.setattr(erasures, "ERASURES_A_COMMIT", 3)
    for number in range(9):
        receive(registered, phone=f"1381234000{number}", name=f"张{number}")
    agree_on_all(registered)

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda _: erasures.carry_out_approved(registered, now=now()), range(2)))

    assert sum(done) == 9
    assert trace_of(ask) == [GONE] * 9
