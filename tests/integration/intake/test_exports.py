"""Exporting registers: complete, within reach, on record, and brought back by an import without changing anything."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.channels import PublishChannel
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
from services.intake.domain.commands.populations import RecordPopulation
from services.intake.domain.commands.registers import EndOrganisation, RegisterOrganisation
from services.intake.handlers import (
    categories,
    channels,
    duties,
    exports,
    liaisons,
    mergers,
    populations,
    posts,
    registers,
)
from services.intake.handlers.import_runs import ImportSettings
from services.intake.handlers.imports import import_for_command
from services.intake.storage.exports import REGISTERS
from shared.identifiers import new_id
from shared.reach import Reach, acting
from tests.integration.intake.commands import a_post
from tests.integration.intake.conftest import NOW
from tests.integration.intake.test_liaisons import HEAD, SECRETS

pytestmark = pytest.mark.integration
BEGIN = date(2025, 1, 1)


@pytest.fixture
def full(registered):
    """Every register has something in it, and some of it looks like a formula."""
    registers.register_organisations(
        registered,
        [
            RegisterOrganisation(
                id=new_id(),
                correlation_id="a-test",
                code="bureau",
                name='=HYPERLINK("x")',
                level="50",
                parent_code="county",
                division_code="330102",
                credit_code="91110000600037341L",
            ),
            RegisterOrganisation(
                id=new_id(), correlation_id="a-test", code="old", name="旧镇", level="62", parent_code="county"
            ),
        ],
        now=NOW,
    )
    mergers.end_organisations(
        registered,
        [EndOrganisation(id=new_id(), correlation_id="a-test", code="old", ended_on=BEGIN, successor_code="town")],
        now=NOW,
    )
    posts.record_posts(registered, [a_post(), a_post(staff_number="S2", until_on=date(2025, 12, 31))], now=NOW)
    duties.define_duties(
        registered,
        [
            DefineDuty(
                id=new_id(),
                correlation_id="a-test",
                post_kind="township_head",
                contact_kind="visit",
                required_count=4,
                per="month",
                valid_from=BEGIN,
                organisation_code="town",
                unit="households",
            )
        ],
        now=NOW,
    )
    categories.define_categories(
        registered,
        [
            DefineCategory(id=new_id(), correlation_id="a-test", code="roads", name="-1+1"),
            DefineCategory(
                id=new_id(),
                correlation_id="a-test",
                code="ferry",
                name="渡口",
                parent_code="roads",
                organisation_code="town",
            ),
        ],
        now=NOW,
    )
    channels.publish_channels(
        registered,
        [
            PublishChannel(
                id=new_id(),
                correlation_id="a-test",
                organisation_code="town",
                kind="phone",
                address="+86 571 87654321",
                hours="9:00-17:00",
                from_on=BEGIN,
            )
        ],
        now=NOW,
    )
    populations.record_populations(
        registered,
        [
            RecordPopulation(
                id=new_id(),
                correlation_id="a-test",
                organisation_code="town",
                place_code="330102001201",
                counted_on=BEGIN,
                people_count=812,
            )
        ],
        now=NOW,
    )
    liaisons.register_points(
        registered,
        [
            RegisterPoint(
                id=new_id(),
                correlation_id="a-test",
                code="P-1",
                organisation_code="town",
                kind="school",
                name="@中心小学",
                from_on=BEGIN,
            )
        ],
        now=NOW,
    )
    liaisons.register_households(
        registered,
        [
            RegisterHousehold(
                id=new_id(),
                correlation_id="a-test",
                number="H-1",
                organisation_code="town",
                place_code="330102001201",
                population_group="farmers",
                from_on=BEGIN,
                head=HEAD,
            )
        ],
        now=NOW,
    )
    liaisons.assign_liaisons(
        registered,
        [
            AssignLiaison(
                id=new_id(), correlation_id="a-test", staff_number="S1", household_number="H-1", from_on=BEGIN
            ),
            AssignLiaison(id=new_id(), correlation_id="a-test", staff_number="S2", point_code="P-1", from_on=BEGIN),
        ],
        now=NOW,
    )
    return registered


def export(pool, register, file_format="csv", organisation_code=None):
    asked = exports.ExportRequest(
        id=new_id(), register=register, format=file_format, organisation_code=organisation_code
    )
    return b"".join(exports.read_blocks(exports.export_register(pool, asked, now=NOW)))


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_an_export_imported_again_changes_nothing(full, tmp_path, file_format):
    settings = ImportSettings(directory=tmp_path, most_bytes=1_000_000)
    seen = {}

    for register in REGISTERS:
        file = tmp_path / f"{register}.{file_format}"
        file.write_bytes(export(full, register, file_format))
        run = import_for_command(full, file, f"lianxin-{register}", settings, dry_run=False, report=lambda _: None)
        seen[register] = (run.state, run.created_count + run.changed_count + run.refused_count)
        assert run.unchanged_count == run.rows_read > 0, (register, run)

    assert seen == dict.fromkeys(REGISTERS, ("done", 0))


def test_an_export_brought_into_an_empty_house_says_the_same_there(full, new_pool, tmp_path):
    other = new_pool("intake")
    settings = ImportSettings(directory=tmp_path, most_bytes=1_000_000)
    order = ["organisations", "cadres", "duties", "categories", "channels", "population-groups", "place-populations"]
    order += ["contact-points", "contact-households", "liaison-assignments"]

    for register in order:
        file = tmp_path / f"{register}.csv"
        file.write_bytes(export(full, register))
        run = import_for_command(other, file, f"lianxin-{register}", settings, dry_run=False, report=lambda _: None)
        assert (run.state, run.refused_count) == ("done", 0), (register, run.tallies)

    for register in order:
        there, here = rows_of(export(other, register)), rows_of(export(full, register))
        for row in (*there, *here):
            del row["export_mark"]
        assert there == here, register


def test_an_export_shields_formulas_and_names_nobody_who_heads_a_household(full):
    organisations = rows_of(export(full, "organisations"))
    households = export(full, "contact-households").decode()

    assert '\'=HYPERLINK("x")' in {row["name"] for row in organisations}
    for secret in SECRETS:
        assert secret not in households


def test_an_export_holds_what_its_reader_reaches_and_says_whose_it_is(full, ask):
    with acting(Reach(kind="scoped", organisation_codes=("bureau",), account_id=new_id(), actor="王芳", role="clerk")):
        beyond = rows_of(export(full, "contact-households"))
        within = rows_of(export(full, "organisations", organisation_code="bureau"))

    assert beyond == []
    assert [row["code"] for row in within] == ["bureau"]
    assert within[0]["export_mark"].startswith("王芳 2026-03-02 10:00 ")
    details = ask("SELECT actor, details FROM audit_record WHERE action = 'register.disclose' ORDER BY seq")
    assert [(actor, told["register"], told["rows"]) for actor, told in details] == [
        ("王芳", "contact-households", 0),
        ("王芳", "organisations", 1),
    ]


def test_nobody_carries_out_more_people_than_the_bound(full, monkeypatch, ask):
    monkeypatch.setattr(exports, "MOST_PERSONAL_ROWS", 1)

    with pytest.raises(exports.TooManyRows):
        export(full, "cadres")

    assert ask("SELECT 1 FROM audit_record WHERE action = 'register.disclose'") == []
    with pytest.raises(exports.UnknownRegister):
        export(full, "../organisations")


def test_a_column_that_an_older_file_lacks_leaves_what_stands_in_it(full, tmp_path):
    file = Path(tmp_path / "older.csv")
    file.write_text("code,name,level,parent_code,region_type\nbureau,新名,50,county,\n", encoding="utf-8")

    run = import_for_command(
        full,
        file,
        "lianxin-organisations",
        ImportSettings(directory=tmp_path, most_bytes=1_000_000),
        dry_run=False,
        report=lambda _: None,
    )

    assert run.changed_count == 1
    [row] = [row for row in rows_of(export(full, "organisations")) if row["code"] == "bureau"]
    assert (row["name"], row["division_code"], row["credit_code"]) == ("新名", "330102", "91110000600037341L")
