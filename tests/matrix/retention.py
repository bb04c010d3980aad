"""What every service asks alike: its retention, and what is held."""

from collections.abc import Mapping
from typing import Final

from tests.matrix.probes import Probe, Shot, everywhere

HOLD: Final = {"object_type": "audit_file", "object_id": "records-4711.jsonl"}
RETENTION: Final[Mapping[tuple[str, str], Probe]] = {
    ("GET", "/v1/retention"): Probe(action="look at retention", aim=everywhere(Shot())),
    ("PUT", "/v1/retention/{kind}/approval"): Probe(
        action="agree to a period",
        aim=everywhere(Shot(path={"kind": "audit_records"}, body={"keep": "12 months"})),
        fine=frozenset({409}),
    ),
    ("GET", "/v1/legal-holds"): Probe(action="look at retention", aim=everywhere(Shot())),
    ("PUT", "/v1/legal-holds/{object_type}/{object_id}"): Probe(
        action="hold an object", aim=everywhere(Shot(path=HOLD, body={"reason": "x"}))
    ),
    ("DELETE", "/v1/legal-holds/{object_type}/{object_id}"): Probe(
        action="release what is held", aim=everywhere(Shot(path=HOLD))
    ),
}
