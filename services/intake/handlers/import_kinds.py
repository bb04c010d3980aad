"""What an import may ask for besides contacts, and which use case answers it.

Loaded by those imports that need it: all of these together take longer to load than thousands of contacts to enter.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from services.intake.domain.commands.base import Command, Outcome
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.channels import PublishChannel
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.commands.registers import EndOrganisation, RecordPost, RegisterCadre, RegisterOrganisation
from services.intake.domain.commands.rosters import (
    MatchPerson,
    RecordAppraisalResult,
    TakeOverCareerLine,
    TakeOverPost,
    TakeOverRank,
)
from services.intake.handlers.careers import take_over_career_lines, take_over_posts, take_over_ranks
from services.intake.handlers.categories import define_categories
from services.intake.handlers.channels import publish_channels
from services.intake.handlers.contacts import record_contacts
from services.intake.handlers.duties import define_duties
from services.intake.handlers.issues import receive_issues
from services.intake.handlers.liaisons import assign_liaisons, register_households, register_points
from services.intake.handlers.mergers import end_organisations
from services.intake.handlers.populations import define_groups, record_populations
from services.intake.handlers.posts import record_posts
from services.intake.handlers.ratings import submit_ratings
from services.intake.handlers.registers import register_cadres, register_organisations
from services.intake.handlers.roster_persons import match_persons
from services.intake.handlers.rosters import record_appraisal_results
from services.intake.storage import imports as storage
from shared.database import Pool, transaction

Run = Callable[..., list[Outcome]]


def register_missing(pool: Pool, commands: Sequence[Command], *, now: datetime) -> None:
    """Register only what is not there: an entry that somebody has since put right is not overwritten by a file."""
    if not commands:
        return
    organisations = [command for command in commands if isinstance(command, RegisterOrganisation)]
    cadres = [command for command in commands if isinstance(command, RegisterCadre)]
    posts = [command for command in commands if isinstance(command, RecordPost)]
    with transaction(pool) as connection:
        known = storage.find_known_names(
            connection,
            codes=[command.code for command in organisations],
            staff_numbers=[command.staff_number for command in cadres],
        )
    register_organisations(
        pool, [command for command in organisations if command.code not in known.organisations], now=now
    )
    register_cadres(pool, [command for command in cadres if command.staff_number not in known.cadres], now=now)
    record_posts(pool, [command for command in posts if command.staff_number not in known.cadres], now=now)


RUNS: tuple[tuple[type[Command], Run], ...] = (
    (RegisterOrganisation, register_organisations),
    (EndOrganisation, end_organisations),
    (RegisterCadre, register_cadres),
    (RecordPost, record_posts),
    (DefineDuty, define_duties),
    (DefineCategory, define_categories),
    (PublishChannel, publish_channels),
    (DefinePopulationGroup, define_groups),
    (RecordPopulation, record_populations),
    (RegisterPoint, register_points),
    (RegisterHousehold, register_households),
    (AssignLiaison, assign_liaisons),
    (RecordContact, partial(record_contacts, allow_odd=True)),
    (ReceiveIssue, partial(receive_issues, allow_odd=True)),
    (MatchPerson, match_persons),
    (TakeOverPost, take_over_posts),
    (TakeOverRank, take_over_ranks),
    (TakeOverCareerLine, take_over_career_lines),
    (RecordAppraisalResult, record_appraisal_results),
    (SubmitRating, partial(submit_ratings, allow_odd=True)),
)
