"""Invented names: common family names by frequency, given names as a county roster would show them."""

from collections.abc import Iterator
from random import Random

FAMILY_NAMES = {
    name: 60 - rank
    for rank, name in enumerate(
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    )
}
MEN = """
建国 志强 建军 国强 海涛 文斌 永刚 志刚 建华 明辉 俊杰 浩然 宏伟 晓东 振华 玉林 景山 立新 卫东 学军
德胜 长青 春生 宝成 金锁 书文 庆丰 文博 子健 鹏飞 世杰 成林 新民 保国 占军 福林 双喜 东升 兴旺 连生
瑞祥 广田 少华 家栋 国栋 天宇 一鸣 思远 嘉伟 泽宇 凯 涛 磊 军 勇 斌 鑫 超 波 辉 亮 刚 健 明 宁 旭
永胜 怀玉 培林 树森 效忠 增产 有才 满仓 铁柱 根生 西平 向阳 红旗 克俭 守信 秉义 敬之 树人 树声 耀祖
"""
WOMEN = """
秀英 桂兰 淑珍 玉梅 丽娟 晓燕 海燕 春梅 雪梅 艳红 丽华 美玲 慧敏 雅琴 文静 佳慧 婷婷 欣怡 思琪 雨桐
晓丽 红霞 爱华 玉兰 凤霞 彩云 小红 静 敏 燕 丽 娟 芳 婷 洁 莉 颖 蕾 倩 琳 瑞芳 素云 春华 秋菊
翠萍 月娥 惠芬 金凤 兰英 晓霞 志红 亚男 俊梅 银环 云霞 丹丹 晨曦 梦洁 若兰 书琴
"""
SHARE_OF_MEN_AMONG_CADRES = 0.68


def draw_name(random: Random, *, share_of_men: float) -> str:
    given = random.choice((MEN if random.random() < share_of_men else WOMEN).split())
    return random.choices(list(FAMILY_NAMES), weights=list(FAMILY_NAMES.values()))[0] + given


def unique_names(random: Random) -> Iterator[str]:
    """Of cadres. No name comes twice: the register would allow it, a reader of the demo would wonder."""
    taken: set[str] = set()
    while True:
        name = draw_name(random, share_of_men=SHARE_OF_MEN_AMONG_CADRES)
        if name not in taken:
            taken.add(name)
            yield name
