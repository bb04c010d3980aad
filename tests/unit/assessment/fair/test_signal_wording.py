"""What each signal says: which number stands for what, in both languages."""

from typing import get_args

import pytest

from services.assessment.fair.signals.odds import Check, Signal
from services.assessment.fair.signals.wording import LOOK, describe

TOLD: dict[Check, tuple[dict[str, int], str, str]] = {
    "period_end_burst": (
        {"contacts": 20, "last_days": 12, "share": 60, "unconfirmed": 7},
        "20次联系中有12次（60%）在季末三天，其中7次未经群众确认。",
        "12 of 20 contacts (60%) fall in the last three days of a quarter; no citizen confirmed 7 of them.",
    ),
    "contact_padding": (
        {"contacts": 20, "unconfirmed": 12, "usual": 4},
        "20次联系中有12次未经群众确认，同地区通常约4次。",
        "No citizen confirmed 12 of 20 contacts; about 4 are usual in the region.",
    ),
    "ballot_stuffing": (
        {"own_channel": 20, "high": 95, "shared_devices": 2, "full_hours": 3, "not_complainants": 4},
        "自有渠道20条评价中95%为好评；多人共用的设备2台，评价扎堆的小时3个，非诉求人评价4条。",
        "95% of 20 ratings on own channels are high; devices with several names: 2; hours with many at once: 3; "
        "not by the complainant: 4.",
    ),
    "praise_apart": (
        {"closed": 30, "own_channel": 20, "usual": 9, "called": 6},
        "30件办结诉求有20条自有渠道评价（通常约9条），明显好于独立回访（6次）的结果。",
        "30 closed issues have 20 ratings on own channels (about 9 are usual), much better than what 6 independent "
        "calls found.",
    ),
    "shared_circle": (
        {"citizens": 3, "issues": 11},
        "3名诉求人反复提出诉求（11件），几乎全部解决并给最高评价。",
        "3 complainants come again and again, with 11 issues, nearly all solved and rated best.",
    ),
    "extreme_clock": (
        {"closed": 20, "fastest": 12, "share": 60},
        "20件已解决诉求中有12件（60%）属同类最快的二十分之一，而其余的并不快。",
        "12 of 20 solved issues (60%) are among the fastest twentieth of their kind; the others are not fast.",
    ),
    "handing_on": (
        {"issues": 20, "handed_on": 8, "harder_by": 31},
        "20件诉求中转出8件，转出的预期解决率比保留的低31个百分点。",
        "8 of 20 issues were handed on; such are solved 31 points less often than those kept.",
    ),
    "contradicted_closures": (
        {"solved": 20, "contradicted": 6},
        "20件报“已解决”的诉求中6件被群众否认或再次提出，而承认未解决的偏少。",
        "6 of 20 issues reported as solved were denied or came again; few failures are admitted.",
    ),
    "excess_explanations": (
        {"explained": 9},
        "9件诉求以政策原因解释办结，多于同类诉求所需，而承认未解决的偏少。",
        "9 issues were explained by policy, more than such cases need; few failures are admitted.",
    ),
    "split_issues": (
        {"issues": 20, "repeats": 8, "quick": 5},
        "20件诉求中8件是同一人同一事项的短期重复，其中5件两天内“解决”。",
        "8 of 20 issues repeat one of the same person and matter; 5 were solved within two days.",
    ),
    "empty_replies": (
        {"answered": 20, "empty": 8, "share": 40},
        "20件已答复诉求中8件（40%）在十分钟内答复，但没有答复内容。",
        "8 of 20 answers (40%) came within ten minutes and without a reply.",
    ),
    "faultless_apart": (
        {"issues": 20, "faultless": 17, "usual": 9},
        "同一类、同一渠道、多次来访者或答复较快的20件诉求中，17件样样顺利且无人回访，按其余诉求的情况通常约9件。",
        "17 of 20 issues of one kind, one channel, the same people or answered soon went without a fault, and nobody "
        "called back; by the cadre's others about 9 would.",
    ),
    "instant_answers": (
        {"answered": 20, "fastest": 12, "share": 60},
        "20件答复中有12件（60%）属同类最快的二十分之一，而办结并不快；只有答复时间暂不计。",
        "12 of 20 answers (60%) are among the fastest twentieth of their kind, and closings are not fast; only the "
        "times of these answers wait.",
    ),
    "faultless_excess": (
        {"issues": 20, "faultless": 17, "usual": 9, "waiting": 8},
        "20件诉求中17件毫无差错且无人回访，按其余诉求差错的分布通常约9件；其中8件暂不计。",
        "17 of 20 issues went without any fault, and nobody called back; by how the faults of the others scatter "
        "about 9 would. 8 of them wait.",
    ),
    "labels_apart": (
        {"issues": 20, "labelled": 12, "share": 60, "usual": 25},
        "20件诉求中12件（60%）归为同一较难的类别或难度，同单位其他人约25%，而解决情况不低于此类通常水平；"
        "多出的部分只有归类暂不计。",
        "12 of 20 issues (60%) bear one category or complexity that is hard to solve (others in the office: 25%), and "
        "were no harder. Of those beyond that share only the labels wait.",
    ),
    "clock_apart": (
        {"closed": 20, "fastest": 12, "share": 60, "office": 5},
        "20件已解决诉求中有12件（60%）属同类最快的二十分之一，同单位其他人为5%；只有各项时间暂不计。",
        "12 of 20 solved issues (60%) are among the fastest twentieth of their kind; of the office's others 5% are. "
        "Only the times wait.",
    ),
    "disowned_records": (
        {"issues": 20, "asked": 9, "disowned_issues": 2, "contacts": 14, "disowned_contacts": 3},
        "20件诉求中回访9件，2件诉求人表示并无此事；14次联系中3次群众表示没有此事。",
        "Citizens were asked about 9 of 20 issues and know nothing of 2; nor of 3 of 14 contacts.",
    ),
}


@pytest.mark.parametrize("check", get_args(Check))
def test_each_number_stands_where_it_belongs(check: Check) -> None:
    evidence, zh, en = TOLD[check]
    signal = Signal(cadre="C", check=check, evidence=evidence, odds=0)

    assert (describe(signal, "zh"), describe(signal, "en")) == (zh + LOOK["zh"], en + LOOK["en"])
