"""Intake's world: one object of each kind in each place, made through its own doors; and a probe for each route."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from httpx2 import Client

from services.intake.api.app import create_intake_app
from services.intake.settings import IntakeSettings
from services.intake.storage.reviews import insert_reviews
from services.intake.web.pages import add_pages
from shared.database import Pool, transaction
from shared.reach import SYSTEM
from tests.fakes import KnownPrincipals, machine, person
from tests.matrix.expectations import Place
from tests.matrix.places import CADRES, CODES, ORGANISATIONS, REAL, TREE, staff_number
from tests.matrix.probes import Probe, Shot, everywhere
from tests.matrix.ratings import rating_probes
from tests.matrix.retention import RETENTION

DUTY = {
    "post_kind": "township_head",
    "contact_kind": "visit",
    "required_count": 4,
    "per": "month",
    "valid_from": "2025-01-01",
}
HOUSEHOLDS: Mapping[Place, str] = {place: f'"H-{place}"' for place in REAL}
CLOCK_RULE = {"clock": "close", "limit": "5 working_days", "valid_from": "2025-01-01"}
NOWHERE = frozenset({404})
WHY = {"reason_code": "call_back", "reason": "回访核实"}
OCCURRED_AT = (datetime.now(UTC) - timedelta(hours=30)).isoformat()  # longer ago than a counter waits for
AMENDED = {"kind": "reception", "occurred_at": OCCURRED_AT, "reason_code": "mistyped"}

STEPS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("work on an issue", "POST", "responses", {}),
    ("work on an issue", "POST", "signature", {}),
    ("work on an issue", "POST", "start", {}),
    ("work on an issue", "POST", "pauses", {"reason_code": "waiting_for_citizen"}),
    ("work on an issue", "POST", "resumption", {}),
    ("work on an issue", "POST", "replies", {"text": "已修好", "means": "phone"}),
    ("arrange help and urgency", "PUT", "assisting-units", {"organisation_codes": []}),
    ("arrange help and urgency", "PUT", "urgency", {"urgency": "urgent", "reason_code": "danger"}),
    ("object to a dispatch", "POST", "return", {"reason_code": "not_our_duty"}),
    ("object to a dispatch", "POST", "objections", {"reason_code": "not_our_duty"}),
    ("decide on an objection", "POST", "objections/decision", {"decision": "dismiss"}),
    ("ask for an extension", "POST", "extensions", {"due_at": "2030-01-01T00:00:00Z", "reason_code": "complex_case"}),
    ("decide on an extension", "POST", "extensions/decision", {"decision": "refuse"}),
    ("take an ending back", "POST", "redos", {"reason_code": "not_solved"}),
    ("take an ending back", "POST", "reopening", {"reason_code": "not_solved", "asked_by": "citizen"}),
    ("ask to leave an issue out", "POST", "exclusions", {"reason_code": "legal_channel"}),
    ("decide to leave it out", "POST", "exclusions/decision", {"decision": "refuse"}),
    ("supervise an issue", "POST", "supervisions", {"reason_code": "overdue"}),
    ("escalate an issue", "POST", "escalations", {"level": 1, "reason_code": "overdue"}),
)

CLOSURE = {"outcome": "resolved", "reply": "已修好", "reply_to_merged": "已修好"}


OPEN311 = {
    **{
        ("GET", f"/open311/{path}.{form}"): Probe(
            action="look at what is public",
            aim=everywhere(Shot(path=dict.fromkeys(("service_code", "service_request_id", "token"), "nothing"))),
            fine=frozenset({200, 404, 429}),
            is_open=True,
        )
        for form in ("xml", "json")
        for path in (
            "discovery",
            "v2/services",
            "v2/services/{service_code}",
            "v2/requests",
            "v2/requests/{service_request_id}",
            "v2/tokens/{token}",
            "v2/servicerequestupdates",
        )
    },
    **{
        ("POST", f"/open311/v2/{path}.{form}"): Probe(
            action="file over Open311",
            aim=everywhere(Shot(body={}, headers={"Content-Type": "application/x-www-form-urlencoded"})),
            fine=frozenset({400}),  # whoever may is told what is missing
            is_open=True,  # whoever is nobody gets 403 here, as GeoReport has it
        )
        for form in ("xml", "json")
        for path in ("requests", "servicerequestupdates")
    },
}


class IntakeWorld:
    """Everything in it was entered by a machine client whose grant holds everywhere."""

    def __init__(self, pool: Pool, folder: Path, principals: KnownPrincipals) -> None:
        settings = IntakeSettings(
            mode="test",
            database_url="postgresql://test_intake:runtime-of-the-tests-4711@127.0.0.1/unused",
            broker_url="amqp://test_intake:broker-of-the-tests-4711@127.0.0.1/unused",
            import_directory=folder,
        )
        principals.principals["maker"] = machine(name="maker")
        principals.principals["registrar"] = person("clerk", name="registrar")
        exporter = person("department_officer", name="exporter", stepped_up_at=datetime.now(UTC))
        principals.principals["exporter"] = exporter
        self.app = create_intake_app(settings, pool, authenticator=principals)
        add_pages(self.app)
        self._pool = pool
        self.contacts: dict[Place, str] = {}
        self.issues: dict[Place, str] = {}
        self.posts: dict[Place, str] = {}
        self.channels: dict[Place, str] = {}
        self.households: dict[Place, str] = {}
        self.reception_days: dict[Place, str] = {}
        self.consultations: dict[Place, str] = {}
        self.ratings: dict[Place, str] = {}
        self.exports: dict[Place, str] = {}

    def fill(self, client: Client) -> None:
        for code, parent in TREE:
            self._make(
                client,
                "PUT",
                f"/v1/organisations/{code}",
                {"name": f"单位{code}", "level": "60", "parent_code": parent},
            )
        for place in REAL:
            self._fill_place(client, place)
        self._note_reviews()

    def _fill_place(self, client: Client, place: Place) -> None:
        number = staff_number(place)
        self._make(client, "PUT", f"/v1/cadres/{number}", {"name": "李明"})
        self.posts[place] = self._make(client, "POST", f"/v1/cadres/{number}/posts", post_of(place))
        self.households[place] = self._make(client, "POST", "/v1/contact-households", household_of(place))
        self._make(client, "POST", "/v1/liaison-assignments", assignment_of(place))
        self.channels[place] = self._make(client, "POST", "/v1/channels", channel_of(place))
        self.contacts[place] = self._make(client, "POST", "/v1/contacts", contact_of(place))
        self.issues[place] = self._make(client, "POST", "/v1/issues", issue_of(place))
        self.consultations[place] = self._make(
            client, "POST", "/v1/consultations", consultation_of(place), who="registrar"
        )
        self.reception_days[place] = self._make(client, "POST", "/v1/reception-days", reception_day_of(place))
        self.exports[place] = self._make(client, "POST", "/v1/export-proposals", export_of(place), who="exporter")
        rating = {"contact_id": self.contacts[place], "level": 2, "method": "callback"}
        self.ratings[place] = self._make(client, "POST", "/v1/ratings", rating)

    def _note_reviews(self) -> None:
        """Something looks odd about every contact."""
        rows = [
            {"contact_id": contact_id, "signals": ["similar_note"], "other_contact_ids": []}
            for contact_id in self.contacts.values()
        ]
        with transaction(self._pool, reach=SYSTEM) as connection:
            insert_reviews(connection, rows, noted_at=datetime.now(UTC))

    def _make(self, client: Client, method: str, path: str, body: Any, *, who: str = "maker") -> str:
        answer = client.request(method, path, json=body, headers={"Authorization": f"Bearer {who}"})
        if answer.status_code not in {200, 201}:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return str(answer.json().get("id"))

    def probes(self) -> dict[tuple[str, str], Probe]:
        rate = "rate by a link"
        step, write = "take a step of an issue", "write the registers"
        house = "read the house's lists"
        return {
            ("GET", "/v1/openapi.json"): Probe(action="describe the interface", aim=everywhere(Shot())),
            ("POST", "/v1/receipts/sms"): Probe(
                action="look at what is public",  # who proves to be the gateway has no role
                aim=everywhere(Shot(body={})),
                fine=frozenset({404}),
                is_open=True,
            ),
            # Before contacts are made void: nobody rates those.
            **rating_probes(issues=self.issues, contacts=self.contacts, ratings=self.ratings),
            ("POST", "/v1/contacts"): Probe(
                action="record a contact", aim=lambda place: _said(place, contact_of(place)), absent=422
            ),
            ("POST", "/v1/contacts/batch"): Probe(  # it answers for each record; tests/integration/intake looks at that
                action="send a batch of contacts",
                aim=everywhere(Shot(body={"contacts": [contact_of("own")], "issues": [issue_of("own")]})),
            ),
            ("GET", "/v1/contacts/{contact_id}"): Probe(
                action="read a contact", aim=lambda place: self._at("contact_id", self.contacts, place)
            ),
            ("GET", "/v1/contacts/{contact_id}/versions"): Probe(
                action="read a contact", aim=lambda place: self._at("contact_id", self.contacts, place)
            ),
            ("POST", "/v1/contacts/{contact_id}/amendments"): Probe(
                action="correct a contact", aim=lambda place: self._at("contact_id", self.contacts, place, AMENDED)
            ),
            ("GET", "/v1/contacts/reviews"): Probe(
                action="list reviews of contacts",
                aim=everywhere(Shot()),
                lists={place: f'"{contact_id}"' for place, contact_id in self.contacts.items()},
            ),
            ("POST", "/v1/contacts/reviews/{contact_id}/decision"): Probe(
                action="review a contact",
                aim=lambda place: self._at(
                    "contact_id", self.contacts, place, {"decision": "counts", "reason_code": "genuine"}
                ),
                fine=frozenset({200, 409}),  # others have voided it by then
            ),
            ("POST", "/v1/issues"): Probe(
                action="receive an issue",
                aim=lambda place: _said(place, issue_of(place)),
                absent=422,
                known=frozenset({"above"}),
            ),
            ("GET", "/v1/issues/{issue_id}"): Probe(
                action="read an issue", aim=lambda place: self._at("issue_id", self.issues, place)
            ),
            ("GET", "/v1/issues/{issue_id}/steps"): Probe(
                action="read an issue", aim=lambda place: self._at("issue_id", self.issues, place)
            ),
            ("GET", "/v1/issues"): Probe(
                action="list issues", aim=everywhere(Shot(query={"limit": 200})), lists=self.issues
            ),
            **self._steps(),
            ("GET", "/v1/issues/{issue_id}/duplicates"): Probe(
                action="read an issue", aim=lambda place: self._at("issue_id", self.issues, place)
            ),
            ("GET", "/v1/issues/{issue_id}/responsibility"): Probe(
                action="read an issue", aim=lambda place: self._at("issue_id", self.issues, place)
            ),
            ("GET", "/v1/issues/{issue_id}/clocks"): Probe(
                action="read an issue", aim=lambda place: self._at("issue_id", self.issues, place)
            ),
            ("GET", "/v1/clock-rules"): Probe(action="read the clock rules", aim=everywhere(Shot())),
            ("PUT", "/v1/clock-rules/{code}"): Probe(
                action="ask for a clock rule", aim=everywhere(Shot(path={"code": "r1"}, body=CLOCK_RULE))
            ),
            ("GET", "/v1/clock-rule-proposals"): Probe(action="read asked clock rules", aim=everywhere(Shot())),
            ("GET", "/v1/clock-rule-proposals/{proposal_id}"): Probe(
                action="read asked clock rules", aim=everywhere(Shot(path={"proposal_id": uuid4()})), fine=NOWHERE
            ),
            ("POST", "/v1/clock-rule-proposals/{proposal_id}/decision"): Probe(
                action="agree to a clock rule",
                aim=everywhere(Shot(path={"proposal_id": uuid4()}, body={"decision": "approve"})),
                fine=NOWHERE,
            ),
            ("POST", "/v1/issues/{issue_id}/assignments"): Probe(
                action=step,
                aim=lambda place: self._at("issue_id", self.issues, place, {"organisation_code": CODES["own"]}),
                fine=frozenset({200, 201, 409}),
            ),
            ("POST", "/v1/issues/{issue_id}/citizen/reveal"): Probe(
                action="reveal a citizen", aim=lambda place: self._at("issue_id", self.issues, place, WHY)
            ),
            ("POST", "/v1/citizen-proposals"): Probe(action="propose about citizens", aim=self._propose),
            ("GET", "/v1/citizen-proposals/{proposal_id}"): Probe(
                action="read such a proposal", aim=lambda place: _nowhere("proposal_id", place), fine=NOWHERE
            ),
            ("POST", "/v1/citizen-proposals/{proposal_id}/decision"): Probe(
                action="decide such a proposal",
                aim=lambda place: _nowhere("proposal_id", place, {"decision": "approve"}),
                fine=NOWHERE,
            ),
            ("POST", "/v1/citizen-proposals/{proposal_id}/result"): Probe(
                action="fetch a list of citizens", aim=lambda place: _nowhere("proposal_id", place, {}), fine=NOWHERE
            ),
            ("GET", "/v1/citizens/{citizen_ref}/export"): Probe(
                action="disclose a citizen's data", aim=lambda place: _nowhere("citizen_ref", place), fine=NOWHERE
            ),
            **{
                (method, path): Probe(
                    action=rate, aim=everywhere(Shot()), fine=frozenset({200, 404, 429}), is_open=True
                )
                for method in ("GET", "HEAD")
                for path in ("/rate", "/rate.css", "/rate.js", "/v1/rating-links")
            },
            **{
                ("POST", path): Probe(
                    action=rate, aim=everywhere(Shot()), fine=frozenset({404, 422, 429}), is_open=True
                )
                for path in ("/rate", "/rate/confirmation")
            },
            ("POST", "/v1/rating-links/rating"): Probe(
                action=rate,
                aim=everywhere(Shot(body={"token": "of nobody", "page": "of none", "level": 5})),
                fine=frozenset({422, 429}),
                is_open=True,
            ),
            ("PUT", "/v1/issues/{issue_id}/adoption"): Probe(
                action="decide a suggestion",
                aim=lambda place: self._at(
                    "issue_id", self.issues, place, {"adoption": "adopted", "explanation": "采纳"}
                ),
                fine=frozenset({409}),  # none of them suggests anything
            ),
            ("GET", "/v1/issues/{issue_id}/adoption"): Probe(
                action="read an issue", aim=lambda place: self._at("issue_id", self.issues, place), fine=NOWHERE
            ),
            ("POST", "/v1/consultations"): Probe(
                action="announce a consultation",
                aim=lambda place: _said(place, consultation_of(place)),
                absent=422,
                known=frozenset({"above"}),
            ),
            ("POST", "/v1/consultations/{consultation_id}/withdrawal"): Probe(
                action="announce a consultation",
                aim=lambda place: self._at("consultation_id", self.consultations, place, {"reason_code": "postponed"}),
            ),
            ("POST", "/v1/consultations/{consultation_id}/answer"): Probe(
                action="answer a consultation",
                aim=lambda place: self._at(
                    "consultation_id", self.consultations, place, {"answer": "采纳", "themes": []}
                ),
                fine=frozenset({409}),  # none of them is over
            ),
            ("GET", "/v1/consultations/{consultation_id}/opinions"): Probe(
                action="read opinions", aim=lambda place: self._at("consultation_id", self.consultations, place)
            ),
            ("POST", "/v1/consultations/{consultation_id}/received-opinions"): Probe(
                action="enter an opinion",
                aim=lambda place: self._at("consultation_id", self.consultations, place, {"stance": "for"}),
                fine=frozenset({201, 409}),  # the withdrawn ones take none
            ),
            ("GET", "/v1/consultations"): Probe(action=rate, aim=everywhere(Shot()), is_open=True),
            ("GET", "/v1/consultations/{consultation_id}"): Probe(
                action=rate,
                aim=everywhere(Shot(path={"consultation_id": uuid4()})),
                fine=NOWHERE,
                is_open=True,
            ),
            ("POST", "/v1/consultations/{consultation_id}/opinions"): Probe(
                action=rate,
                aim=everywhere(Shot(path={"consultation_id": uuid4()}, body={"stance": "for"})),
                fine=frozenset({404, 429}),
                is_open=True,
            ),
            ("POST", "/v1/reception-days"): Probe(
                action="offer a reception day",
                aim=lambda place: _said(place, reception_day_of(place)),
                absent=422,
                known=frozenset({"above"}),
            ),
            ("POST", "/v1/reception-days/{reception_day_id}/cancellation"): Probe(
                action="offer a reception day",
                aim=lambda place: self._at("reception_day_id", self.reception_days, place, {"reason_code": "illness"}),
            ),
            ("POST", "/v1/reception-days/{reception_day_id}/holding"): Probe(
                action="hold a reception day",
                aim=lambda place: self._at("reception_day_id", self.reception_days, place, {"visitor_count": 3}),
                fine=frozenset({409}),  # none of them has begun
            ),
            ("GET", "/v1/reception-days/{reception_day_id}/bookings"): Probe(
                action="read who has booked",
                aim=lambda place: self._at("reception_day_id", self.reception_days, place),
            ),
            ("POST", "/v1/reception-days/{reception_day_id}/bookings/{booking_id}/mark"): Probe(
                action="hold a reception day",
                aim=lambda place: _nowhere("booking_id", place, {"state": "came"}, reception_day_id=uuid4()),
                fine=NOWHERE,
            ),
            ("GET", "/v1/reception-days"): Probe(action=rate, aim=everywhere(Shot()), is_open=True),
            ("GET", "/v1/reception-bookings"): Probe(
                action=rate, aim=everywhere(Shot()), fine=frozenset({404, 429}), is_open=True
            ),
            ("POST", "/v1/reception-bookings/cancellation"): Probe(
                action=rate, aim=everywhere(Shot(body={"token": "x"})), fine=frozenset({404, 429}), is_open=True
            ),
            ("POST", "/v1/reception-days/{reception_day_id}/bookings"): Probe(
                action=rate,
                aim=everywhere(
                    Shot(
                        path={"reception_day_id": uuid4()},
                        body={"slot": 1, "name": "张三", "phone": "13812345678"},
                    )
                ),
                fine=frozenset({404, 429}),
                is_open=True,
            ),
            **OPEN311,
            ("GET", "/v1/changes"): Probe(action="follow the changes", aim=everywhere(Shot())),
            ("POST", "/v1/open311/keys"): Probe(action="file over Open311", aim=everywhere(Shot())),
            ("GET", "/v1/issues/{issue_id}/filing"): Probe(
                action="read an issue",
                aim=lambda place: self._at("issue_id", self.issues, place),
                fine=NOWHERE,  # none of them came in over Open311
            ),
            ("PUT", "/v1/issues/{issue_id}/publication"): Probe(
                action="publish an issue",
                aim=lambda place: self._at("issue_id", self.issues, place, {"is_public": True}),
            ),
            ("POST", "/v1/ratings"): Probe(action="submit a rating", aim=self._rate, absent=422),
            **RETENTION,
            ("GET", "/v1/audit-records"): Probe(action="read the audit", aim=everywhere(Shot())),
            ("GET", "/v1/organisations"): Probe(
                action="list organisations",
                aim=everywhere(Shot(query={"limit": 200})),
                lists=ORGANISATIONS,
            ),
            ("GET", "/v1/organisations/{code}"): Probe(
                action="read an organisation",
                aim=lambda place: Shot(path={"code": CODES[place]}) if place in CODES else None,
            ),
            ("PUT", "/v1/organisations/{code}"): Probe(
                action=write,
                aim=lambda place: (
                    Shot(path={"code": CODES[place]}, body={"name": "新名", "level": "60"}) if place in CODES else None
                ),
            ),
            ("GET", "/v1/organisations/{code}/versions"): Probe(
                action="read an organisation",
                aim=lambda place: Shot(path={"code": CODES[place]}) if place in CODES else None,
            ),
            ("POST", "/v1/organisations/{code}/merger"): Probe(
                action=write,
                aim=lambda place: (
                    Shot(path={"code": CODES[place]}, body={"successor_code": "440000", "merged_on": "2026-01-01"})
                    if place in CODES
                    else None
                ),
            ),
            ("POST", "/v1/organisations/{code}/dissolution"): Probe(
                action=write,
                aim=lambda place: (
                    Shot(path={"code": CODES[place]}, body={"dissolved_on": "2026-01-01"}) if place in CODES else None
                ),
            ),
            ("POST", "/v1/cadres/{staff_number}/departure"): Probe(
                action=write,
                aim=lambda place: (
                    Shot(
                        path={"staff_number": staff_number(place)},
                        body={"left_on": "2026-01-01", "reason_code": "retired"},
                    )
                    if place in CODES
                    else None
                ),
            ),
            ("GET", "/v1/cadres"): Probe(
                action="list cadres", aim=everywhere(Shot(query={"limit": 200})), lists=CADRES
            ),
            ("GET", "/v1/cadres/{staff_number}"): Probe(
                action="read a cadre",
                aim=lambda place: Shot(path={"staff_number": staff_number(place)}) if place in CODES else None,
            ),
            ("GET", "/v1/cadres/{staff_number}/career"): Probe(
                action="read a career",
                aim=lambda place: Shot(path={"staff_number": staff_number(place)}) if place in CODES else None,
            ),
            ("GET", "/v1/coming-changes"): Probe(action=house, aim=everywhere(Shot())),
            ("POST", "/v1/coming-changes/{change_id}/withdrawal"): Probe(
                action=write, aim=everywhere(Shot(path={"change_id": str(uuid4())}))
            ),
            ("GET", "/v1/population-groups/{code}/versions"): Probe(
                action=house, aim=everywhere(Shot(path={"code": "elderly"}))
            ),
            ("GET", "/v1/place-populations/{population_id}/versions"): Probe(
                action=house, aim=everywhere(Shot(path={"population_id": str(uuid4())})), fine=frozenset({404})
            ),
            ("GET", "/v1/roster-candidates"): Probe(action="match persons of rosters", aim=everywhere(Shot())),
            ("POST", "/v1/roster-candidates/{candidate_id}/decision"): Probe(
                action="match persons of rosters",
                aim=everywhere(Shot(path={"candidate_id": str(uuid4())}, body={"decision": "same"})),
            ),
            ("PUT", "/v1/cadres/{staff_number}"): Probe(
                action=write,
                aim=lambda place: (
                    Shot(path={"staff_number": staff_number(place)}, body={"name": "新名"}) if place in CODES else None
                ),
            ),
            ("PUT", "/v1/cadres/{staff_number}/phones"): Probe(
                action=write,
                aim=lambda place: (
                    Shot(path={"staff_number": staff_number(place)}, body={"phones": ["13812345678"]})
                    if place in CODES
                    else None
                ),
            ),
            ("POST", "/v1/cadres/{staff_number}/posts"): Probe(
                action=write,
                aim=lambda place: (
                    Shot(path={"staff_number": staff_number(place)}, body=post_of(place)) if place in CODES else None
                ),
            ),
            ("POST", "/v1/posts/{post_id}/end"): Probe(
                action=write, aim=lambda place: self._at("post_id", self.posts, place, {"until_on": "2029-12-31"})
            ),
            ("PUT", "/v1/categories/{code}"): Probe(
                action=write, aim=everywhere(Shot(path={"code": "roads"}, body={"name": "道路"}))
            ),
            ("GET", "/v1/categories"): Probe(action=house, aim=everywhere(Shot())),
            ("GET", "/v1/categories/{category_id}/versions"): Probe(
                action=house, aim=everywhere(Shot(path={"category_id": uuid4()})), fine=NOWHERE
            ),
            ("POST", "/v1/channels"): Probe(
                action=write,
                aim=lambda place: Shot(body=channel_of(place)) if place in CODES else None,
                absent=422,
            ),
            ("POST", "/v1/channels/{channel_id}/end"): Probe(
                action=write, aim=lambda place: self._at("channel_id", self.channels, place, {"until_on": "2029-12-31"})
            ),
            ("GET", "/v1/channels"): Probe(action=house, aim=everywhere(Shot())),
            ("POST", "/v1/channels/{channel_id}/checks"): Probe(
                action="check a channel",
                aim=lambda place: self._at(
                    "channel_id", self.channels, place, {"checked_at": OCCURRED_AT, "is_reached": True}
                ),
            ),
            ("GET", "/v1/channels/{channel_id}/checks"): Probe(
                action="read checks of a channel", aim=lambda place: self._at("channel_id", self.channels, place)
            ),
            ("PUT", "/v1/population-groups/{code}"): Probe(
                action=write, aim=everywhere(Shot(path={"code": "fishers"}, body={"name": "渔民"}))
            ),
            ("GET", "/v1/population-groups"): Probe(action=house, aim=everywhere(Shot())),
            ("POST", "/v1/place-populations"): Probe(
                action=write, aim=lambda place: Shot(body=population_of(place)) if place in CODES else None, absent=422
            ),
            ("GET", "/v1/place-populations"): Probe(action=house, aim=everywhere(Shot())),
            ("POST", "/v1/contact-points"): Probe(
                action=write, aim=lambda place: Shot(body=point_of(place)) if place in CODES else None, absent=422
            ),
            ("GET", "/v1/contact-points"): Probe(action=house, aim=everywhere(Shot())),
            ("POST", "/v1/contact-households"): Probe(
                action="register a household",
                aim=lambda place: Shot(body=household_of(place)) if place in CODES else None,
                absent=422,
            ),
            ("GET", "/v1/contact-households"): Probe(
                action="list households", aim=everywhere(Shot(query={"limit": 200})), lists=HOUSEHOLDS
            ),
            ("GET", "/v1/contact-households/{household_id}"): Probe(
                action="read a household", aim=lambda place: self._at("household_id", self.households, place)
            ),
            ("POST", "/v1/liaison-assignments"): Probe(
                action="register a household",
                aim=lambda place: Shot(body=assignment_of(place)) if place in CODES else None,
                absent=422,
            ),
            ("GET", "/v1/liaison-assignments"): Probe(
                action="list households", aim=everywhere(Shot(query={"limit": 200})), lists=HOUSEHOLDS
            ),
            ("GET", "/v1/registers/{register}/export"): Probe(
                action="export a register",
                aim=everywhere(Shot(path={"register": "contact-households"})),
                lists=HOUSEHOLDS,
            ),
            ("POST", "/v1/export-proposals"): Probe(
                action="ask for a large export", aim=lambda place: _said(place, export_of(place)), absent=422
            ),
            ("GET", "/v1/export-proposals"): Probe(action="read asked exports", aim=everywhere(Shot())),
            ("GET", "/v1/export-proposals/{proposal_id}"): Probe(
                action="read asked exports", aim=everywhere(Shot(path={"proposal_id": uuid4()})), fine=NOWHERE
            ),
            ("POST", "/v1/export-proposals/{proposal_id}/decision"): Probe(
                action="agree to a large export",
                aim=lambda place: self._at("proposal_id", self.exports, place, {"decision": "approve"}),
            ),
            ("POST", "/v1/export-proposals/{proposal_id}/result"): Probe(
                action="fetch a large export",
                aim=lambda place: _nowhere("proposal_id", place),
                fine=NOWHERE,
            ),
            ("POST", "/v1/duties"): Probe(action=write, aim=everywhere(Shot(body=DUTY))),
            ("GET", "/v1/duties"): Probe(action=house, aim=everywhere(Shot())),
            ("GET", "/v1/duties/presets"): Probe(action=house, aim=everywhere(Shot())),
            ("POST", "/v1/duties/presets/{name}"): Probe(
                action=write,
                aim=everywhere(Shot(path={"name": "national-2009-reception"}, body={"valid_from": "2025-01-01"})),
            ),
            ("POST", "/v1/imports"): Probe(
                action="run an import", aim=everywhere(Shot(query={"profile": "lianxin-issues"}, body={}))
            ),
            ("GET", "/v1/imports/{import_id}"): Probe(
                action="look at imports", aim=everywhere(Shot(path={"import_id": uuid4()})), fine=NOWHERE
            ),
            ("GET", "/v1/imports/{import_id}/findings"): Probe(
                action="look at imports", aim=everywhere(Shot(path={"import_id": uuid4()})), fine=NOWHERE
            ),
            ("POST", "/v1/issues/{issue_id}/merger"): Probe(
                action=step,
                aim=lambda place: self._at(
                    "issue_id", self.issues, place, {"into_id": self.issues["own"], "reply": "并单处理"}
                ),
                fine=frozenset({200, 409}),
            ),
            ("POST", "/v1/issues/{issue_id}/closure"): Probe(
                action=step,
                aim=lambda place: self._at("issue_id", self.issues, place, CLOSURE),
                fine=frozenset({200, 201, 409}),
            ),
            ("POST", "/v1/contacts/{contact_id}/void"): Probe(  # last: of what is void others find nothing
                action="correct a contact",
                aim=lambda place: self._at("contact_id", self.contacts, place, {"reason_code": "duplicate"}),
            ),
        }

    def _steps(self) -> dict[tuple[str, str], Probe]:
        """Whether the step fits the issue is not what is asked here: a conflict lets in as well as a success."""
        return {
            (method, f"/v1/issues/{{issue_id}}/{path}"): Probe(
                action=action,
                aim=self._step(body),
                fine=frozenset({200, 409}),
            )
            for action, method, path, body in STEPS
        }

    def _step(self, body: dict[str, Any]) -> Callable[[Place], Shot | None]:
        return lambda place: self._at("issue_id", self.issues, place, body)

    def _propose(self, place: Place) -> Shot | None:
        found = self._at("issue_id", self.issues, place)
        if found is None:
            return None
        return Shot(body={"kind": "reveal", "issue_ids": [str(found.path["issue_id"])], **WHY})

    def _rate(self, place: Place) -> Shot | None:
        found = self._at("issue_id", self.issues, place)
        if found is None:
            return None
        return Shot(body={"issue_id": str(found.path["issue_id"]), "level": 5, "method": "kiosk"})

    def _at(self, name: str, known: Mapping[Place, str], place: Place, body: Any = None) -> Shot | None:
        if place == "unknown":
            return Shot(path={name: uuid4()}, body=body)
        return Shot(path={name: known[place]}, body=body) if place in known else None


def post_of(place: Place) -> dict[str, Any]:
    return {
        "organisation_code": CODES[place],
        "post_kind": "township_head",
        "post_level": "141",
        "from_on": "2025-01-01",
    }


def household_of(place: Place) -> dict[str, Any]:
    return {
        "number": f"H-{place}",
        "organisation_code": CODES[place],
        "place_code": CODES[place],
        "population_group": "farmers",
        "from_on": "2025-01-01",
        "head": {"name": "张三", "phone": "13812345678", "address": "清溪镇青石村3组18号"},
    }


def assignment_of(place: Place) -> dict[str, Any]:
    return {"staff_number": staff_number(place), "household_number": f"H-{place}", "from_on": "2025-01-01"}


def point_of(place: Place) -> dict[str, Any]:
    placed = {"organisation_code": CODES[place], "kind": "school", "name": "中心小学", "from_on": "2025-01-01"}
    return {**placed, "code": f"P-{place}"}


def population_of(place: Place) -> dict[str, Any]:
    counted = {"counted_on": "2025-01-01", "people_count": 812, "population_group": "farmers"}
    return {**counted, "organisation_code": CODES[place], "place_code": CODES[place]}


def export_of(place: Place) -> dict[str, Any]:
    return {"register_name": "cadres", "organisation_code": CODES.get(place, CODES["own"]), "purpose": "年度核对"}


def channel_of(place: Place) -> dict[str, Any]:
    published = {"organisation_code": CODES[place], "kind": "phone", "from_on": "2025-01-01"}
    return {**published, "address": f"0571-8{len(place):07}"}


def contact_of(place: Place) -> dict[str, Any]:
    """With the reason that an officer has to give; it does not matter who else gives one."""
    late = {"late_reason": "整理档案时发现"}
    return {"staff_number": staff_number(place), "kind": "visit", "occurred_at": OCCURRED_AT, **late}


def consultation_of(place: Place) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "organisation_code": CODES.get(place, CODES["own"]),
        "title": "停车收费方案",
        "question": "您是否赞成？",
        "opens_at": (now - timedelta(days=1)).isoformat(),
        "closes_at": (now + timedelta(days=30)).isoformat(),
    }


def reception_day_of(place: Place) -> dict[str, Any]:
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    return {
        "organisation_code": CODES.get(place, CODES["own"]),
        "staff_number": staff_number(place),
        "place": "一楼接访室",
        "from_at": begins.isoformat(),
        "until_at": (begins + timedelta(hours=2)).isoformat(),
    }


def issue_of(place: Place) -> dict[str, Any]:
    number = staff_number(place)
    return {
        "type": "help",
        "category": "roads",
        "channel": "phone",
        "title": "路灯不亮",
        "organisation_code": CODES.get(place, CODES["own"]),
        "staff_number": number,
        "citizen": {"name": "张三", "phone": "13812345678"},
    }


def _nowhere(name: str, place: Place, body: Any = None, **path: object) -> Shot | None:
    """For what no fixture of this world makes: who may ask at all gets the answer of what does not exist."""
    return Shot(path={name: uuid4(), **path}, body=body) if place in {"own", "unknown"} else None


def _said(place: Place, body: dict[str, Any]) -> Shot | None:
    return Shot(body=body) if place in CODES else None
