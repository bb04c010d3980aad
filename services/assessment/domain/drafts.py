"""A scheme of indicators as the text of a scheme file: what an officer changes and tries."""

import json
from collections.abc import Iterable
from typing import Final

from services.assessment.domain.schemes import Indicator, Scheme

# Of what ratings change publications tell this sum alone.
TOLD_AS: Final = {"resolved": "closed_as_resolved", "denied": "closed_as_resolved"}


def write_draft(scheme: Scheme) -> str:
    """Each indicator an item of its weight, in proportion to its rate; what has too few cases is made up for."""
    counts = dict.fromkeys(count for indicator in scheme.indicators for count in _cases(indicator))
    lines = [
        "format = 1",
        f"name = {_quoted(scheme.name)}",
        f"version = {scheme.version}",
        *_names("title", scheme.title),
        "",
        "[measures]",
        *(
            f'{indicator.key}_percent = {{ column = "{indicator.key}", optional = true }}'
            for indicator in scheme.indicators
        ),
        *(f"{count} = {{ optional = true }}" for count in counts),
    ]
    for indicator in scheme.indicators:
        lines += [
            "",
            f"[items.{indicator.key}]",
            *_names("name", indicator.name),
            'kind = "proportional"',
            f'value = "{indicator.key}_percent"',
            f"full = {indicator.weight.normalize():f}",
            'floor = "none"',
            'ceiling = "none"',
            f'when = "{" + ".join(_cases(indicator))} >= {indicator.minimum_denominator}"',
            'missing = "rescale"',
        ]
    return "\n".join(
        [
            *lines,
            "",
            "[total]",
            f"round = {scheme.points_places}",
            f"minimum_present = {scheme.minimum_present_weight.normalize():f}",
            "",
        ]
    )


def _cases(indicator: Indicator) -> Iterable[str]:
    return dict.fromkeys(TOLD_AS.get(name, name) for name in indicator.denominator)


def _names(key: str, names: dict[str, str]) -> list[str]:
    return [f"{key}.{language} = {_quoted(text)}" for language, text in names.items()]


def _quoted(text: str) -> str:
    """TOML's basic strings take every escape that JSON writes."""
    return json.dumps(text, ensure_ascii=False)
