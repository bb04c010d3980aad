"""What Schemathesis has to know of us: texts and times as the documents describe them, and a sharper check of refusals.

Loaded by Schemathesis itself, in its own process (SCHEMATHESIS_HOOKS).
"""

import atexit
import itertools
import json
import os
import unicodedata
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from schemathesis import CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.case import Case

from shared.edge import LARGEST_INTEGER_DIGITS, check_text
from tests.conformance.closing import close_shapes
from tests.conformance.counting import Counts
from tests.conformance.knowing import Known
from tests.conformance.renewing import PLACEHOLDER, Renewed

# What says that a request is not of the documented shape. All other refusals tell of what it says, which no shape can.
MISSHAPEN = frozenset({"invalid-body", "bad-idempotency-key", "not-json", "not-text", "not-utf-8", "too-deep"})

LONGEST_KEY = 255
ONE_STATUS = ("/open311/", "/v1/oauth2/", "/scim/")

_renewed = Renewed(os.environ["LIANXIN_CONFORMANCE_DESK"])
_known = Known.read(Path(os.environ["LIANXIN_CONFORMANCE_KNOWN"]).read_text("utf-8"))
_numbers = itertools.count(1)
_counts = Counts()
atexit.register(_counts.write, Path(os.environ["LIANXIN_CONFORMANCE_COUNTS"]))


def _put_credential(_: HTTPAdapter, request: PreparedRequest, **__: Any) -> None:
    """What the library calls with every request that is about to leave."""
    for name, placeholder in PLACEHOLDER.items():
        if request.headers.get(name) == placeholder:
            request.headers[name] = _renewed.headers()[name]


HTTPAdapter.add_headers = _put_credential  # type: ignore[assignment, method-assign] # whatever the session


def _is_plain(text: str) -> bool:
    try:
        return check_text(text) == text
    except ValueError:
        return False


def _in_zone(instant: datetime, minutes: int) -> str:
    return instant.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes))).isoformat()


_CHARACTERS = st.one_of(
    st.sampled_from("群众反映灌溉渠淤堵王芳㐀𠮷abcXYZ019 -_./'\"<>&=;%éß"),
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs", "Co")),
)
schemathesis.openapi.format(
    "plain-text",
    st.text(_CHARACTERS, max_size=40)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: _is_plain(text) and not any(character.isspace() for character in text)),
)
# Most of what is told was lately: of other times much is refused for its time, and nothing else of it looked at.
_TODAY = datetime.combine(datetime.now(UTC).date(), time())
_LATELY = _TODAY - timedelta(days=200)
schemathesis.openapi.format(
    "date-time",
    st.builds(
        _in_zone,
        st.one_of(
            st.datetimes(_LATELY, _TODAY),
            st.datetimes(datetime(1900, 1, 3), datetime(2199, 12, 29)),  # noqa: DTZ001 - made aware
        ),
        st.integers(-14 * 60, 14 * 60),
    ),
)
schemathesis.openapi.format(
    "date",
    st.one_of(
        st.dates(_LATELY.date(), _TODAY.date()),
        st.dates(datetime(1900, 1, 2).date(), datetime(2199, 12, 30).date()),  # noqa: DTZ001 - a day has no zone
    ).map(str),
)


class CalledMisshapen(Failure):
    """The server calls a request misshapen that its document allows."""


@schemathesis.check
def fitting_is_taken(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """What fits the document is never refused as not fitting, whatever else may be said against it.

    GeoReport and OAuth have one status for both, so that nothing can be told apart there.
    """
    is_refused = response.status_code in {400, 413, 415, 422} and not case.path.startswith(ONE_STATUS)
    if is_refused and case.meta is not None and case.meta.generation.mode.is_positive:
        problem = json.loads(response.content)
        if response.status_code != 422 or problem.get("title") in MISSHAPEN:
            raise CalledMisshapen(
                operation=case.operation.label,
                title="Called misshapen what the document allows",
                message=response.text[:500],
            )


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
    """Ask mostly about what is there. What was made up to be wrong stays as it is.

    Made-up cursors and versions name nothing, and made-up keys are mostly one and the same: all of these are refused.
    """
    wrong = {where for where in ParameterLocation if case.meta is not None and case.meta.is_negative_at(where)}
    number = next(_numbers)
    if case.path_parameters and ParameterLocation.PATH not in wrong:
        case.path_parameters = _known.fill_path(case.path, case.path_parameters)
    if case.query and ParameterLocation.QUERY not in wrong:
        case.query = _known.fill(case.query)
        if number % 4:
            case.query.pop("cursor", None)
    if isinstance(case.body, dict) and ParameterLocation.BODY not in wrong:
        case.body = _known.fill(case.body)
    if case.headers and ParameterLocation.HEADER not in wrong:
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"{number}-{case.headers['Idempotency-Key']}"[:LONGEST_KEY]
        if number % 4:
            case.headers.pop("If-Match", None)


@schemathesis.hook
def after_call(_: HookContext, case: Case[Any], response: Response) -> None:
    """A run may end its own session, by signing out or by disabling itself: what follows would be 401 throughout."""
    if response.status_code == 401 and case.operation.definition.raw.get("security"):
        _renewed.note_refusal(response.request.headers)
    _counts.note_answer(_phase_of(case), case.operation.label, response.status_code)


@schemathesis.hook
def filter_failure(_: HookContext, failure: Failure, case: Case[Any], _response: Response) -> bool:
    """None is left out."""
    _counts.note_failure(_phase_of(case), case.operation.label, failure.title)
    return True


def _phase_of(case: Case[Any]) -> str:
    return case.meta.phase.name if case.meta is not None else "other"


@schemathesis.hook
def map_body(_: object, body: Any) -> Any:
    """To JSON Schema an integer has any number of digits. Readers differ: here it has not."""
    if isinstance(body, int) and not isinstance(body, bool) and abs(body) >= 10**LARGEST_INTEGER_DIGITS:
        return body % 10**LARGEST_INTEGER_DIGITS
    if isinstance(body, dict):
        return {name: map_body(_, value) for name, value in body.items()}
    return [map_body(_, item) for item in body] if isinstance(body, list) else body


@schemathesis.hook
def before_load_schema(_: object, raw_schema: dict[str, Any]) -> None:
    close_shapes(raw_schema)
