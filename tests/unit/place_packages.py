"""Packages of scores by schemes of places, as the route writes them."""

import contextlib
import hashlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import orjson

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers.place_scores import score_table
from services.assessment.storage.rule_schemes import StoredRuleScheme
from tools import verify_place

Package = list[dict[str, Any]]

CADRES = """
format = 1
name = "county"
version = 2
title = { zh = "县级", en = "County" }
[measures]
response_rate = "response_rate"
on_time = "on_time_closure_rate"
satisfaction = { column = "satisfaction_rate", optional = true }
received = { column = "issues_received", blank = 0 }
kind = { column = "post_kind", type = "text" }
[groups]
by = ["kind"]
[rounding]
items = 2
total = 1
[items.response]
kind = "target_slope"
value = "response_rate"
target = 95
full = 60
slope = 0.75
missing = "rescale"
[items.closed]
name = { zh = "按时办结", en = "Closed on time" }
kind = "best_ratio"
value = "on_time"
full = 30
missing = "zero"
[items.satisfied]
kind = "proportional"
value = "satisfaction"
full = 10
missing = "group_mean"
[total]
ceiling = 95
[[gates]]
when = "received < 5"
effect = "no_rank"
[[grades]]
grade = "优秀"
top = 30
[[grades]]
grade = "称职"
at_least = 60
[[rankings]]
[[flags]]
when = "total < 60"
label = { zh = "黄牌", en = "yellow card" }
[validity]
subjects = "cadre"
from = 2025-01-01
"""
OFFICES = """
format = 1
name = "offices"
version = 1
title = "Offices"
[measures]
composite = "composite"
[items.mark]
kind = "formula"
formula = "composite / 3"
missing = "no_score"
[[rankings]]
ties = "average"
[validity]
subjects = "organisation"
from = 2024-07-01
until = 2025-12-31
"""
PERIOD = {"period": "2025", "kind": "year", "start": "2025-01-01", "end": "2025-12-31"}


def canonical(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def digest(document: object) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def publication(kind: str, number: int, random: Random) -> dict[str, Any]:
    def indicator(key: str, value: object, **more: object) -> dict[str, Any]:
        return {"key": key, "value": value, "band": None, "components": {}, "ratings_at_least": None} | more

    rate = [f"0.{random.randint(7000, 9999)}", "1.0000", None]
    return {
        "subject": {"kind": kind, "code": f"{number:04d}", "name": f"名{number}"},
        "organisation": {"code": "3207", "name": "某县"} if kind == "cadre" else None,
        "peer_group": random.choice(["141.leader", "141.clerk", None]) if kind == "cadre" else None,
        "period": PERIOD,
        "composite": random.choice(["81.25", f"{random.randint(5000, 9999) / 100:.2f}", None]),
        "indicators": [
            indicator("response_rate", random.choice(rate), components={"issues_received": random.randint(0, 40)}),
            indicator("on_time_closure_rate", random.choice(rate)),
            indicator("satisfaction_rate", None, band={"from": "0.80", "to": "0.95"}, ratings_at_least=12)
            if random.random() < 0.6
            else indicator("satisfaction_rate", None),
        ],
    }


def make_lines(text: str, kind: SubjectKind, size: int) -> list[dict[str, Any]]:
    random = Random(size)  # noqa: S311 figures, not secrets
    return lines_of(text, kind, [publication(kind, number, random) for number in range(size)])


def lines_of(text: str, kind: SubjectKind, published: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All whom a scheme scores, as one table in the order of their codes."""
    stored = store(text)
    return [
        {
            "subject_kind": kind,
            "subject_id": str(UUID(int=(at * 7919) % 65_521, version=4)),
            "scheme": {"name": stored.name, "version": stored.version},
            "publication": one,
            "document": orjson.loads(document),
        }
        for at, (one, document) in enumerate(zip(published, score_table(stored, published), strict=True))
    ]


def package_of(text: str, published: list[dict[str, Any]]) -> Package:
    """By one scheme of cadres."""
    lines = sorted(lines_of(text, "cadre", published), key=lambda line: line["subject_id"])
    head = {"package": 1, "period": PERIOD, "schemes": [state(text)], "failed": [], "scored_at": "2026-01-12T02:00:00Z"}
    return seal([head, *lines])


def seal(package: Package) -> Package:
    """As the route writes hashes; and as somebody would who alters a package and knows how."""
    head, *lines = package
    for line in lines:
        line["publication_hash"], line["content_hash"] = digest(line["publication"]), digest(line["document"])
    named = [{key: one[key] for key in ("content_hash", "name", "version")} for one in head["schemes"]]
    rows = [canonical({"period": head["period"]["period"], "schemes": named}).decode()]
    rows += [
        f"{one['subject_kind']} {one['subject_id']} {one['publication_hash']} {one['content_hash']}" for one in lines
    ]
    head["content_hash"] = hashlib.sha256("".join(f"{row}\n" for row in rows).encode()).hexdigest()
    head["score_count"] = len(lines)
    return package


def store(text: str) -> StoredRuleScheme:
    scheme = read_rule_scheme(text)
    return StoredRuleScheme(
        name=scheme.name,
        version=scheme.version,
        document=text,
        content_hash=scheme.content_hash,
        proposed_by="one",
        approved_by="another",
        approved_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


def state(text: str) -> dict[str, Any]:
    stored = store(text)
    return {
        "name": stored.name,
        "version": stored.version,
        "document": text,
        "content_hash": stored.content_hash.hex(),
    }


def make_package() -> Package:
    lines = make_lines(CADRES, "cadre", 24) + make_lines(OFFICES, "organisation", 7)
    lines.sort(key=lambda line: (line["subject_kind"], line["subject_id"]))
    head = {
        "package": 1,
        "period": PERIOD,
        "schemes": [state(CADRES), state(OFFICES)],
        "failed": ["village-3"],
        "scored_at": "2026-01-12T02:00:00Z",
    }
    return seal([head, *lines])


def replace_scheme(package: Package, at: int, text: str) -> None:
    """As it would be had it been agreed to so: the scores are the same."""
    package[0]["schemes"][at] = state(text)
    for line in package[1:]:
        if line["scheme"]["name"] == package[0]["schemes"][at]["name"]:
            line["document"]["scheme"]["content_hash"] = package[0]["schemes"][at]["content_hash"]


def verify(tmp_path: Path, package: Package | bytes, *options: str) -> tuple[int, str]:
    """In this process: what it does not expect would come out as it is."""
    file = tmp_path / "period.jsonl"
    text = package if isinstance(package, bytes) else "".join(json.dumps(line) + "\n" for line in package).encode()
    file.write_bytes(text)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = verify_place.main([str(file), *options])
    return status, said.getvalue()
