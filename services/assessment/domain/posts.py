"""Posts in words: their levels, their kinds, and the peer groups that are made of both."""

from collections.abc import Mapping
from typing import Final, Literal

# Levels as public registers of cadres number them; kinds of posts as the presets of duties name them. Others are shown
# as they are written.
LEVELS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "111": "省部级正职",
        "112": "省部级副职",
        "121": "厅局级正职",
        "122": "厅局级副职",
        "131": "县处级正职",
        "132": "县处级副职",
        "141": "乡科级正职",
        "142": "乡科级副职",
        "150": "科员级",
        "160": "办事员级",
    },
    "en": {
        "111": "provincial-ministerial, principal",
        "112": "provincial-ministerial, deputy",
        "121": "bureau, principal",
        "122": "bureau, deputy",
        "131": "county-division, principal",
        "132": "county-division, deputy",
        "141": "township-section, principal",
        "142": "township-section, deputy",
        "150": "section member",
        "160": "clerk",
    },
}
POST_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "provincial_department_head": "省直部门主要负责人",
        "provincial_department_deputy": "省直部门副职",
        "prefecture_secretary": "市（地、州）委书记",
        "prefecture_head": "市（地、州）长",
        "prefecture_deputy": "市（地、州）级副职",
        "county_secretary": "县（市、区）委书记",
        "county_head": "县（市、区）长",
        "county_leader": "县级领导",
        "department_head": "部门主要负责人",
        "department_deputy": "部门副职",
        "township_secretary": "乡镇（街道）党委书记",
        "township_head": "乡镇（街道）行政正职",
        "township_deputy": "乡镇（街道）副职",
        "village_secretary": "村（社区）党组织书记",
        "section_member": "一般干部",
        "seconded_cadre": "下派干部",
    },
    "en": {
        "provincial_department_head": "heads of provincial departments",
        "provincial_department_deputy": "deputies in provincial departments",
        "prefecture_secretary": "prefecture secretaries",
        "prefecture_head": "prefecture heads",
        "prefecture_deputy": "prefecture deputies",
        "county_secretary": "county secretaries",
        "county_head": "county heads",
        "county_leader": "county leaders",
        "department_head": "department heads",
        "department_deputy": "department deputies",
        "township_secretary": "township secretaries",
        "township_head": "township heads",
        "township_deputy": "township deputies",
        "village_secretary": "village secretaries",
        "section_member": "staff",
        "seconded_cadre": "seconded cadres",
    },
}
PEERS: Final = {"zh": "{kind}·{level}", "en": "{kind} ({level})"}


def name_peer_group(code: str, language: Literal["zh", "en"]) -> str:
    """In words, as far as its codes are known here."""
    level, _, kind = code.partition(".")
    if level not in LEVELS[language]:
        return code
    return PEERS[language].format(kind=POST_KINDS[language].get(kind, kind), level=LEVELS[language][level])
