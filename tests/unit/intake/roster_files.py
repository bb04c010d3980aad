"""Cadre files as their systems write them, of invented persons, with everything in them that must not be taken."""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from tests.unit.intake.workbooks import packed

SECRET_NUMBER = "110101197003070011"
SECRETS = (SECRET_NUMBER, "妻子甲", "UEhPVE8=", "农民工子弟")
ELEMENTS = [
    "XingMing",
    "XingBie",
    "ChuShengNianYue",
    "MinZu",
    "JiGuan",
    "ChuShengDi",
    "RuDangShiJian",
    "CanJiaGongZuoShiJian",
    "JianKangZhuangKuang",
    "ZhuanYeJiShuZhiWu",
    "ShuXiZhuanYeYouHeZhuanChang",
    "QuanRiZhiJiaoYu_XueLi",
    "QuanRiZhiJiaoYu_XueWei",
    "QuanRiZhiJiaoYu_XueLi_BiYeYuanXiaoXi",
    "QuanRiZhiJiaoYu_XueWei_BiYeYuanXiaoXi",
    "ZaiZhiJiaoYu_XueLi",
    "ZaiZhiJiaoYu_XueWei",
    "ZaiZhiJiaoYu_XueLi_BiYeYuanXiaoXi",
    "ZaiZhiJiaoYu_XueWei_BiYeYuanXiaoXi",
    "XianRenZhiWu",
    "NiRenZhiWu",
    "NiMianZhiWu",
    "JianLi",
    "JiangChengQingKuang",
    "NianDuKaoHeJieGuo",
    "RenMianLiYou",
    "JiaTingChengYuan",
    "ChengBaoDanWei",
    "JiSuanNianLingShiJian",
    "TianBiaoShiJian",
    "TianBiaoRen",
    "ShenFenZheng",
    "ZhaoPian",
    "Version",
]
PERSON = {
    "XingMing": "李明",
    "ChuShengNianYue": "197003",
    "RuDangShiJian": "199507；中共",
    "XianRenZhiWu": "某县某镇党委书记",
    "JianLi": "1992.07--1998.03  某县某局科员\n1998.03--         某县某镇",
    "NianDuKaoHeJieGuo": "2022年年度考核“优秀”等次；2023年年度考核“称职”等次；2024年年度考核不定等次。",
    "JiaTingChengYuan": "",
    "ChengBaoDanWei": "某县委组织部",
    "ShenFenZheng": SECRET_NUMBER,
    "ZhaoPian": "UEhPVE8=",
    "Version": "3.2.1.6",
}
FAMILY = (
    "<Item><ChengWei>妻子</ChengWei><XingMing>妻子甲</XingMing><ChuShengRiQi>197101</ChuShengRiQi>"
    "<ZhengZhiMianMao>群众</ZhengZhiMianMao><GongZuoDanWeiJiZhiWu>某校</GongZuoDanWeiJiZhiWu></Item>"
)
CDATA = {"JianLi", "JiangChengQingKuang", "NianDuKaoHeJieGuo", "RenMianLiYou"}
WHO = ["李明", "197003", "某县委组织部", ""]
RESULTS = [["2022", "excellent"], ["2023", "competent"], ["2024", "ungraded"]]
LINES = [("1992-07-01", "1998-03-31", "某县某局科员"), ("1998-03-01", "", "某县某镇")]


def result_row(who: list[str], year: str, grade: str) -> list[str]:
    return [*who, "appraisal", year, grade, "", "", "", "", "", "", ""]


def post_row(who: list[str], *told: str) -> list[str]:
    """The code and name of the place, the title, the level, and the first and last day."""
    return [*who, "post", "", "", *told, ""]


def rank_row(who: list[str], ladder: str, code: str, since: str, until: str) -> list[str]:
    return [*who, ladder, "", "", "", "", "", code, since, until, ""]


def line_row(who: list[str], since: str, until: str, text: str) -> list[str]:
    return [*who, "cv", "", "", "", "", "", "", since, until, text]


ROWS = [*(result_row(WHO, *told) for told in RESULTS), *(line_row(WHO, *told) for told in LINES)]


def lrmx(changes: Mapping[str, str] | None = None, *, mark: bool = True, cdata: bool = True) -> bytes:
    values = {**PERSON, **(changes or {})}
    parts = []
    for name in ELEMENTS:
        text = values.get(name, "")
        inner = f"<![CDATA[{text}]]>" if cdata and name in CDATA else escape(text)
        parts.append(f"  <{name}>{FAMILY if name == 'JiaTingChengYuan' else inner}</{name}>")
    document = '<?xml version="1.0" encoding="utf-8"?>\n<Person>\n' + "\n".join(parts) + "\n</Person>"
    return document.encode("utf-8-sig" if mark else "utf-8")


def lrm(**changes: str) -> bytes:
    values = [""] * 33
    taken = {"name": 0, "birth": 2, "cv": 17, "appraisals": 19, "unit": 29}
    values[9] = "大学@研究生#硕士"
    values[20:22] = ["妻子@女儿", "妻子甲@女儿乙"]
    told = {
        "name": PERSON["XingMing"],
        "birth": PERSON["ChuShengNianYue"],
        "cv": PERSON["JianLi"],
        "appraisals": PERSON["NianDuKaoHeJieGuo"],
        "unit": PERSON["ChengBaoDanWei"],
        **changes,
    }
    for name, place in taken.items():
        values[place] = told[name]
    return ('"' + '","'.join(values) + '"').encode("gb18030")


def table(*rows: dict[str, str]) -> str:
    listed = "".join(
        "<row " + " ".join(f"{name}={quoteattr(value)}" for name, value in row.items()) + "/>" for row in rows
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><xml><data>{listed}</data></xml>'


def package(**changes: str | bytes) -> bytes:
    told = {"type": "23", "dataversion": "V2019.05", "psncount": "2", "B0101": "某县", "B0111": "001.001"}
    head = "".join(f"<node name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in told.items())
    first = {
        "A0000": "P1",
        "A0101": "李　明",
        "A0107": "19700307",
        "A0184": SECRET_NUMBER,
        "B0111": "001.001.015",
        "A15Z101": "2019年年度考核为优秀。",
        "A1701": "2015.03--           某县某镇镇长",
    }
    second = {"A0000": "P2", "A0101": "王芳", "A0107": "1975.12", "B0111": "", "A15Z101": "2023、2024年度考核为称职"}
    parts: dict[str, str | bytes] = {
        "gwyinfo.xml": f"<root>{head}<tablelist/></root>",
        "Table/A01.xml": table(first, second),
        "Table/A15.xml": table(
            {"A0000": "P1", "A1521": "2022", "A1517": "1"}, {"A0000": "P1", "A1521": "2023", "A1517": "5A"}
        ),
        "Table/A02.xml": table(
            {
                "A0000": "P1",
                "A0201B": "001.001.015",
                "A0215A": "镇长",
                "A0221": "141",
                "A0243": "20150301",
                "A0255": "1",
            },
            {
                "A0000": "P1",
                "A0201A": "某县某局",
                "A0201B": "009",
                "A0215A": "副局长",
                "A0243": "2010.05",
                "A0255": "0",
                "A0265": "201503",
            },
        ),
        "Table/A05.xml": table(
            {"A0000": "P1", "A0531": "0", "A0501B": "142", "A0504": "20080101", "A0517": "20150301", "A0524": "0"},
            {"A0000": "P1", "A0531": "1", "A0501B": "1A07", "A0504": "20190601", "A0524": "1"},
        ),
        "Table/B01.xml": table({"B0111": "001.001.015", "B0101": "某县某镇", "B0114": "town"}),
        "Table/A36.xml": table({"A0000": "P1", "A3601": "妻子甲"}),
        "Photos/P1.jpg": b"\xff\xd8" + bytes(2_000),
        **changes,
    }
    return packed(parts)
