"""The program that computes scores by schemes of places again without the suite: sound packages, and altered ones.

Whether it comes to what the engine comes to: assessment/rules/second_opinion.py, and each test that goes through it.
"""

import contextlib
import functools
import json
import operator
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.assessment.domain.periods import parse_period
from services.assessment.handlers.place_scores import Sealed, hash_scores, score_table
from tests.unit.place_packages import (
    CADRES,
    OFFICES,
    PERIOD,
    Package,
    make_package,
    replace_scheme,
    seal,
    state,
    store,
    verify,
)
from tools import verify_place

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tools" / "verify_place.py"


@functools.cache
def write_package() -> str:
    return json.dumps(make_package())


@pytest.fixture
def sound() -> str:
    return write_package()


def test_the_program_stands_alone(tmp_path: Path, sound: str) -> None:
    (tmp_path / "period.jsonl").write_bytes(raw(sound))

    for file, status in (("period.jsonl", 0), (".", 2), ("nothing.jsonl", 2)):
        command = [sys.executable, "-I", str(PROGRAM), str(tmp_path / file)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (status, b"")


def test_a_sound_package_is_found_sound(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)

    sealed = [
        Sealed(
            subject_kind=line["subject_kind"],
            subject_id=UUID(line["subject_id"]),
            publication_hash=bytes.fromhex(line["publication_hash"]),
            content_hash=bytes.fromhex(line["content_hash"]),
        )
        for line in package[1:]
    ]

    known = hash_scores(parse_period("2025"), [store(OFFICES), store(CADRES)], sealed).hex()
    status, said = verify(tmp_path, package, "--hash", known)

    assert status == 0
    assert said.splitlines() == [
        f"SOUND 31 scores of 2025 by 2 schemes, {known}",
        "sentences of explanation are wording: only their hash was held",
        "not sealed, held by no hash: schemes that scored nobody (village-3), time of scoring (2026-01-12T02:00:00Z)",
    ]


def test_what_no_hash_holds_is_told_as_such(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    known = package[0]["content_hash"]
    package[0] |= {"failed": [], "scored_at": "2026-02-01T00:00:00Z"}

    status, said = verify(tmp_path, package, "--hash", known)

    assert status == 0
    assert said.splitlines()[-1].startswith("not sealed, held by no hash: schemes that scored nobody (none), ")
    assert said.endswith(" (2026-02-01T00:00:00Z)\n")


def test_one_total_is_told_figure_by_figure(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    line = next(one for one in package[1:] if one["subject_kind"] == "cadre" and one["document"]["total"] is not None)

    status, said = verify(tmp_path, package, "--subject", line["document"]["subject"]["code"])

    assert status == 0
    assert f"  total = {line['document']['total']}\n" in said
    for part in line["document"]["contributions"]:
        assert f"  {part['part']} {part['key']}: {part['amount']}\n" in said
    assert verify(tmp_path, package, "--subject", "nobody")[0] == 2


def better_total(package: Package) -> None:
    package[3]["document"]["total"] = "94.9"


def better_grade(package: Package) -> None:
    package[3]["document"]["grade"] = "优秀!"


def better_place(package: Package) -> None:
    package[3]["document"]["places"]["place"] = "0"


def other_points(package: Package) -> None:
    package[3]["document"]["items"][0]["points"] = "59.99"


def not_missing(package: Package) -> None:
    item = package[3]["document"]["items"][0]
    item["missing"] = not item["missing"]


def other_contribution(package: Package) -> None:
    line = next(one for one in package[1:] if one["document"]["contributions"])
    line["document"]["contributions"][0]["amount"] = "1.00"


def no_flag(package: Package) -> None:
    line = next(one for one in package[1:] if one["document"]["flags"])
    line["document"]["flags"] = []


def withheld_for_nothing(package: Package) -> None:
    package[3]["document"]["withheld"] = "present"


def other_name(package: Package) -> None:
    package[3]["document"]["subject"]["name"] = "别人"


def kinder_publication(package: Package) -> None:
    for line in package[1:]:
        for indicator in line["publication"]["indicators"]:
            if indicator["key"] == "response_rate" and indicator["value"] is not None:
                indicator["value"] = "1.0000"


def one_left_out(package: Package) -> None:
    """A place among fewer is another place."""
    best = max(
        (at for at, one in enumerate(package[1:], 1) if one["document"]["total"] is not None),
        key=lambda at: float(package[at]["document"]["total"]),
    )
    del package[best]


def one_twice(package: Package) -> None:
    package.insert(4, package[3])


def same_code_twice(package: Package) -> None:
    package[4]["publication"] = package[3]["publication"]
    package[4]["document"] = package[3]["document"]


def another_order(package: Package) -> None:
    package[3], package[4] = package[4], package[3]


def softer_scheme(package: Package) -> None:
    text = CADRES.replace("target = 95", "target = 90")
    package[0]["schemes"][0] = state(text)
    for line in package[1:]:
        if line["scheme"]["name"] == "county":
            line["document"]["scheme"]["content_hash"] = package[0]["schemes"][0]["content_hash"]


def scheme_of_another_name(package: Package) -> None:
    package[0]["schemes"][0]["version"] = 3


def scheme_not_in_force(package: Package) -> None:
    package[0]["schemes"][1] = state(OFFICES.replace("from = 2024-07-01", "from = 2025-02-01"))
    for line in package[1:]:
        if line["scheme"]["name"] == "offices":
            line["document"]["scheme"]["content_hash"] = package[0]["schemes"][1]["content_hash"]


def scheme_not_in_force_any_more(package: Package) -> None:
    replace_scheme(package, 1, OFFICES.replace("until = 2025-12-31", "until = 2024-12-31"))


def scheme_of_other_subjects(package: Package) -> None:
    replace_scheme(package, 0, CADRES.replace('subjects = "cadre"', 'subjects = "organisation"'))


def scheme_of_other_peer_groups(package: Package) -> None:
    replace_scheme(package, 0, CADRES + 'peer_groups = ["141.leader", "999.clerk"]\n')


def scheme_under_another_version(package: Package) -> None:
    """Everywhere but in its text."""
    package[0]["schemes"][0]["version"] = 3
    for line in package[1:]:
        if line["scheme"]["name"] == "county":
            line["scheme"]["version"] = line["document"]["scheme"]["version"] = 3


def an_id_twice(package: Package) -> None:
    package[4]["subject_id"] = package[3]["subject_id"]


def publication_of_another_kind(package: Package) -> None:
    for part in ("publication", "document"):
        package[3][part]["subject"]["kind"] = "organisation"


def schemes_in_another_order(package: Package) -> None:
    package[0]["schemes"].reverse()


def a_scheme_twice(package: Package) -> None:
    package[0]["schemes"].append(package[0]["schemes"][1])


def another_kind(package: Package) -> None:
    package[3]["subject_kind"] = "organisation"
    package[1:] = sorted(package[1:], key=lambda line: (line["subject_kind"], line["subject_id"]))


def scheme_that_failed(package: Package) -> None:
    package[0]["failed"] = ["county-2"]


def unknown_scheme(package: Package) -> None:
    package[3]["scheme"] = {"name": "other", "version": 1}


def another_period(package: Package) -> None:
    package[0]["period"] = PERIOD | {"period": "2024"}


def no_explanation(package: Package) -> None:
    del package[3]["document"]["explanation"]


def huge_number(package: Package) -> None:
    package[3]["publication"]["composite"] = "9" * 400


def number_in_words(package: Package) -> None:
    package[3]["publication"]["composite"] = "1e999999999"


def fraction_of_a_person(package: Package) -> None:
    for line in package[1:]:
        line["publication"]["indicators"][0]["components"] = {"issues_received": 1.5}


def numeric_key(package: Package) -> None:
    """Of an indicator that the scheme does not ask for."""
    indicator: dict[str, Any] = {"key": 5, "value": None, "band": None, "components": {}, "ratings_at_least": None}
    package[3]["publication"]["indicators"].append(indicator)


def component_left_out(package: Package) -> None:
    package[3]["publication"]["indicators"][0]["components"]["withdrawn"] = None


def band_without_an_end(package: Package) -> None:
    """Of an indicator that the scheme does not ask for."""
    band = {"from": "0.80", "to": None}
    indicator: dict[str, Any] = {
        "key": "reply_rate",
        "value": None,
        "band": band,
        "components": {},
        "ratings_at_least": None,
    }
    package[3]["publication"]["indicators"].append(indicator)


def no_indicators(package: Package) -> None:
    del package[3]["publication"]["indicators"]


ALTERATIONS = [
    better_total, better_grade, better_place, other_points, not_missing, other_contribution, no_flag,
    withheld_for_nothing, other_name, kinder_publication, one_left_out, one_twice, same_code_twice, another_order,
    softer_scheme, scheme_of_another_name, scheme_not_in_force, scheme_not_in_force_any_more,
    scheme_of_other_subjects, scheme_of_other_peer_groups, schemes_in_another_order, a_scheme_twice, another_kind,
    scheme_under_another_version, an_id_twice, publication_of_another_kind,
    scheme_that_failed, unknown_scheme, another_period,
    no_explanation, huge_number, number_in_words, fraction_of_a_person, numeric_key, component_left_out,
    band_without_an_end, no_indicators,
]  # fmt: skip


@pytest.mark.parametrize(
    "alter", [numeric_key, component_left_out, band_without_an_end], ids=operator.attrgetter("__name__")
)
def test_of_a_publication_that_it_takes_for_broken_the_suite_makes_nothing_either(
    sound: str, alter: Callable[[Package], None]
) -> None:
    package = json.loads(sound)
    alter(package)
    published = [line["publication"] for line in package[1:] if line["subject_kind"] == package[3]["subject_kind"]]

    with pytest.raises(TypeError):
        score_table(store(CADRES), published)


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda one: one.__name__)
def test_what_was_altered_is_found_with_the_hashes_left_and_made_anew(
    tmp_path: Path, sound: str, alter: Callable[[Package], None]
) -> None:
    package = json.loads(sound)
    known = package[0]["content_hash"]
    alter(package)

    status, said = verify(tmp_path, package)
    assert (status, said[:4]) == (1, "BAD "), said
    status, said = verify(tmp_path, seal(package))
    assert (status, said[:4]) == (1, "BAD "), said
    assert "broken" not in said or alter is no_indicators
    assert verify(tmp_path, package, "--hash", known)[0] == 1


def test_a_scheme_holds_for_a_period_that_begins_on_its_last_day(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    replace_scheme(package, 1, OFFICES.replace("until = 2025-12-31", 'until = "2025-01-01"'))

    assert verify(tmp_path, seal(package))[0] == 0


def test_the_hash_of_the_period_holds_what_no_other_hash_does(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    package[-1]["subject_id"] = "ffffffff-0000-4000-8000-000000000000"
    assert "the period: its hash does not fit what is here" in verify(tmp_path, package)[1]

    package = json.loads(sound)
    package[0]["score_count"] = 32
    assert "the period: 32 scores belong to it, and 31 are here" in verify(tmp_path, package)[1]


def test_figures_without_a_hash_over_them_are_compared_and_left_unchecked(tmp_path: Path, sound: str) -> None:
    """What was scored before there was one."""
    package = json.loads(sound)
    package[0]["content_hash"] = None

    status, said = verify(tmp_path, package)
    assert (status, "no hash" in said) == (2, True)
    better_total(package)
    seal(package)[0]["content_hash"] = None
    assert verify(tmp_path, package)[0] == 1


@pytest.mark.parametrize("name", ["\\ud800", "county\\nSOUND 31 scores of 2025", "\\u001b[2J"])
def test_what_stands_in_a_package_writes_no_line_of_its_own(tmp_path: Path, sound: str, name: str) -> None:
    text = raw(sound).replace(b'"name": "county"', f'"name": "{name}"'.encode())
    (tmp_path / "period.jsonl").write_bytes(text)
    command = [sys.executable, "-I", str(PROGRAM), str(tmp_path / "period.jsonl")]

    done = subprocess.run(command, capture_output=True, check=False, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})

    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"BAD ")
    assert done.stdout.count(b"\n") == 1
    assert b"\x1b" not in done.stdout


def test_wording_is_held_by_its_hash_alone(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    known = package[0]["content_hash"]
    package[3]["document"]["explanation"]["en"] = ["because"]

    assert "was altered" in verify(tmp_path, package)[1]
    assert verify(tmp_path, seal(package))[0] == 0
    assert verify(tmp_path, package, "--hash", known)[0] == 1


def test_a_scheme_is_known_by_what_it_says_and_not_by_its_comments(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)

    package[0]["schemes"][0]["document"] = "# a remark\n" + CADRES
    assert verify(tmp_path, package)[0] == 0
    package[0]["schemes"][0]["document"] = CADRES.replace("slope = 0.75", "slope = 0.5")
    assert "its hash does not fit" in verify(tmp_path, package)[1]


HEAD = 'format = 1\nname = "county"\nversion = 2\n'
RULE = HEAD + '[items.x]\nkind = "formula"\n'
HOSTILE = {
    "oracle": (HEAD + '[items.x]\nkind = "oracle"\n', 2),
    "wish": (RULE + 'formula = "1"\nwish = 1\n', 2),
    "sideways": (HEAD + '[items.x]\nkind = "best_ratio"\nvalue = 1\nfull = 1\ndirection = "sideways"\n', 2),
    "form": (HEAD.replace("format = 1", "format = 2"), 2),
    "a formula of 2001": (f'{RULE}formula = "{"1".rjust(2_001)}"\n', 1),
    "cannot be read from ' % 2'": (RULE + 'formula = "1 % 2"\n', 1),
    "too many parts": (f'{RULE}formula = "{"+".join("1" * 201)}"\n', 1),
    "does not end where it should": (RULE + 'formula = "1 2"\n', 1),
    "does not expect": (RULE + 'formula = "1 + )"\n', 1),
    "sqrt with 2 arguments": (RULE + 'formula = "sqrt(1, 2)"\n', 1),
    "lacks a bracket": (RULE + 'formula = "(1"\n', 1),
    "items.x is no table": (HEAD + "[items]\nx = 5\n", 1),
    "values is no table": (HEAD + "values = 5\n", 1),
    "gates is no list": (RULE + "formula = 1\n[gates]\n", 1),
    "'True' is no number": (RULE + "formula = 1\nweight = true\n", 1),
    "points rise": (HEAD + '[items.x]\nkind = "interpolate"\nvalue = 1\npoints = [[1, 1], [1, 2]]\n', 1),
    "dream": (RULE + 'formula = "dream(1)"\n', 2),
    "itself": (RULE + 'formula = "x"\n', 1),
    "early": (RULE + 'formula = "1 +"\n', 1),
    "cannot be applied": (RULE, 1),
    "deep": (f'{RULE}formula = "{"(" * 300}"\n', 1),
    "TOML": (f"{HEAD}x = {'[' * 5_000}", 1),
    "too large": (HEAD + "x = 1e999999999\n", 1),
    "no number": (HEAD + "x = nan\n", 1),
    "beyond 10^15": (RULE + "formula = 1\nfloor = 1e40\n", 1),
    "needed, and there is a text": (RULE + "formula = \"'text'\"\n", 1),
    "RecursionError": (RULE + 'formula = "group_sum(1)"\n[groups]\nmembers = "group_rank(1) > 0"\n', 1),
    "gates[1] is no table": (HEAD + "gates = [5]\n" + RULE.removeprefix(HEAD) + "formula = 1\n", 1),
    "nothing is named nowhere": (RULE + 'formula = "nowhere"\n', 1),
    "missing = 'wish' is not known": (RULE + 'formula = 1\nmissing = "wish"\n', 2),
    "a list is for a value": (HEAD + '[items.x]\nkind = "lookup"\nvalue = 1\ntable = {}\ncombine = "each"\n', 1),
    "a place is 1 or more": (HEAD + '[items.x]\nkind = "rank_points"\nplace = 0.5\nfirst = 3\nstep = 1\n', 1),
    "used twice": (RULE + 'formula = "1"\n[values]\nx = "2"\n', 1),
}


@pytest.mark.parametrize("said", HOSTILE)
def test_what_is_not_known_is_not_guessed_at_and_what_is_hostile_ends(tmp_path: Path, sound: str, said: str) -> None:
    document, status = HOSTILE[said]
    package = json.loads(sound)
    text = document + '[validity]\nfrom = 2025-01-01\nsubjects = "cadre"\n'
    package[0]["schemes"][0]["document"] = text
    with contextlib.suppress(verify_place.Bad):
        package[0]["schemes"][0]["content_hash"] = verify_place.hash_scheme(verify_place.read_scheme(text))
    for line in package[1:]:
        if line["scheme"]["name"] == "county":
            line["document"]["scheme"]["content_hash"] = package[0]["schemes"][0]["content_hash"]

    found = verify(tmp_path, seal(package))

    assert found[0] == status, found
    assert said in found[1], found


def test_a_place_before_the_first_is_in_no_list_of_points(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    text = HEAD + '[items.x]\nkind = "rank_points"\nplace = 0.5\nplaces = [3, 2]\n[validity]\nfrom = 2025-01-01\n'
    scheme = package[0]["schemes"][0]
    scheme["document"], scheme["content_hash"] = text, verify_place.hash_scheme(verify_place.read_scheme(text))

    status, said = verify(tmp_path, seal(package))

    assert (status, "a place is 1 or more" in said) == (1, True)


@pytest.mark.parametrize("field", sorted(verify_place.KNOWN_FIELDS))
def test_each_field_of_a_result_must_be_there(tmp_path: Path, sound: str, field: str) -> None:
    package = json.loads(sound)
    del package[3]["document"][field]

    assert verify(tmp_path, seal(package))[0] == 1


@pytest.mark.parametrize("part", ["organisation", "peer_group", "period"])
def test_whom_a_result_is_of_is_what_the_publication_says(tmp_path: Path, sound: str, part: str) -> None:
    package = json.loads(sound)
    package[3]["document"][part] = {"code": "1", "name": "别处"}

    status, said = verify(tmp_path, seal(package))

    assert (status, f": {part} is published as " in said) == (1, True)


def test_what_a_result_says_beyond_what_is_known_is_not_called_sound(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    package[3]["document"]["honours"] = "first"

    status, said = verify(tmp_path, seal(package))

    assert (status, ": honours is not known to this program" in said) == (2, True)


def test_a_publication_is_held_by_its_hash_where_no_figure_shows_it(tmp_path: Path, sound: str) -> None:
    package = json.loads(sound)
    package[3]["publication"]["indicators"].append(package[3]["publication"]["indicators"][0] | {"key": "unread"})

    assert "the publication was altered: its hash does not fit" in verify(tmp_path, package)[1]
    assert verify(tmp_path, seal(package))[0] == 0


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"package": "fair-1"}, "verify_fair.py, beside this program"),
        ({"package": 1, "scheme": {}}, "verify_result.py, beside this program"),
        ({"package": 1}, "this is no package of scores by schemes of places"),
        ({"package": 2, "scheme": {}, "schemes": []}, "this is no package of scores by schemes of places"),
    ],
)
def test_a_package_of_another_form_is_told_what_reads_it(tmp_path: Path, head: dict[str, Any], said: str) -> None:
    status, found = verify(tmp_path, [head])

    assert (status, said in found) == (2, True)


def test_a_long_figure_is_told_by_its_beginning() -> None:
    assert verify_place.told("满" * 298) == f'"{"满" * 298}"'
    assert verify_place.told("x" * 299) == f'"{"x" * 299}…'


def raw(package: str) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in json.loads(package)).encode()


@pytest.mark.parametrize(
    ("instead_of", "put", "status"),
    [
        ('"total": "', '"total": NaN, "was": "', 1),
        ('"score_count": ', '"score_count": 1, "score_count": ', 1),
        ('"package": 1', '"package": 2', 2),
        ('"package": 1', '"package": "fair-1"', 2),
        ('"schemes": [', '"scheme": {}, "was": [', 2),
        ('"failed"', '"other"', 1),
        ('"subject_id": "', '"subject_id": 5, "was": "', 1),
        ('"document": {', '"document": [], "was": {', 1),
    ],
)
def test_a_broken_line_ends_with_a_message(tmp_path: Path, sound: str, instead_of: str, put: str, status: int) -> None:
    found = verify(tmp_path, raw(sound).replace(instead_of.encode(), put.encode(), 1))

    assert found[0] == status, found
    assert found[1].startswith("BAD " if status == 1 else "NOT CHECKED ")


def test_a_file_that_was_cut_is_bad_wherever(tmp_path: Path, sound: str) -> None:
    text = raw(sound)
    ends = [at for at, byte in enumerate(text) if byte == ord("\n")]

    for end in (len(text) // 2, ends[-2] + 1, ends[0] + 1, ends[0] + 2, len(text) - 2):
        assert verify(tmp_path, text[:end])[0] == 1, end


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"", 2),
        (b"{}\n", 2),
        (b"[1]\n", 1),
        (b"\xff\xfe\n", 1),
        pytest.param(b"[" * 100_000, 1, id="deep"),
        pytest.param(b'{"package": ' + b"9" * 5_000 + b"}\n", 1, id="long"),
    ],
)
def test_what_is_no_package_ends_with_a_message(tmp_path: Path, text: bytes, status: int) -> None:
    assert verify(tmp_path, text)[0] == status


ANYTHING = st.sampled_from(["x", "0", 1, None, True, 10**18, "100.0", -1.5, "…"])


def leaves_of(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands, but for what is wording."""
    for key in range(len(node)) if isinstance(node, list) else node:
        if isinstance(node[key], dict | list) and node[key]:
            yield from leaves_of(node[key], (*path, key)) if key != "explanation" else ()
        else:
            yield (*path, key)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(1, 31), leaf=st.integers(0, 10**6), put=ANYTHING)
def test_whatever_is_put_in_place_of_a_figure_is_found(tmp_path: Path, at: int, leaf: int, put: object) -> None:
    """With all hashes made anew."""
    package = json.loads(write_package())
    paths = list(leaves_of(package[at]["document"]))
    *path, key = paths[leaf % len(paths)]
    node = functools.reduce(operator.getitem, path, package[at]["document"])
    assume(json.dumps(node[key]) != json.dumps(put))
    node[key] = put

    assert verify(tmp_path, seal(package))[0] == verify_place.BAD
