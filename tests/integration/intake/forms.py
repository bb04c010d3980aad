"""Forms of our pages, filled in as a browser does: what is not touched is sent as it stands there."""

from html.parser import HTMLParser

from typing_extensions import override


class _Form(HTMLParser):
    """The names and values that a browser would send of the first form that posts to `action`."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._action, self._inside, self._select, self._area = action, False, "", ""

    @override
    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("action", "").endswith(self._action)
        elif self._inside and tag == "input":
            self.values[given["name"]] = given.get("value", "")
        elif self._inside and tag == "select":
            self._select = given["name"]
        elif self._inside and tag == "option" and (self._select not in self.values or "selected" in given):
            self.values[self._select] = given["value"]
        elif self._inside and tag == "textarea":
            self._area = given["name"]
            self.values[self._area] = ""

    @override
    def handle_endtag(self, tag):
        if tag == "textarea":
            self._area = ""
        if tag == "form":
            self._inside = False

    @override
    def handle_data(self, data):
        if self._area:
            self.values[self._area] += data


def filled_in(page: str, action: str) -> dict[str, str]:
    form = _Form(action)
    form.feed(page)
    return form.values
