"""The filters of the lists of scores, which are those of the doors: how a page asks for each, and what it can be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from fastapi import Request

from services.assessment.domain.posts import POST_KINDS
from services.assessment.domain.scores import COMPOSITE_PATTERN
from services.assessment.fair.signals.odds import Check
from services.assessment.handlers.fair_results import Band
from shared.errors import Rejected

OF_SCORES: Final = ("organisation", "peer_group", "post_kind", "flag", "composite_from", "composite_below")
OF_FAIR_SCORES: Final = ("organisation", "peer_group", "post_kind", "band", "flag")
AMOUNTS: Final = ("composite_from", "composite_below")
BANDS: Final[tuple[Band, ...]] = get_args(Band)
FLAGS: Final[tuple[str, ...]] = ("any", "none", *get_args(Check))
LONGEST: Final = 64


class UnknownPostKind(Rejected):
    code = "unknown-post-kind"


class UnknownPeerGroup(Rejected):
    """Of its code the last part is a kind of post."""

    code = "unknown-peer-group"


class UnknownBand(Rejected):
    code = "unknown-band"


class UnknownFlag(Rejected):
    code = "unknown-flag"


class BadComposite(Rejected):
    code = "bad-composite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A filter in the form. `choices` are codes with their words; None where it is typed."""

    name: str
    value: str
    choices: Mapping[str, str] | None
    is_amount: bool = False
    is_day: bool = False


def read_asked(request: Request, names: Sequence[str]) -> dict[str, str]:
    return tidy(request.query_params, names)


def tidy(given: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """What was asked for, without what PostgreSQL has no room for. Nothing chosen is an empty text."""
    return {name: given.get(name, "").replace("\0", "").strip()[:LONGEST] for name in names}


def check_choices(asked: Mapping[str, str], post_kinds: Sequence[str]) -> None:
    """Raises UnknownPostKind, UnknownPeerGroup, UnknownBand, UnknownFlag, BadComposite."""
    known = {*post_kinds, *POST_KINDS["zh"]}
    if asked["post_kind"] and asked["post_kind"] not in known:
        raise UnknownPostKind("there is no such kind of post")
    if asked["peer_group"] and not asked["peer_group"].endswith(tuple(f".{kind}" for kind in known)):
        raise UnknownPeerGroup("there is no such peer group")
    if asked.get("band") and asked["band"] not in BANDS:
        raise UnknownBand("there is no such band")
    if asked["flag"] and asked["flag"] not in FLAGS:
        raise UnknownFlag("there is no such check")
    if not all(re.fullmatch(COMPOSITE_PATTERN, asked[name]) for name in AMOUNTS if asked.get(name)):
        raise BadComposite("a composite is a number from 0 to 100 with at most two places")


def list_fields(
    names: Sequence[str], asked: Mapping[str, str], post_kinds: Sequence[str], texts: Mapping[str, Any]
) -> list[Field]:
    words: dict[str, dict[str, str]] = {
        "post_kind": {code: texts["post_kinds"].get(code, code) for code in post_kinds},
        "band": texts["bands"],
        "flag": {"any": texts["with_signals"], "none": texts["without_signals"], **texts["checks"]},
    }
    if asked["post_kind"] in texts["post_kinds"]:  # though nobody holds one
        words["post_kind"].setdefault(asked["post_kind"], texts["post_kinds"][asked["post_kind"]])
    return [Field(name=name, value=asked[name], choices=words.get(name), is_amount=name in AMOUNTS) for name in names]
