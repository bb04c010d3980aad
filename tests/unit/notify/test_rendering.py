"""How a digest reads in both languages."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from services.notify.domain.digests import Movement, PeriodCount
from services.notify.rendering.digests import DigestFacts, Renderer, period_label

FACTS = DigestFacts(
    subscription_name="county",
    recipient_name="王建国",
    whole_county=True,
    composed_at=datetime(2025, 3, 31, 16, 30, tzinfo=UTC),
    periods=[
        PeriodCount(
            period_kind="quarter", period_start=date(2025, 1, 1), subject_kind="cadre", new_count=3, changed_count=2
        )
    ],
    movements=[
        Movement(
            subject_kind="cadre",
            subject_code="C0001",
            subject_name="李<b>&",
            period_kind="quarter",
            period_start=date(2025, 1, 1),
            before=Decimal("81.2500"),
            composite=Decimal("78.0000"),
        )
    ],
)
VERDICTS = ("优秀", "称职", "较差", "不合格", "excellent", "poor", "incompetent", "best", "worst")


@pytest.fixture(scope="module")
def renderer():
    return Renderer(ZoneInfo("Asia/Shanghai"))


def test_chinese_digest_says_counts_periods_and_movements(renderer):
    rendering = renderer.render(FACTS, "zh")

    assert rendering.subject == "【连心】评价得分摘要：新增 3 项，变动 2 项"
    assert "2025年第1季度 干部：新增 3 项，变动 2 项" in rendering.text_body
    assert "81.25 → 78.00（−3.25）" in rendering.text_body
    assert "截至 2025-04-01 00:30" in rendering.text_body


def test_english_digest_says_the_same(renderer):
    rendering = renderer.render(FACTS, "en")

    assert rendering.subject == "[Lianxin] Score digest: 3 new, 2 changed"
    assert "- Q1 2025, cadres: 3 new, 2 changed" in rendering.text_body
    assert "81.25 → 78.00 (−3.25)" in rendering.text_body


@pytest.mark.parametrize("language", ["zh", "en"])
def test_markup_in_a_name_is_escaped_in_html_only(renderer, language):
    rendering = renderer.render(FACTS, language)

    assert "李&lt;b&gt;&amp;" in rendering.html_body
    assert "李<b>&" in rendering.text_body


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_digest_never_judges(renderer, language):
    rendering = renderer.render(FACTS, language)

    assert not [word for word in VERDICTS if word in rendering.text_body + rendering.html_body + rendering.subject]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_without_movements_there_is_no_empty_list_of_them(renderer, language):
    rendering = renderer.render(replace(FACTS, movements=[]), language)

    assert "→" not in rendering.text_body
    assert rendering.html_body.count("<table") == 1


@pytest.mark.parametrize(
    ("kind", "start", "zh", "en"),
    [
        ("year", date(2025, 1, 1), "2025年", "2025"),
        ("quarter", date(2025, 10, 1), "2025年第4季度", "Q4 2025"),
        ("month", date(2025, 3, 1), "2025年3月", "March 2025"),
    ],
)
def test_periods_have_names(kind, start, zh, en):
    assert (period_label(kind, start, "zh"), period_label(kind, start, "en")) == (zh, en)
