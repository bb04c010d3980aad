"""The pages at which clerks and cadres work, as a browser uses them: filled in, refused, sent twice."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import Client

from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.populations import DefinePopulationGroup
from services.intake.domain.contacts import CHINA
from services.intake.handlers import categories, contacts, issues, populations
from services.intake.web.entries import count_entries
from shared.database import Pool
from shared.identifiers import new_id
from tests.fakes import person
from tests.integration.intake.browsers import open_site, opened
from tests.integration.intake.commands import a_contact, an_issue
from tests.integration.intake.forms import filled_in

pytestmark = pytest.mark.integration
PEOPLE = {
    "clerk": person("clerk", "street", name="the clerk"),
    "other": person("clerk", "harbour", name="the other clerk"),
    "cadre": person("cadre", name="the cadre", staff_number="S1"),
    "officer": person("department_officer", "county", name="the officer"),
    "approver": person("approver", "county"),
    "auditor": person("auditor"),
    "unit_head": person("unit_head", "county"),
    "operations": person("operations"),
}
MOST_ENTRIES = 8
VISIT = {
    "cadre": "S1",
    "kind": "visit",
    "place_code": "990101001001",
    "population_group": "farmers",
    "people_count": "3",
}


@pytest.fixture
def site(pool: Pool, county, tmp_path) -> FastAPI:
    assert county
    return open_site(pool, tmp_path, PEOPLE)


@pytest.fixture
def visit(site: FastAPI) -> Iterator[object]:
    with opened(site) as browser:
        yield browser


def send(browser: Client, page: str, action: str, **fields: str):
    """Fill in the form of a page as a browser does: what is not touched is sent as it stands there."""
    shown = browser.get(page)
    assert shown.status_code == 200, shown.text
    return browser.post(f"/desk/{action}", data=filled_in(shown.text, action) | fields)


def record(browser: Client, **fields: str) -> UUID:
    answer = send(browser, "/desk/contacts/new", "contacts/new", **{**VISIT, **fields})
    assert answer.status_code == 303, answer.text
    return UUID(re.search(r"contacts/([0-9a-f-]{36})", answer.headers["location"])[1])  # type: ignore[index] # there is one


def test_a_visit_takes_at_most_eight_entries(visit):
    entries = count_entries(visit("clerk").get("/desk/contacts/new").text)

    assert len(entries.needed) <= MOST_ENTRIES
    assert entries.required == ["cadre", "occurred_at"]
    assert {"cadre", "kind", "occurred_at", "place_code", "population_group", "people_count", "note"} == set(
        entries.needed
    )


def test_a_clerk_records_a_visit_and_finds_it_again(visit, pool, events_of):
    clerk = visit("clerk")

    contact_id = record(clerk, note="走访农户，了解灌溉情况")

    found = contacts.get_contact(pool, contact_id)
    assert (found.staff_number, found.place_code, found.people_count) == ("S1", "990101001001", 3)
    assert abs(found.occurred_at - datetime.now(UTC)) < timedelta(minutes=10)  # now, unless it is said otherwise
    page = clerk.get(f"/desk/contacts/{contact_id}").text
    assert "走访农户，了解灌溉情况" in page
    assert str(contact_id) in clerk.get("/desk/contacts").text
    assert 'value="990101001001"' in clerk.get("/desk/contacts/new").text  # the last place
    assert ("contact.recorded", 1) in events_of(contact_id)


def test_a_form_that_is_sent_twice_records_once(visit, ask):
    clerk = visit("clerk")
    form = filled_in(clerk.get("/desk/contacts/new").text, "contacts/new") | VISIT

    answers = [clerk.post("/desk/contacts/new", data=form) for _ in range(3)]

    assert [answer.headers["location"].partition("done=")[2] for answer in answers] == [
        "created", "unchanged", "unchanged",
    ]  # fmt: skip
    assert "没有重复登记" in clerk.get(answers[1].headers["location"].replace("../../", "/")).text
    assert ask("SELECT count(*) FROM contact WHERE id = %s", form["id"]) == [(1,)]


@pytest.mark.parametrize("named", ["S1", "S1 S1", "S1 任何人"])
def test_a_cadre_is_found_by_number_or_by_name(visit, pool, named):
    assert contacts.get_contact(pool, record(visit("clerk"), cadre=named)).staff_number == "S1"


def test_a_name_that_leads_to_nobody_or_to_several_is_said(visit, ask):
    ask("UPDATE cadre SET name = '李明', sequence = sequence + 1 RETURNING id")
    clerk, officer = visit("clerk"), visit("officer")

    one = send(clerk, "/desk/contacts/new", "contacts/new", **VISIT | {"cadre": "李明"})
    several = send(officer, "/desk/contacts/new", "contacts/new", **VISIT | {"cadre": "李明", "late_reason": "补录"})
    nobody = send(clerk, "/desk/contacts/new", "contacts/new", **VISIT | {"cadre": "王"})

    assert one.status_code == 303  # the clerk sees one of them only
    assert (several.status_code, nobody.status_code) == (422, 422)
    assert "有多位领导干部符合" in several.text
    assert "没有找到这位领导干部" in nobody.text
    assert clerk.get("/desk/cadres", params={"text": "李"}).json()["items"] == [{"staff_number": "S1", "name": "李明"}]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"occurred_at": "2020-01-01T09:00"}, "距今已久"),
        ({"occurred_at": "2199-01-01T09:00"}, "时间在将来"),
        ({"occurred_at": "9999-12-31T23:59"}, "有一项填写不正确"),
        ({"occurred_at": "0000-00-00T00:00"}, "有一项填写不正确"),
        ({"occurred_at": ""}, "有一项填写不正确"),
        ({"kind": "dance"}, "有一项填写不正确"),
        ({"people_count": "-1"}, "有一项填写不正确"),
        ({"people_count": "١٢"}, "有一项填写不正确"),
        ({"people_count": "1e5"}, "有一项填写不正确"),
        ({"note": "左\u202e右"}, "有一项填写不正确"),
        ({"place_code": "哪里"}, "地点代码"),
        ({"companions": "S1"}, "牵头的领导干部"),
        ({"companions": "S2，无人"}, "未登记的工号"),
        ({"population_group_2": "workers"}, "分别填写人数"),
        ({"population_group_2": "farmers", "people_count_2": "2"}, "合并为一项"),
        ({"first_on": "2026-03-01", "last_on": "2026-03-02"}, "只有蹲点"),
        ({"first_on": "yesterday"}, "有一项填写不正确"),
        ({"id": "7"}, "有一项填写不正确"),
        ({"form_token": "of another page"}, "此表单已失效"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_typed_is_lost(visit, ask, fields, said):
    before = ask("SELECT count(*) FROM contact")
    note = {"note": '群众<script>alert(1)</script>说"路灯不亮"'}

    answer = send(visit("clerk"), "/desk/contacts/new", "contacts/new", **{**VISIT, **note, **fields})

    assert answer.status_code in {403, 422}
    assert said in answer.text
    again = filled_in(answer.text, "contacts/new")
    typed = {**VISIT, **note, **fields}
    kept = {name: value for name, value in typed.items() if name not in {"form_token", "kind"}}
    assert {name: again[name] for name in kept} == kept
    assert "<script>alert" not in answer.text
    assert ask("SELECT count(*) FROM contact") == before


def test_several_groups_companions_and_a_stay(visit, pool):
    now = datetime.now(UTC).astimezone(CHINA)
    days = {"first_on": str((now - timedelta(days=4)).date()), "last_on": str((now - timedelta(days=2)).date())}
    stay = {
        "kind": "field_stay",
        "occurred_at": (now - timedelta(days=3)).strftime("%Y-%m-%dT09:00"),
        "companions": "S2、S3",
        "population_group_2": "students",
        "people_count_2": "9",
    }

    found = contacts.get_contact(pool, record(visit("clerk"), **stay, **days))

    assert (found.companions, found.people_by_group) == (["S2", "S3"], {"farmers": 3, "students": 9})
    assert (str(found.first_on), str(found.last_on), found.people_count) == (*days.values(), 12)


def test_an_issue_is_raised_from_the_contact_and_closed_with_a_reply(visit, pool):
    clerk = visit("clerk")
    answer = send(clerk, "/desk/contacts/new", "contacts/new", **VISIT | {"then": "issue"})
    assert answer.headers["location"].endswith("/issue")
    page = answer.headers["location"].replace("../../", "/")
    told = {
        "title": "灌溉渠淤堵",
        "category": "irrigation",
        "citizen_name": "张秀兰",
        "citizen_phone": "１５４９９９９０００１",
    }

    raised = send(clerk, page, "issues/new", **told)

    issue_id = UUID(re.search(r"issues/([0-9a-f-]{36})", raised.headers["location"])[1])  # type: ignore[index] # there is one
    issue = issues.get_issue(pool, issue_id)
    assert (issue.title, issue.channel, str(issue.contact_id) in page) == ("灌溉渠淤堵", "contact", True)
    assert (issue.organisation_code, issue.staff_number, issue.status) == ("street", "S1", "assigned")
    shown = clerk.get(f"/desk/issues/{issue_id}").text
    assert "张**" in shown
    assert "张秀兰" not in shown
    assert "灌溉渠淤堵" in clerk.get("/desk").text
    assert str(issue_id) in clerk.get(f"/desk/contacts/{issue.contact_id}").text
    empty = send(clerk, f"/desk/issues/{issue_id}", "issues/closure", reply="  ")
    assert (empty.status_code, "没有答复不能办结" in empty.text) == (422, True)
    closed = send(clerk, f"/desk/issues/{issue_id}", "issues/closure", reply="已组织清淤")
    assert closed.status_code == 303
    assert issues.get_issue(pool, issue_id).status == "closed"
    assert "灌溉渠淤堵" not in clerk.get("/desk").text


def test_a_bad_phone_of_a_citizen_is_said_without_losing_the_rest(visit):
    clerk = visit("clerk")
    contact_id = record(clerk)

    answer = send(
        clerk, f"/desk/contacts/{contact_id}/issue", "issues/new", title="路灯", category="roads", citizen_phone="12"
    )

    assert answer.status_code == 422
    assert "诉求人电话不正确" in answer.text
    assert filled_in(answer.text, "issues/new")["title"] == "路灯"


def test_the_forms_offer_the_groups_and_categories_of_the_registers(visit, pool):
    clerk = visit("clerk")
    contact_id = record(clerk, population_group="workers")
    page = f"/desk/contacts/{contact_id}/issue"
    issues.receive_issues(pool, [an_issue(category="roads")], now=datetime.now(UTC))
    before = clerk.get(page).text
    populations.define_groups(
        pool, [a_group("farmers", "渔民"), a_group("workers", "职工", is_retired=True)], now=datetime.now(UTC)
    )
    categories.define_categories(
        pool, [a_category("water", "供水"), a_category("mud", "泥泞", is_retired=True)], now=datetime.now(UTC)
    )

    form = clerk.get("/desk/contacts/new").text
    shown = clerk.get(f"/desk/contacts/{contact_id}").text
    after = clerk.get(page).text

    assert '<option value="farmers">渔民</option>' in form
    assert 'value="workers"' not in form
    assert 'value="workers" selected' in clerk.get(f"/desk/contacts/{contact_id}/amendment").text
    assert "职工 3" in shown
    assert '<option value="roads">' in before  # of an open issue, as long as nothing is registered
    assert '<option value="water">供水</option>' in after
    assert 'value="roads"' not in after
    assert 'value="mud"' not in after


def test_codes_are_shown_with_their_names(visit, pool, ask):
    ask("UPDATE organisation SET name = '柳河镇', sequence = sequence + 1 WHERE code = 'street' RETURNING id")
    clerk = visit("clerk")
    contact_id = record(clerk, place_code="street")
    issues.receive_issues(pool, [an_issue(category="water", organisation_code="street")], now=datetime.now(UTC))
    categories.define_categories(pool, [a_category("water", "供水")], now=datetime.now(UTC))

    form = clerk.get("/desk/contacts/new").text
    shown = clerk.get(f"/desk/contacts/{contact_id}").text

    assert '<option value="street">柳河镇</option>' in form
    assert "柳河镇 street" in shown
    assert "柳河镇" in clerk.get("/desk/contacts").text
    assert "供水" in clerk.get("/desk").text


def a_group(code: str, name: str, *, is_retired: bool = False) -> DefinePopulationGroup:
    return DefinePopulationGroup(id=new_id(), correlation_id="a-test", code=code, name=name, is_retired=is_retired)


def a_category(code: str, name: str, *, is_retired: bool = False) -> DefineCategory:
    return DefineCategory(id=new_id(), correlation_id="a-test", code=code, name=name, is_retired=is_retired)


def test_a_contact_is_amended_and_voided_with_its_history(visit, pool):
    clerk = visit("clerk")
    contact_id = record(clerk, note="三户")
    page = f"/desk/contacts/{contact_id}/amendment"

    same = send(clerk, page, "contacts/amendment", reason_code="mistyped")
    amended = send(clerk, page, "contacts/amendment", note="四户", people_count="4", reason="数错了")
    shown = clerk.get(f"/desk/contacts/{contact_id}").text
    stale = filled_in(clerk.get(page).text, "contacts/amendment") | {"version": "1", "note": "五户"}
    late = clerk.post("/desk/contacts/amendment", data=stale)
    voided = send(clerk, f"/desk/contacts/{contact_id}", "contacts/void", reason_code="duplicate")

    assert same.headers["location"].endswith("done=unchanged")  # the form of what stands says what stands
    assert amended.headers["location"].endswith("done=changed")
    assert "数错了" in shown
    assert "三户" in shown
    assert (late.status_code, "刚被他人更正" in late.text, "五户" in late.text) == (409, True, True)
    assert voided.headers["location"].endswith("done=changed")
    found = contacts.get_contact(pool, contact_id)
    assert (found.note, found.people_count, found.counts, found.version) == ("四户", 4, False, 3)
    assert "已作废" in clerk.get("/desk/contacts").text


def test_a_cadre_records_own_contacts_only_and_raises_no_issue(visit, pool):
    cadre = visit("cadre")

    contact_id = record(cadre, cadre="S2")  # whatever is typed

    assert contacts.get_contact(pool, contact_id).staff_number == "S1"
    assert "readonly" in cadre.get("/desk/contacts/new").text
    assert f"{contact_id}/issue" not in cadre.get(f"/desk/contacts/{contact_id}").text
    assert cadre.get(f"/desk/contacts/{contact_id}/issue").status_code == 403


def test_what_is_out_of_reach_looks_like_what_is_not_there(visit):
    contact_id = record(visit("clerk"))
    other = visit("other")

    answers = [other.get(f"/desk/contacts/{one}") for one in (contact_id, new_id())]

    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [re.sub(r'name="form_token" value="[^"]+"', "", answer.text) for answer in answers]
    assert bodies[0] == bodies[1]
    form = filled_in(other.get("/desk/contacts/new").text, "contacts/new")
    told = {"form_token": form["form_token"], "id": str(contact_id), "reason_code": "duplicate"}
    assert other.post("/desk/contacts/void", data=told).status_code == 404


def test_a_complaint_is_hidden_from_the_line_of_whom_it_is_about(visit, pool):
    contact = a_contact(staff_number="S2")
    contacts.record_contacts(pool, [contact], now=datetime.now(UTC))
    complaint = an_issue(contact_id=contact.id, subject_staff_number="S1", title="反映李明", organisation_code="county")
    issues.receive_issues(pool, [complaint], now=datetime.now(UTC))

    for who in ("clerk", "cadre"):
        assert "反映李明" not in visit(who).get("/desk").text
        assert visit(who).get(f"/desk/issues/{complaint.id}").status_code == 404
    assert "反映李明" in visit("officer").get("/desk").text


@pytest.mark.parametrize("who", ["auditor", "unit_head", "operations"])
def test_who_has_no_work_here_is_told_so(visit, who):
    for page in ("/desk", "/desk/contacts/new", "/desk/contacts", f"/desk/contacts/{new_id()}", "/desk/cadres"):
        answer = visit(who).get(page)
        assert answer.status_code == (200 if (who, page) == ("unit_head", "/desk/cadres") else 403), page


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(visit):
    answers = [visit("nobody").get("/desk"), visit("nobody").post("/desk/contacts/new", data=VISIT)]

    for answer in answers:
        assert answer.status_code == 303
        assert answer.headers["location"] == "/identity/sign-in?next=%2Fintake%2Fdesk"


def test_what_was_typed_outlives_the_session(visit, ask):
    browser = visit("clerk")
    form = filled_in(browser.get("/desk/contacts/new").text, "contacts/new") | VISIT | {"note": '三户"<b>'}
    browser.cookies.set("who", "nobody")

    over = browser.post("/desk/contacts/new", data=form)
    browser.cookies.set("who", "clerk")
    again = browser.post("/desk/contacts/new", data=filled_in(over.text, "contacts/new"))
    foreign = visit("nobody").post("/desk/contacts/new", data=form)

    assert (over.status_code, "登录已过期" in over.text, "<b>" in over.text) == (401, True, False)
    assert filled_in(over.text, "contacts/new") == form
    assert (again.status_code, foreign.status_code) == (303, 303)
    assert ask("SELECT count(*) FROM contact WHERE id = %s", form["id"]) == [(1,)]
    assert foreign.headers["location"].startswith("/identity/sign-in")


def test_sign_in_on_another_host_is_not_told_a_path_of_this_one(site, visit):
    site.state.site = replace(site.state.site, identity_pages="http://127.0.0.1:8104/")

    assert visit("nobody").get("/desk").headers["location"] == "http://127.0.0.1:8104/sign-in"


def test_a_form_of_another_site_records_nothing(visit, ask):
    clerk = visit("clerk")
    before = ask("SELECT count(*) FROM contact")

    answer = clerk.post("/desk/contacts/new", data=VISIT | {"id": str(new_id()), "occurred_at": "2026-03-01T09:00"})

    assert answer.status_code == 403
    assert ask("SELECT count(*) FROM contact") == before


def test_every_page_is_strict_and_speaks_both_languages(visit):
    clerk = visit("clerk")
    contact_id = record(clerk)

    for page in ("/desk", "/desk/contacts", "/desk/contacts/new", f"/desk/contacts/{contact_id}"):
        chinese, english = clerk.get(page), clerk.get(page, params={"language": "en"})
        for answer in (chinese, english):
            policy = answer.headers["content-security-policy"]
            assert "unsafe-" not in policy
            assert "default-src 'none'" in policy
            assert not re.search(r"\son\w+=|style=|<style|javascript:", answer.text)
            assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)
            labels = set(re.findall(r'<label for="([^"]+)"', answer.text))
            entries = count_entries(answer.text)
            assert {*entries.needed, *entries.on_request} <= labels
        assert '<html lang="zh-CN">' in chinese.text
        assert '<html lang="en">' in english.text
        clerk.cookies.delete("__Host-lianxin-language")


def test_the_language_that_was_chosen_stays(visit):
    clerk = visit("clerk")

    clerk.get("/desk", params={"language": "en"})

    assert html.unescape(clerk.get("/desk").text).count("Open issues")
