"""The program that computes published results again without the suite: sound packages, and forged ones."""

import contextlib
import functools
import io
import json
import operator
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.domain.measures import MEASURES
from services.assessment.domain.periods import parse_period
from services.assessment.domain.releases import Question, Told
from services.assessment.domain.rounding import Rounded, round_told
from services.assessment.domain.schemes import hash_definition, merge_definition, read_scheme
from services.assessment.domain.scores import Subject, SubjectKind
from services.assessment.handlers.editions import PeriodHash
from services.assessment.handlers.publishing import Basis, Published, describe, freeze, seal
from services.assessment.storage.closed_periods import PublicationLine
from tools import verify_result

HOME = Path(__file__).parents[2] / "services" / "assessment"
INDICATORS = (HOME / "indicators.toml").read_text("utf-8")
BASIC = (HOME / "schemes" / "basic-1.toml").read_text("utf-8")
CITIZENS = BASIC.replace("[indicators.satisfaction_rate]", "[indicators.attitude_satisfaction]")
PERIOD = parse_period("2025Q1")
COUNTY = Subject(subject_kind="organisation", subject_id=UUID(int=9), code="3207", name="某县")
BUSY = {
    "duties_owed": 8, "duties_met": 6, "contacts": 11, "issues_received": 12, "responded": 9, "response_overdue": 1,
    "resolved": 6, "denied": 1, "open_overdue": 1, "closed": 8, "closed_on_time": 6, "closed_late": 1, "merged": 2,
    "explained_policy": 1, "ratings": 11, "satisfied": 9,
}  # fmt: skip
RATED: dict[Question, Told] = {"level": Told(answers=11, positive=9), "solved": Told(answers=7, positive=6)}
UNANIMOUS: dict[Question, Told] = {"level": Told(answers=12, positive=12), "solved": Told(answers=12, positive=11)}
HARDLY_RATED: dict[Question, Told] = {"level": Told(answers=4, positive=1), "solved": Told(answers=4, positive=4)}
Package = list[dict[str, Any]]


def basis_of(text: str, indicators: str = INDICATORS) -> tuple[Basis, dict[str, Any]]:
    definition = merge_definition(text, indicators)
    return Basis(scheme=read_scheme(definition), definition_hash=hash_definition(definition), parameters={}), definition


def line_of(
    basis: Basis, kind: SubjectKind, number: int, process: dict[str, int], told: dict[Question, Rounded]
) -> dict[str, Any]:
    subject = Subject(subject_kind=kind, subject_id=UUID(int=number), code=f"{number:04d}", name=f"名{number}")
    home, group = (COUNTY, "141.leader") if kind == "cadre" else (None, None)
    published = Published(subject=subject, period=PERIOD, organisation=home, peer_group=group)
    inputs = freeze(published, process, told, basis)
    return {
        "subject_kind": kind,
        "subject_id": str(subject.subject_id),
        "inputs": orjson.loads(seal(inputs)[0]),
        "inputs_hash": "",
        "document": orjson.loads(seal(describe(inputs, basis.scheme))[0]),
        "content_hash": "",
    }


def round_all(told: dict[Question, Told]) -> dict[Question, Rounded]:
    return {question: round_told(one) for question, one in told.items()}


def make_period(text: str = BASIC) -> Package:
    """Rated, unanimously rated, not rated by enough, idle, idle and hardly rated, and an organisation."""
    basis, definition = basis_of(text)
    idle = {"duties_owed": 3, "issues_received": 1}
    lines = [
        line_of(basis, "cadre", 1, BUSY, round_all(RATED)),
        line_of(basis, "cadre", 2, BUSY | {"resolved": 2, "denied": 0}, round_all(UNANIMOUS)),
        line_of(basis, "cadre", 3, BUSY, {}),
        line_of(basis, "cadre", 4, idle, round_all(RATED)),
        line_of(basis, "cadre", 5, idle, round_all(HARDLY_RATED)),
        line_of(basis, "organisation", 2, BUSY | {"duties_met": 7}, round_all(RATED)),
    ]
    head = {
        "package": 1,
        "period": {"period": "2025Q1", "kind": "quarter", "start": "2025-01-01", "end": "2025-03-31"},
        "scheme": {
            "name": basis.scheme.name,
            "version": 1,
            "definition": definition,
            "content_hash": basis.definition_hash.hex(),
        },
        "parameters": {},
        "closed_at": "2025-04-06T00:00:00Z",
    }
    return seal_all([head, *lines])


def seal_all(package: Package) -> Package:
    """As it is closed; and as somebody would make the hashes anew who alters a package and knows how."""
    head, *lines = package
    basis, _ = basis_of(BASIC)
    scheme = head["scheme"]
    named = replace(basis.scheme, name=scheme["name"], version=scheme["version"])
    basis = Basis(scheme=named, definition_hash=bytes.fromhex(scheme["content_hash"]), parameters=head["parameters"])
    total = PeriodHash(parse_period(head["period"]["period"]), basis)
    for line in lines:
        inputs_hash, content_hash = line["inputs"] and seal(line["inputs"])[1], seal(line["document"])[1]
        line["inputs_hash"], line["content_hash"] = inputs_hash and inputs_hash.hex(), content_hash.hex()
        total.add(
            PublicationLine(
                subject_kind=line["subject_kind"],
                subject_id=line["subject_id"],
                inputs_hash=inputs_hash,
                content_hash=content_hash,
            )
        )
    head["publication_count"], head["content_hash"] = len(lines), total.digest().hex()
    return package


def single(package: Package, at: int) -> Package:
    """What somebody may have who reads one publication."""
    parts = {key: package[at][key] for key in ("inputs", "inputs_hash", "document", "content_hash")}
    return [{"package": 1, "scheme": package[0]["scheme"], **parts}]


@functools.cache
def write_period() -> str:
    return json.dumps(make_period())


@pytest.fixture
def sound() -> Package:
    return json.loads(write_period())  # type: ignore[no-any-return]


def verify(tmp_path: Path, package: Package | bytes, *options: str) -> tuple[int, str]:
    """In this process: what it does not expect would come out as it is."""
    file = tmp_path / "package"
    text = package if isinstance(package, bytes) else "".join(json.dumps(line) + "\n" for line in package).encode()
    file.write_bytes(text)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = verify_result.main([str(file), *options])
    return status, said.getvalue()


def test_the_program_stands_alone(tmp_path: Path, sound: Package) -> None:
    verify(tmp_path, sound)

    for file, status in (("package", 0), (".", 2), ("nothing", 2)):
        command = [sys.executable, "-I", verify_result.__file__, str(tmp_path / file)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (status, b"")


def test_a_period_and_each_of_its_publications_are_found_sound(tmp_path: Path, sound: Package) -> None:
    known = sound[0]["content_hash"]

    assert verify(tmp_path, sound, "--hash", known) == (0, f"SOUND 6 publications of 2025Q1, {known}\n")
    for at in range(1, 7):
        own = sound[at]["content_hash"]
        kind, code = sound[at]["subject_kind"], sound[at]["document"]["subject"]["code"]
        found = verify(tmp_path, single(sound, at), "--hash", own)
        assert found == (0, f"SOUND {kind} {code} 2025Q1, {own}\n")
        assert "not the one that you know" in verify(tmp_path, single(sound, at), "--hash", known)[1]


def test_a_closed_period_tells_what_it_should(sound: Package) -> None:
    """So that the figures below are forged from something."""
    told = [line["document"] for line in sound[1:]]

    assert [(one["composite"], one["withheld"]) for one in told] == [
        ("78.44", None), ("73.00", None), (None, "too_few_ratings"), ("35.56", None),
        (None, "not_enough_evidence"), ("81.56", None),
    ]  # fmt: skip
    assert told[1]["indicators"][4]["band"] == {"from": "0.9000", "to": "1.0000"}


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6])
def test_whatever_is_put_in_place_of_any_figure_is_found_though_the_hashes_are_made_anew(
    tmp_path: Path, sound: Package, at: int
) -> None:
    package = single(sound, at)
    document = package[0]["document"]
    for *way, key in list(leaves_of(document)):
        node = functools.reduce(operator.getitem, way, document)
        was, node[key] = node[key], "99.99"
        package[0]["content_hash"] = seal(document)[1].hex()

        assert verify(tmp_path, package)[0] == 1, (way, key)
        node[key] = was


def leaves_of(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in range(len(node)) if isinstance(node, list) else node:
        if isinstance(node[key], dict | list) and node[key]:
            yield from leaves_of(node[key], (*path, key))
        else:
            yield (*path, key)


def a_field_more(package: Package) -> None:
    package[1]["document"]["grade"] = "优秀"


def a_field_that_says_nothing_less(package: Package) -> None:
    del package[1]["document"]["withheld"]


def true_for_one(package: Package) -> None:
    package[1]["document"]["scheme"]["version"] = True


def more_contacts(package: Package) -> None:
    package[1]["inputs"]["measures"]["duties_met"] += 1


def kinder_citizens(package: Package) -> None:
    package[1]["inputs"]["told"]["level"]["middle"] = "1"


def withheld_ratings(package: Package) -> None:
    del package[1]["inputs"]["told"]["level"]


def softer_scheme(package: Package) -> None:
    definition = package[0]["scheme"]["definition"]
    definition["minimum_present_weight"] = "90"
    package[0]["scheme"]["content_hash"] = hash_definition(definition).hex()


def softer_scheme_in_every_name(package: Package) -> None:
    softer_scheme(package)
    for line in package[1:]:
        line["inputs"]["scheme"]["definition_hash"] = package[0]["scheme"]["content_hash"]


def scheme_in_other_words(package: Package) -> None:
    """The same figures come out, and it is another scheme."""
    definition = package[0]["scheme"]["definition"]
    definition["title"]["en"] = "A fairer scheme"
    package[0]["scheme"]["content_hash"] = hash_definition(definition).hex()


def scheme_of_another_name(package: Package) -> None:
    package[0]["scheme"]["name"] = "other"


def scheme_of_another_version(package: Package) -> None:
    package[0]["scheme"]["version"] = 2


def another_period(package: Package) -> None:
    package[0]["period"]["end"] = "2025-03-30"


def told_twice(package: Package) -> None:
    package.insert(2, package[2])


def in_another_order(package: Package) -> None:
    package[2], package[3] = package[3], package[2]


def another_id(package: Package) -> None:
    package[4]["subject_id"] = str(UUID(int=8))


def another_kind(package: Package) -> None:
    package[4]["subject_kind"] = "organisation"
    package[4]["subject_id"] = str(UUID(int=1))


def an_id_twice(package: Package) -> None:
    """Two codes, one cadre."""
    package.insert(2, json.loads(json.dumps(package[1])))
    for part in (package[2]["inputs"], package[2]["document"]):
        part["subject"]["code"] = "0009"


def a_code_twice(package: Package) -> None:
    """Two ids, one cadre."""
    for part in (package[2]["inputs"], package[2]["document"]):
        part["subject"]["code"] = "0001"


FORGERIES = [
    a_field_more, a_field_that_says_nothing_less, true_for_one, more_contacts, kinder_citizens, withheld_ratings,
    softer_scheme, softer_scheme_in_every_name, scheme_of_another_name, scheme_of_another_version, another_period,
    told_twice, in_another_order, another_id, another_kind, a_code_twice, an_id_twice,
    scheme_in_other_words,
]  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda one: one.__name__)
def test_a_forgery_is_found_with_the_hashes_left_and_made_anew(
    tmp_path: Path, sound: Package, forge: Callable[[Package], None]
) -> None:
    known = sound[0]["content_hash"]
    forge(sound)

    assert verify(tmp_path, sound)[0] == 1
    assert verify(tmp_path, seal_all(sound))[0] == 1
    assert verify(tmp_path, sound, "--hash", known)[0] == 1


def test_who_is_left_out_is_missed_and_by_whoever_makes_hashes_anew_only_where_the_hash_is_known(
    tmp_path: Path, sound: Package
) -> None:
    known = sound[0]["content_hash"]
    del sound[2]

    assert "6 publications belong to it, and 5 are here" in verify(tmp_path, sound)[1]
    sound[0]["publication_count"] = 5
    assert "its hash does not fit what is here" in verify(tmp_path, sound)[1]
    assert verify(tmp_path, seal_all(sound))[0] == 0
    assert verify(tmp_path, sound, "--hash", known)[0] == 1


def test_other_parameters_are_another_period(tmp_path: Path, sound: Package) -> None:
    sound[0]["parameters"] = {"mean": "75"}

    assert "its hash does not fit what is here" in verify(tmp_path, sound)[1]


def test_each_hash_holds_what_it_is_of(tmp_path: Path, sound: Package) -> None:
    for field, said in (("inputs", "the inputs were altered"), ("document", "the result was altered")):
        forged = single(sound, 1)
        forged[0][field] = forged[0][field] | {"peer_group": "141.clerk"}
        assert said in verify(tmp_path, forged)[1]
    forged = json.loads(json.dumps(single(sound, 1)))
    forged[0]["scheme"]["definition"]["minimum_present_weight"] = "1"
    assert "the definition was altered" in verify(tmp_path, forged)[1]


def test_without_inputs_nothing_is_computed_and_nothing_is_called_sound(tmp_path: Path, sound: Package) -> None:
    """Else whoever forges a result only had to leave out what it was made of."""
    sound[1]["inputs"] = None
    sound[1]["document"]["composite"] = "99.99"
    assert verify(tmp_path, sound)[0] == 1

    status, said = verify(tmp_path, seal_all(sound))

    assert (status, "but 1 of 6 publications are from before inputs were kept" in said) == (2, True)
    assert verify(tmp_path, single(sound, 1))[0] == 2
    sound[1]["document"]["period"]["end"] = "2025-03-30"
    assert "is of another period" in verify(tmp_path, seal_all(sound))[1]
    sound[1]["document"]["subject"]["kind"] = "organisation"
    assert "somebody else's" in verify(tmp_path, seal_all(sound))[1]


def test_what_stands_behind_a_package_is_not_passed_over(tmp_path: Path, sound: Package) -> None:
    forged = single(sound, 2)
    forged[0]["document"] = forged[0]["document"] | {"composite": "99.99"}

    assert verify(tmp_path, single(sound, 1) + forged)[0] == 1


@pytest.mark.parametrize("field", ["normalisation", "missing_data", "rounding_stage", "value_places", "points_places"])
def test_a_scheme_that_computes_otherwise_is_not_checked(tmp_path: Path, sound: Package, field: str) -> None:
    scheme = sound[0]["scheme"]
    scheme["definition"][field] = "otherwise"
    scheme["content_hash"] = hash_definition(scheme["definition"]).hex()

    assert verify(tmp_path, seal_all(sound))[0] == 2


def test_what_citizens_said_of_manners_is_withheld_by_both(tmp_path: Path) -> None:
    package = make_period(CITIZENS)

    assert verify(tmp_path, package)[0] == 0
    assert [line["document"]["withheld"] for line in package[1:]] == ["too_few_ratings"] * 6


OTHER_MEASURES = {
    "reads what is not in it": ('numerator = ["resolved"]', 'reads_ratings = ["level"]\nnumerator = ["resolved"]'),
    "is better the lower it is": ('numerator = ["resolved"]', 'numerator = ["denied"]'),
    "never shows the whole": (
        'denominator = ["resolved", "denied", "open_overdue"]',
        'denominator = ["closed", "open_overdue"]',
    ),
    "is a mean of levels": ('numerator = ["satisfied"]', 'numerator = ["rating_level_sum"]'),
}


@pytest.mark.parametrize("way", OTHER_MEASURES)
def test_an_indicator_may_be_made_of_other_measures(way: str) -> None:
    written, instead = OTHER_MEASURES[way]
    assert written in INDICATORS
    basis, definition = basis_of(BASIC, INDICATORS.replace(written, instead, 1))
    few = RATED | {"solved": Told(answers=30, positive=19)}

    for told in (RATED, UNANIMOUS, few, {}):
        line = line_of(basis, "cadre", 1, BUSY, round_all(told))
        assert verify_result.compute(line["inputs"], definition) == line["document"]


def test_with_exactly_so_much_weight_as_is_needed_there_is_a_composite() -> None:
    basis, definition = basis_of(BASIC)
    enough = {"duties_owed": 4, "duties_met": 3, "closed_on_time": 2, "closed_late": 1}  # 25 and 15 of 40

    line = line_of(basis, "cadre", 1, enough, round_all(HARDLY_RATED))

    assert (line["document"]["composite"], line["document"]["present_weight"]) == ("71.88", "40.0000")
    assert verify_result.compute(line["inputs"], definition) == line["document"]


@pytest.mark.parametrize("seed", range(60))
def test_any_counts_come_to_the_same_in_both(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - figures, not secrets
    basis, definition = basis_of(BASIC)
    process = {name: random.choice([0, 0, 1, 2, 3, 7, random.randint(0, 400)]) for name in MEASURES}
    told: dict[Question, Rounded] = {}
    questions: tuple[Question, ...] = ("level", "solved")
    for question in questions:
        if random.random() < 0.9:
            answers = random.randint(5, 60)
            told[question] = round_told(Told(answers=answers, positive=random.randint(0, answers)))

    line = line_of(basis, "cadre", 1, process, told)

    assert verify_result.compute(line["inputs"], definition) == line["document"]


@settings(max_examples=40)
@given(parts=st.lists(st.fractions(0, 60, max_denominator=97), min_size=1, max_size=7))
def test_points_add_up_to_the_rounded_sum(parts: list[Fraction]) -> None:
    points = verify_result.settle(parts, 2)

    assert sum(points) == verify_result.half_up(sum(parts, Fraction(0)), 2)
    assert all(abs(Fraction(point) - part) < Fraction(1, 100) for point, part in zip(points, parts, strict=True))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"", 2),
        (b"{}\n", 2),
        (b'{"package": 2}\n', 2),
        (b'{"package": "fair-1"}\n', 2),
        (b'{"package": 1}\n', 1),
        (b'{"package": 1, "package": 1}\n', 1),
        (b"[1]\n", 1),
        (b"not JSON\n", 1),
        (b"\xff\xfe\n", 1),
        pytest.param(b"[" * 100_000, 1, id="deep"),
    ],
)
def test_what_is_no_package_ends_with_a_message(tmp_path: Path, text: bytes, status: int) -> None:
    found = verify(tmp_path, text)

    assert (found[0], found[1].split()[0]) == (status, {1: "BAD", 2: "NOT"}[status])


def test_a_figure_that_stands_there_twice_is_neither(tmp_path: Path, sound: Package) -> None:
    """Another reader might take the first."""
    text = json.dumps(single(sound, 1)[0])
    twice = text.replace('"composite": "78.44"', '"composite": "99.99", "composite": "78.44"')
    assert twice != text

    assert "a key stands there twice" in verify(tmp_path, twice.encode())[1]


def test_a_file_that_was_cut_is_bad_wherever(tmp_path: Path, sound: Package) -> None:
    text = "".join(json.dumps(line) + "\n" for line in sound).encode()
    ends = [at for at, byte in enumerate(text) if byte == ord("\n")]

    for end in (ends[0] + 1, ends[-2] + 1, ends[1] + 20, len(text) - 3):
        assert verify(tmp_path, text[:end])[0] == 1, end
