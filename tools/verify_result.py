"""Compute published results again from an exported package, without the suite: say whether they are what was published.

    python3 verify_result.py PACKAGE.json              one cadre's or organisation's result
    python3 verify_result.py PERIOD.jsonl              a whole closed period, every result and the hash over all of them
    python3 verify_result.py FILE --hash HEX           and hold it against a hash that you know from elsewhere

A package is what GET /v1/published/scores/{cadre or organisation}/CODE/package?period=PERIOD answers; a period is what
GET /v1/closed-periods/PERIOD/package answers. Both have the scheme, the definitions of its indicators, the inputs, the
result and the hashes. The hash of a period also stands in the audit chain, in the record of its closing: keep it
yourself, since hashes that lie beside the figures prove only that they belong together.

It needs Python 3.11 and nothing else, and shares no line with the suite: docs/periods.md says how a result is made.
Ends with 0: sound, 1: bad, 2: could not be checked.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

SOUND, BAD, UNCHECKED = 0, 1, 2
BEHIND = {
    "resolved": "solved", "denied": "solved", "ratings": "level", "satisfied": "level", "rating_level_sum": "level",
    "attitude_answers": "attitude", "attitude_satisfied": "attitude", "speed_answers": "speed",
    "speed_satisfied": "speed",
}  # fmt: skip
FORM = {
    "normalisation": "proportional", "missing_data": "rescale", "rounding_stage": "composite", "value_places": 4,
    "points_places": 2,
}  # fmt: skip
Json = dict[str, Any]


class Bad(Exception):
    """A result is not what comes out of its inputs, or a hash does not fit. The message names the place."""


class Unchecked(Exception):
    """Something that is needed for an answer is not there or not known here."""


def canonical(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def hash_of(document: object) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def check_scheme(scheme: Json) -> Json:
    """Return the definition. Raises Bad, Unchecked."""
    definition: Json = scheme["definition"]
    label = f"scheme {scheme['name']} {scheme['version']}"
    if hash_of(definition) != scheme["content_hash"]:
        raise Bad(f"{label}: the definition was altered: its hash does not fit")
    if (definition["name"], definition["version"]) != (scheme["name"], scheme["version"]):
        raise Bad(f"{label}: the definition is of {definition['name']} {definition['version']}")
    for field, known in FORM.items():
        if definition.get(field) != known:
            raise Unchecked(f"scheme {scheme['name']}: how it computes ({field}) is not known to this program")
    return definition


def check_publication(line: Json, scheme: Json, definition: Json) -> bool:
    """Return whether it was computed again: before inputs were kept there is nothing to compute from. Raises Bad."""
    inputs, document = line["inputs"], line["document"]
    subject = f"{document['subject']['kind']} {document['subject']['code']}"
    if hash_of(document) != line["content_hash"]:
        raise Bad(f"{subject}: the result was altered: its hash does not fit")
    if inputs is None:
        return False
    if hash_of(inputs) != line["inputs_hash"]:
        raise Bad(f"{subject}: the inputs were altered: their hash does not fit")
    if inputs["scheme"]["definition_hash"] != scheme["content_hash"]:
        raise Bad(f"{subject}: it was computed with another scheme than the one in the package")
    computed = compute(inputs, definition)
    for field in sorted(document.keys() | computed.keys()):
        published, found = (canonical(one[field]) if field in one else None for one in (document, computed))
        if published != found:
            raise Bad(f"{subject}: {field} is published as {document.get(field)!r}, and is {computed.get(field)!r}")
    return True


def compute(inputs: Json, definition: Json) -> Json:
    """The publication that these inputs make."""
    keys = definition["order"]
    rules = {key: definition["indicators"][key] for key in keys}
    withheld = {key for key in keys if is_withheld(rules[key]["definition"], inputs)}
    middle = read_measures(inputs, "middle")
    points: dict[str, Decimal] = {}
    weights: dict[str, Fraction] = {}
    present_weight = Decimal(0)
    if not withheld:
        present = [key for key in keys if parts(rules[key], middle)[1] >= rules[key]["minimum_denominator"]]
        present_weight = sum((Decimal(rules[key]["weight"]) for key in present), Decimal(0))
        if present and present_weight >= Decimal(definition["minimum_present_weight"]):
            weights = {key: Fraction(rules[key]["weight"]) * 100 / Fraction(present_weight) for key in present}
            exact = [Fraction(*parts(rules[key], middle)) * weights[key] for key in present]
            points = dict(zip(present, settle(exact, 2), strict=True))
    composite = sum(points.values(), Decimal(0)) if points else None
    return {
        "subject": {name: inputs["subject"][name] for name in ("kind", "code", "name")},
        "organisation": inputs["organisation"],
        "peer_group": inputs["peer_group"],
        "period": inputs["period"],
        "scheme": {"name": definition["name"], "version": definition["version"]},
        "composite": fixed(composite, 2),
        "present_weight": None if withheld else fixed(present_weight, 4),
        "withheld": "too_few_ratings" if withheld else ("not_enough_evidence" if composite is None else None),
        "indicators": [
            describe(key, rules[key], inputs, None if withheld else (points.get(key), weights.get(key, Fraction(0))))
            for key in keys
        ],
    }


def describe(key: str, rule: Json, inputs: Json, counted: tuple[Decimal | None, Fraction] | None) -> Json:
    definition = rule["definition"]
    shown = [*definition["numerator"], *definition["denominator"], *definition["components"]]
    components = {name: inputs["measures"].get(name, 0) for name in shown if name not in BEHIND}
    if {"resolved", "denied"} & set(shown):
        components["closed_as_resolved"] = inputs["measures"]["closed_as_resolved"]
    shape: Json = {
        "key": key, "value": None, "band": None, "numerator": None, "denominator": None, "ratings_at_least": None,
        "withheld": None, "components": components,
        "points": fixed(counted[0], 2) if counted else None,
        "weight": fixed(half_up(counted[1], 4), 4) if counted else None,
    }  # fmt: skip
    if is_withheld(definition, inputs):
        return shape | {"withheld": "too_few_ratings"}
    questions = read_questions(definition)
    if not questions:
        numerator, denominator = parts(rule, read_measures(inputs, "middle"))
        value = half_up(Fraction(numerator, denominator), 4) if denominator else None
        return shape | {"value": fixed(value, 4), "numerator": int(numerator), "denominator": int(denominator)}
    shape["ratings_at_least"] = min(inputs["told"][question]["answers"] for question in questions)
    ends = []
    for reading in ("lowest", "highest"):
        numerator, denominator = parts(rule, read_measures(inputs, reading))
        ends.append(half_up(Fraction(numerator) / Fraction(denominator), 4) if denominator else None)
    low, high = sorted(ends, key=lambda end: end or Decimal(0))
    if low == high:
        return shape | {"value": fixed(low, 4)}
    return shape | {"band": {"from": fixed(low, 4), "to": fixed(high, 4)}}


def read_questions(definition: Json) -> set[str]:
    read = {BEHIND[name] for name in (*definition["numerator"], *definition["denominator"]) if name in BEHIND}
    return read | set(definition.get("reads_ratings", []))


def is_withheld(definition: Json, inputs: Json) -> bool:
    levels = "rating_level_sum" in (*definition["numerator"], *definition["denominator"])
    return levels or not read_questions(definition) <= inputs["told"].keys()


def read_measures(inputs: Json, reading: str) -> dict[str, Fraction]:
    """What the office did as it is, and ratings as they were told: rounded, and in bands."""
    measures = {name: Fraction(amount) for name, amount in inputs["measures"].items()}
    told = inputs["told"]
    if "level" in told:
        ratings = Fraction(told["level"]["answers"])
        measures |= {"ratings": ratings, "satisfied": Fraction(told["level"][reading]) * ratings}
    if "solved" in told:
        claimed = measures["closed_as_resolved"]
        denied = min(claimed, (1 - Fraction(told["solved"][reading])) * told["solved"]["answers"])
        measures |= {"denied": denied, "resolved": claimed - denied}
    return measures


def parts(rule: Json, measures: dict[str, Fraction]) -> tuple[Fraction, Fraction]:
    definition = rule["definition"]
    numerator, denominator = (
        sum((measures.get(name, Fraction(0)) for name in definition[side]), Fraction(0))
        for side in ("numerator", "denominator")
    )
    return numerator, denominator


def half_up(exact: Fraction, places: int) -> Decimal:
    scaled = exact * 10**places
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    return Decimal(whole + (2 * rest >= scaled.denominator)).scaleb(-places)


def settle(exact: Sequence[Fraction], places: int) -> list[Decimal]:
    """Round down, then give what is missing to the largest remainders, the first among equals."""
    scaled = [part * 10**places for part in exact]
    units = [int(part) for part in scaled]
    missing = int(half_up(sum(scaled, Fraction(0)), 0)) - sum(units)
    order = sorted(range(len(units)), key=lambda place: (units[place] - scaled[place], place))
    for place in order[:missing]:
        units[place] += 1
    return [Decimal(unit).scaleb(-places) for unit in units]


def fixed(value: Decimal | None, places: int) -> str | None:
    return None if value is None else f"{value:.{places}f}"


def check_period(head: Json, lines: Iterator[Json]) -> int:
    """Return how many publications there are. Raises Bad, Unchecked."""
    scheme = head["scheme"]
    definition = check_scheme(scheme)
    named = {"name": scheme["name"], "version": scheme["version"], "definition_hash": scheme["content_hash"]}
    first = {"period": head["period"]["period"], "scheme": named, "parameters": head["parameters"]}
    total = hashlib.sha256(canonical(first) + b"\n")
    count, unfrozen, last, codes = 0, 0, ("", ""), set()
    for line in lines:
        unfrozen += not check_publication(line, scheme, definition)
        place = check_whose(line, head["period"])
        code = (place[0], line["document"]["subject"]["code"])
        if place <= last or code in codes:
            raise Bad(f"{' '.join(code)}: stands here twice, or in another place")
        codes.add(code)
        last, count = place, count + 1
        total.update(f"{' '.join(place)} {line['inputs_hash'] or '-'} {line['content_hash']}\n".encode())
    if count != head["publication_count"]:
        raise Bad(f"the period: {head['publication_count']} publications belong to it, and {count} are here")
    if total.hexdigest() != head["content_hash"]:
        raise Bad("the period: its hash does not fit what is here")
    if unfrozen:
        raise Unchecked(
            f"the hashes fit, but {unfrozen} of {count} publications are from before inputs were kept: "
            "these cannot be computed again"
        )
    return count


def check_whose(line: Json, period: Json) -> tuple[str, str]:
    """Return the kind and the id, once what stands there is of these and of this period. Raises Bad."""
    kind, subject_id, subject = line["subject_kind"], line["subject_id"], line["document"]["subject"]
    inputs = line["inputs"]
    if subject["kind"] != kind or (inputs is not None and inputs["subject"]["id"] != subject_id):
        raise Bad(f"{kind} {subject_id}: what stands here is somebody else's")
    if line["document"]["period"] != period:
        raise Bad(f"{kind} {subject_id}: is of another period")
    return kind, subject_id


def read_lines(file: Path) -> Iterator[Json]:
    with file.open(encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            try:
                document = json.loads(line, object_pairs_hook=without_repeats)
            except (ValueError, RecursionError) as error:
                raise Bad(f"line {number}: is not JSON: {error}") from None
            if not isinstance(document, dict):
                raise Bad(f"line {number}: is no package")
            yield document


def without_repeats(pairs: list[tuple[str, Any]]) -> Json:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def run(file: Path, expected: str | None) -> str:
    lines = read_lines(file)
    head = next(lines, None)
    if head is not None and head.get("package") == "fair-1":
        raise Unchecked("this is of the fair scheme: verify_fair.py, beside this program, computes that again")
    if head is None or head.get("package") != 1:
        raise Unchecked("this is no package, or of a form that is not known here")
    if expected is not None and head["content_hash"] != expected:
        raise Bad(f"the hash is {head['content_hash']}, and not the one that you know")
    if "publication_count" in head:
        return f"{check_period(head, lines)} publications of {head['period']['period']}, {head['content_hash']}"
    if not check_publication(head, head["scheme"], check_scheme(head["scheme"])):
        raise Unchecked("the result has no inputs to compute it from")
    if next(lines, None) is not None:
        raise Bad("line 2: more stands behind the package")
    subject = head["document"]["subject"]
    return f"{subject['kind']} {subject['code']} {head['document']['period']['period']}, {head['content_hash']}"


def say(word: str, lines: Sequence[str]) -> None:
    """Nothing that stands in a package begins a line, moves a cursor, or cannot be written."""
    clean = ("".join(one if one.isprintable() else ascii(one)[1:-1] for one in line) for line in lines)
    text = f"{word} {chr(10).join(clean)}\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the exported package")
    parser.add_argument("--hash", help="the hash that you know from elsewhere")
    options = parser.parse_args(arguments)
    try:
        found = run(options.file, options.hash)
    except Bad as error:
        say("BAD", [str(error)])
        return BAD
    except (Unchecked, OSError) as error:
        say("NOT CHECKED", [str(error)])
        return UNCHECKED
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, ArithmeticError, RecursionError) as error:
        say("BAD", [f"the package is broken: {type(error).__name__}: {error}"])
        return BAD
    say("SOUND", [found])
    return SOUND


if __name__ == "__main__":
    sys.exit(main())
