"""The one policy table, action by role, and the one place that decides by it. What is not in the table is denied."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from shared.access.principal import Grant, Principal, Role
from shared.errors import Forbidden
from shared.reach import Reach

# within: the granted organisation and all below it. self: the records of the acting cadre.
# anywhere: of no organisation, so that only a grant that holds everywhere gives it.
Relation = Literal["anywhere", "within", "self"]

STEP_UP_FOR: Final = timedelta(minutes=5)


class StepUpNeeded(Forbidden):
    """The role may do that, once its holder has given the second factor anew."""

    code = "step-up-needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`scope` is what a machine client needs beside its role. A sensitive read is written into the audit.

    What is open is open to everybody: signing in, for one, and what proves itself otherwise. It has no roles.
    What is own is for every person who is signed in, with whatever role or none, and reaches that account alone.
    """

    roles: Mapping[Role, Relation]
    is_open: bool = False
    is_own: bool = False
    scope: str | None = None
    step_up: bool = False
    sensitive_read: bool = False


ALL_BUT_OPERATIONS: Final[Mapping[Role, Relation]] = {
    "approver": "within",
    "auditor": "within",
    "cadre": "self",
    "clerk": "within",
    "department_officer": "within",
    "machine_client": "within",
    "security_administrator": "within",
    "unit_head": "within",
}

POLICY: Final[Mapping[str, Rule]] = {
    # every service with pages
    "page.open": Rule(roles={}, is_open=True),  # a service's first page, and what all its pages look like
    # every service
    "api.describe": Rule(roles=ALL_BUT_OPERATIONS),
    "audit.read": Rule(
        roles={"auditor": "anywhere", "cadre": "self", "security_administrator": "anywhere"}, sensitive_read=True
    ),
    "hold.release": Rule(roles={"approver": "anywhere"}, step_up=True),
    "hold.set": Rule(roles={"approver": "anywhere", "department_officer": "anywhere"}),
    "retention.approve": Rule(roles={"approver": "anywhere", "department_officer": "anywhere"}, step_up=True),
    "retention.read": Rule(
        roles={
            "approver": "anywhere",
            "auditor": "anywhere",
            "department_officer": "anywhere",
            "security_administrator": "anywhere",
        }
    ),
    # assessment
    "period.declare": Rule(roles={"department_officer": "anywhere"}),  # days that are closed like a month
    "period.disclose": Rule(roles={"auditor": "anywhere"}, sensitive_read=True),
    "published.cadre.read": Rule(
        roles={
            "approver": "within",
            "auditor": "within",
            "cadre": "self",
            "department_officer": "within",
            "machine_client": "within",
        },
        scope="scores.read",
    ),
    "published.organisation.read": Rule(
        roles={
            "approver": "within",
            "auditor": "within",
            "department_officer": "within",
            "machine_client": "within",
            "unit_head": "within",
        },
        scope="scores.read",
    ),
    "published.period.read": Rule(
        roles={
            "approver": "within",
            "auditor": "within",
            "cadre": "self",
            "department_officer": "within",
            "machine_client": "within",
            "unit_head": "within",
        },
        scope="scores.read",
    ),
    # By what people are scored takes two persons.
    "scheme.decide": Rule(roles={"approver": "anywhere"}, step_up=True),
    "scheme.propose": Rule(roles={"department_officer": "anywhere"}),
    "scheme.read": Rule(
        roles={
            "approver": "within",
            "auditor": "within",
            "cadre": "self",
            "department_officer": "within",
            "machine_client": "within",
            "unit_head": "within",
        },
        scope="scores.read",
    ),
    "scheme.read_health": Rule(roles={"approver": "within", "auditor": "within", "department_officer": "within"}),
    "scheme.read_proposals": Rule(
        roles={"approver": "anywhere", "auditor": "anywhere", "department_officer": "anywhere"}
    ),
    # Worked out of what is published, and so of no more than its reader may read.
    "scheme.simulate": Rule(roles={"approver": "within", "auditor": "within", "department_officer": "within"}),
    "score.disclose": Rule(  # a list of scores as a file
        roles={"auditor": "within", "department_officer": "within"}, step_up=True, sensitive_read=True
    ),
    # Live figures move with every rating: what cadres, units and machines read is published.
    "score.read": Rule(
        roles={"approver": "within", "auditor": "within", "department_officer": "within"}, sensitive_read=True
    ),
    # What asks for a look moves with every rating, too. A person decides, and no penalty follows by itself.
    "signal.decide": Rule(roles={"approver": "within", "department_officer": "within"}),
    "signal.read": Rule(
        roles={"approver": "within", "auditor": "within", "department_officer": "within"}, sensitive_read=True
    ),
    # identity
    "account.change": Rule(roles={"security_administrator": "anywhere"}),
    "account.create": Rule(roles={"security_administrator": "anywhere"}),
    "account.decide": Rule(
        roles={"approver": "anywhere", "security_administrator": "anywhere"}, step_up=True
    ),  # what another one asked for
    "account.grant": Rule(roles={"security_administrator": "anywhere"}, step_up=True),
    "account.read": Rule(roles={"auditor": "anywhere", "security_administrator": "anywhere"}),
    "account.read_proposals": Rule(
        roles={"approver": "anywhere", "auditor": "anywhere", "security_administrator": "anywhere"}
    ),
    "account.reset": Rule(roles={"security_administrator": "anywhere"}, step_up=True),  # its password, its proofs
    "client.decide": Rule(roles={"approver": "anywhere"}, step_up=True),
    "client.disable": Rule(
        roles={"approver": "anywhere", "department_officer": "anywhere", "security_administrator": "anywhere"}
    ),
    "client.equip": Rule(roles={"department_officer": "anywhere"}, step_up=True),  # its secrets and keys
    "client.propose": Rule(roles={"department_officer": "anywhere"}),
    "client.read": Rule(
        roles={
            "approver": "anywhere",
            "auditor": "anywhere",
            "department_officer": "anywhere",
            "security_administrator": "anywhere",
        }
    ),
    "own.change": Rule(roles={}, is_own=True),
    "own.read": Rule(roles={}, is_own=True),
    "own.secure": Rule(roles={}, is_own=True, step_up=True),
    "roster.provision": Rule(roles={"machine_client": "anywhere"}, scope="scim"),
    "sign_in.give": Rule(roles={}, is_open=True),
    "token.request": Rule(roles={}, is_open=True),
    "token_key.read": Rule(roles={}, is_open=True),
    # intake
    "booking.make": Rule(roles={}, is_open=True),
    "booking.read": Rule(roles={"cadre": "self", "clerk": "within"}, sensitive_read=True),
    "booking.read_own": Rule(roles={}, is_open=True),  # the token in hand proves what it proves
    # Whose own work or line it is calls nobody about it: the handler and the rows' own policies see to that.
    "callback.read": Rule(roles={"clerk": "within", "department_officer": "within"}),
    "callback.record": Rule(roles={"clerk": "within", "department_officer": "within"}),
    # Ids, codes and times of what the reader sees: no names and no texts.
    "change.read": Rule(roles={"department_officer": "within", "machine_client": "within"}, scope="intake.read"),
    "channel.check": Rule(
        roles={"clerk": "within", "department_officer": "within", "machine_client": "within"}, scope="intake.write"
    ),
    "channel.read_checks": Rule(
        roles={
            "approver": "within",
            "clerk": "within",
            "department_officer": "within",
            "machine_client": "within",
            "unit_head": "within",
        },
        scope="intake.read",
    ),
    "citizen.decide": Rule(roles={"approver": "within"}, step_up=True),
    "career.read": Rule(roles={"department_officer": "anywhere"}, sensitive_read=True),  # ranks, results and a CV
    "citizen.disclose": Rule(roles={"department_officer": "within"}, step_up=True, sensitive_read=True),
    "citizen.propose": Rule(roles={"department_officer": "within"}, step_up=True),
    "citizen.read_proposal": Rule(roles={"approver": "within", "department_officer": "within"}, sensitive_read=True),
    # An officer steps up for it, a clerk has the days after the receipt: the handler says which of both it is.
    "citizen.reveal": Rule(roles={"clerk": "within", "department_officer": "within"}, sensitive_read=True),
    # That a message went out and when, never its words or to which phone.
    "citizen_message.read": Rule(roles={"clerk": "within", "department_officer": "within"}),
    "citizen_message.replay": Rule(roles={"department_officer": "within"}),
    "citizen_message.set_wish": Rule(
        roles={"clerk": "within", "department_officer": "within", "machine_client": "within"}, scope="intake.write"
    ),
    "citizen.reveal_many": Rule(roles={"department_officer": "within"}, step_up=True, sensitive_read=True),
    # A rule decides what everybody's deadlines are: it takes two persons.
    "clock_rule.decide": Rule(roles={"approver": "anywhere"}, step_up=True),
    "clock_rule.propose": Rule(roles={"department_officer": "anywhere"}),
    "clock_rule.read": Rule(
        roles={
            "approver": "within",
            "cadre": "self",
            "clerk": "within",
            "department_officer": "within",
            "machine_client": "within",
            "unit_head": "within",
        },
        scope="intake.read",
    ),
    "clock_rule.read_proposals": Rule(
        roles={"approver": "anywhere", "auditor": "anywhere", "department_officer": "anywhere"}
    ),
    "consultation.announce": Rule(roles={"clerk": "within", "department_officer": "within"}),
    "consultation.answer": Rule(roles={"department_officer": "within", "unit_head": "within"}),
    "consultation.read": Rule(roles={}, is_open=True),  # asked of everybody
    # Its recorder for some days, an officer for ever: the handler says which of both it is.
    "contact.correct": Rule(
        roles={"cadre": "self", "clerk": "within", "department_officer": "within", "machine_client": "within"},
        scope="intake.write",
    ),
    "contact.read": Rule(
        roles={
            "approver": "within",
            "cadre": "self",
            "clerk": "within",
            "department_officer": "within",
            "machine_client": "within",
        },
        scope="intake.read",
        sensitive_read=True,
    ),
    "contact.read_review": Rule(roles={"department_officer": "within"}, sensitive_read=True),
    # What lies long back is entered by officers alone, who say why so late.
    "contact.record": Rule(
        roles={"cadre": "self", "clerk": "within", "department_officer": "within", "machine_client": "within"},
        scope="intake.write",
    ),
    # Whether what looks odd counts: somebody decides who neither records contacts nor makes them.
    "contact.review": Rule(roles={"department_officer": "within"}),
    # Whoever visits must find the door: a cadre sees the households assigned to them now, and no others.
    "household.read": Rule(
        roles={"cadre": "self", "clerk": "within", "department_officer": "within"}, sensitive_read=True
    ),
    "household.write": Rule(roles={"clerk": "within", "machine_client": "within"}, scope="registers.write"),
    # A role in one organisation sees the own runs alone; a run reaches no further than the account that asked.
    "import.read": Rule(
        roles={"clerk": "within", "department_officer": "anywhere", "machine_client": "within"},
        scope="imports.run",
    ),
    "import.read_findings": Rule(
        roles={"clerk": "within", "department_officer": "anywhere", "machine_client": "within"},
        scope="imports.run",
        sensitive_read=True,
    ),
    "import.run": Rule(roles={"clerk": "within", "machine_client": "within"}, scope="imports.run"),
    # Clerks and the responsible cadre take the steps. Who decides on what they ask for reads what it is about: no head
    # of a unit does.
    "issue.arrange": Rule(  # units that assist, urgency
        roles={"clerk": "within", "department_officer": "within", "machine_client": "within"}, scope="intake.write"
    ),
    "issue.assign": Rule(roles={"clerk": "within", "machine_client": "within"}, scope="intake.write"),
    "issue.close": Rule(roles={"clerk": "within", "machine_client": "within"}, scope="intake.write"),
    "issue.decide_exclusion": Rule(roles={"approver": "within", "department_officer": "within"}),
    "issue.decide_extension": Rule(roles={"approver": "within", "department_officer": "within"}),
    "issue.decide_objection": Rule(roles={"approver": "within", "department_officer": "within"}),
    "issue.escalate": Rule(
        roles={
            "clerk": "within",
            "department_officer": "within",
            "machine_client": "within",
        },
        scope="intake.write",
    ),
    "issue.object": Rule(roles={"clerk": "within"}),  # to a dispatch, or return it
    "issue.order_redo": Rule(
        roles={"clerk": "within", "department_officer": "within", "machine_client": "within"}, scope="intake.write"
    ),
    # What everybody may read about an issue over Open311, and in which words. It never shows a citizen's.
    "issue.publish": Rule(roles={"department_officer": "within"}),
    "issue.read": Rule(
        roles={
            "approver": "within",
            "cadre": "self",
            "clerk": "within",
            "department_officer": "within",
            "machine_client": "within",
        },
        scope="intake.read",
        sensitive_read=True,
    ),
    "issue.receive": Rule(roles={"clerk": "within", "machine_client": "within"}, scope="intake.write"),
    "issue.reopen": Rule(
        roles={"clerk": "within", "department_officer": "within", "machine_client": "within"}, scope="intake.write"
    ),
    "issue.reply": Rule(roles={"cadre": "self", "clerk": "within", "machine_client": "within"}, scope="intake.write"),
    "issue.request_exclusion": Rule(roles={"clerk": "within"}),
    "issue.request_extension": Rule(roles={"cadre": "self", "clerk": "within"}),
    "issue.respond": Rule(roles={"cadre": "self", "clerk": "within", "machine_client": "within"}, scope="intake.write"),
    "issue.supervise": Rule(roles={"approver": "within", "department_officer": "within"}),
    "issue.work": Rule(  # sign, start, pause, resume
        roles={"cadre": "self", "clerk": "within", "machine_client": "within"}, scope="intake.write"
    ),
    # A link rates in a citizen's name: who sends it gets it once, and no person of the staff ever does.
    "link.issue": Rule(roles={"machine_client": "within"}, scope="links.issue"),
    "link.read": Rule(roles={}, is_open=True),  # the token in hand proves what it proves
    "link.use": Rule(roles={}, is_open=True),
    "opinion.enter": Rule(roles={"clerk": "within"}),
    "opinion.give": Rule(roles={}, is_open=True),
    "opinion.read": Rule(
        roles={"clerk": "within", "department_officer": "within", "unit_head": "within"}, sensitive_read=True
    ),
    "rating.open_counter": Rule(roles={"machine_client": "within"}, scope="ratings.submit"),
    "open311.file": Rule(roles={"machine_client": "within"}, scope="open311.file"),
    "open311.key": Rule(roles={"machine_client": "within"}, scope="open311.file"),
    "open311.read": Rule(roles={}, is_open=True),  # what the public may see anyway
    "rating.submit": Rule(roles={"machine_client": "within"}, scope="ratings.submit"),
    # Whose own work or line is rated finds neither, whatever the role is: the rows' own policies see to that.
    "rating_case.decide": Rule(roles={"approver": "within", "department_officer": "within"}),
    "rating_case.open": Rule(roles={"department_officer": "within"}),
    "rating_case.read": Rule(
        roles={"approver": "within", "auditor": "within", "department_officer": "within"}, sensitive_read=True
    ),
    "rating_comment.clear": Rule(roles={"department_officer": "within"}, step_up=True),
    "rating_comment.flag": Rule(roles={"approver": "within", "department_officer": "within"}),
    "rating_comment.paraphrase": Rule(roles={"department_officer": "within"}),
    "rating_comment.read": Rule(roles={"approver": "within", "department_officer": "within"}, sensitive_read=True),
    "rating_comment.read_accusations": Rule(
        roles={"approver": "within", "department_officer": "within"}, step_up=True, sensitive_read=True
    ),
    # Who was not asked yet: for whoever sends links or calls, and nobody in the line of what was handled.
    "rating_invitation.read": Rule(
        roles={"clerk": "within", "department_officer": "within", "machine_client": "within"}, scope="links.issue"
    ),
    "rating_participation.read": Rule(
        roles={"approver": "within", "auditor": "within", "department_officer": "within"}
    ),
    "rating_sample.draw": Rule(roles={"department_officer": "within"}),
    "rating_sample.read": Rule(roles={"approver": "within", "auditor": "within", "department_officer": "within"}),
    "reception_day.hold": Rule(roles={"cadre": "self", "clerk": "within"}),
    "reception_day.read": Rule(roles={}, is_open=True),  # announced to everybody
    "reception_day.offer": Rule(roles={"clerk": "within", "machine_client": "within"}, scope="intake.write"),
    "register.decide_export": Rule(roles={"approver": "within"}, step_up=True),
    "register.disclose": Rule(  # a whole register as a file
        roles={"clerk": "within", "department_officer": "within", "machine_client": "within"},
        scope="intake.read",
        step_up=True,
        sensitive_read=True,
    ),
    # Beyond what one person may carry out alone: once a second person has agreed.
    "register.disclose_approved": Rule(roles={"department_officer": "within"}, step_up=True, sensitive_read=True),
    "register.propose_export": Rule(roles={"department_officer": "within"}, step_up=True),
    "register.read": Rule(
        roles={
            "approver": "within",
            "cadre": "self",
            "clerk": "within",
            "department_officer": "within",
            "machine_client": "within",
            "unit_head": "within",
        },
        scope="intake.read",
    ),
    "register.read_export_proposals": Rule(
        roles={"approver": "within", "auditor": "anywhere", "department_officer": "within"}
    ),
    "register.write": Rule(roles={"clerk": "anywhere", "machine_client": "anywhere"}, scope="registers.write"),
    # Whoever imports rosters, and the department, say who the persons in them are.
    "roster.match": Rule(roles={"clerk": "anywhere", "department_officer": "anywhere"}),
    "roster.read_candidates": Rule(roles={"clerk": "anywhere", "department_officer": "anywhere"}, sensitive_read=True),
    "suggestion.decide": Rule(roles={"clerk": "within", "unit_head": "within"}),
    # notify
    # What other systems are told: two persons agree to it, and each of several may end it at once.
    "agreement.decide": Rule(roles={"approver": "within"}, step_up=True),
    "agreement.end": Rule(
        roles={"approver": "within", "department_officer": "within", "security_administrator": "anywhere"}
    ),
    "agreement.propose": Rule(roles={"department_officer": "within"}),
    "agreement.read": Rule(
        roles={
            "approver": "within",
            "auditor": "within",
            "department_officer": "within",
            "machine_client": "within",
        },
        scope="events.read",
    ),
    "delivery.disclose": Rule(roles={"auditor": "within", "department_officer": "within"}, sensitive_read=True),
    "delivery.read": Rule(
        roles={"auditor": "within", "department_officer": "within", "machine_client": "within"},
        scope="subscriptions.manage",
    ),
    "delivery.replay": Rule(roles={"department_officer": "within"}),
    "disclosure.read": Rule(
        roles={"approver": "within", "auditor": "within", "department_officer": "within"}, sensitive_read=True
    ),
    "disclosure.read_file": Rule(
        roles={"auditor": "within", "department_officer": "within"}, step_up=True, sensitive_read=True
    ),
    # A machine keeps the endpoints under its own agreements; a second person decides on each place all the same.
    "endpoint.change": Rule(
        roles={"department_officer": "within", "machine_client": "within"}, scope="webhooks.manage"
    ),
    "endpoint.decide": Rule(roles={"approver": "within"}, step_up=True),
    "endpoint.propose": Rule(
        roles={"department_officer": "within", "machine_client": "within"}, scope="webhooks.manage"
    ),
    "endpoint.read": Rule(
        roles={
            "approver": "within",
            "auditor": "within",
            "department_officer": "within",
            "machine_client": "within",
        },
        scope="webhooks.manage",
    ),
    "endpoint.secure": Rule(
        roles={"department_officer": "within", "machine_client": "within"}, scope="webhooks.manage", step_up=True
    ),
    # Under an agreement alone, and nothing that stays inside: services/notify/domain/audiences.py.
    "event.read": Rule(roles={"machine_client": "within"}, scope="events.read"),
    "message.mark_read": Rule(roles={"department_officer": "within"}),
    # Digests tell of live scores, which move with every rating: officers read them, and decide who gets them.
    "message.read": Rule(roles={"department_officer": "within"}),
    "preference.read": Rule(roles={"auditor": "within", "department_officer": "within", "unit_head": "within"}),
    "preference.set": Rule(roles={"department_officer": "within", "unit_head": "within"}),
    "receipt.take": Rule(roles={}, is_open=True),  # the gateway's signature proves what it proves
    "rule.read": Rule(roles=ALL_BUT_OPERATIONS, scope="subscriptions.manage"),
    "subscription.put": Rule(roles={"department_officer": "within"}),
    "subscription.read": Rule(
        roles={"auditor": "within", "department_officer": "within", "machine_client": "within"},
        scope="subscriptions.manage",
    ),
    "template.activate": Rule(roles={"approver": "anywhere"}, step_up=True),
    "template.preview": Rule(roles={"approver": "anywhere", "department_officer": "anywhere"}),
    "template.read": Rule(roles={"approver": "anywhere", "auditor": "anywhere", "department_officer": "anywhere"}),
    "template.write": Rule(roles={"department_officer": "anywhere"}),
}


def decide(principal: Principal, action: str, *, now: datetime) -> Reach:
    """Return what the principal may touch in doing that. Raises Forbidden, StepUpNeeded, KeyError."""
    reach = _decide(principal, action)
    if POLICY[action].step_up and principal.kind == "person" and not has_stepped_up(principal, now):
        raise StepUpNeeded("this needs the second factor again, given in the last minutes")
    return reach


@lru_cache(maxsize=4_096)
def _decide(principal: Principal, action: str) -> Reach:
    """What does not hang on the time follows from these two alone, every grant among them, and is worked out once."""
    rule = POLICY[action]
    usable = [grant for grant in principal.grants if _is_usable(principal, grant, rule)]
    if not usable and not (rule.is_own and principal.kind == "person"):
        raise Forbidden("this role may not do that")
    relations = [(rule.roles[grant.role], grant.organisation_code) for grant in usable]
    everywhere = any(relation != "self" and code is None for relation, code in relations)
    codes = () if everywhere else tuple(sorted({code for relation, code in relations if relation == "within" and code}))
    acts_for_itself = not everywhere and any(relation == "self" for relation, _ in relations)
    return Reach(
        kind="everywhere" if everywhere else "scoped",
        organisation_codes=codes,
        staff_number=principal.staff_number if acts_for_itself else None,
        actor_staff_number=principal.staff_number,
        actor_organisation_codes=tuple(
            sorted({grant.organisation_code for grant in principal.grants if grant.organisation_code is not None})
        ),
        account_id=principal.account_id,
        person_id=principal.person_id,
        actor=principal.name,
        role=",".join(sorted({grant.role for grant in usable})) or "self",
    )


def _is_usable(principal: Principal, grant: Grant, rule: Rule) -> bool:
    relation = rule.roles.get(grant.role)
    if relation is None or (relation == "anywhere" and grant.organisation_code is not None):
        return False
    if relation == "self" and principal.staff_number is None:
        return False
    if (grant.role == "machine_client") != (principal.kind == "machine"):
        return False
    return grant.role != "machine_client" or rule.scope is None or rule.scope in principal.scopes


def has_stepped_up(principal: Principal, now: datetime) -> bool:
    return principal.stepped_up_at is not None and now - principal.stepped_up_at <= STEP_UP_FOR
