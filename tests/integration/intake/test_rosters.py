"""Cadre files in PostgreSQL: who is who is said once by a person, and only then anything is taken over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from services.intake.domain.commands.registers import RegisterCadre, RegisterOrganisation
from services.intake.domain.commands.rosters import DecideCandidate
from services.intake.handlers import imports
from services.intake.handlers.careers import read_career
from services.intake.handlers.import_runs import ImportSettings
from services.intake.handlers.registers import register_cadres, register_organisations
from services.intake.handlers.roster_persons import decide_candidates, list_candidates
from services.intake.importing.spool import Upload, stored_name
from services.intake.storage.imports import ImportRun
from shared.database import Pool, transaction
from shared.identifiers import new_id
from shared.reach import Reach
from tests.integration.intake.conftest import NOW
from tests.unit.intake.roster_files import SECRET_NUMBER, SECRETS, lrm, lrmx, package, table

pytestmark = pytest.mark.integration

Bring = Callable[..., ImportRun]
PROFILES = Path(__file__).parents[3] / "services" / "intake" / "profiles"
MATCHES = "姓名,出生年月,填报单位,工号\n"
LI = "李明,197003,某县委组织部,S1\n"


@pytest.fixture
def bring(registered: Pool, tmp_path: Path) -> Bring:
    settings = ImportSettings(
        directory=tmp_path / "spool", most_bytes=1 << 20, profile_directories=(tmp_path / "profiles",)
    )

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

    assert counts(done) == ("done", 0, 0, 0, 5)
    assert done.tallies == {"error:unmatched-person": 5}
    assert results(ask) == []


def test_who_was_matched_gets_the_results_once_and_each_format_says_the_same(bring: Bring, ask):
    matched = bring(MATCHES + LI, "lianxin-matches")
    first, again, older = bring(lrmx(), "lrmx"), bring(lrmx(), "lrmx"), bring(lrm(), "lrm")

    assert counts(matched) == ("done", 1, 0, 0, 0)
    assert counts(first) == ("done", 5, 0, 0, 0)
    assert counts(again) == counts(older) == ("done", 0, 0, 5, 0)
    assert results(ask) == [("S1", 2022, "excellent", 1), ("S1", 2023, "competent", 1), ("S1", 2024, "ungraded", 1)]
    assert ask("SELECT count(*) FROM outbox WHERE aggregate = 'appraisal_result'") == [(3,)]


def test_another_grade_amends_what_was_told_and_is_told_anew(bring: Bring, ask):
    bring(MATCHES + LI, "lianxin-matches")
    bring(lrmx(), "lrmx")

    amended = bring(lrmx({"NianDuKaoHeJieGuo": "2024年年度考核“基本称职”等次。"}), "lrmx")

    assert counts(amended) == ("done", 0, 1, 2, 0)
    assert results(ask)[2] == ("S1", 2024, "basic", 2)
    assert ask("SELECT max(sequence) FROM outbox WHERE aggregate = 'appraisal_result'") == [(2,)]


def test_the_same_name_in_another_month_or_unit_is_somebody_else(bring: Bring):
    bring(MATCHES + LI, "lianxin-matches")

    for other in ({"ChuShengNianYue": "197004"}, {"ChengBaoDanWei": "另一县委组织部"}):
        assert bring(lrmx(other), "lrmx").tallies == {"error:unmatched-person": 5}


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

    assert counts(done) == ("done", 2, 0, 0, 7)
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
    for secret in (*SECRETS, "197003", "见附页", "某县某镇", "某局科员"):
        assert not [row for row in rows if secret in row], secret


def test_a_bad_text_costs_its_own_person_only(bring: Bring, ask):
    bring(MATCHES + LI, "lianxin-matches")

    done = bring(lrmx({"NianDuKaoHeJieGuo": "2024年优异"}), "lrmx")

    assert done.tallies == {"error:bad-appraisals": 1}
    assert results(ask) == []


WANG = "王芳,197512,某县,S2\n"


def posts_of(ask, number="S1"):
    return ask(
        """
        SELECT code, post_kind, post_level, post.from_on, post.until_on
          FROM post
          JOIN organisation ON organisation.id = organisation_id
          JOIN cadre ON cadre.id = cadre_id
         WHERE staff_number = %s
         ORDER BY post.from_on
        """,
        number,
    )


def a_post(**changes: str) -> str:
    row = {"A0000": "P1", "A0201B": "001.001.015", "A0215A": "镇长", "A0221": "141", "A0243": "20150301", "A0255": "1"}
    return table(row | changes)


def of_the_package(bring: Bring, posts: str) -> ImportRun:
    return bring(package(**{"Table/A02.xml": posts, "Table/A05.xml": table()}), "civil-servants")


@pytest.fixture
def known(bring: Bring) -> Bring:
    bring(MATCHES + LI.replace("某县委组织部", "某县某镇") + WANG, "lianxin-matches")
    return bring


def test_posts_ranks_and_lines_of_a_package_are_taken_over_once(known: Bring, ask):
    done, again = known(package(), "civil-servants"), known(package(), "civil-servants")

    assert counts(done) == ("done", 8, 0, 0, 1)
    assert done.tallies == {"error:unknown-organisation": 1}
    assert counts(again) == ("done", 0, 0, 8, 1)
    assert posts_of(ask) == [("town", "head", "141", date(2015, 3, 1), None)]
    assert ask("SELECT ladder, rank_code, from_on, until_on FROM cadre_rank ORDER BY from_on") == [
        ("post_level", "142", date(2008, 1, 1), date(2015, 2, 28)),
        ("rank", "1A07", date(2019, 6, 1), None),
    ]
    assert ask("SELECT from_on, until_on FROM career_line") == [(date(2015, 3, 1), None)]


def test_a_newer_file_ends_a_post_and_an_older_one_changes_nothing_any_more(known: Bring, ask):
    first = of_the_package(known, a_post())
    ended = of_the_package(known, a_post(A0255="0", A0265="20200601"))
    older, contradicting = of_the_package(known, a_post()), of_the_package(known, a_post(A0255="0", A0265="20210601"))

    assert [one.tallies for one in (first, ended, older)] == [{}, {}, {}]
    assert (ended.changed_count, older.changed_count) == (1, 0)
    assert contradicting.tallies == {"error:other-content": 1}
    assert posts_of(ask) == [("town", "head", "141", date(2015, 3, 1), date(2020, 5, 31))]
    assert ask("SELECT count(*) FROM outbox WHERE aggregate = 'post' AND payload ->> 'until_on' = '2020-05-31'") == [
        (1,)
    ]


@pytest.mark.parametrize("changes", [{"A0221": "142"}, {"A0215A": "书记"}])
def test_the_same_post_told_otherwise_contradicts_what_stands(known: Bring, ask, changes: dict[str, str]):
    of_the_package(known, a_post())

    assert of_the_package(known, a_post(**changes)).tallies == {"error:other-content": 1}
    assert len(posts_of(ask)) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"A0221": "777"}, "unknown-post-level"),
        ({"A0221": ""}, "missing-required"),
        ({"A0243": "2015年"}, "bad-day"),
        ({"A0201B": "099", "A0201A": "两个同名局"}, "ambiguous-organisation"),
        ({"A0201B": "099"}, "unknown-organisation"),
        ({"A0201B": ""}, "missing-required"),
    ],
)
def test_a_post_that_cannot_be_placed_costs_its_own_row_only(
    known: Bring, registered: Pool, ask, changes: dict[str, str], code: str
):
    twins = [
        RegisterOrganisation(id=new_id(), correlation_id="t", code=f"twin{one}", name="两个同名局", level="50")
        for one in (1, 2)
    ]
    register_organisations(registered, [replace(one, parent_code="county") for one in twins], now=NOW)

    done = of_the_package(known, a_post(**changes))

    assert done.tallies == {f"error:{code}": 1}
    assert done.created_count == 5
    assert posts_of(ask) == []


def test_an_organisation_is_found_by_a_name_that_it_has_alone(known: Bring, ask):
    [(name,)] = ask("SELECT name FROM organisation WHERE code = 'county'")

    assert of_the_package(known, a_post(A0201B="099", A0201A=name)).tallies == {}
    assert [code for code, *_ in posts_of(ask)] == ["county"]


def test_a_file_of_which_one_table_is_broken_is_taken_in_nothing(known: Bring, ask):
    before = ask("SELECT count(*) FROM appraisal_result")

    done = known(package(**{"Table/A05.xml": "<xml><data><row"}), "civil-servants")

    assert (done.state, done.reason_code) == ("failed", "xml-broken")
    assert (posts_of(ask), ask("SELECT count(*) FROM appraisal_result")) == ([], before)


def test_the_lines_of_a_cv_are_sealed_and_shown_to_who_may_read_them(bring: Bring, registered: Pool):
    bring(MATCHES + LI, "lianxin-matches")
    bring(lrmx(), "lrmx")
    bring(lrmx({"JianLi": "1992.07--1998.03  某县某局科员\n1998.03--2020.01  某县某镇"}), "lrmx")

    career = read_career(registered, "S1")

    assert [(line.from_on, line.until_on, line.text) for line in career.lines] == [
        (date(1992, 7, 1), date(1998, 3, 31), "某县某局科员"),
        (date(1998, 3, 1), date(2020, 1, 31), "某县某镇"),
    ]
    assert [result.year for result in career.results] == [2022, 2023, 2024]
    within = Reach(kind="scoped", organisation_codes=("county",), account_id=new_id(), actor="x", role="clerk")
    with transaction(registered, reach=within) as connection:
        for table_of_careers in (sql.Identifier(name) for name in ("career_line", "cadre_rank", "appraisal_result")):
            found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table_of_careers)).fetchone()
            assert found == (0,)


def test_whom_nobody_matched_is_suggested_and_matched_when_somebody_says_so(bring: Bring, registered: Pool, ask):
    namesake = RegisterCadre(id=new_id(), correlation_id="t", staff_number="S3", name="李明")
    register_cadres(registered, [namesake], now=NOW)
    bring(lrmx(), "lrmx")
    bring(lrmx(), "lrmx")

    found = sorted(list_candidates(registered, after=None, limit=10), key=lambda one: one.staff_number)
    assert [(one.staff_number, one.basis) for one in found] == [("S1", "name"), ("S3", "name")]
    assert {(one.person_name, one.birth_month, one.unit_name) for one in found} == {("李明", "197003", "某县委组织部")}
    assert results(ask) == []

    refused, confirmed = (
        DecideCandidate(id=one.id, correlation_id="t", is_same=one.staff_number == "S3") for one in found
    )
    for status in ("changed", "unchanged"):
        outcomes = decide_candidates(registered, [refused, confirmed], now=NOW)
        assert [outcome.status for outcome in outcomes] == [status, status]
    assert list_candidates(registered, after=None, limit=10) == []
    contrary = decide_candidates(registered, [replace(refused, is_same=True)], now=NOW)
    assert [outcome.code for outcome in contrary] == ["other-content"]

    bring(lrmx(), "lrmx")
    assert {number for number, *_ in results(ask)} == {"S3"}


def test_whoever_moved_to_another_unit_is_suggested_by_name_and_month(bring: Bring, registered: Pool):
    bring(MATCHES + LI, "lianxin-matches")

    done = bring(lrmx({"ChengBaoDanWei": "另一县委组织部"}), "lrmx")

    assert done.tallies == {"error:unmatched-person": 5}
    [found] = list_candidates(registered, after=None, limit=10)
    assert (found.staff_number, found.basis, found.unit_name) == ("S1", "name_and_month", "另一县委组织部")


def test_a_document_number_finds_a_person_again_where_a_profile_takes_it(bring: Bring, tmp_path: Path, ask):
    shipped = (PROFILES / "lrmx.toml").read_text("utf-8")
    own = tmp_path / "profiles"
    own.mkdir()
    taking = (
        shipped.replace('name = "lrmx"', 'name = "lrmx-numbers"') + '\n[fields.document_number]\ncolumn = "证件号码"\n'
    )
    (own / "lrmx-numbers.toml").write_text(taking, "utf-8")
    bring(MATCHES + LI, "lianxin-matches")

    first = bring(lrmx(), "lrmx-numbers")
    moved = bring(lrmx({"ChengBaoDanWei": "另一县委组织部"}), "lrmx-numbers")
    other = bring(lrmx({"ShenFenZheng": "110101199001011237", "ChengBaoDanWei": "第三县"}), "lrmx-numbers")
    bring(MATCHES + "李明,197003,第四县,S2\n", "lianxin-matches")
    contrary = bring(lrmx({"ChengBaoDanWei": "第四县"}), "lrmx-numbers")

    assert counts(first) == ("done", 5, 0, 0, 0)
    assert counts(moved) == ("done", 0, 0, 5, 0)
    assert other.tallies == {"error:unmatched-person": 5}
    assert contrary.tallies == {"error:document-of-another": 5}
    assert ask("SELECT count(*) FROM roster_document") == [(1,)]
    rows = [
        str(row)
        for query in ("SELECT t::text FROM roster_document AS t", "SELECT t::text FROM import_finding AS t")
        for row in ask(query)
    ]
    assert rows
    assert not [row for row in rows if SECRET_NUMBER in row]
