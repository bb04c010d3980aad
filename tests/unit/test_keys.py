"""The key files of an installation: who holds which, what a repeat and a further key change."""

from pathlib import Path

import pytest

from deploy.keys import KEYS, SHARED, create_all, create_next
from shared.crypto import KeyRing
from shared.keyfiles import BadKeyFile


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_service_gets_the_keys_it_needs_and_no_other(tmp_path: Path) -> None:
    create_all(tmp_path)

    for service, own in KEYS.items():
        shared = {purpose for purpose, holders in SHARED.items() if service in holders}
        purposes = {file.name.rpartition("-")[0] for file in (tmp_path / service).iterdir()}
        assert purposes == set(own) | shared
        assert (tmp_path / service).stat().st_mode & 0o777 == 0o700
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in (tmp_path / service).iterdir())


def test_a_repeat_makes_nothing_and_changes_nothing(tmp_path: Path) -> None:
    create_all(tmp_path)
    before = files(tmp_path)

    assert create_all(tmp_path) == []
    assert files(tmp_path) == before


@pytest.mark.parametrize("purpose", SHARED)
def test_what_one_seals_the_other_can_check(tmp_path: Path, purpose: str) -> None:
    create_all(tmp_path)
    *readers, writer = (KeyRing(tmp_path / holder, private=True) for holder in SHARED[purpose])

    assert all(reader.is_mac(purpose, b"event", writer.mac(purpose, b"event")) for reader in readers)


def test_a_further_key_writes_and_the_earlier_one_still_reads(tmp_path: Path) -> None:
    create_all(tmp_path)
    reader, *_, writer = (KeyRing(tmp_path / holder) for holder in SHARED["events-intake"])
    earlier = writer.mac("events-intake", b"event")

    made = create_next(tmp_path, "events-intake")
    writer.refresh()
    later = writer.mac("events-intake", b"event")

    assert made == [f"{holder}/events-intake-2.key" for holder in ("assessment", "notify", "intake")]
    assert later != earlier
    assert reader.is_mac("events-intake", b"event", earlier)
    assert reader.is_mac("events-intake", b"event", later)


def test_what_was_interrupted_between_two_holders_is_completed(tmp_path: Path) -> None:
    create_all(tmp_path)
    create_next(tmp_path, "events-intake")
    whole = files(tmp_path)
    (tmp_path / "intake" / "events-intake-2.key").unlink()

    create_all(tmp_path)

    assert files(tmp_path) == whole


def test_a_purpose_that_nobody_has_is_refused(tmp_path: Path) -> None:
    create_all(tmp_path)

    with pytest.raises(BadKeyFile, match="no service"):
        create_next(tmp_path, "events-notify")
