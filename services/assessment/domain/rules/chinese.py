"""What is wrong with a scheme or a table, in Chinese: the English of each fault, and what it is there.

Faults are raised in one place and in one language; `test_chinese.py` sees to it that none of them is missing here.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

HOLE: Final = "{}"
# The longer English goes first where one begins like another.
PHRASES: Final = (
    ("a formula has 1 to {} characters", "公式应有1至{}个字符"),
    ("a formula has at most {} parts; give some of them names of their own", "公式最多{}个部分，请将其中一些单独命名"),
    ("the number is beyond {} or has more than {} places", "数字超过{}，或小数超过{}位"),
    ("the number is beyond {}", "数字超过{}"),
    ("cannot read the formula from {} on{}", "公式从{}起无法识读{}"),
    (": write 95 or 0.95 for 95%", "：95% 请写 95 或 0.95"),
    (": write {}", "：请写 {}"),
    (": arguments are parted by commas", "：参数之间用逗号"),
    (": the quote is not closed", "：引号没有成对"),
    ("the quote is not closed", "引号没有成对"),
    ("the formula {}", "公式有误：{}"),
    ("ends too early", "没有写完"),
    ("does not expect {}", "此处不应有{}"),
    ("does not expect {}: write {}", "此处不应有{}：请写 {}"),
    (
        "asks with {} about a text, which has no order; a day is written date('2024-03-05')",
        "文本不能用{}比较；日期写成 date('2024-03-05')",
    ),
    (
        "takes numbers from one another where a day is meant; write date('2024-03-05')",
        "日期不加引号会当作减法；请写 date('2024-03-05')",
    ),
    ("takes a day in quotes: date('2024-03-05')", "应是加引号的日期：date('2024-03-05')"),
    ("lacks a closing bracket", "缺少右括号"),
    ("lacks a comma or a closing bracket in {}", "{}中缺少逗号或右括号"),
    ("uses {}(...), which is no function{}", "没有 {}(...) 这个函数{}"),
    ("; there is {}(...)", "；可用 {}(...)"),
    ("{}(...) takes {} arguments, not {}", "{}(...) 应有{}个参数，而不是{}个"),
    ("at least {}", "至少{}"),
    ("{} to {}", "{}至{}"),
    ("must be a number or one of {}", "应为数字，或以下之一：{}"),
    ("must be one of {}", "应为以下之一：{}"),
    ("needs at least one band", "至少要有一个档次"),
    ("is needed by the bands' bounds", "各档的界限需要它"),
    ("give points or labels, not some of each", "要么都写分值，要么都写名称，不能混用"),
    ("needs one of at_least, above, at_most, below, when", "需要 at_least、above、at_most、below、when 之一"),
    ("needs either value (to be ranked) or place (ranked already)", "需要 value（待排名）或 place（已排名次）"),
    ("needs either {} or {}", "需要{}或{}"),
    ("needs at least two points", "至少要有两个点"),
    ("needs first and step, or places", "需要 first 和 step，或 places"),
    (
        "is what counts beyond a list of places, and there is no step then",
        "用于名次列表之外的名次，此时不能有 step",
    ),
    ("needs at least one line", "至少要有一条"),
    ("must begin at rising numbers of events", "各级的起始次数应依次增大"),
    ("has either tiers or growth", "tiers 与 growth 只能用一个"),
    ("must be the number of the first event that costs so much", "应为从第几次起按此扣分"),
    ("needs at least one part", "至少要有一个组成部分"),
    ("must be a plain number", "应为普通数字"),
    ("must be a pair of numbers: [value, points]", "应为一对数字：[数值, 分值]"),
    ("values must rise from one point to the next", "各点的数值应依次增大"),
    ("uses {}, which nothing here is named{}", "用到{}，但此处没有这个名称{}"),
    ("; a text in a formula stands in quotes", "；公式中的文本应加引号"),
    ("; the column {} has the name {} in [measures]", "；列“{}”在 [measures] 中的名称是 {}"),
    ("; there is {}", "；有 {}"),
    ("nothing is in it", "其中没有内容"),
    ("depends on itself: {}", "循环引用：{}"),
    ("says who counts in groups, and cannot look at groups itself", "规定谁算入组内，本身不能用组内函数"),
    ("is also the name of one of the {}", "与{}中的名称重复"),
    ("there is no section {}", "没有{}这个部分"),
    ("sections nest deeper than {}, or in a circle", "部分嵌套超过{}层，或循环嵌套"),
    ("is for a mean", "仅用于求平均"),
    ("is for a grade with top", "仅用于写了 top 的等次"),
    ("a list is for a value; an item has one number", "列表仅用于导出值；得分项只有一个数"),
    ("names the texts that periods are put together by", "写明按哪些文本归并各期"),
    ("is the total that cap and set need, and only they", "是 cap 和 set 所需的总分，其他情形不用"),
    ("is the label that the effect grade needs, and only that", "是 grade 所需的等次名称，其他情形不用"),
    ("{} is taken by another ranking", "{}已被另一个排名使用"),
    ("must be a list of at most 10 formulas", "应为至多10个公式的列表"),
    ("must be a number, or a formula as text", "应为数字，或写成文本的公式"),
    ("must be a list", "应为列表"),
    ("must be a list: its heading has double brackets, [[{}]]", "应为列表：标题用双层方括号 [[{}]]"),
    ("has more than {} values, items and sections", "数值、项目和部分合计超过{}个"),
    ("has more than {} entries", "超过{}项"),
    ("has more than {} keys", "键超过{}个"),
    (
        "{} is no name: letters, digits and _, not a digit first, at most 64",
        "{}不能作名称：只能用字母、数字和下划线，不以数字开头，最多64个字符",
    ),
    ("{} is a word of formulas and cannot be a name", "{}是公式中的用词，不能作名称"),
    ("must be of small letters, digits and hyphens, at most 64", "只能用小写字母、数字和连字符，最多64个字符"),
    ("must be a text of 1 to {} characters on one line", "应为一行文本，1至{}个字符"),
    ("must be a table", "应为表（[...]）"),
    ("lacks {}", "缺少{}"),
    ("lacks {}; is that what {} is meant to be?", "缺少{}；{}是否应为它？"),
    ("lacks {}; it stands above the first [heading]", "缺少{}；它应写在第一个 [标题] 之上"),
    ("does not know {}; known here: {}", "不认识{}；此处可用：{}"),
    ("does not know {}, which stands above the first [heading]", "不认识{}；它应写在第一个 [标题] 之上"),
    ("must be true or false", "应为 true 或 false"),
    ("must be a whole number from {} to {}", "应为{}至{}的整数"),
    ("must be a day such as 2024-01-31", "应为日期，如 2024-01-31"),
    ("must be a number", "应为数字"),
    ("is not a day of the calendar", "不是日历上的日期"),
    ("is larger than {} bytes", "超过{}字节"),
    ("only {} is known, not {}", "只支持{}，不支持{}"),
    ("needs values or items", "需要 values 或 items"),
    ("says how, where recovered = true, and only there", "仅在 recovered = true 时填写推算方法"),
    ("total is the name of the result", "total 是结果的名称，不能另用"),
    ("blank must be a plain number, and the measure one of numbers", "blank 应为普通数字，且该度量应为数值"),
    ("is before from", "早于 from"),
    ("must be the number of a row, or a list of two or three", "应为行号，或两三个行号的列表"),
    ("must be rows that follow one another, the first from 1 to {}", "应为相连的几行，首行为1至{}"),
    ("must be a heading, or a list of at most {}", "应为列标题，或至多{}个列标题的列表"),
    ("nests deeper than {}", "嵌套超过{}层"),
    ("is not TOML that can be read: too deep, or a number too long", "不是可读的 TOML：嵌套过深，或数字过长"),
    (
        "is not TOML: {}: something is not closed before the end of the file",
        "不是 TOML（{}）：到文件末尾仍有未闭合之处",
    ),
    ("is not TOML: {}; {}", "不是 TOML（{}）：{}"),
    ("is not TOML: {}", "不是 TOML（{}）"),
    ('quotes are straight: "..."', '引号须用英文直引号 "..."'),
    ("write 95 or 0.95 for 95%", "95% 请写 95 或 0.95"),
    ("signs, digits and blanks are typed in half width", "符号、数字和空格须用半角"),
    ("a name that is not of English letters stands in quotes", "中文名称须加引号"),
    ("a number has no unit here", "此处数字不带单位"),
    ("write 0.5 for .5", ".5 请写 0.5"),
    ("a text stands in quotes", "文本须加引号"),
    ("a table in { } stands on one line", "大括号中的内容须写在同一行"),
    ("no comma stands at the end of a line, but in a list", "行末不加逗号（列表中除外）"),
    ("it is there already further up", "上文已有"),
    ("entries of a list are parted by commas, and ] ends it", "列表各项之间用逗号，末尾用 ]"),
    ("Invalid value", "值无效"),
    ("Invalid statement", "语句无效"),
    ("Invalid initial character for a key part", "键的首字符无效"),
    ("Expected newline or end of document after a statement", "语句之后应换行"),
    ("Expected '=' after a key in a key/value pair", "键之后应为等号"),
    ("Unclosed array", "列表未闭合"),
    ("Unclosed inline table", "行内表未闭合"),
    ("Cannot declare {} twice", "{}重复"),
    ("Cannot overwrite a value", "键重复"),
    ("Cannot redefine namespace {}", "{}不能再定义"),
    ("Cannot mutate immutable namespace {}", "{}已写完，不能再添加"),
    ("Duplicate inline table key {}", "键{}重复"),
    ("Expected ']' at the end of a table declaration", "标题末尾应为 ]"),
    ("Expected ']]' at the end of an array declaration", "标题末尾应为 ]]"),
    ("Expected {}", "此处应为 {}"),
    ("Unterminated string", "文本没有结束"),
    ("Illegal character {}", "有不允许的字符 {}"),
    ("Found invalid character {}", "有不允许的字符 {}"),
    ("Unescaped '\\' in a string", "文本中的反斜杠应写成 \\\\"),
    ("Invalid hex value", "十六进制值无效"),
    ("Escaped character is not a Unicode scalar value", "转义的不是 Unicode 字符"),
    ("Invalid date or datetime", "日期或时间无效"),
    ("{} needs the item's full mark: add full = ...", "{}需要该项满分：请加上 full = ..."),
    ("is needed to put a scheme into force: [validity] with from", "方案生效需要 [validity] 及 from"),
    ("a scheme that is put into force has at least one item", "生效的方案至少要有一个项目"),
    ("is the name of the scheme that counts where a place has none", "是没有本地方案时所用方案的名称"),
    ("no publication says {}; they say {}", "公布的数据中没有{}；有：{}"),
    (
        "more than {} subjects are within reach: try it on a part of the tree",
        "可见对象超过{}个：请只对部分单位试算",
    ),
    ("more than {} subjects are within reach: ask of a part of the tree", "可见对象超过{}个：请只查部分单位"),
    (
        "{} subjects and schemes of this size are too much for one request: ask of a part",
        "{}个对象加上这样大的方案，一次请求做不完：请分批试算",
    ),
    ("--by {}: the scheme names no such measure or value", "--by {}：方案中没有这个度量或数值"),
    ("{}: {} is not a day such as 2024-03-05", "{}：{}不是 2024-03-05 这样的日期"),
    ("{}: {}: the cell has more than {} characters", "{}：{}：单元格超过{}个字符"),
    ("{}: stands in several rows; a ledger's columns have the type {}", "{}：有几行；台账的列，type 用 {}"),
    (
        "{}: is empty in one of several rows; write a word for none there, such as 无",
        "{}：几行中有一行空着；没有的请写“无”",
    ),
    ("{}: more than {} entries in a cell", "{}：一个单元格超过{}项"),
    ("{}: {} is not a number", "{}：{}不是数字"),
    ("no row is of {}", "没有{}的行"),
    ("the file is neither UTF-8 nor GB 18030", "文件既不是 UTF-8，也不是 GB 18030"),
    ("the file is larger than {} bytes", "文件超过{}字节"),
    (
        "the file has no row {}, where table.header_row says the header is",
        "文件没有第{}行，而 table.header_row 说标题在那里",
    ),
    ("the header lacks {}; it has {}", "标题缺少{}；有：{}"),
    (
        "the header lacks {}; row {} has it: header_row = {} in [table]",
        "标题缺少{}；第{}行有：请在 [table] 中写 header_row = {}",
    ),
    ("the table has no rows", "表中没有数据行"),
    ("a further table has {}, which the first lacks", "后面的表里有{}，第一张表里没有"),
    (
        "the file is an old spreadsheet (.xls); save it as .xlsx or CSV",
        "文件是旧版电子表格（.xls），请另存为 .xlsx 或 CSV",
    ),
    ("the file is not a text table", "文件不是文本表格"),
    ("the table has more than {} rows", "表超过{}行"),
    ("the table has more than {} columns", "表超过{}列"),
    ("row {} has {} cells, the header {}", "第{}行有{}个单元格，标题有{}个"),
    (
        "row {}: {} is empty; skip_subjects names rows that are no units",
        "第{}行：{}为空；不是单位的行写入 skip_subjects",
    ),
    ("rows {} and {} are both of {}", "第{}行和第{}行同为{}"),
    (
        "rows {} and {} are both of {}; if the table has several periods, name their column in table.period",
        "第{}行和第{}行同为{}；表中有几个周期的，在 table.period 中写明周期所在的列",
    ),
    ("the file is not CSV: {}", "文件不是 CSV：{}"),
    ("the file is not a spreadsheet that can be read: {}", "文件不是可读的电子表格：{}"),
    ("the sheet unpacks to too much", "工作表解压后过大"),
    ("{}: {}: a count of events is a number, 0 or more", "{}：{}：次数应为0或以上的数字"),
    ("{}: per must be above 0", "{}：per 应大于0"),
    ("{}: events that grow dearer are whole, at most {}", "{}：逐次加重的次数应为整数，最多{}"),
    ("{}: {}: events are counted by numbers", "{}：{}：次数应以数字表示"),
    ("{}: {}: an event counts 0 times or more", "{}：{}：每件的倍数应为0或以上"),
    ("{}: {}: more than {} events in one cell", "{}：{}：一个单元格超过{}次"),
    ("place: a place is 1 or more", "place：名次应为1或以上"),
    ("per: must be above 0", "per：应大于0"),
    ("{}: {}: {} is not among {}", "{}：{}：{}不在{}之中"),
    ("the two schemes were put to different rows", "两个方案用于不同的行"),
    ("items.{}.weight: cannot be told for one of the subjects", "items.{}.weight：有一个对象算不出"),
    ("sections.{}.weight: cannot be told for one of the subjects", "sections.{}.weight：有一个对象算不出"),
    ("{}: {}: needs a number and finds {}", "{}：{}：需要数字，却是{}"),
    ("a text", "文本"),
    ("a list", "列表"),
    ("{}: the lists differ in length", "{}：两个列表长度不同"),
    ("{}: a result is too large", "{}：结果过大"),
    ("{}: a number is needed, not a text", "{}：需要数字，不能是文本"),
    (
        "{}: trimmed_mean takes a whole number first: how many to leave out at each end",
        "{}：trimmed_mean 的第一个参数为整数，即两端各去掉几个",
    ),
    (
        '{}: a text is compared with a number; a measure of texts has type = "text"',
        '{}：文本与数字相比；文本的度量须写 type = "text"',
    ),
    ("{}: if(...) takes a condition first", "{}：if(...) 的第一个参数为条件"),
    ("{}: texts are needed", "{}：需要文本"),
    ("{}: a number is rounded to 0 to {} places", "{}：小数位数应为0至{}"),
    ("{}: the power is a whole number up to {}", "{}：指数应为整数，绝对值不超过{}"),
)


def translate(english: str) -> str | None:
    """None where there is no such fault."""
    for pattern, chinese in _patterns():
        found = pattern.fullmatch(english)
        if found:
            return chinese.format(*(_translate_part(part) for part in found.groups()))
    return None


def _translate_part(part: str) -> str:
    """What stands in a hole is a name or a number, or again one of the phrases."""
    return translate(part) or part


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in _in_order())


def _in_order() -> Iterator[tuple[str, str]]:
    """Those with the most words of their own first: what would match anything comes last."""
    return iter(sorted(PHRASES, key=lambda pair: -len(pair[0].replace(HOLE, ""))))


def _pattern(english: str) -> str:
    return "(.*?)".join(map(re.escape, english.split(HOLE)))
