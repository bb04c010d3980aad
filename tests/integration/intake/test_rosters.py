"""Cadre files in PostgreSQL: who is who is said once by a person, and only then anything is taken over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.intake.handlers import imports
from services.intake.handlers.import_runs import ImportSettings
from services.intake.importing.spool import Upload, stored_name
from services.intake.storage.imports import ImportRun
from shared.database import Pool
from shared.identifiers import new_id
from shared.reach import Reach
from tests.integration.intake.conftest import NOW
from tests.unit.intake.roster_files import SECRETS, lrm, lrmx, package

pytestmark = pytest.mark.integration

Bring = Callable[..., ImportRun]
MATCHES = "姓名,出生年月,填报单位,工号\n"
LI = "李明,197003,某县委组织部,S1\n"


@pytest.fixture
def bring(registered: Pool, tmp_path: Path) -> Bring:
    settings = ImportSettings(directory=tmp_path / "spool", most_bytes=1 << 20)

    def run(data: bytes | str, profile: str) -> ImportRun:
        run_id = new_id()
        upload = Upload(settings.directory, stored_name(run_id), 1 << 20)
        upload.write(data.encode() if isinstance(data, str) else data)
        upload.finish()
        request = imports.ImportRequest(
            id=run_id,
            profile=profile,
            dry_run=False,
            file_name="李明.lrmx",
            storage_name=upload.name,
            sha256=upload.sha256,
            byte_count=upload.byte_count,
            requested_by="test",
            reach=Reach(kind="everywhere", account_id=new_id(), actor="test"),
            correlation_id="roster-of-the-test",
        )
        imports.request_import(registered, request, now=NOW)
        imports.run_import(registered, run_id, settings)
        return imports.get_import(registered, run_id)

    return run


def counts(run: ImportRun) -> tuple[str, int, int, int, int]:
    return (run.state, run.created_count, run.changed_count, run.unchanged_count, run.refused_count)


def results(ask: Callable[..., list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    return ask(
        """
        SELECT staff_number, year, grade, appraisal_result.sequence
          FROM appraisal_result
          JOIN cadre ON cadre.id = cadre_id
         ORDER BY 1, 2
        """
    )


def test_nobody_is_taken_for_somebody_by_the_name_alone(bring: Bring, ask):
    done = bring(lrmx(), "lrmx")

    assert counts(done) == ("done", 0, 0, 0, 3)
    assert done.tallies == {"error:unmatched-person": 3}
    assert results(ask) == []


def test_who_was_matched_gets_the_results_once_and_each_format_says_the_same(bring: Bring, ask):
    matched = bring(MATCHES + LI, "lianxin-matches")
    first, again, older = bring(lrmx(), "lrmx"), bring(lrmx(), "lrmx"), bring(lrm(), "lrm")

    assert counts(matched) == ("done", 1, 0, 0, 0)
    assert counts(first) == ("done", 3, 0, 0, 0)
    assert counts(again) == counts(older) == ("done", 0, 0, 3, 0)
    assert results(ask) == [("S1", 2022, "excellent", 1), ("S1", 2023, "competent", 1), ("S1", 2024, "ungraded", 1)]
    assert ask("SELECT count(*) FROM outbox WHERE aggregate = 'appraisal_result'") == [(3,)]


def test_another_grade_amends_what_was_told_and_is_told_anew(bring: Bring, ask):
    bring(MATCHES + LI, "lianxin-matches")
    bring(lrmx(), "lrmx")

    amended = bring(lrmx({"NianDuKaoHeJieGuo": "2024年年度考核“基本称职”等次。"}), "lrmx")

    assert counts(amended) == ("done", 0, 1, 0, 0)
    assert results(ask)[2] == ("S1", 2024, "basic", 2)
    assert ask("SELECT max(sequence) FROM outbox WHERE aggregate = 'appraisal_result'") == [(2,)]


def test_the_same_name_in_another_month_or_unit_is_somebody_else(bring: Bring):
    bring(MATCHES + LI, "lianxin-matches")

    for other in ({"ChuShengNianYue": "197004"}, {"ChengBaoDanWei": "另一县委组织部"}):
        assert bring(lrmx(other), "lrmx").tallies == {"error:unmatched-person": 3}


def test_a_person_cannot_become_somebody_else_and_must_be_somebody_known(bring: Bring):
    bring(MATCHES + LI, "lianxin-matches")

    again, other, unknown = (
        bring(MATCHES + line, "lianxin-matches")
        for line in (LI, LI.replace("S1", "S2"), LI.replace("李明", "赵六").replace("S1", "S9"))
    )

    assert counts(again) == ("done", 0, 0, 1, 0)
    assert other.tallies == {"error:other-content": 1}
    assert unknown.tallies == {"error:unknown-cadre": 1}


def test_a_package_of_many_persons_takes_those_who_were_matched(bring: Bring, ask):
    bring(MATCHES + "王芳,197512,某县,S2\n", "lianxin-matches")

    done = bring(package(), "civil-servants")

    assert counts(done) == ("done", 2, 0, 0, 2)
    assert results(ask) == [("S2", 2023, "competent", 1), ("S2", 2024, "competent", 1)]


def test_nothing_else_of_a_file_is_anywhere_in_the_database(bring: Bring, ask):
    bring(MATCHES + LI, "lianxin-matches")
    bring(lrmx(), "lrmx")
    bring(lrmx({"NianDuKaoHeJieGuo": "见附页"}), "lrmx")

    listed = ask(
        """
        SELECT relname
          FROM pg_class
         WHERE relnamespace = 'public'::regnamespace
           AND relkind = 'r'
           AND has_table_privilege(oid, 'SELECT')
        """
    )
    tables = [name for (name,) in listed]
    rows = [str(row) for name in tables for row in ask(f'SELECT "{name}"::text FROM "{name}"')]  # noqa: S608
    assert rows
    for secret in (*SECRETS, "197003", "见附页", "某镇"):
        assert not [row for row in rows if secret in row], secret


def test_a_bad_text_costs_its_own_person_only(bring: Bring, ask):
    bring(MATCHES + LI, "lianxin-matches")

    done = bring(lrmx({"NianDuKaoHeJieGuo": "2024年优异"}), "lrmx")

    assert done.tallies == {"error:bad-appraisals": 1}
    assert results(ask) == []
