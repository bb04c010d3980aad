"""What raters say in own words: sealed, past the unit where it accuses, and told to others in other words only."""

import json

import pytest

from services.intake.domain.ratings import accuses, repeats_verbatim

pytestmark = pytest.mark.integration
HARMLESS = "师傅来得很快，就是路面还有点坑洼不平"
ACCUSING = "办事员索要好处费，不给就拖着"
STAFF = (
    "town-clerk",
    "town-officer",
    "street-officer",
    "county-officer",
    "county-approver",
    "town-head",
    "first",
    "auditor",
    "kiosk",
    "gateway",
)


@pytest.fixture
def listed(ask):
    """The texts that somebody finds in a list, or the refusal."""

    def read(who, path="/v1/rating-comments"):
        answer = ask("GET", path, who=who)
        return [item["text"] for item in answer.json()["items"]] if answer.status_code == 200 else answer.status_code

    return read


@pytest.fixture
def said(rate, token, rows, closed):
    def run(comment):
        assert rate(token, 2, comment=comment).status_code == 201
        [[rating_id]] = rows("SELECT id FROM rating WHERE issue_id = %s", closed)
        return rating_id

    return run


def test_a_comment_is_sealed_and_in_no_event_no_audit_and_no_log(said, rows, capfd):
    said(HARMLESS)
    kept = [
        str(rows(f"SELECT array_agg(row_to_json(t)::text) FROM {table} AS t"))  # noqa: S608 - the names stand here
        for table in ("outbox", "audit_record", "rating", "rating_comment", "idempotency_key")
    ]

    assert [text for text in kept if HARMLESS[:8] in text] == []
    assert HARMLESS[:8] not in "".join(capfd.readouterr())
    assert rows("SELECT count(*) FROM rating_comment WHERE text IS NOT NULL AND NOT is_accusation") == [(1,)]


def test_officers_above_the_unit_read_it_and_nobody_of_the_unit_does(said, listed):
    said(HARMLESS)

    assert listed("county-officer") == listed("town-officer") == listed("county-approver") == [HARMLESS]
    assert listed("street-officer") == []
    for who in ("town-clerk", "town-head", "first", "auditor", "kiosk", "gateway"):
        assert listed(who) == 403


def test_an_accusation_goes_to_the_restricted_queue_alone(said, listed, ask):
    rating_id = said(ACCUSING)

    assert listed("county-officer") == []
    assert listed("county-officer", "/v1/rating-accusations") == [ACCUSING]
    assert listed("street-officer", "/v1/rating-accusations") == []
    path = f"/v1/rating-comments/{rating_id}"
    assert ask("PUT", f"{path}/paraphrase", {"paraphrase": "反映工作作风"}, who="county-officer").status_code == 404
    assert ask("DELETE", f"{path}/accusation", {}, who="street-officer").status_code == 404
    assert ask("DELETE", f"{path}/accusation", {}, who="county-officer").json()["is_accusation"] is False
    assert listed("county-officer") == [ACCUSING]


def test_a_person_may_send_a_comment_there_that_no_word_of_the_list_did(said, listed, ask, rows):
    rating_id = said(HARMLESS)

    flagged = ask("POST", f"/v1/rating-comments/{rating_id}/accusation", {}, who="county-approver")

    assert flagged.status_code == 200
    assert listed("county-officer") == []
    assert listed("county-officer", "/v1/rating-accusations") == [HARMLESS]
    assert rows("SELECT count(*) FROM audit_record WHERE action = 'rating_comment.flag'") == [(1,)]
    assert ask("POST", f"/v1/rating-comments/{rating_id}/accusation", {}, who="county-approver").status_code == 200
    assert rows("SELECT count(*) FROM audit_record WHERE action = 'rating_comment.flag'") == [(1,)]


def test_an_amended_comment_that_accused_stays_in_the_queue(said, rate, token, listed):
    said(ACCUSING)
    rate(token, 4)  # taken back: kept for whoever has to look at it
    assert listed("county-officer", "/v1/rating-accusations") == [ACCUSING]
    rate(token, 4, comment=HARMLESS)
    assert listed("county-officer", "/v1/rating-accusations") == [HARMLESS]


@pytest.mark.parametrize("paraphrase", [HARMLESS, "市民说：就是路面还有点坑洼", "就是 路面，还有点 坑洼"])
def test_a_paraphrase_repeats_nothing_verbatim(said, ask, paraphrase):
    path = f"/v1/rating-comments/{said(HARMLESS)}/paraphrase"

    refused = ask("PUT", path, {"paraphrase": paraphrase}, who="county-officer")
    taken = ask("PUT", path, {"paraphrase": "处理及时，路面平整度有待改善"}, who="county-officer")

    assert (refused.status_code, refused.json()["title"]) == (422, "verbatim-paraphrase")
    assert taken.status_code == 200
    [item] = ask("GET", "/v1/rating-comments", who="county-officer").json()["items"]
    assert item["paraphrase"] == "处理及时，路面平整度有待改善"
    assert ask("PUT", path, {"paraphrase": "好"}, who="street-officer").status_code == 404


def test_a_paraphrase_is_of_the_words_that_were_read(said, ask, rate, token):
    path = f"/v1/rating-comments/{said(HARMLESS)}/paraphrase"
    body = {"paraphrase": "处理及时"}

    def versions():
        return [item["version"] for item in ask("GET", "/v1/rating-comments", who="county-officer").json()["items"]]

    def put(version):
        answer = ask("PUT", path, body, who="county-officer", **{"If-Match": f'"{version}"'})
        return answer.status_code, answer.json().get("title")

    assert versions() == [1]
    rate(token, 2, comment="后来又坏了，再没有人来看过这条路")  # the rater says something else meanwhile
    assert put(1) == (412, "outdated")
    assert put(2) == (200, None)
    assert put(2) == (412, "outdated")  # somebody has said it in other words
    assert versions() == [3]


def test_no_answer_to_anybody_else_holds_eight_characters_of_it(said, ask, closed):
    rating_id = said(HARMLESS)
    paths = [
        f"/v1/issues/{closed}", f"/v1/issues/{closed}/steps", "/v1/issues", "/v1/audit-records", "/v1/rating-cases",
        "/v1/rating-comments", "/v1/rating-accusations", f"/v1/ratings/{rating_id}", "/v1/organisations", "/v1/cadres",
    ]  # fmt: skip
    shown = {who: "".join(ask("GET", path, who=who).text for path in paths) for who in STAFF}

    pieces = [HARMLESS[at : at + 8] for at in range(len(HARMLESS) - 7)]
    told = {who for who, text in shown.items() if any(json.dumps(one)[1:-1] in text or one in text for one in pieces)}
    assert told == {"county-officer", "county-approver", "town-officer"}


def test_words_are_found_in_full_width_and_with_something_between(rules):
    assert accuses("他 受-贿", rules.accusing_words)
    assert accuses("收了红 包", rules.accusing_words)
    assert not accuses("路灯修好了", rules.accusing_words)
    assert repeats_verbatim("修好了", "修好了")
    assert not repeats_verbatim("已处理", "修好了")
