# ruff: noqa: E501 - the grid is read across
"""Who may do what, and to what lies where: written down as it was asked for, and not read from the product's policy."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from shared.access.principal import Role

# Where an object lies, seen from somebody whose grant is an organisation: in it, one's own or a colleague's; below it;
# beside it; above it; in another province; nowhere; about somebody whose processing is restricted; complaining of the
# one who asks.
Place = Literal["own", "colleague", "below", "beside", "above", "elsewhere", "unknown", "restricted", "subject"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
ROLES: Final[tuple[Role, ...]] = get_args(Role)

# in: objects of the granted organisation and below it. below: those below it alone, since one's own unit's are one's own
# work. self: the records of the acting cadre alone. yes: the action
# knows no object. +up: the units above one's own as well, which are no secret; who sees a unit of one's own sees all of
# it. all: only with a grant that holds everywhere, which nobody here has. -: never.
WITHIN: Final = frozenset[Place]({"own", "colleague", "below"})
ANYWHERE: Final = WITHIN | frozenset[Place]({"beside", "above", "elsewhere"})
MEANINGS: Final[Mapping[str, frozenset[Place] | None]] = {
    "-": None,
    "all": None,
    "below": frozenset[Place]({"below"}),
    "in": WITHIN,
    "in+up": WITHIN | frozenset[Place]({"above"}),
    "self": frozenset[Place]({"own"}),
    "self+up": frozenset[Place]({"own", "colleague", "above"}),
    "yes": ANYWHERE,
}

GRID: Final = """
action                     clerk cadre unit_head department_officer approver auditor security_administrator operations machine_client
describe the interface     yes   yes   yes       yes                yes      yes     yes                    -          yes
read the audit             -     yes   -         -                  -        yes     yes                    -          -
look at retention          -     -     -         all                all      yes     yes                    -          -
agree to a period          -     -     -         all                all      -       -                      -          -
hold an object             -     -     -         all                all      -       -                      -          -
release what is held       -     -     -         -                  all      -       -                      -          -
record a contact           in    self  -         in                 -        -       -                      -          in
send a batch of contacts   yes   yes   -         yes                -        -       -                      -          yes
correct a contact          in    self  -         in                 -        -       -                      -          in
review a contact           -    -     -         in                 -        -       -                      -          -
list reviews of contacts   -    -     -         in                 -        -       -                      -          -
read a contact             in    self  -         in                 in       -       -                      -          in
receive an issue           in    -     -         -                  -        -       -                      -          in
read an issue              in    self  -         in                 in       -       -                      -          in
list issues                in    self  -         in                 in       -       -                      -          in
take a step of an issue    in    -     -         -                  -        -       -                      -          in
announce a consultation    in    -     -         in                 -        -       -                      -          -
answer a consultation      -     -     in        in                 -        -       -                      -          -
enter an opinion           in    -     -         -                  -        -       -                      -          -
read opinions              in    -     in        in                 -        -       -                      -          -
decide a suggestion        in    -     in        -                  -        -       -                      -          -
offer a reception day      in    -     -         -                  -        -       -                      -          in
hold a reception day       in    self  -         -                  -        -       -                      -          -
read who has booked        in    self  -         -                  -        -       -                      -          -
work on an issue           in    self  -         -                  -        -       -                      -          in
arrange help and urgency   in    -     -         in                 -        -       -                      -          in
object to a dispatch       in    -     -         -                  -        -       -                      -          -
decide on an objection     -     -     -         in                 in       -       -                      -          -
ask for an extension       in    self  -         -                  -        -       -                      -          -
decide on an extension     -     -     -         in                 in       -       -                      -          -
take an ending back        in    -     -         in                 -        -       -                      -          in
ask to leave an issue out  in    -     -         -                  -        -       -                      -          -
decide to leave it out     -     -     -         in                 in       -       -                      -          -
supervise an issue         -     -     -         in                 in       -       -                      -          -
escalate an issue          in    -     -         in                 -        -       -                      -          in
read the clock rules       yes   yes   yes       yes                yes      -       -                      -          yes
ask for a clock rule       -     -     -         all                -        -       -                      -          -
read asked clock rules     -     -     -         all                all      yes     -                      -          -
agree to a clock rule      -     -     -         -                  all      -       -                      -          -
reveal a citizen           in    -     -         in                 -        -       -                      -          -
propose about citizens     -     -     -         in                 -        -       -                      -          -
read such a proposal       -     -     -         in                 in       -       -                      -          -
decide such a proposal     -     -     -         -                  in       -       -                      -          -
fetch a list of citizens   -     -     -         in                 -        -       -                      -          -
disclose a citizen's data  -     -     -         in                 -        -       -                      -          -
submit a rating            -     -     -         -                  -        -       -                      -          in
issue a rating link        -     -     -         -                  -        -       -                      -          in
say if a citizen is told   in    -     -         in                 -        -       -                      -          in
look at messages told      in    -     -         in                 -        -       -                      -          -
list messages told         yes   -     -         yes                -        -       -                      -          -
send a message again       -     -     -         in                 -        -       -                      -          -
call back                  below -     -         below              -        -       -                      -          -
read what to call about    yes   -     -         yes                -        -       -                      -          -
read who was not asked     yes   -     -         yes                -        -       -                      -          yes
read participation         -     -     -         below              below    yes     -                      -          -
draw a sample              -     -     -         below              -        -       -                      -          -
read a sample              -     -     -         in                 in       yes     -                      -          -
open a counter             -     -     -         -                  -        -       -                      -          in
open a case on a rating    -     -     -         below              -        -       -                      -          -
read cases on ratings      -     -     -         in                 in       yes     -                      -          -
decide a case on a rating  -     -     -         in                 in       -       -                      -          -
read comments of raters    -     -     -         yes                yes      -       -                      -          -
flag a comment             -     -     -         in                 in       -       -                      -          -
handle a comment           -     -     -         in                 -        -       -                      -          -
follow the changes         -     -     -         yes                -        -       -                      -          yes
publish an issue           -     -     -         in                 -        -       -                      -          -
file over Open311          -     -     -         -                  -        -       -                      -          yes
look at what is public     yes   yes   yes       yes                yes      yes     yes                    yes        yes
rate by a link             yes   yes   yes       yes                yes      yes     yes                    yes        yes
read an organisation       in+up self+up in+up   in+up              in+up    -       -                      -          in+up
list organisations         in+up self+up in+up   in+up              in+up    -       -                      -          in+up
read a cadre               in    self  in        in                 in       -       -                      -          in
read a career              -     -     -         all                -        -       -                      -          -
match persons of rosters   all   -     -         all                -        -       -                      -          -
list cadres                in    self  in        in                 in       -       -                      -          in
read the house's lists     yes   yes   yes       yes                yes      -       -                      -          yes
check a channel            in    -     -         in                 -        -       -                      -          in
read checks of a channel   in    -     in        in                 in       -       -                      -          in
read a household           in    self  -         in                 -        -       -                      -          -
list households            in    self  -         in                 -        -       -                      -          -
register a household       in    -     -         -                  -        -       -                      -          in
export a register          in    -     -         in                 -        -       -                      -          in
ask for a large export     -     -     -         in                 -        -       -                      -          -
read asked exports         -     -     -         yes                yes      yes     -                      -          -
agree to a large export    -     -     -         -                  in       -       -                      -          -
fetch a large export       -     -     -         in                 -        -       -                      -          -
write the registers        all   -     -         -                  -        -       -                      -          all
run an import              yes   -     -         -                  -        -       -                      -          yes
look at imports            yes   -     -         all                -        -       -                      -          yes
read a score               -     -       -         in                 in       yes     -                      -          -
list scores                -     -       -         in                 in       yes     -                      -          -
export scores              -     -     -         yes                -        yes     -                      -          -
read a signal              -     -       -         in                 in       yes     -                      -          -
list signals               -     -       -         in                 in       yes     -                      -          -
decide on a signal         -     -       -         in                 in       -       -                      -          -
read the periods           -     -     -         yes                yes      yes     -                      -          -
ask for a period           -     -     -         all                -        -       -                      -          -
replay a period            -     -     -         -                  -        yes     -                      -          -
list published cadres      -     self    -         in                 in       yes     -                      -          in
read a published cadre     -     self    -         in                 in       yes     -                      -          in
list published units       -     -       in        in                 in       yes     -                      -          in
read a published unit      -     -       in        in                 in       yes     -                      -          in
read the schemes           -     yes   yes       yes                yes      yes     -                      -          yes
propose a scheme           -     -     -         all                -        -       -                      -          -
decide on a scheme         -     -     -         -                  all      -       -                      -          -
read proposals of schemes  -     -     -         all                all      yes     -                      -          -
try a scheme               -     -     -         yes                yes      yes     -                      -          -
watch the indicators       -     -     -         yes                yes      yes     -                      -          -
put a subscription         -     -     -         in                 -        -       -                      -          -
list subscriptions         -     -     -         in                 -        yes     -                      -          in
read messages              -     -     -         in                 -        -       -                      -          -
mark a message as read     -     -     -         in                 -        -       -                      -          -
read a unit's preferences  -     -     in        in                 -        yes     -                      -          -
set a unit's preferences   -     -     in        in                 -        -       -                      -          -
read wordings              -     -     -         all                all      yes     -                      -          -
try a wording              -     -     -         all                all      -       -                      -          -
write a wording            -     -     -         all                -        -       -                      -          -
put a wording into force   -     -     -         -                  all      -       -                      -          -
look at deliveries         -     -     -         yes                -        yes     -                      -          yes
inspect a delivery         -     -     -         in                 -        yes     -                      -          -
send a delivery again      -     -     -         in                 -        -       -                      -          -
propose an agreement       -     -     -         in                 -        -       -                      -          -
read agreements            -     -     -         in                 in       yes     -                      -          self
decide what partners get   -     -     -         -                  in       -       -                      -          -
end an agreement           -     -     -         in                 in       -       yes                    -          -
propose an endpoint        -     -     -         in                 -        -       -                      -          self
look at endpoints          -     -     -         in                 in       yes     -                      -          self
change endpoints           -     -     -         in                 -        -       -                      -          self
follow events              -     -     -         -                  -        -       -                      -          yes
read the ledger            -     -     -         in                 in       yes     -                      -          -
take the ledger out        -     -     -         in                 -        yes     -                      -          -
sign in                    yes   yes   yes       yes                yes      yes     yes                    yes        yes
keep one's own account     yes   yes   yes       yes                yes      yes     yes                    yes        -
read accounts              -     -     -         -                  -        yes     yes                    -          -
keep accounts              -     -     -         -                  -        -       yes                    -          -
read what is asked for     -     -     -         -                  all      yes     yes                    -          -
agree to what is asked for -     -     -         -                  all      -       yes                    -          -
propose a client           -     -     -         all                -        -       -                      -          -
decide on a client         -     -     -         -                  all      -       -                      -          -
equip a client             -     -     -         all                -        -       -                      -          -
disable a client           -     -     -         all                all      -       yes                    -          -
read clients               -     -     -         all                all      yes     yes                    -          -
keep the roster            -     -     -         -                  -        -       -                      -          all
"""


def read_grid(text: str) -> dict[str, dict[Role, str]]:
    """By action and role, the word that stands there. Raises ValueError for a grid that is not whole."""
    head, *lines = [line for line in text.splitlines() if line.strip()]
    roles = head.split()[1:]
    if sorted(roles) != sorted(ROLES):
        raise ValueError("the grid must have a column for each role")
    grid: dict[str, dict[Role, str]] = {}
    for line in lines:
        words = line.split()
        action, cells = " ".join(words[: -len(roles)]), words[-len(roles) :]
        if not action or not set(cells) <= MEANINGS.keys():
            raise ValueError(f"the grid's line {line!r} does not read")
        grid[action] = {role: cell for role, cell in zip(roles, cells, strict=True) if role in ROLES}
    return grid


EXPECTED: Final = read_grid(GRID)


def places_allowed(action: str, role: Role) -> frozenset[Place] | None:
    """The places whose objects this role may act on; None where it may not do that at all."""
    return MEANINGS[EXPECTED[action][role]]
