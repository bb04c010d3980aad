"""Exporting registers: complete, within reach, on record, and brought back by an import without changing anything."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.channels import PublishChannel
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
from services.intake.domain.commands.populations import RecordPopulation
from services.intake.domain.commands.registers import EndOrganisation, RegisterOrganisation
from services.intake.domain.registers import CHINA
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
from tests.fakes import machine, person
from tests.integration.intake.commands import a_post
from tests.integration.intake.conftest import NOW
from tests.integration.intake.door import Door
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

    told = "SELECT decision, reason FROM audit_record WHERE action = 'register.disclose'"
    assert ask(told) == [("denied", "too-many-rows")]
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


def somebody(name="王芳", person="P-1"):
    return Reach(kind="everywhere", account_id=new_id(), person_id=person, actor=name, role="department_officer")


def test_what_one_person_exports_in_a_day_adds_up_under_whichever_account(full, monkeypatch, ask):
    monkeypatch.setattr(exports, "MOST_PERSONAL_ROWS_A_DAY", 3)
    before = counted("intake_exports_refused_total")

    with acting(somebody()):
        export(full, "cadres")  # two rows
    with acting(somebody("王芳的另一个账号")), pytest.raises(exports.TooManyToday) as refused:
        export(full, "liaison-assignments")  # two more
    with acting(somebody()):
        export(full, "organisations")  # nobody is named in it
        export(full, "contact-households")  # the third
    with acting(somebody("李明", person="P-2")):
        export(full, "cadres")

    assert refused.value.retry_after_seconds == pytest.approx(86_400 / 3)
    assert counted("intake_exports_refused_total") - before == 1
    lines = ask(
        "SELECT details ->> 'register', details ->> 'rows', details ->> 'mark', object_id"
        "  FROM audit_record WHERE action = 'register.disclose' ORDER BY seq"
    )
    assert [(register, rows) for register, rows, _, _ in lines] == [
        ("cadres", "2"),
        ("liaison-assignments", None),  # refused
        ("organisations", "4"),
        ("contact-households", "1"),
        ("cadres", "2"),
    ]
    assert all(mark.endswith(object_id) for _, _, mark, object_id in lines)


@pytest.mark.parametrize(("hour", "time"), [(2, "night"), (10, "day"), (22, "night")])
def test_what_leaves_at_night_is_counted_apart(full, hour, time):
    at = datetime(2026, 3, 2, hour, 0, tzinfo=CHINA)
    asked = exports.ExportRequest(id=new_id(), register="cadres", format="csv")
    before = counted("intake_people_exported_total", time=time)

    with acting(somebody()):
        exports.export_register(full, asked, now=at).close()

    assert counted("intake_people_exported_total", time=time) - before == 2


def test_a_person_proves_anew_who_exports_and_a_machine_needs_not(full, tmp_path, ask):
    people = {
        "officer": person("department_officer", "county", name="officer"),
        "proven": person("department_officer", "county", name="proven", stepped_up_at=datetime.now(UTC)),
        "machine": machine(organisation_code="county"),
    }
    door = Door(full, people, tmp_path)

    refused = door.get("officer", "/v1/registers/cadres/export")
    given = [door.get(who, "/v1/registers/cadres/export").status_code for who in ("proven", "machine")]

    assert (refused.status_code, refused.json()["title"]) == (403, "step-up-needed")
    assert given == [200, 200]
    lines = ask("SELECT actor, decision FROM audit_record WHERE action = 'register.disclose' ORDER BY seq")
    assert lines[0] == ("officer", "denied")
    assert {actor for actor, decision in lines if decision == "allowed"} == {"proven", "the-machine_client"}


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels)
