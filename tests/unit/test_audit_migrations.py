"""The audit chain is the same in every service."""

from pathlib import Path

SERVICES = Path(__file__).parents[2] / "services"


def test_every_service_creates_the_same_chain():
    files = list(SERVICES.glob("*/migrations/*_create_audit_chain.sql"))

    assert {file.parents[1].name for file in files} == {"assessment", "identity", "intake", "notify"}
    assert len({file.read_text("utf-8") for file in files}) == 1
