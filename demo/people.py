"""The cadres of the county, what each is like, and the dated posts they hold, transfers included."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random

from demo import chance, names, workdays
from demo.places import County, Organisation

POST_LEVELS = {
    "county_leader": "132",
    "department_head": "141",
    "department_deputy": "142",
    "township_secretary": "141",
    "township_head": "141",
    "township_deputy": "142",
    "village_secretary": "150",
    "section_member": "150",
}
PRINCIPAL_LEADER_LEVEL = "131"
COUNTY_LEADERS = 24
DEPUTIES_IN_A_TOWNSHIP = 4
DEPARTMENT_DEPUTIES = 46
SECTION_MEMBERS = 35
ROTATIONS = 6
PROMOTIONS = 3
MOST_APART = 1.0
# Changes of office come in waves, after the meetings of spring, summer and autumn.
TRANSFER_DAYS = ((3, 17), (4, 21), (6, 16), (7, 7), (9, 15))  # of the last full year, or the working day after
PROMOTION_LADDER = ("section_member", "township_deputy", "township_head", "department_head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    staff_number: str
    organisation: Organisation
    kind: str
    level: str
    from_on: date
    until_on: date | None = None
    contact_point: str = ""  # code of the township that the holder looks after

    def holds_on(self, day: date) -> bool:
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadre:
    """The three traits are latent: 0 is ordinary, 1 is clearly better. Only their consequences are written."""

    staff_number: str
    name: str
    diligence: float  # does what contact the post owes
    promptness: float  # answers and closes early
    skill: float  # solves, and leaves people content
    writes_up_late: bool  # records its contacts in one go at the end of the week


@dataclass(slots=True, kw_only=True)
class Roster:
    year: int  # in which some are transferred
    cadres: dict[str, Cadre] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)

    def holders(self, kind: str) -> list[int]:
        """Positions in `posts` of those of this kind that nobody has left or taken over during the year yet."""
        return [
            position
            for position, post in enumerate(self.posts)
            if post.kind == kind and post.until_on is None and post.from_on.year < self.year
        ]

    def draw_transfer_day(self, random: Random) -> date:
        month, day = random.choice(TRANSFER_DAYS)
        return workdays.add_working_days(date(self.year, month, day) - timedelta(days=1), 1)


def build_roster(random: Random, county: County, scale: float, year: int) -> Roster:
    roster = Roster(year=year)
    unused = names.unique_names(random)
    for number, (kind, organisation) in enumerate(_places_to_fill(random, county, scale), start=1):
        cadre = _invent(random, f"AL{number:05}", next(unused))
        roster.cadres[cadre.staff_number] = cadre
        roster.posts.append(
            Post(
                staff_number=cadre.staff_number,
                organisation=organisation,
                kind=kind,
                level=PRINCIPAL_LEADER_LEVEL if number <= 2 else POST_LEVELS[kind],
                from_on=date(year - 7 + random.randint(1, 6), random.randint(1, 12), 1),
                contact_point=random.choice(county.townships).code,
            )
        )
    for _ in range(max(1, round(PROMOTIONS * scale))):
        _promote(random, roster)
    for _ in range(max(1, round(ROTATIONS * scale))):
        _rotate(random, roster, random.choice(("township_deputy", "department_deputy", "village_secretary")))
    roster.posts.sort(key=lambda post: (post.staff_number, post.from_on))
    return roster


def _places_to_fill(random: Random, county: County, scale: float) -> Iterator[tuple[str, Organisation]]:
    departments = list(county.departments.values())
    for _ in range(max(3, round(COUNTY_LEADERS * scale))):
        yield "county_leader", county.root
    for department in departments:
        yield "department_head", department
    for position in range(max(len(departments), round(DEPARTMENT_DEPUTIES * scale))):
        yield "department_deputy", departments[position % len(departments)]
    for township in county.townships:
        yield "township_secretary", township
        yield "township_head", township
        for _ in range(DEPUTIES_IN_A_TOWNSHIP):
            yield "township_deputy", township
        for village in county.villages[township.code]:
            yield "village_secretary", village
    for _ in range(max(2, round(SECTION_MEMBERS * scale))):
        yield "section_member", random.choice(departments[: len(departments) // 2 + 1])


def _invent(random: Random, staff_number: str, name: str) -> Cadre:
    """The traits hang together, but loosely: a diligent visitor need not be a good solver."""
    quality = random.gauss(0, 0.6)
    return Cadre(
        staff_number=staff_number,
        name=name,
        diligence=_trait(random, quality),
        promptness=_trait(random, quality),
        skill=_trait(random, quality),
        writes_up_late=chance.happens(random, 0.15),
    )


def _trait(random: Random, quality: float) -> float:
    """Nobody is a prodigy or a scandal: who is so by chance would look odd to the checks of honesty."""
    return chance.clamp(quality + random.gauss(0, 0.6), -MOST_APART, MOST_APART)


def _rotate(random: Random, roster: Roster, kind: str) -> None:
    """Two holders of the same kind of post change places."""
    first = random.choice(roster.holders(kind))
    home = roster.posts[first].organisation.code
    others = [other for other in roster.holders(kind) if roster.posts[other].organisation.code != home]
    if not others:
        return
    second = random.choice(others)
    day = roster.draw_transfer_day(random)
    one, two = roster.posts[first], roster.posts[second]
    _succeed(roster, position=first, successor=two.staff_number, day=day)
    _succeed(roster, position=second, successor=one.staff_number, day=day)


def _promote(random: Random, roster: Roster) -> None:
    """A department head retires, and three people each move one rung up."""
    day = roster.draw_transfer_day(random)
    chain = [random.choice(roster.holders(kind)) for kind in PROMOTION_LADDER]
    for junior, senior in pairwise(chain):
        _succeed(roster, position=senior, successor=roster.posts[junior].staff_number, day=day)
    _end(roster, chain[0], day)


def _succeed(roster: Roster, *, position: int, successor: str, day: date) -> None:
    """Ends the post, and gives the same post to the successor from that day on."""
    ended = roster.posts[position]
    _end(roster, position, day)
    roster.posts.append(replace(ended, staff_number=successor, from_on=day, until_on=None))


def _end(roster: Roster, position: int, day: date) -> None:
    roster.posts[position] = replace(roster.posts[position], until_on=day - timedelta(days=1))
