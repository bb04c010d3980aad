"""The groups by which registers and duties are written: the doors of topics that go together."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.intake.grouping import Group
from services.intake.handlers import (
    categories,
    channels,
    coming,
    departures,
    duties,
    liaisons,
    mergers,
    populations,
    posts,
    registers,
    roster_persons,
)

if TYPE_CHECKING:
    from services.intake.domain.commands.categories import DefineCategory
    from services.intake.domain.commands.channels import CheckChannel, EndChannel, PublishChannel
    from services.intake.domain.commands.duties import DefineDuty
    from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
    from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
    from services.intake.domain.commands.registers import (
        EndOrganisation,
        EndPost,
        RecordDeparture,
        RecordPost,
        RegisterCadre,
        RegisterOrganisation,
        WithdrawComing,
    )
    from services.intake.domain.commands.rosters import DecideCandidate


class RegisterDoors:
    """One group a use case. What opens them says how a handler becomes a group."""

    def open_registers(self, group: Callable[[Any], Group[Any]]) -> None:
        self.organisations: Group[RegisterOrganisation] = group(registers.register_organisations)
        self.organisation_ends: Group[EndOrganisation] = group(mergers.end_organisations)
        self.cadres: Group[RegisterCadre] = group(registers.register_cadres)
        self.coming_withdrawals: Group[WithdrawComing] = group(coming.withdraw_coming)
        self.departures: Group[RecordDeparture] = group(departures.record_departures)
        self.posts: Group[RecordPost] = group(posts.record_posts)
        self.post_ends: Group[EndPost] = group(posts.end_posts)
        self.duties: Group[DefineDuty] = group(duties.define_duties)
        self.categories: Group[DefineCategory] = group(categories.define_categories)
        self.channels: Group[PublishChannel] = group(channels.publish_channels)
        self.channel_ends: Group[EndChannel] = group(channels.end_channels)
        self.channel_checks: Group[CheckChannel] = group(channels.check_channels)
        self.population_groups: Group[DefinePopulationGroup] = group(populations.define_groups)
        self.populations: Group[RecordPopulation] = group(populations.record_populations)
        self.points: Group[RegisterPoint] = group(liaisons.register_points)
        self.households: Group[RegisterHousehold] = group(liaisons.register_households)
        self.liaisons: Group[AssignLiaison] = group(liaisons.assign_liaisons)
        self.candidates: Group[DecideCandidate] = group(roster_persons.decide_candidates)
