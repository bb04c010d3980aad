"""The probes of what is done about ratings: apart from intake's others, since there are many."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from tests.matrix.expectations import Place
from tests.matrix.places import CODES
from tests.matrix.probes import Probe, Shot, everywhere

NOWHERE = frozenset({404})
WHY = {"reason_code": "malicious_review", "reason": "内容与事项无关"}
Aim = Callable[[Place], Shot | None]


def rating_probes(
    *, issues: Mapping[Place, str], contacts: Mapping[Place, str], ratings: Mapping[Place, str]
) -> dict[tuple[str, str], Probe]:
    """Nobody handles what is said of the own unit's work: what lies there is not there. The rest answers as ever."""
    link, case, decide = "issue a rating link", "read cases on ratings", "decide a case on a rating"
    comments, handle = "read comments of raters", "handle a comment"
    return {
        ("POST", "/v1/issues/{issue_id}/rating-link"): Probe(
            action=link,
            aim=_at("issue_id", issues),
            fine=frozenset({409}),  # none of them is closed yet
        ),
        ("DELETE", "/v1/issues/{issue_id}/rating-link"): Probe(action=link, aim=_at("issue_id", issues)),
        ("POST", "/v1/contacts/{contact_id}/rating-link"): Probe(action=link, aim=_at("contact_id", contacts)),
        ("DELETE", "/v1/contacts/{contact_id}/rating-link"): Probe(action=link, aim=_at("contact_id", contacts)),
        ("PUT", "/v1/issues/{issue_id}/citizen-messages"): Probe(
            action="say if a citizen is told",
            aim=_at("issue_id", issues, {"wanted": False}),
            fine=frozenset({200, 409}),  # not all of them name a citizen
        ),
        ("GET", "/v1/issues/{issue_id}/citizen-messages"): Probe(
            action="look at messages told", aim=_at("issue_id", issues)
        ),
        ("GET", "/v1/citizen-messages"): Probe(action="list messages told", aim=everywhere(Shot())),
        ("POST", "/v1/citizen-messages/{message_id}/replay"): Probe(
            action="send a message again", aim=_nowhere("message_id"), fine=NOWHERE
        ),
        ("POST", "/v1/kiosk-sessions"): Probe(
            action="open a counter",
            aim=_named("contact_id", contacts, {"device": "counter-1"}),
            fine=frozenset({201, 409}),  # as long as it was handled just now
        ),
        ("POST", "/v1/contacts/{contact_id}/callback-attempts"): Probe(
            action="call back",
            aim=_of_others(_at("contact_id", contacts, {"result": "not_reached"})),
        ),
        ("POST", "/v1/issues/{issue_id}/callback-attempts"): Probe(
            action="call back",
            aim=_nowhere("issue_id", {"result": "not_reached"}),  # none of them is closed
            fine=NOWHERE,
        ),
        ("GET", "/v1/callback-tasks"): Probe(action="read what to call about", aim=everywhere(Shot())),
        ("GET", "/v1/rating-invitations"): Probe(action="read who was not asked", aim=everywhere(Shot())),
        ("GET", "/v1/rating-participation"): Probe(action="read participation", aim=_of_period),
        ("POST", "/v1/rating-samples"): Probe(
            action="draw a sample",
            aim=lambda place: (
                Shot(body={"organisation_code": CODES[place], "period": "2025"}) if place in CODES else None
            ),
        ),
        ("GET", "/v1/rating-samples/{sample_id}"): Probe(
            action="read a sample", aim=_nowhere("sample_id"), fine=NOWHERE
        ),
        ("GET", "/v1/rating-samples/{sample_id}/findings"): Probe(
            action="read a sample", aim=_nowhere("sample_id"), fine=NOWHERE
        ),
        ("GET", "/v1/rating-samples/{sample_id}/members"): Probe(
            action="read a sample", aim=_nowhere("sample_id"), fine=NOWHERE
        ),
        ("POST", "/v1/ratings/{rating_id}/cases"): Probe(
            action="open a case on a rating",
            aim=_at("rating_id", ratings, {"kind": "removal", **WHY}),
            fine=frozenset({201, 409}),
        ),
        ("GET", "/v1/rating-cases"): Probe(action=case, aim=everywhere(Shot())),
        ("GET", "/v1/rating-cases/{case_id}"): Probe(action=case, aim=_nowhere("case_id"), fine=NOWHERE),
        ("POST", "/v1/rating-cases/{case_id}/decision"): Probe(
            action=decide, aim=_nowhere("case_id", {"decision": "remove", **WHY}), fine=NOWHERE
        ),
        ("GET", "/v1/rating-comments"): Probe(action=comments, aim=everywhere(Shot())),
        ("GET", "/v1/rating-accusations"): Probe(action=comments, aim=everywhere(Shot())),
        ("POST", "/v1/rating-comments/{rating_id}/accusation"): Probe(
            action="flag a comment", aim=_nowhere("rating_id"), fine=NOWHERE
        ),
        ("DELETE", "/v1/rating-comments/{rating_id}/accusation"): Probe(
            action=handle, aim=_nowhere("rating_id"), fine=NOWHERE
        ),
        ("PUT", "/v1/rating-comments/{rating_id}/paraphrase"): Probe(
            action=handle, aim=_nowhere("rating_id", {"paraphrase": "希望更快"}), fine=NOWHERE
        ),
    }


def _of_others(aim: Aim) -> Aim:
    """About the own unit's the answer is another (403 `own-work`): it is no secret that it is there."""
    return lambda place: aim("unknown" if place in {"own", "colleague"} else place)


def _of_period(place: Place) -> Shot | None:
    return Shot(query={"organisation_code": CODES[place], "period": "2026Q1"}) if place in CODES else None


def _at(name: str, known: Mapping[Place, str], body: Any = None) -> Aim:
    def aim(place: Place) -> Shot | None:
        if place == "unknown":
            return Shot(path={name: uuid4()}, body=body)
        return Shot(path={name: known[place]}, body=body) if place in known else None

    return aim


def _named(name: str, known: Mapping[Place, str], body: dict[str, Any]) -> Aim:
    """Where the body names the object."""

    def aim(place: Place) -> Shot | None:
        if place == "unknown":
            return Shot(body={**body, name: str(uuid4())})
        return Shot(body={**body, name: known[place]}) if place in known else None

    return aim


def _nowhere(name: str, body: Any = None) -> Aim:
    return lambda place: Shot(path={name: uuid4()}, body=body) if place in {"own", "unknown"} else None
