"""How notices read, and what a template may not be."""

from zoneinfo import ZoneInfo

import pytest

from services.notify.rendering.notices import (
    LONGEST_TEMPLATE,
    BadTemplate,
    UnknownTopic,
    Wording,
    Wordings,
    check_wording,
    preview,
    topics,
)

ZONE = ZoneInfo("Asia/Shanghai")
FACTS = {"issue": "01890a5d", "unit": "城关<b>镇", "clock": "close", "due": "2025-04-01T09:30:00+00:00", "level": 2}
SHIPPED = Wordings({}, zone=ZONE, desk_url="https://lianxin.example.org/desk/issues/")


@pytest.mark.parametrize("topic", sorted(topics()))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_everything_shipped_can_be_said(topic, language):
    check_wording(topic, topics()[topic].shipped[language])

    subject, text, _ = SHIPPED.fill(topic, language, FACTS | {"granted": False, "count": 3})

    assert subject
    assert text
    assert "{{" not in subject + text


def test_times_are_those_of_the_wall_and_codes_are_words():
    _, text, link = SHIPPED.fill("deadline_near", "zh", FACTS)

    assert text == "诉求 01890a5d 的办结时限为 2025-04-01 17:30，请及时办理。"
    assert link == "https://lianxin.example.org/desk/issues/01890a5d"


def test_what_comes_from_outside_is_text_in_html():
    filled = [SHIPPED.fill("issue_assigned_unit", "zh", FACTS)]

    assert "城关&lt;b&gt;镇" in SHIPPED.compose("zh", filled).html_body


def test_many_are_one_digest_and_on_a_phone_only_how_many():
    filled = [SHIPPED.fill("deadline_near", "en", FACTS)] * 3

    assert SHIPPED.compose("en", filled).subject == "【连心】3 reminders"
    assert SHIPPED.compose("en", filled).text_body.count("- The deadline") == 3
    assert SHIPPED.shorten("en", filled).text_body == "You have 3 reminders. Sign in to Lianxin to read them."


@pytest.mark.parametrize(
    "text",
    [
        "{{ issue.__class__ }}",
        "{{ issue['__class__'] }}",
        "{{ self }}",
        "{{ config }}",
        "{{ citizen }}",
        "{{ range(9) }}",
        "{{ issue | upper }}",
        "{{ issue ~ issue }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ issue * 999999999 }}",
        "{% for x in issue %}{{ x }}{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% macro x() %}{% endmacro %}",
        "{{ issue is defined }}",
        "{{",
        "{% if issue %}",
        "",
        "   ",
        "长" * (LONGEST_TEMPLATE + 1),
        "{% if issue %}" * 70 + "x" + "{% endif %}" * 70,
    ],
)
def test_a_template_names_what_it_may_and_does_nothing(text):
    with pytest.raises(BadTemplate):
        check_wording("issue_assigned", Wording(subject="新诉求", text=text))
    with pytest.raises(BadTemplate):
        check_wording("issue_assigned", Wording(subject=text, text="新诉求"))


def test_a_condition_is_allowed():
    text = "{% if level > 1 %}再次{% endif %}提醒：{{ 'a' if level == 1 else 'b' }}"

    shown = preview("deadline_near", "zh", Wording(subject="{{ clock }}", text=text), zone=ZONE)

    assert "提醒：a" in shown.text_body


def test_a_topic_that_is_not_there_and_a_subject_of_two_lines_are_refused():
    with pytest.raises(UnknownTopic):
        check_wording("nothing", Wording(subject="x", text="x"))
    with pytest.raises(BadTemplate):
        check_wording("issue_assigned", Wording(subject="a\nb", text="x"))


def test_a_wording_that_fails_on_some_facts_leaves_nobody_untold():
    broken = Wording(subject="x", text="{% if level > 1 %}x{% endif %}")
    wordings = Wordings({("deadline_near", "zh"): broken}, zone=ZONE, desk_url=None)

    _, text, link = wordings.fill("deadline_near", "zh", FACTS | {"level": "two"})

    assert text.startswith("诉求 01890a5d")
    assert link is None
