"""Small export files and profiles for the tests of the importer."""

from io import BytesIO

from services.intake.domain.commands.base import Command
from services.intake.importing.chunks import Chunk, read_chunks
from services.intake.importing.findings import Finding
from services.intake.importing.profile import Profile, parse_profile
from services.intake.importing.reader import Reader
from services.intake.importing.source import Limits, read_blocks
from shared.identifiers import new_id

LIMITS = Limits(most_bytes=1 << 30)
ISSUES = """
name = "town"
target = "issue"

[title]
zh = "某镇工单"
en = "Work orders of a town"

[time]
zone = "Asia/Shanghai"
formats = ["%Y-%m-%d %H:%M:%S", "%Y年%m月%d日 %H:%M"]

[fields]
source_number = { column = "工单编号" }
type = { column = "类型", codes = { "投诉" = "complaint", "咨询" = "enquiry" }, default = "help" }
category = { column = "分类" }
channel = { constant = "phone" }
title = { column = "标题" }
received_at = { column = "受理时间" }
due_at = { column = "办理时限" }
closed_at = { column = "办结时间" }
outcome = { column = "办理情况", patterns = [{ match = ".*重复", value = "merged" }], default = "resolved" }
reply = { column = "办理情况" }
"""
HEADER = "工单编号,类型,分类,标题,受理时间,办理时限,办结时间,办理情况"
ROW = "G1,投诉,道路,路灯不亮,2025-03-01 09:30:00,2025-03-08 09:30:00,2025-03-02 10:00:00,已修复"


def issues_profile(more: str = "") -> Profile:
    return parse_profile(ISSUES + more)


def read(data: bytes, *, encoding: str = "utf-8", delimiter: str = ",") -> list[tuple[int, list[str]] | Finding]:
    blocks = read_blocks(BytesIO(data), LIMITS)
    return list(Reader(blocks, encoding=encoding, delimiter=delimiter).rows())


def chunks_of(text: str | bytes, profile: Profile | None = None, *, limits: Limits = LIMITS) -> list[Chunk]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_chunks(BytesIO(data), profile or issues_profile(), limits, correlation_id="test", new_id=new_id))


def map_rows(*rows: str, profile: Profile | None = None, header: str = HEADER) -> tuple[list[Command], list[Finding]]:
    chunks = chunks_of("\n".join([header, *rows]), profile)
    commands = [command for chunk in chunks for row in chunk.rows for command in row.commands]
    return commands, [finding for chunk in chunks for finding in chunk.findings]


def codes_of(findings: list[Finding]) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in findings]
