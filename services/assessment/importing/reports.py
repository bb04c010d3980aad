"""What a simulation found, as text for people and as a table of who moves."""

from collections.abc import Iterator

from services.assessment.importing.sheets import write
from services.assessment.scoring import groups
from services.assessment.scoring.explaining import Language
from services.assessment.scoring.numbers import round_to, show
from services.assessment.scoring.simulating import Saturation, Separation, Simulation
from services.assessment.scoring.workspace import Number

PLACES = 2
TOLD = 10

WORDS: dict[str, dict[Language, str]] = {
    "moves": {
        "zh": "{compared} 个对象可比，{rising} 升 {falling} 降，{same} 不变；平均变动 {mean}，名次平均移动 {places}",
        "en": "{compared} subjects compared: {rising} up, {falling} down, {same} as before; "
        "mean change {mean}, places moved on average {places}",
    },
    "most": {"zh": "变动最大：", "en": "those who move most:"},
    "mover": {
        "zh": "  {subject}：{before} → {after}（{change}），名次 {was} → {now}",
        "en": "  {subject}: {before} -> {after} ({change}), place {was} -> {now}",
    },
    "group": {
        "zh": "{column} {value}：{subjects} 个，平均变动 {mean}，平均升 {climb} 名，{rising} 升 {falling} 降",
        "en": "{column} {value}: {subjects}, mean change {mean}, mean climb {climb}, {rising} up, {falling} down",
    },
    "saturation": {
        "zh": "{key}：满分 {ceiling}，触底 {floor}（共 {subjects}）",
        "en": "{key}: {ceiling} at the ceiling, {floor} at the floor, of {subjects}",
    },
    "separation": {
        "zh": "{scored} 个得分，{distinct} 个不同，{tied} 个并列；标准差 {spread}，中间一半跨度 {half}；"
        "名次区间平均 {interval}，相邻分不开 {unclear}",
        "en": "{scored} totals, {distinct} different, {tied} tied; standard deviation {spread}, middle half {half}; "
        "mean place interval {interval}, neighbours that cannot be told apart {unclear}",
    },
    "before": {"zh": "原方案", "en": "before"},
    "after": {"zh": "新方案", "en": "after"},
}


def report(found: Simulation, language: Language) -> list[str]:
    """Line by line: who moves, by which groups, what saturates, what can still be told apart."""
    return [*_tell_moves(found, language), *_tell_groups(found, language), *_tell_scales(found, language)]


def lay_out_moves(found: Simulation) -> Iterator[list[str]]:
    yield ["subject", "period", "before", "after", "change", "place_before", "place_after", "climbs"]
    for one in found.movements:
        numbers = (one.before, one.after, one.change, one.place_before, one.place_after, one.climbs)
        yield [write(one.subject), write(one.period), *(write(number) for number in numbers)]


def _tell_moves(found: Simulation, language: Language) -> list[str]:
    changes = [change for one in found.movements if (change := one.change) is not None]
    climbs = [abs(climb) for one in found.movements if (climb := one.climbs) is not None]
    head = WORDS["moves"][language].format(
        compared=len(changes),
        rising=sum(change > 0 for change in changes),
        falling=sum(change < 0 for change in changes),
        same=sum(change == 0 for change in changes),
        mean=_short(groups.mean(changes)),
        places=_short(groups.mean(climbs)),
    )
    movers = sorted(
        (one for one in found.movements if one.change), key=lambda one: (-abs(one.change or 0), one.subject, one.period)
    )
    lines = [
        WORDS["mover"][language].format(
            subject=f"{one.subject} {one.period}".rstrip(),
            before=_short(one.before),
            after=_short(one.after),
            change=_short(one.change, is_signed=True),
            was=write(one.place_before),
            now=write(one.place_after),
        )
        for one in movers[:TOLD]
    ]
    return [head, *([WORDS["most"][language], *lines] if lines else [])]


def _tell_groups(found: Simulation, language: Language) -> list[str]:
    return [
        WORDS["group"][language].format(
            column=one.column,
            value=one.value or "-",
            subjects=one.subjects,
            mean=_short(one.mean_change, is_signed=True),
            climb=_short(one.mean_climb, is_signed=True),
            rising=one.rising,
            falling=one.falling,
        )
        for one in found.by_group
    ]


def _tell_scales(found: Simulation, language: Language) -> list[str]:
    lines = []
    sides = (
        ("before", found.saturation_before, found.separation_before),
        ("after", found.saturation_after, found.separation_after),
    )
    for side, saturation, separation in sides:
        lines.append(f"{WORDS[side][language]}: {_tell_separation(separation, language)}")
        lines += [f"  {_tell_saturation(one, language)}" for one in saturation]
    return lines


def _tell_saturation(one: Saturation, language: Language) -> str:
    words = WORDS["saturation"][language]
    return words.format(key=one.key, ceiling=one.at_ceiling, floor=one.at_floor, subjects=one.subjects)


def _tell_separation(one: Separation, language: Language) -> str:
    return WORDS["separation"][language].format(
        scored=one.scored,
        distinct=one.distinct,
        tied=one.tied,
        spread=_short(one.spread),
        half=_short(one.middle_half),
        interval=_short(one.mean_interval),
        unclear=one.unclear_neighbours,
    )


def _short(value: Number, *, is_signed: bool = False) -> str:
    if value is None:
        return "-"
    text = show(round_to(value, PLACES), PLACES)
    return f"+{text}" if is_signed and value > 0 else text
