"""The invented county of Anlan (安澜县): its departments, townships, villages and communities."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from demo import chance

# No province of GB/T 2260 has the number 99, so that no code here can be mistaken for a real place.
COUNTY_CODE = "990121"
COUNTY_NAME = "安澜县"
COUNTY_LEVEL = "50"
DEPARTMENTS = {
    "petition": "信访局",
    "housing": "住房和城乡建设局",
    "city_management": "城市管理综合行政执法局",
    "labour": "人力资源和社会保障局",
    "water": "水利局",
    "education": "教育和体育局",
    "natural_resources": "自然资源和规划局",
    "transport": "交通运输局",
    "public_security": "公安局",
    "civil_affairs": "民政局",
    "market_supervision": "市场监督管理局",
    "agriculture": "农业农村局",
    "medical_insurance": "医疗保障局",
    "ecology": "生态环境局",
    "emergency": "应急管理局",
    "justice": "司法局",
    "approval": "行政审批服务局",
    "health": "卫生健康局",
    "development": "发展和改革局",
    "disabled_federation": "残疾人联合会",
    "veterans": "退役军人事务局",
    "culture": "文化和旅游局",
    "finance": "财政局",
    "forestry": "林业和草原局",
    "trade_union": "总工会",
}
# Ordered so that a smaller county still has town, plain and mountain. A name ends in what it is: 街道, 镇 or 乡.
TOWNSHIPS = (
    ("城关街道", "urban"),
    ("石桥镇", "plain"),
    ("松岭乡", "mountain"),
    ("文峰街道", "urban"),
    ("柳河镇", "plain"),
    ("青石镇", "hilly"),
    ("河东街道", "urban"),
    ("马家集镇", "plain"),
    ("双庙镇", "plain"),
    ("白塔镇", "hilly"),
    ("枣林镇", "hilly"),
    ("回龙乡", "mountain"),
    ("龙王堂镇", "plain"),
    ("北寨乡", "mountain"),
    ("大沟乡", "hilly"),
)
TOWNSHIP_LEVELS = {"街道": ("61", 1), "镇": ("62", 100), "乡": ("63", 200)}
DIFFICULTY = {"urban": 0.5, "plain": 0.35, "hilly": 0.5, "mountain": 0.65}
VILLAGES_PER_TOWNSHIP = 12
COMMUNITY_NAMES = """
光明 和平 新华 建设 幸福 永安 东关 西关 南关 北关 文昌 康宁 朝阳 育才 兴业 站前 金桥 滨河 迎宾 友谊 振兴 团结 锦绣
翠园 书院 钟楼 东风 胜利 景苑 福源 民生 长虹 安居 玉泉 学府 向阳 春晖 嘉和 银杏 桃园
"""
VILLAGE_FAMILIES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高郭马罗梁宋郑谢韩唐冯于董程曹袁邓许沈彭吕苏卢蒋贾丁魏薛叶余潘杜夏田任姜范石姚侯孟白崔"
)
VILLAGE_ENDINGS = {
    "urban": ("庄", "楼", "营"),
    "plain": ("庄", "庄", "营", "寨", "楼", "屯"),
    "hilly": ("沟", "洼", "庄", "岭", "坡"),
    "mountain": ("沟", "峪", "岭", "坪", "台", "湾"),
}
VILLAGE_NAMES = """
大柳树 三岔口 前营 后营 东庄 西庄 南坡 北坡 上河 下河 石门 黑龙潭 红土岭 桃花沟 杏树洼 槐树屯 双井 甜水 古城
新立 小店 大店 官道 牛角湾 羊圈沟 松树岭 杨树底 梨园 枣园 菜园 花园 小桥 龙泉 凤凰岭 磨盘山 老虎沟 清水河 沙河 高台
土门 铁炉 瓦窑 砖窑
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    code: str
    name: str
    level: str
    parent_code: str = ""
    region_type: str = ""
    difficulty: float = 0.4  # how hard its issues are to solve: latent, never written
    people: float = 0.0  # relative population, which decides how many issues come from here

    @property
    def is_urban(self) -> bool:
        return self.level == "71"


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    root: Organisation
    departments: dict[str, Organisation]
    townships: tuple[Organisation, ...]
    villages: dict[str, tuple[Organisation, ...]]  # by township code

    def everything(self) -> Iterator[Organisation]:
        """Parents before children, as the register wants them."""
        yield self.root
        yield from self.departments.values()
        yield from self.townships
        for township in self.townships:
            yield from self.villages[township.code]


def build_county(random: Random, scale: float) -> County:
    departments = list(DEPARTMENTS.items())[: max(4, round(len(DEPARTMENTS) * scale))]
    townships = tuple(_townships(random, max(2, round(len(TOWNSHIPS) * scale))))
    village_count = max(4, round(VILLAGES_PER_TOWNSHIP * min(1.0, len(TOWNSHIPS) * scale / len(townships))))
    names = _VillageNames(random)
    return County(
        root=Organisation(code=COUNTY_CODE, name=COUNTY_NAME, level=COUNTY_LEVEL),
        departments={
            key: Organisation(
                code=f"{COUNTY_CODE}D{number:02}",
                name=COUNTY_NAME + name,
                level=COUNTY_LEVEL,
                parent_code=COUNTY_CODE,
                difficulty=chance.clamp(random.gauss(0.4, 0.1), 0.1, 0.8),
            )
            for number, (key, name) in enumerate(departments, start=1)
        },
        townships=townships,
        villages={
            township.code: tuple(_villages(random, township, count=village_count, names=names))
            for township in townships
        },
    )


def _townships(random: Random, count: int) -> Iterator[Organisation]:
    used = dict.fromkeys(TOWNSHIP_LEVELS, 0)
    for name, region_type in TOWNSHIPS[:count]:
        ending = next(ending for ending in TOWNSHIP_LEVELS if name.endswith(ending))
        level, first = TOWNSHIP_LEVELS[ending]
        number = first + used[ending]
        used[ending] += 1
        yield Organisation(
            code=f"{COUNTY_CODE}{number:03}",
            name=name,
            level=level,
            parent_code=COUNTY_CODE,
            region_type=region_type,
            difficulty=chance.clamp(random.gauss(DIFFICULTY[region_type], 0.12), 0.05, 0.95),
        )


def _villages(random: Random, township: Organisation, *, count: int, names: "_VillageNames") -> Iterator[Organisation]:
    """A street is communities with a village or two at its edge; a town has one community; a township has none."""
    communities = {"61": count - count // 6, "62": 1, "63": 0}[township.level]
    for position in range(count):
        is_community = position < communities
        name = names.community(township) if is_community else names.village(township.region_type)
        number = 1 + position if is_community else 200 + position - communities
        yield Organisation(
            code=f"{township.code}{number:03}",
            name=name,
            level="71" if is_community else "72",
            parent_code=township.code,
            region_type=township.region_type,
            difficulty=chance.clamp(random.gauss(township.difficulty, 0.1), 0.05, 0.95),
            people=chance.around(random, 5.0 if is_community else 1.0, 0.4),
        )


class _VillageNames:
    """Hands out names that occur once in the county."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._communities = chance.shuffled(random, COMMUNITY_NAMES.split())
        self._landmarks = chance.shuffled(random, VILLAGE_NAMES.split())
        self._taken: set[str] = set()

    def community(self, township: Organisation) -> str:
        if township.level == "62":
            return township.name.removesuffix("镇") + "社区"
        return self._communities.pop() + "社区"

    def village(self, region_type: str) -> str:
        if self._landmarks and chance.happens(self._random, 0.25):
            return self._landmarks.pop() + "村"
        while True:
            name = f"{self._random.choice(VILLAGE_FAMILIES)}家{self._random.choice(VILLAGE_ENDINGS[region_type])}村"
            if name not in self._taken:
                self._taken.add(name)
                return name
