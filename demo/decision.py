"""One decision about what waits for a look, so that the queue of signals shows what comes of them."""

from typing import Any, Final

from demo.present import Ask, Unwilling

CHECK: Final = "split_issues"
# Two orders for one matter stand in the ledger side by side: that can be looked up.
DECISION: Final = {"verdict": "confirmed", "grounds": "checked_documents"}


def decide_one(officer: Ask) -> bool:
    """Whether there was something to decide about. Raises Unwilling, httpx.TransportError."""
    waiting: list[dict[str, Any]] = _ask(officer, "GET", "/v1/signals?state=open&limit=200")["items"]
    found = next((signal["signal_id"] for signal in waiting if signal["check_name"] == CHECK), None)
    if found is None:
        return False
    _ask(officer, "POST", f"/v1/signals/{found}/decision", json=DECISION)
    return True


def _ask(ask: Ask, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - what httpx takes
    answer = ask(method, path, **request)
    if not answer.is_success:
        raise Unwilling(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
    document: dict[str, Any] = answer.json()
    return document
