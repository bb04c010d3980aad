"""Reading a folder of records, and the command from end to end."""

import csv
import io
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.records import DAY, MICRO, Cadre, Contact, Dossier, Issue
from services.assessment.fair.settings import read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS, main
from services.assessment.importing.records.folder import read_folder
from services.assessment.importing.records.naming import name_apart
from services.assessment.importing.records.tables import BadRecords

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))
FILES = {
    "cadres.csv": "cadre,peer_group,region,unit,deprivation\nA,township,R1,U1,0.5\nB,township,R2,U2,\n",
    "issues.csv": (
        "issue,cadre,received_at,category,complainant,answered_at,closed_at,answer_due_at,due_at,outcome,reply\n"
        "1,A,2025-01-02T08:00:00,roads,x,2025-01-02T09:00:00,2025-01-03T08:00:00,2025-01-03T08:00:00,2025-01-07T08:00:00,"
        "resolved,yes\n"
        "2,B,2025-01-02T08:00:00+08:00,roads,y,,,,2025-01-07T08:00:00,,\n"
        "3,B,2025-02-02T08:00:00,roads,z,,2025-02-12T08:00:00,,2025-02-12T08:00:00,solved,no\n"
    ),
    "transfers.csv": "issue,from_cadre,to_cadre,at\n3,A,B,2025-02-04T08:00:00\n",
    "ratings.csv": "rating,issue,method,level,rated_at,rater\ng,1,phone,5,2025-01-05T08:00:00,x\n",
    "contacts.csv": "contact,cadre,occurred_at,duration_minutes\nv,A,2025-01-10T08:00:00,20\n",
    "targets.csv": "cadre,target\nA,12\n",
    "period.csv": "starts_at,ends_at\n2025-01-01T00:00:00,2026-01-01T00:00:00\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_every_file_finds_its_dossier(folder: Path) -> None:
    dossiers, span, repeats = read_folder(folder)

    first, second = dossiers
    assert (first.cadre.target, first.cadre.deprivation) == (12, MICRO // 2)
    assert [issue.issue for issue in first.issues] == ["1", "3"]
    assert first.issues[0].is_checked
    assert first.issues[0].close_allowed == 5 * DAY
    assert [(issue.issue, issue.outcome) for issue in second.issues] == [("2", ""), ("3", "solved")]
    assert [dossier.issues[1].share for dossier in dossiers] == [MICRO // 5, MICRO * 4 // 5]
    assert first.handovers[0].to_cadre == "B"
    assert [rating.level for rating in first.ratings] == [5]
    assert span.ends_at - span.starts_at == 365 * DAY
    assert not repeats


def test_hours_and_instants_say_the_same(folder: Path) -> None:
    issues = "issue,cadre,received_at,closed_at,allowed_hours,outcome\n1,A,10,34.5,48,solved\n"
    for name in ("transfers.csv", "ratings.csv", "contacts.csv", "period.csv"):
        (folder / name).unlink()
    (folder / "issues.csv").write_text(issues, "utf-8")

    dossiers, span, _ = read_folder(folder)

    issue = dossiers[0].issues[0]
    assert (issue.received_at, issue.closed_at, issue.close_allowed) == (36_000, 124_200, 2 * DAY)
    assert span.starts_at == 36_000


def test_an_id_names_one_thing_in_its_file_only(folder: Path) -> None:
    """A visit is rated that has the number of an issue which repeats another, and the issue came out of that visit."""
    issues = FILES["issues.csv"].splitlines()
    again = issues[1].replace("1,A,2025-01-02", "2,A,2025-01-03", 1) + ",2"
    (folder / "issues.csv").write_text("\n".join([f"{issues[0]},contact", f"{issues[1]},", again]) + "\n", "utf-8")
    (folder / "transfers.csv").unlink()
    (folder / "contacts.csv").write_text(
        "contact,cadre,occurred_at,citizen,confirmed\n2,A,2025-01-10T08:00:00,x,yes\nv,A,2025-01-20T08:00:00,y,no\n",
        "utf-8",
    )
    (folder / "ratings.csv").write_text(
        "rating,contact,issue,method,level,rated_at,rater\n"
        "1,2,,phone,5,2025-01-15T08:00:00,x\nv,,1,phone,4,2025-01-05T08:00:00,x\n",
        "utf-8",
    )

    (dossier, _), span, _ = read_folder(folder)

    assert [(one.issue, one.contact) for one in dossier.issues] == [("1", ""), ("2", "contact 2")]
    assert [one.contact for one in dossier.contacts] == ["contact 2", "v"]
    assert [(one.rating, one.subject) for one in dossier.ratings] == [("rating 1", "contact 2"), ("rating v", "1")]
    counted = count_dossier(dossier, span, SETTINGS)
    assert {mark.record for mark in counted.marks if mark.indicator == "satisfaction"} == {"rating 1", "rating v"}
    assert count_dossier(dossier, span, SETTINGS, frozenset({"2"})).contact_notes.keys() == {"contact 2", "v"}


def test_a_name_that_is_taken_is_not_given_twice() -> None:
    cadre = Cadre(cadre="A", peer_group="p", region="r", unit="u")
    issues = [Issue(issue=name, category="", complexity="", received_at=0) for name in ("7", "contact 7")]
    contacts = [Contact(contact=name, kind="visit", occurred_at=0, recorded_at=0) for name in ("7", "8")]
    dossier = Dossier(cadre=cadre, issues=issues, contacts=contacts)

    name_apart([dossier])

    assert [one.contact for one in dossier.contacts] == ["contact contact 7", "8"]


def test_a_line_twice_counts_once(folder: Path) -> None:
    text = FILES["issues.csv"]
    (folder / "issues.csv").write_text(text + text.splitlines()[1] + "\n", "utf-8")

    dossiers, _, repeats = read_folder(folder)

    assert [issue.issue for issue in dossiers[0].issues] == ["1", "3"]
    assert repeats == {"issues.csv": 1}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("cadres.csv", "cadre\n", "cadres.csv: has no cadre"),
        ("cadres.csv", "name\nA\n", "cadres.csv: lacks cadre"),
        ("cadres.csv", "cadre;region\nA;R\n", "cadres.csv: lacks cadre; its heading has no comma"),
        ("cadres.csv", "cadre,cadre\nA,B\n", "cadres.csv: has cadre twice"),
        ("cadres.csv", "cadre\n" + "A" * 201 + "\n", "cadres.csv line 2, cadre: is longer"),
        ("cadres.csv", 'cadre\n"A\n', "cadres.csv line"),
        ("issues.csv", "issue,cadre,received_at\n1,C,5\n", "issues.csv line 2: names a cadre"),
        ("issues.csv", "issue,cadre,received_at\n1,A,\n", "issues.csv line 2, received_at: is empty"),
        ("issues.csv", "issue,cadre,received_at\n1,A,soon\n", "received_at: must be a time"),
        ("issues.csv", "issue,cadre,received_at\n1,A,1e99\n", "received_at: must be a time"),
        ("issues.csv", "issue,cadre,received_at\n1,A,nan\n", "received_at: is empty"),
        ("issues.csv", "issue,cadre,received_at,outcome\n1,A,5,great\n", "outcome: must be one of"),
        ("issues.csv", "issue,cadre,received_at,allowed_hours\n1,A,5,-3\n", "allowed_hours: must be a number of hours"),
        ("ratings.csv", "issue,method,level,rated_at\n1,app,6,5\n", "level: must be a level from 1 to 5"),
        ("ratings.csv", "issue,method,level,rated_at\n1,app,good,5\n", "level: must be a level from 1 to 5"),
        ("ratings.csv", "issue,method,level,rated_at\n9,app,5,5\n", "not in the folder"),
        ("ratings.csv", "issue,contact,method,level,rated_at\n1,v,app,5,5\n", "must name an issue or a contact"),
        ("shares.csv", "issue,cadre,share\n1,A,0.6\n1,B,0.6\n", "shares of an issue are from 0 to 1"),
        ("period.csv", "starts_at,ends_at\n5,5\n", "ends before it starts"),
        ("period.csv", "starts_at,ends_at\n5,2025-01-01T00:00:00\n", "mixed"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(folder: Path, name: str, text: str, message: str) -> None:
    (folder / name).write_text(text, "utf-8")

    with pytest.raises(BadRecords, match=message):
        read_folder(folder)


def test_cells_come_as_other_programs_write_them(folder: Path) -> None:
    """Headings in capitals, minutes with a fraction, and words for nothing; of persons these could be names."""
    (folder / "contacts.csv").write_text(
        "Contact,CADRE,occurred_at,duration_minutes,recorded_at,citizen\nv,A,5,4.9,NaN,None\n", "utf-8"
    )

    contact = read_folder(folder)[0][0].contacts[0]

    assert (contact.duration_minutes, contact.recorded_at, contact.citizen) == (4, contact.occurred_at, "None")


def test_shares_that_are_rounded_up_are_one_together(folder: Path) -> None:
    (folder / "cadres.csv").write_text("cadre\nA\nB\nC\n", "utf-8")
    (folder / "shares.csv").write_text("issue,cadre,share\n1,A,0.666667\n1,B,0.166667\n1,C,0.166667\n", "utf-8")

    shares = [next(one.share for one in dossier.issues if one.issue == "1") for dossier in read_folder(folder)[0]]

    assert shares == [666_667, 166_667, 166_666]


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "cadres.csv").write_bytes(b"cadre\n\xff\xfe\n")

    with pytest.raises(BadRecords, match="is not UTF-8"):
        read_folder(folder)


def test_a_refused_folder_leaves_the_former_result(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.csv"
    out.write_text("former", "utf-8")
    (folder / "issues.csv").unlink()

    assert main([str(folder), "--out", str(out)]) == 2

    assert out.read_text("utf-8") == "former"
    assert capsys.readouterr().err == "not scored: issues.csv is not in the folder\n"


def test_the_command_gives_the_same_bytes_whatever_the_machine(folder: Path, tmp_path: Path) -> None:
    written = set()
    for number, variables in enumerate(
        ({"PYTHONHASHSEED": "1", "TZ": "America/Lima"}, {"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "Asia/Tokyo"})
    ):
        out = tmp_path / f"scores-{number}.csv"
        command = [sys.executable, "-m", "services.assessment", "score-records", str(folder), "--out", str(out)]
        subprocess.run(command, check=True, env={**os.environ, **variables}, capture_output=True)
        written.add(out.read_bytes())

    assert len(written) == 1
    rows = list(csv.DictReader(io.StringIO(written.pop().decode())))
    assert [row["cadre"] for row in rows] == ["A", "B"]
    for row in rows:
        parts = [row["base"], *(value for name, value in row.items() if name.startswith("points_"))]
        assert sum(map(Decimal, parts)) == Decimal(row["score"])


def test_where_raters_are_not_collected_nobody_is_a_stranger(folder: Path) -> None:
    heading = "issue,method,level,rated_at"

    def read(text: str) -> bool | None:
        (folder / "ratings.csv").write_text(text, "utf-8")
        return read_folder(folder)[0][0].ratings[0].is_complainant

    assert read(f"{heading},rater\n1,app,5,2025-01-05T08:00:00,somebody\n") is None
    assert read(f"{heading}\n1,app,5,2025-01-05T08:00:00\n") is True
