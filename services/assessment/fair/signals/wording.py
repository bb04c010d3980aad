"""What a signal says in plain words, in Chinese and English. It names no citizen and accuses nobody."""

from collections.abc import Mapping
from typing import Final, Literal

from services.assessment.fair.signals.odds import Check, Signal

Language = Literal["zh", "en"]

ZH: Final[Mapping[Check, str]] = {
    "period_end_burst": "{contacts}次联系中有{last_days}次（{share}%）在季末三天，其中{unconfirmed}次未经群众确认。",
    "contact_padding": "{contacts}次联系中有{unconfirmed}次未经群众确认，同地区通常约{usual}次。",
    "ballot_stuffing": (
        "自有渠道{own_channel}条评价中{high}%为好评；多人共用的设备{shared_devices}台，"
        "评价扎堆的小时{full_hours}个，非诉求人评价{not_complainants}条。"
    ),
    "praise_apart": (
        "{closed}件办结诉求有{own_channel}条自有渠道评价（通常约{usual}条），明显好于独立回访（{called}次）的结果。"
    ),
    "shared_circle": "{citizens}名诉求人反复提出诉求（{issues}件），几乎全部解决并给最高评价。",
    "extreme_clock": "{closed}件已解决诉求中有{fastest}件（{share}%）属同类最快的二十分之一，而其余的并不快。",
    "handing_on": "{issues}件诉求中转出{handed_on}件，转出的预期解决率比保留的低{harder_by}个百分点。",
    "contradicted_closures": "{solved}件报“已解决”的诉求中{contradicted}件被群众否认或再次提出，而承认未解决的偏少。",
    "excess_explanations": "{explained}件诉求以政策原因解释办结，多于同类诉求所需，而承认未解决的偏少。",
    "split_issues": "{issues}件诉求中{repeats}件是同一人同一事项的短期重复，其中{quick}件两天内“解决”。",
    "empty_replies": "{answered}件已答复诉求中{empty}件（{share}%）在十分钟内答复，但没有答复内容。",
    "faultless_apart": (
        "同一类、同一渠道、多次来访者或答复较快的{issues}件诉求中，{faultless}件样样顺利且无人回访，"
        "按其余诉求的情况通常约{usual}件。"
    ),
    "instant_answers": (
        "{answered}件答复中有{fastest}件（{share}%）属同类最快的二十分之一，而办结并不快；只有答复时间暂不计。"
    ),
    "faultless_excess": (
        "{issues}件诉求中{faultless}件毫无差错且无人回访，按其余诉求差错的分布通常约{usual}件；其中{waiting}件暂不计。"
    ),
    "labels_apart": (
        "{issues}件诉求中{labelled}件（{share}%）归为同一较难的类别或难度，同单位其他人约{usual}%，而解决情况不低于此类通常水平；"
        "多出的部分只有归类暂不计。"
    ),
    "clock_apart": (
        "{closed}件已解决诉求中有{fastest}件（{share}%）属同类最快的二十分之一，同单位其他人为{office}%；只有各项时间暂不计。"
    ),
    "disowned_records": (
        "{issues}件诉求中回访{asked}件，{disowned_issues}件诉求人表示并无此事；"
        "{contacts}次联系中{disowned_contacts}次群众表示没有此事。"
    ),
}
EN: Final[Mapping[Check, str]] = {
    "period_end_burst": (
        "{last_days} of {contacts} contacts ({share}%) fall in the last three days of a quarter; "
        "no citizen confirmed {unconfirmed} of them."
    ),
    "contact_padding": (
        "No citizen confirmed {unconfirmed} of {contacts} contacts; about {usual} are usual in the region."
    ),
    "ballot_stuffing": (
        "{high}% of {own_channel} ratings on own channels are high; devices with several names: {shared_devices}; "
        "hours with many at once: {full_hours}; not by the complainant: {not_complainants}."
    ),
    "praise_apart": (
        "{closed} closed issues have {own_channel} ratings on own channels (about {usual} are usual), "
        "much better than what {called} independent calls found."
    ),
    "shared_circle": (
        "{citizens} complainants come again and again, with {issues} issues, nearly all solved and rated best."
    ),
    "extreme_clock": (
        "{fastest} of {closed} solved issues ({share}%) are among the fastest twentieth of their kind; the others are "
        "not fast."
    ),
    "handing_on": (
        "{handed_on} of {issues} issues were handed on; such are solved {harder_by} points less often than those kept."
    ),
    "contradicted_closures": (
        "{contradicted} of {solved} issues reported as solved were denied or came again; few failures are admitted."
    ),
    "excess_explanations": (
        "{explained} issues were explained by policy, more than such cases need; few failures are admitted."
    ),
    "split_issues": (
        "{repeats} of {issues} issues repeat one of the same person and matter; {quick} were solved within two days."
    ),
    "empty_replies": "{empty} of {answered} answers ({share}%) came within ten minutes and without a reply.",
    "faultless_apart": (
        "{faultless} of {issues} issues of one kind, one channel, the same people or answered soon went without a "
        "fault, and nobody called back; by the cadre's others about {usual} would."
    ),
    "instant_answers": (
        "{fastest} of {answered} answers ({share}%) are among the fastest twentieth of their kind, and closings are "
        "not fast; only the times of these answers wait."
    ),
    "faultless_excess": (
        "{faultless} of {issues} issues went without any fault, and nobody called back; by how the faults of the "
        "others scatter about {usual} would. {waiting} of them wait."
    ),
    "labels_apart": (
        "{labelled} of {issues} issues ({share}%) bear one category or complexity that is hard to solve (others in the "
        "office: {usual}%), and were no harder. Of those beyond that share only the labels wait."
    ),
    "clock_apart": (
        "{fastest} of {closed} solved issues ({share}%) are among the fastest twentieth of their kind; of the office's "
        "others {office}% are. Only the times wait."
    ),
    "disowned_records": (
        "Citizens were asked about {asked} of {issues} issues and know nothing of {disowned_issues}; nor of "
        "{disowned_contacts} of {contacts} contacts."
    ),
}
LOOK: Final[Mapping[Language, str]] = {
    "zh": "请核实；核实前不作任何结论。",
    "en": " Somebody should look; until then nothing is decided.",
}


def describe(signal: Signal, language: Language) -> str:
    wording = ZH if language == "zh" else EN
    return f"{wording[signal.check].format_map(signal.evidence)}{LOOK[language]}"
