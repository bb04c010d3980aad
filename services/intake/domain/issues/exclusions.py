"""The reasons for which an issue may be left out of assessment, and what each leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.intake.domain.issues.life import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """`effect` all: the issue and its ratings are not counted; rating: its ratings alone are not."""

    code: str
    effect: Effect
    title: Mapping[str, str]


def _preset(code: str, effect: Effect, zh: str, en: str) -> Exclusion:
    return Exclusion(code=code, effect=effect, title={"zh": zh, "en": en})


# From the published rules of hotlines and petitions: Beijing 2021 (Art. 11), Jinan (Art. 25), Weifang (Art. 19, 21,
# 27), the national rules for rating the handling of petitions (2014) and the Regulations on Petitions 2022 (Art. 36).
EXCLUSIONS: Final[Mapping[str, Exclusion]] = {
    preset.code: preset
    for preset in (
        _preset(
            "emergency_line", "all", "紧急事项，已转110、119、120、122", "An emergency, passed to 110, 119, 120 or 122"
        ),
        _preset(
            "legal_channel",
            "all",
            "已经或应当通过诉讼、仲裁、纪检监察、行政复议、信息公开等法定途径解决，或已进入信访渠道",
            "To be settled in court, arbitration, discipline, reconsideration or disclosure cases, or as a petition",
        ),
        _preset(
            "repeated_without_new_facts",
            "all",
            "正在办理或办理完毕，无新情况新理由又提出同一诉求",
            "The same issue again, without new facts, while it is handled or after it was",
        ),
        _preset(
            "secret_or_private", "all", "涉及国家秘密、商业秘密、个人隐私", "State or trade secrets, or private life"
        ),
        _preset("outside_duties", "all", "超出承办单位职责范围", "Outside the duties of the handling unit"),
        _preset(
            "against_law_or_custom", "all", "违反法律法规或违背公序良俗", "Against the law, or against common decency"
        ),
        _preset(
            "lawfully_concluded",
            "all",
            "已依法依规办理并说明，仍以同一事实和理由提出",
            "Handled and explained by law and policy, and raised again with the same facts and reasons",
        ),
        _preset(
            "citizen_uncooperative",
            "all",
            "服务对象拒不配合，无法办理，经审核终止",
            "Ended after review, because the citizen refused all cooperation",
        ),
        _preset(
            "judicial_matter",
            "rating",
            "属于人大、法院、检察院职权范围的事项",
            "A matter of people's congresses, courts or procuratorates",
        ),
        _preset("not_to_be_published", "rating", "依法不宜公开的事项", "Not to be published by law"),
        _preset(
            "review_concluded",
            "all",
            "不服信访复核意见，仍以同一事实和理由提出",
            "Raised again with the same facts and reasons after the final review of a petition",
        ),
    )
}
