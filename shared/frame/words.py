"""The words of the frame around every page, in Chinese and in English; `join` adds those of a service's own pages."""

from collections.abc import Mapping
from typing import Any, Final

ZH: Final[dict[str, Any]] = {
    "product": "连心",
    "other_language": "en",
    "other_tag": "en",
    "other_name": "English",
    "skip": "跳到正文",
    "account": "我的账号",
    "pages": "页面",
    "optional": "（选填）",
    "back": "返回",
    "save": "保存",
    "nothing_title": "无法显示",
    "nothing_here": "没有这条记录，或者您无权查看。",
    "session_over": "登录已过期",
    "session_over_help": "填写的内容没有丢失。请先在新窗口登录，再回到这里继续提交。",
    "sign_in_aside": "在新窗口登录",
    "send_again": "继续提交",
    "not_yours": "您的角色不能使用此页面。",
    "busy": "现在请求过多，请稍候再试。",
    "done": {"created": "已保存。", "changed": "已保存。", "unchanged": "此前已经保存，没有重复登记。"},
    "errors": {
        "overloaded": "现在请求过多，内容没有丢失，请再次保存。",
        "cross-site": "此表单已失效，请再次保存。",
        "invalid-form": "有一项填写不正确，请检查。",
        "other": "现在无法完成，请检查填写内容后再试。",
    },
}
EN: Final[dict[str, Any]] = {
    "product": "Lianxin",
    "other_language": "zh",
    "other_tag": "zh-CN",
    "other_name": "中文",
    "skip": "Skip to content",
    "account": "My account",
    "pages": "Pages",
    "optional": "(optional)",
    "back": "Back",
    "save": "Save",
    "nothing_title": "Nothing to show",
    "nothing_here": "There is no such record, or none that you may see.",
    "session_over": "Your session is over",
    "session_over_help": "Nothing you typed is lost. Sign in in a new window, then come back here and send it.",
    "sign_in_aside": "Sign in in a new window",
    "send_again": "Send it now",
    "not_yours": "Your role does not use this page.",
    "busy": "Too many requests at the moment; please try again.",
    "done": {
        "created": "Saved.",
        "changed": "Saved.",
        "unchanged": "Saved before, and not recorded twice.",
    },
    "errors": {
        "overloaded": "Too many requests at the moment. Nothing is lost: save again.",
        "cross-site": "This form is no longer valid: save again.",
        "invalid-form": "One of the entries does not fit; please look at it again.",
        "other": "This cannot be done; please look at the entries and try again.",
    },
}


def join(frame: Mapping[str, Any], *parts: Mapping[str, Any]) -> dict[str, Any]:
    """One table of words, tables within it joined alike. Raises ValueError for a word said twice."""
    joined = dict(frame)
    for part in parts:
        for name, words in part.items():
            if isinstance(words, dict) and isinstance(joined.get(name), dict):
                joined[name] = join(joined[name], words)
            elif name in joined:
                raise ValueError(f"{name} is said twice")
            else:
                joined[name] = words
    return joined
