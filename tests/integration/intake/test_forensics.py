"""What whoever carries the disks away finds of a citizen: nothing, neither before nor after the erasure.

The files of the database, its log since the test began, and a dump are searched, as bytes, after a checkpoint.
"""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from embedded.packages import find_postgres
from services.intake.domain.citizens import describe_citizen
from services.intake.domain.commands.issue_steps import CloseIssue
from services.intake.handlers import contacts, erasures, issues
from services.intake.handlers.issue_steps.batch import take_steps
from shared.identifiers import new_id
from tests.fakes import person
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.door import Door

pytestmark = pytest.mark.integration

# None that another test uses: the log is of the whole server, and others may write at the same time.
NAME, PHONE, DOCUMENT, ADDRESS = "欧阳金丝雀", "13974120563", "532623193811047010", "幸福路1号金丝雀院"
TITLE, DESCRIPTION, REPLY, NOTE = "金丝雀的井盖", "金丝雀看见井盖坏了", "金丝雀的井盖已换", "金丝雀家访"
REASON = "金丝雀本人申请"
CANARIES = (NAME, PHONE, DOCUMENT, ADDRESS, TITLE, DESCRIPTION, REPLY, NOTE, REASON)
CONTROL = "not-secret-4711-control"  # an open code, by which the search shows that it finds what is there
WHY = {"reason_code": "own_request", "reason": REASON}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def admin(pool, postgres_admin_url) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    database = psycopg.conninfo.conninfo_to_dict(pool.conninfo)["dbname"]
    url = psycopg.conninfo.make_conninfo(postgres_admin_url, dbname=database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def read_files(admin, since: str) -> Iterator[tuple[str, bytes]]:
    """Every file of this database, and every segment of the log from that position on."""
    folder = admin.execute("SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()").fetchone()[0]
    files = [f"{folder}/{row[0]}" for row in admin.execute("SELECT pg_ls_dir(%s)", [folder])]
    first = admin.execute("SELECT pg_walfile_name(%s::pg_lsn)", [since]).fetchone()[0]
    files += [f"pg_wal/{row[0]}" for row in admin.execute("SELECT name FROM pg_ls_waldir() WHERE name >= %s", [first])]
    for file in files:
        row = admin.execute("SELECT pg_read_binary_file(%s, 0, 1000000000, true)", [file], binary=True).fetchone()
        if row[0] is not None:
            yield file, bytes(row[0])


def dump(admin) -> bytes:
    """As an operator makes a backup."""
    tools = find_postgres()
    info = admin.info
    command = [str(tools.folder / "pg_dump"), "-h", info.host, "-p", str(info.port), "-U", info.user, info.dbname]
    environment = {"PGPASSWORD": info.password, "PATH": "/usr/bin:/bin", **tools.environment}
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


def found(admin, since: str) -> set[tuple[str, str]]:
    admin.execute("CHECKPOINT")
    places = [*read_files(admin, since), ("dump", dump(admin))]
    return {
        (word, place.partition("/")[0])
        for place, content in places
        for word in (*CANARIES, CONTROL)
        if word.encode() in content
    }


def test_no_disk_and_no_dump_tells_of_a_citizen_before_or_after_erasure(registered, ask, admin, tmp_path):
    people = {
        "officer": person("department_officer", "county", name="officer", stepped_up_at=now()),
        "approver": person("approver", "county", name="approver", stepped_up_at=now()),
    }
    door = Door(registered, people, tmp_path)
    since = str(admin.execute("SELECT pg_current_wal_lsn()").fetchone()[0])
    citizen = describe_citizen(name=NAME, phone=PHONE, id_number=DOCUMENT, address=ADDRESS, today=now().date())
    issue = an_issue(
        citizen=citizen, title=TITLE, description=DESCRIPTION, organisation_code="county", source_number=CONTROL
    )
    assert issues.receive_issues(registered, [issue], now=now())[0].status == "created"
    met = a_contact(citizen=citizen, note=NOTE, organisation_code="county")
    assert contacts.record_contacts(registered, [met], now=now())[0].status == "created"
    closing = CloseIssue(id=issue.id, correlation_id=str(new_id()), outcome="resolved", reply=REPLY)
    assert take_steps(registered, [closing], now=now())[0].status == "changed"
    ref = str(ask("SELECT citizen_ref FROM issue")[0][0])

    before = found(admin, since)
    path = door.post("officer", "/v1/citizen-proposals", {"kind": "erase", "citizen_ref": ref, **WHY}).json()["id"]
    assert door.post("approver", f"/v1/citizen-proposals/{path}/decision", {"decision": "approve"}).status_code == 200
    assert erasures.carry_out_approved(registered, now=now()) == 1
    after = found(admin, since)

    assert before == after == {(CONTROL, "base"), (CONTROL, "pg_wal"), (CONTROL, "dump")}
