"""The families of worlds: each assumes something else, so that a method cannot be fitted to one of them."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Effects on outcomes are in logits for one standard deviation, unless `is_linear`."""

    name: str
    cadres: int = 800
    regions: int = 10
    units_in_region: int = 4
    peer_groups: int = 3
    caseload: float = 22.0  # the median of issues per cadre
    caseload_spread: float = 0.8
    is_linear: bool = False
    is_heavy_tailed: bool = False
    common: float = 0.7  # how far one quality is behind all skills
    skill: float = 0.65
    region: float = 0.5
    deprivation_shown: float = 0.7  # correlation of the published index with what it stands for
    unit: float = 0.25
    load: float = 0.12
    difficulty: float = 0.9
    mix: float = 1.0  # the smaller, the more one-sided are cadres' cases
    hard_regions: float = 0.3  # regions that are hard also have the harder cases
    hard_to_able: float = 0.0  # able cadres are given the harder cases
    callback: float = 0.25
    app: float = 0.12
    on_site: float = 0.15
    on_site_bonus: float = 0.8
    leniency: float = 0.5
    false_denial: float = 0.04
    rating_noise: float = 1.0
    confirmed: tuple[float, float] = (0.5, 0.9)
    cheats: float = 0.11
    knowing: float = 0.4
    look_alikes: float = 0.12
    other_ways: bool = False  # cheats go about it in ways by which no method was chosen


_BASE: Final = Family(name="base")

FAMILIES: Final = {
    family.name: family
    for family in (
        _BASE,
        replace(_BASE, name="linear", is_linear=True, common=0.5),
        replace(_BASE, name="heavy tails", is_heavy_tailed=True, caseload_spread=1.2, rating_noise=1.5),
        replace(_BASE, name="sparse counties", caseload=7.0, regions=14, units_in_region=4, caseload_spread=0.7),
        replace(_BASE, name="steep regions", region=1.0, hard_regions=0.7, deprivation_shown=0.9, unit=0.15),
        replace(_BASE, name="strong units", unit=0.6, region=0.3, units_in_region=8, common=0.85),
        replace(_BASE, name="one-sided cases", mix=0.25, difficulty=1.3, hard_to_able=0.35),
        replace(_BASE, name="few call-backs", callback=0.08, on_site=0.3, on_site_bonus=1.4, leniency=0.9),
        replace(_BASE, name="one quality", common=1.0, skill=0.5, confirmed=(0.2, 0.6)),
        replace(_BASE, name="busy city", caseload=60.0, cadres=500, load=0.25, skill=0.45),
    )
}
