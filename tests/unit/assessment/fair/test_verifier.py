"""The program that computes closed scores again without the suite: it finds the same, and whatever was altered."""

import contextlib
import datetime
import io
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.assessment.fair.engine import judge
from services.assessment.fair.explaining import case_of, iterate_cases
from services.assessment.fair.freezing import freeze, read_span, rename, thaw, write_span
from services.assessment.fair.records import Dossier
from services.assessment.fair.settings import read_settings
from services.assessment.fair.yardstick import yardstick_of
from services.assessment.handlers.fair import read_settings_text
from services.assessment.handlers.fair_closings import WindowHash, describe, hash_results
from services.assessment.handlers.publishing import seal
from tests.unit.assessment.fair.towns import SPAN, make_explained_kind, make_town
from tools import verify_fair

TEXT = read_settings_text()
SETTINGS = read_settings(TEXT)
FORMER = {
    2: "2278f0f838b6f2a2d658965ece6af47b98b874df8ceb8052618966ccf7a61dba",
    3: "a92ee7e8f2914078fb9010a123abe6202cb2afcbc6359eab3ce45d8de6634c7a",
    4: "cbe14a50bfc7382126ccffd804e2454076f5f4de3d222844df7fdbca3c1d5c69",
    5: "f1595c9abcb5e605376d65ca34417003e2aec42f9b91b8e5fd12c5f10e507086",
    6: "70a94f11dafc34d6d7a4be2e37e7235c31144e55de6a51ea0402e395e418b8d2",
    7: "ad041c3e09a8d61019027784c1ee5d0710347d065147c3086b4cc56450a15e74",
}


@pytest.fixture(scope="module")
def package() -> list[dict[str, Any]]:
    return make_package(TEXT)


def make_package(text: str, build: Callable[[list[Dossier]], list[Dossier]] = list) -> list[dict[str, Any]]:
    """As the route writes it. Two answer everything at once."""
    settings = read_settings(text)
    days = datetime.date(2025, 1, 1), datetime.date(2025, 12, 31)
    town = [rename(dossier, "window") for dossier in build(make_town(5, cadres=60))]
    for dossier in town[3:5]:
        dossier.issues = [replace(issue, answered_at=issue.received_at + 900) for issue in dossier.issues]
    judged = judge(town, SPAN, settings)
    yardstick = yardstick_of(judged.scored)
    total = WindowHash(days, SPAN, settings)
    lines = []
    for result in judged.results:
        case = case_of(judged, result.cadre, yardstick)
        inputs, inputs_hash = seal(freeze(case.measured.counted.dossier))
        document, content_hash = seal(describe(case, settings))
        total.add(result.cadre, inputs_hash, content_hash)
        lines.append(
            {
                "cadre": result.cadre,
                "inputs": orjson.loads(inputs),
                "inputs_hash": inputs_hash.hex(),
                "document": orjson.loads(document),
                "content_hash": content_hash.hex(),
            }
        )
    head = {
        "package": "fair-1",
        "window": "2025-01-01..2025-12-31",
        "scheme": {"name": settings.name, "version": settings.version, "content_hash": settings.content_hash},
        "settings": tomllib.loads(text),
        "span": write_span(SPAN),
        "result_count": len(lines),
        "content_hash": total.digest().hex(),
    }
    return [head, *lines]


def verify(tmp_path: Path, package: list[dict[str, Any]], *options: str) -> tuple[int, str]:
    """In this process: what it does not expect would come out as it is."""
    file = tmp_path / "period.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in package), "utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = verify_fair.main([str(file), *options])
    return status, said.getvalue()


def test_the_program_stands_alone(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    verify(tmp_path, package)

    for file, status in (("period.jsonl", 0), (".", 2), ("nothing.jsonl", 2)):
        command = [sys.executable, "-I", verify_fair.__file__, str(tmp_path / file)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (status, b"")


def test_every_score_comes_out_as_it_was_closed(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    status, said = verify(tmp_path, package, "--hash", package[0]["content_hash"])

    assert (status, said) == (0, f"SOUND 60 scores over 2025-01-01..2025-12-31, {package[0]['content_hash']}\n")
    aside = [one for line in package[1:] for one in line["document"]["explanation"]["left_out"].get("set_aside", ())]
    assert any(one.endswith("#answer") for one in aside)


def test_a_kind_that_was_only_ever_explained_is_no_evidence_here_either(tmp_path: Path) -> None:
    status, said = verify(tmp_path, make_package(TEXT, make_explained_kind))

    assert (status, said.split()[:2]) == (0, ["SOUND", "61"])


def hide(town: list[Dossier]) -> list[Dossier]:
    """One labels all as the hardest kind, another shortens every time, and a third leaves out what went wrong."""
    labels, clocks, leaves = town[6:9]
    for dossier in town:
        dossier.issues = [one if one.category != "c" else replace(one, outcome="unsolved") for one in dossier.issues]
    hard: dict[str, Any] = {"category": "c", "complainant": "", "place": "", "is_denied": False}
    labels.issues = [
        replace(one, issue=f"{one.issue}-{n}", outcome="solved" if n < 4 else "left_out", **hard)
        for one in labels.issues
        for n in range(5)
    ]
    clocks.issues = [
        replace(one, outcome="solved", is_denied=False, closed_at=one.received_at + 1_000) for one in clocks.issues
    ]
    leaves.issues = [one if one.outcome == "solved" else replace(one, outcome="left_out") for one in leaves.issues]
    return town


def disown(town: list[Dossier]) -> list[Dossier]:
    """One is known by citizens for two issues and a visit that there were none, another for one contact."""
    many, one = town[10:12]
    for place in (1, 4):
        many.issues[place] = replace(many.issues[place], is_checked=True, is_denied=True, is_disowned=True)
    for dossier in (many, one):
        dossier.contacts[0] = replace(dossier.contacts[0], is_confirmed=True, is_disowned=True)
    return town


def explain_one_kind(town: list[Dossier]) -> list[Dossier]:
    """Only one kind of case is explained, so that sums of effects let expect fewer than none of what shares nothing
    with it; somebody has such ones alone, and two explained.
    """
    for dossier in town:
        dossier.issues = [
            replace(one, outcome="explained" if (one.category, one.complexity) == ("a", "2") else "solved")
            for one in dossier.issues
        ]
    alone = town[12]
    alone.issues = [
        replace(one, category="b", complexity="1", outcome="explained" if place < 2 else "solved")
        for place, one in enumerate(alone.issues)
    ]
    return town


def test_fewer_than_none_that_are_usual_come_out_as_they_were_closed(tmp_path: Path) -> None:
    explained = make_package(TEXT, explain_one_kind)

    status, said = verify(tmp_path, explained)

    assert (status, said.split()[:2]) == (0, ["SOUND", "60"])
    former = make_package(TEXT.replace("usual_from_none = 1", "usual_from_none = 0"), explain_one_kind)
    scores = [Decimal(one[13]["document"]["score"]) for one in (former, explained)]
    assert scores[0] < scores[1]


def tell_afterwards(town: list[Dossier]) -> list[Dossier]:
    """Some tell half of their times, and when that was recorded is known of most."""
    for dossier in town[::4]:
        dossier.issues = [
            replace(
                one,
                answered_at=one.answered_at and (one.received_at + one.answered_at) // 2,
                closed_at=one.closed_at and (one.received_at + one.closed_at) // 2,
                answer_recorded_at=one.answered_at if place % 3 else None,
                closing_recorded_at=one.closed_at if place % 4 else None,
            )
            for place, one in enumerate(dossier.issues)
        ]
    return town


def test_times_that_were_told_afterwards_come_out_as_they_were_closed(tmp_path: Path) -> None:
    told = make_package(TEXT, tell_afterwards)

    status, said = verify(tmp_path, told)

    assert (status, said.split()[:2]) == (0, ["SOUND", "60"])
    believed = make_package(TEXT.replace('told_sooner = "0.125"', 'told_sooner = "0"'), tell_afterwards)
    scores = [Decimal(one[1]["document"]["score"]) for one in (told, believed)]
    assert scores[0] < scores[1]
    assert "told_afterwards" in told[1]["document"]["explanation"]["left_out"]
    assert "told_afterwards" not in believed[1]["document"]["explanation"]["left_out"]


def test_what_citizens_know_nothing_of_comes_out_as_it_was_closed(tmp_path: Path) -> None:
    disowned = make_package(TEXT, disown)

    status, said = verify(tmp_path, disowned)

    assert (status, said.split()[:2]) == (0, ["SOUND", "60"])
    left_out = [line["document"]["explanation"]["left_out"] for line in disowned[1:]]
    assert [len(one["disowned"]) for one in left_out if "disowned" in one] == [3, 1]
    plain = make_package(TEXT)
    changed = [
        old["cadre"]
        for old, new in zip(plain[1:], disowned[1:], strict=True)
        if old["document"]["score"] != new["document"]["score"]
    ]
    assert {"C010", "C011"} <= set(changed)


def test_parts_of_issues_that_wait_and_what_was_left_out_come_out_as_they_were_closed(tmp_path: Path) -> None:
    hidden = make_package(TEXT, hide)

    status, said = verify(tmp_path, hidden)

    assert (status, said.split()[:2]) == (0, ["SOUND", "60"])
    left_out = [line["document"]["explanation"]["left_out"] for line in hidden[1:]]
    aside = [name for one in left_out for name in one.get("set_aside", ())]
    assert {name.partition("#")[2] for name in aside} >= {"answer", "clock", "label"}
    assert any("unassessed" in one for one in left_out)


@pytest.mark.parametrize(("version", "content_hash"), FORMER.items())
def test_what_was_closed_by_a_former_version_comes_out_as_it_did(
    tmp_path: Path, version: int, content_hash: str
) -> None:
    former = make_package((Path(__file__).parent / f"fair-{version}.toml").read_text("utf-8"))

    status, said = verify(tmp_path, former)

    assert former[0]["content_hash"] == content_hash
    assert (status, said.split()[:2]) == (0, ["SOUND", "60"])


def test_the_suite_computes_it_again_from_the_inputs_alone(package: list[dict[str, Any]]) -> None:
    head, *lines = package

    judged = judge((thaw(line["inputs"]) for line in reversed(lines)), read_span(head["span"]), SETTINGS)
    found = hash_results(iterate_cases(judged, yardstick_of(judged.scored)), SETTINGS, {})

    assert [(cadre, inputs.hex(), document.hex()) for cadre, inputs, document in found] == [
        (line["cadre"], line["inputs_hash"], line["content_hash"]) for line in lines
    ]
    for line in lines:
        assert freeze(thaw(line["inputs"])) == line["inputs"]


def reseal(package: list[dict[str, Any]]) -> None:
    """What somebody does who alters a package and knows how hashes are made."""
    head, *lines = package
    days = datetime.date(2025, 1, 1), datetime.date(2025, 12, 31)
    total = WindowHash(days, read_span(head["span"]), SETTINGS)
    for line in lines:
        for name, hash_name in (("inputs", "inputs_hash"), ("document", "content_hash")):
            line[hash_name] = seal(line[name])[1].hex()
        total.add(line["cadre"], bytes.fromhex(line["inputs_hash"]), bytes.fromhex(line["content_hash"]))
    head["content_hash"] = total.digest().hex()


def altered(package: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return json.loads(json.dumps(package))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("score", "99.00"),
        ("lower", "0.00"),
        ("upper", "100.00"),
        ("reliability", "1.000"),
        ("band", "a better one"),
        ("rank", 0),
        ("rank_best", 0),
        ("rank_worst", 0),
        ("rank_worst", True),
        ("award_zone", "certain"),
        ("peer_group", "others"),
        ("points", {}),
    ],
)
def test_whatever_a_result_says_is_computed_though_its_hashes_are_made_anew(
    tmp_path: Path, package: list[dict[str, Any]], name: str, value: object
) -> None:
    better = altered(package)
    better[3]["document"][name] = value
    assert verify(tmp_path, better)[0] == 1

    reseal(better)
    status, said = verify(tmp_path, better)

    assert (status, f"{better[3]['cadre']}: {name} is published as {value!r}, and is " in said) == (1, True)
    assert verify(tmp_path, better, "--hash", package[0]["content_hash"])[0] == 1


def test_kinder_records_come_to_other_scores(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    kinder = altered(package)
    for line in kinder[1:]:
        for issue in line["inputs"]["issues"]:
            if issue.get("outcome") == "unsolved":
                issue["outcome"] = "solved"
    reseal(kinder)

    assert "is published as" in verify(tmp_path, kinder)[1]


def left_out(package: list[dict[str, Any]]) -> None:
    del package[5]


def twice(package: list[dict[str, Any]]) -> None:
    package.insert(5, package[4])


def in_another_order(package: list[dict[str, Any]]) -> None:
    package[4], package[5] = package[5], package[4]


def records_of_another(package: list[dict[str, Any]]) -> None:
    package[4]["inputs"] = package[5]["inputs"]


def result_of_another(package: list[dict[str, Any]]) -> None:
    package[4]["document"] = package[5]["document"]


@pytest.mark.parametrize("alter", [left_out, twice, in_another_order, records_of_another, result_of_another])
def test_who_is_left_out_told_twice_or_taken_for_another_is_noticed(
    tmp_path: Path, package: list[dict[str, Any]], alter: Callable[[list[dict[str, Any]]], None]
) -> None:
    forged = altered(package)
    alter(forged)
    assert verify(tmp_path, forged)[0] == 1

    reseal(forged)
    assert verify(tmp_path, forged)[0] == 1


@pytest.mark.parametrize("part", ["inputs", "document"])
def test_records_and_a_result_bear_the_name_of_whose_they_are(
    tmp_path: Path, package: list[dict[str, Any]], part: str
) -> None:
    """Though every figure comes out."""
    renamed = altered(package)
    whose = renamed[3]["inputs"]["cadre"] if part == "inputs" else renamed[3]["document"]
    whose["cadre"] = "C999"
    reseal(renamed)

    status, said = verify(tmp_path, renamed)

    assert (status, "is somebody else's" in said) == (1, True)


def test_hashes_are_held_line_by_line_and_over_the_period(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    """Sentences are not computed, so that their hash is all that holds them."""
    reworded = altered(package)
    reworded[3]["document"]["explanation"]["caveats"] = ["none"]
    assert "the document were altered" in verify(tmp_path, reworded)[1]

    reworded[3]["content_hash"] = seal(reworded[3]["document"])[1].hex()
    assert "the hash of the period does not fit" in verify(tmp_path, reworded)[1]
    reseal(reworded)
    assert verify(tmp_path, reworded)[0] == 0
    assert "not the one that you know" in verify(tmp_path, reworded, "--hash", package[0]["content_hash"])[1]


def test_a_number_of_scores_and_a_key_that_stands_there_twice_are_noticed(
    tmp_path: Path, package: list[dict[str, Any]]
) -> None:
    more = [package[0] | {"result_count": 61}, *package[1:]]
    assert "61 scores belong to the period, and 60 are here" in verify(tmp_path, more)[1]

    (tmp_path / "twice").write_text(json.dumps(package[0])[:-1] + ', "window": "2030"}\n', "utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert verify_fair.main([str(tmp_path / "twice")]) == 1
    assert "a key stands there twice" in said.getvalue()


def test_softer_settings_and_another_window_are_noticed(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    softer = altered(package)
    softer[0]["settings"]["weights"]["reply"] = "0.15"
    assert "settings were altered" in verify(tmp_path, softer)[1]
    softer[0]["scheme"]["content_hash"] = verify_fair.hash_settings(softer[0]["settings"])
    assert "the hash of the period does not fit" in verify(tmp_path, softer)[1]

    for name, value in (("window", "2024-01-01..2024-12-31"), ("span", package[0]["span"] | {"as_of": 0})):
        assert "the hash of the period does not fit" in verify(tmp_path, [package[0] | {name: value}, *package[1:]])[1]


def test_what_is_not_known_is_not_called_sound(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    unknown = altered(package)
    unknown[3]["document"] |= {"grade": "excellent", "award": True}
    reseal(unknown)

    said = f"NOT CHECKED {unknown[3]['cadre']}: award is not known to this program\n"
    assert verify(tmp_path, unknown) == (2, said)
    assert verify(tmp_path, [{"package": 1}])[0] == 2
    assert verify(tmp_path, [])[0] == 2
    assert verify(tmp_path, [package[0] | {"package": "fair-2"}, *package[1:]])[0] == 2


def test_one_score_is_told_by_its_cadre(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    document = package[7]["document"]

    status, said = verify(tmp_path, package, "--cadre", package[7]["cadre"])

    told = json.loads(said.partition("\n")[2])
    assert (status, told) == (0, {name: document[name] for name in told})
    assert told.keys() >= {"score", "rank", "award_zone", "points"}
    assert verify(tmp_path, package, "--cadre", "nobody")[0] == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]\n", "line 1: is no package\n"),
        ("not JSON\n", "line 1: is not JSON: Expecting value"),
        ('{"package": "fair-1", "package": "fair-1"}\n', "line 1: is not JSON: a key stands there twice\n"),
        ('{"package": "fair-1"}\n', "the package is broken: KeyError: 'settings'\n"),
        ('{"package": ' + "[" * 100_000, "line 1: is not JSON: "),
    ],
    ids=["list", "no JSON", "key twice", "empty", "deep"],
)
def test_what_is_broken_ends_with_a_message(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "broken").write_text(text, "utf-8")

    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert verify_fair.main([str(tmp_path / "broken")]) == 1

    assert told.getvalue().startswith(f"BAD {said}")


def test_a_broken_line_is_told_by_its_number(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    (tmp_path / "broken").write_text(f"{json.dumps(package[0])}\n[1]\n", "utf-8")

    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert verify_fair.main([str(tmp_path / "broken")]) == 1

    assert told.getvalue() == "BAD line 2: is no package\n"


def peers(*scores: str) -> verify_fair.Peers:
    return verify_fair.Peers(map(Decimal, scores))


def test_peers_are_ranked_and_told_apart_where_the_evidence_is_enough() -> None:
    fifteen = peers(*(str(60 + number) for number in range(15)))  # the middle is 67, the third best has 72

    def stand(score: str, lower: str, upper: str, reliability: str = "0.300") -> tuple[object, ...]:
        one = {"score": score, "lower": lower, "upper": upper, "reliability": reliability}
        found = fifteen.stand(one)
        return tuple(found[name] for name in ("rank", "rank_best", "rank_worst", "band", "award_zone"))

    assert stand("74", "72", "76") == (1, 1, 3, "above", "clear")
    assert stand("72", "67", "73") == (3, 2, 8, "middle", "open")
    assert stand("71", "70", "72") == (4, 3, 5, "above", "open")
    assert stand("63", "60", "67") == (12, 8, 15, "middle", "no")
    assert stand("63", "60", "66.99") == (12, 9, 15, "below", "no")
    assert stand("74", "72", "76", "0.299") == (1, 1, 3, "not_enough_evidence", "")


def test_of_fewer_than_fifteen_peers_none_has_a_zone() -> None:
    one = {"score": "90", "lower": "85", "upper": "95", "reliability": "0.900"}

    assert peers("90", *["60"] * 14).stand(one)["award_zone"] == "clear"
    assert peers("90", *["60"] * 13).stand(one)["award_zone"] == ""
