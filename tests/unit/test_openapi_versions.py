"""Which changes heed If-Match, and why every other one needs no version: two persons can overwrite nothing there."""

import pytest

from tests.unit.test_openapi import operations
from tests.unit.test_routes import make_apps

NEW = "it makes something new, and changes nothing that anybody could have read"
SAME_NAME = "what stands under the same name or id with other content is refused with 409, and not overwritten"
DECIDED = "it is decided once, and another decision is refused with 409"
STATE = "a state that is asked for and not worked out from what was read: whoever comes second finds it reached"
ALONE = "nobody but the one person who asks changes it"
NOTHING_KEPT = "nothing is changed"
UNREAD = "it cannot be read back, so that no change is made from what was read"
BY_TOKEN = "the token stands for one of them, and is used up"
STEPS_OF_A_PROPOSAL = "what is agreed to is the proposal as it was asked for, which nothing changes"

# In every service: what is held has one reason, which stands; an agreement to a period is each person's own.
EVERYWHERE = {
    "PUT /v1/legal-holds/{object_type}/{object_id}": "what is held stays held for the first reason",
    "DELETE /v1/legal-holds/{object_type}/{object_id}": STATE,
    "PUT /v1/retention/{kind}/approval": "each person's agreement is a row of its own",
}

WITHOUT_VERSION = {
    "intake": {
        "POST /v1/contacts": SAME_NAME,
        "POST /v1/contacts/batch": SAME_NAME,
        "POST /v1/contacts/reviews/{contact_id}/decision": DECIDED,
        "POST /v1/issues": SAME_NAME,
        "POST /v1/ratings": "one rater's own, who amends it within a day; later ones are refused",
        "POST /v1/cadres/{staff_number}/posts": SAME_NAME,
        "POST /v1/duties": SAME_NAME,
        "POST /v1/duties/presets/{name}": "many duties at once, none read before: it says what became of each",
        "POST /v1/channels": SAME_NAME,
        "POST /v1/channels/{channel_id}/checks": NEW,
        "POST /v1/export-proposals": NEW,
        "POST /v1/export-proposals/{proposal_id}/decision": DECIDED,
        "POST /v1/export-proposals/{proposal_id}/result": NOTHING_KEPT,
        "POST /v1/roster-candidates/{candidate_id}/decision": DECIDED,
        "POST /v1/coming-changes/{change_id}/withdrawal": STATE,
        "POST /v1/imports": NEW,
        "POST /v1/issues/{issue_id}/citizen/reveal": NOTHING_KEPT,
        "POST /v1/citizen-proposals": NEW,
        "POST /v1/citizen-proposals/{proposal_id}/decision": DECIDED,
        "POST /v1/citizen-proposals/{proposal_id}/result": NOTHING_KEPT,
        "POST /v1/issues/{issue_id}/rating-link": NEW,
        "DELETE /v1/issues/{issue_id}/rating-link": STATE,
        "POST /v1/contacts/{contact_id}/rating-link": NEW,
        "DELETE /v1/contacts/{contact_id}/rating-link": STATE,
        "POST /v1/kiosk-sessions": NEW,
        "POST /v1/rating-links/rating": BY_TOKEN,
        "POST /v1/reception-days": SAME_NAME,
        "POST /v1/reception-days/{reception_day_id}/bookings": NEW,
        "POST /v1/reception-bookings/cancellation": BY_TOKEN,
        "POST /v1/reception-days/{reception_day_id}/bookings/{booking_id}/mark": STATE,
        "POST /v1/consultations": SAME_NAME,
        "POST /v1/consultations/{consultation_id}/withdrawal": STATE,
        "POST /v1/consultations/{consultation_id}/answer": "it is answered once",
        "POST /v1/consultations/{consultation_id}/opinions": NEW,
        "POST /v1/consultations/{consultation_id}/received-opinions": NEW,
        "PUT /v1/issues/{issue_id}/adoption": DECIDED,
        "POST /v1/ratings/{rating_id}/cases": NEW,
        "POST /v1/rating-cases/{case_id}/decision": DECIDED,
        "POST /v1/rating-comments/{rating_id}/accusation": STATE,
        "DELETE /v1/rating-comments/{rating_id}/accusation": STATE,
        "PUT /v1/cadres/{staff_number}/phones": UNREAD,
        "POST /v1/issues/{issue_id}/callback-attempts": NEW,
        "POST /v1/contacts/{contact_id}/callback-attempts": NEW,
        "POST /v1/rating-samples": NEW,
        "POST /v1/clock-rule-proposals/{proposal_id}/decision": "it is for the version that stood when it was asked",
        "PUT /v1/issues/{issue_id}/citizen-messages": "what the citizen said last, yes or no",
        "POST /v1/citizen-messages/{message_id}/replay": STATE,
        "POST /v1/receipts/sms": NEW,
        "POST /open311/v2/requests.json": NEW,
        "POST /open311/v2/requests.xml": NEW,
        "POST /open311/v2/servicerequestupdates.json": NEW,
        "POST /open311/v2/servicerequestupdates.xml": NEW,
        "POST /v1/open311/keys": UNREAD,
    },
    "assessment": {
        "PUT /v1/custom-periods/{period}": "the days are its name, and there is nothing else to it",
        "POST /v1/scheme-checks": NOTHING_KEPT,
        "POST /v1/simulations": NOTHING_KEPT,
        "POST /v1/scheme-proposals": "a version of a scheme never changes: another content is another version",
        "POST /v1/rule-schemes/{name}/{version}/end": STATE,
        "POST /v1/scheme-proposals/{proposal_id}/approve": DECIDED,
        "POST /v1/scheme-proposals/{proposal_id}/refuse": DECIDED,
        "POST /v1/signals/{signal_id}/decision": DECIDED,
    },
    "identity": {
        "POST /v1/sign-in": ALONE,
        "POST /v1/sign-in/code": ALONE,
        "POST /v1/sign-in/new-password": ALONE,
        "POST /v1/sign-in/second-factor": ALONE,
        "POST /v1/sign-in/second-factor/confirmation": ALONE,
        "POST /v1/sign-out": ALONE,
        "POST /v1/sign-out/everywhere": ALONE,
        "POST /v1/step-up": ALONE,
        "POST /v1/password": ALONE,
        "POST /v1/second-factor": ALONE,
        "DELETE /v1/second-factor": ALONE,
        "POST /v1/second-factor/confirmation": ALONE,
        "POST /v1/accounts": SAME_NAME,
        "POST /v1/accounts/{account_id}/disable": STATE,
        "POST /v1/accounts/{account_id}/enable": STATE,
        "POST /v1/accounts/{account_id}/roles": "a grant is given or taken by itself, and the others stay",
        "DELETE /v1/accounts/{account_id}/roles/{grant_id}": "a grant is given or taken by itself, and the others stay",
        "POST /v1/accounts/{account_id}/password": UNREAD,
        "DELETE /v1/accounts/{account_id}/second-factor": STATE,
        "POST /v1/account-proposals/{proposal_id}/approve": DECIDED,
        "POST /v1/account-proposals/{proposal_id}/refuse": DECIDED,
        "POST /v1/client-proposals": STEPS_OF_A_PROPOSAL,
        "POST /v1/client-proposals/{proposal_id}/approve": DECIDED,
        "POST /v1/client-proposals/{proposal_id}/refuse": DECIDED,
        "POST /v1/clients/{client_id}/secrets": NEW,
        "POST /v1/clients/{client_id}/keys": NEW,
        "DELETE /v1/clients/{client_id}/credentials/{credential_id}": STATE,
        "POST /v1/clients/{client_id}/disable": STATE,
        "POST /scim/v2/Users": SAME_NAME,
        "POST /scim/v2/Users/.search": NOTHING_KEPT,
        "POST /scim/v2/Groups": NEW,
        "POST /scim/v2/Groups/.search": NOTHING_KEPT,
        "POST /v1/oauth2/token": NOTHING_KEPT,
    },
    "notify": {
        "POST /v1/inbox/{subscription}/messages/{message_id}/read": STATE,
        "POST /v1/own/messages/{message_id}/read": STATE,
        "POST /v1/own/messages/read": STATE,
        "POST /v1/templates/{topic}/{language}": "it is a new version beside those that stand, which never change",
        "POST /v1/templates/{topic}/{language}/preview": NOTHING_KEPT,
        "POST /v1/templates/{topic}/{language}/{version}/activate": "the version is named",
        "POST /v1/deliveries/{delivery_id}/replay": STATE,
        "POST /v1/receipts/sms": NEW,
        "POST /v1/agreements": NEW,
        "POST /v1/agreements/{agreement_id}/approve": DECIDED,
        "POST /v1/agreements/{agreement_id}/refuse": DECIDED,
        "POST /v1/agreements/{agreement_id}/end": STATE,
        "POST /v1/webhook-endpoints": NEW,
        "POST /v1/webhook-endpoints/{endpoint_id}/approve": DECIDED,
        "POST /v1/webhook-endpoints/{endpoint_id}/refuse": DECIDED,
        "POST /v1/webhook-endpoints/{endpoint_id}/keys": UNREAD,
        "POST /v1/webhook-endpoints/{endpoint_id}/tests": NEW,
        "POST /v1/webhook-endpoints/{endpoint_id}/replays": NEW,
    },
}


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    return make_apps(tmp_path_factory.mktemp("keys"))


def test_every_change_heeds_the_version_that_was_read_or_needs_none(apps):
    for service, app in apps.items():
        without = {
            f"{method} {path}"
            for method, path, operation in operations(app)
            if method != "GET" and "If-Match" not in [one["name"] for one in operation.get("parameters", ())]
        }

        assert without == WITHOUT_VERSION[service].keys() | EVERYWHERE.keys(), service


def test_what_heeds_a_version_says_that_another_one_is_refused(apps):
    for app in apps.values():
        for method, path, operation in operations(app):
            names = [one["name"] for one in operation.get("parameters", ())]
            assert names.count("If-Match") == ("412" in operation["responses"]), f"{method} {path}"
