"""The key ring over real directories: what it refuses, which key writes, and how rotation and destruction reach it."""

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.keys import KEYS, create_keys
from shared.ciphers import Undecipherable
from shared.crypto import KeyRing, Signature, UnknownKey, data_key, verify_with
from shared.keyfiles import KeyName, create_key, destroy_key
from shared.settings import UnsafeSetting

PLACE = b"citizen|name|1|identity"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    create_key(tmp_path, KeyName(purpose="epoch", kid=202610))
    create_key(tmp_path, KeyName(purpose="index", kid=1))
    create_key(tmp_path, KeyName(purpose="checkpoint", kid=1, kind="ed25519"))
    return tmp_path


def write(directory: Path, name: str, material: bytes) -> None:
    (directory / name).write_text(base64.b64encode(material).decode() + "\n")


def test_the_highest_number_writes_and_the_others_read(directory: Path) -> None:
    old = KeyRing(directory).encrypt("epoch", aad=PLACE, data=b"1")
    create_key(directory, KeyName(purpose="epoch", kid=202611))
    ring = KeyRing(directory)

    assert ring.current("epoch").kid == 202611
    assert ring.decrypt("epoch", aad=PLACE, data=old) == b"1"


def test_both_ciphers_are_read_whichever_writes(directory: Path) -> None:
    writers = [KeyRing(directory, cipher="aes256gcm"), KeyRing(directory, cipher="sm4gcm")]
    sealed = [ring.encrypt("epoch", aad=PLACE, data=b"1") for ring in writers]

    assert sealed[0][1] != sealed[1][1]
    for ring in writers:
        assert [ring.decrypt("epoch", aad=PLACE, data=each) for each in sealed] == [b"1", b"1"]
        assert all(ring.is_mac("index", b"1", other.mac("index", b"1")) for other in writers)
        assert {other.mac("index", b"1") for other in writers} == set(ring.all_macs("index", b"1"))


def test_a_wrapped_key_opens_only_as_a_key_and_in_its_row(directory: Path) -> None:
    ring = KeyRing(directory)
    material = ring.new_data_key()
    wrapped = ring.wrap("epoch", material, aad=b"citizen_key|1")

    assert ring.unwrap("epoch", wrapped, aad=b"citizen_key|1") == material
    with pytest.raises(Undecipherable):
        ring.unwrap("epoch", wrapped, aad=b"citizen_key|2")
    with pytest.raises(Undecipherable):
        ring.decrypt("epoch", aad=b"citizen_key|1", data=wrapped)
    assert data_key(material).kid == 0


def test_a_destroyed_key_is_forgotten_without_a_restart(directory: Path) -> None:
    clock = Clock()
    ring = KeyRing(directory, monotonic=clock)
    sealed = ring.encrypt("epoch", aad=PLACE, data=b"1")
    create_key(directory, KeyName(purpose="epoch", kid=202611))

    assert destroy_key(directory, KeyName(purpose="epoch", kid=202610))
    clock.now += 2

    assert ring.current("epoch").kid == 202611
    with pytest.raises(UnknownKey):
        ring.decrypt("epoch", aad=PLACE, data=sealed)
    assert not destroy_key(directory, KeyName(purpose="epoch", kid=202610))


def test_a_key_made_elsewhere_is_found_at_once_where_it_is_needed(directory: Path) -> None:
    ring = KeyRing(directory, monotonic=Clock())
    create_key(directory, KeyName(purpose="epoch", kid=202611))
    sealed = KeyRing(directory).encrypt("epoch", aad=PLACE, data=b"1")

    assert ring.decrypt("epoch", aad=PLACE, data=sealed) == b"1"


def test_a_directory_that_turns_bad_leaves_the_keys_that_are_known(directory: Path) -> None:
    ring = KeyRing(directory)
    write(directory, "epoch-202612.key", bytes(32))

    ring.refresh()

    assert ring.current("epoch").kid == 202610


def test_an_unknown_purpose_or_number_fails_closed(directory: Path) -> None:
    ring = KeyRing(directory)

    with pytest.raises(UnknownKey):
        ring.encrypt("nothing", aad=PLACE, data=b"1")
    with pytest.raises(UnknownKey):
        ring.wrap("epoch", bytes(32), aad=PLACE, kid=1)
    with pytest.raises(Undecipherable):
        ring.decrypt("epoch", aad=PLACE, data=b"")
    assert not ring.is_mac("index", b"1", b"")
    assert not ring.is_mac("index", b"1", ring.mac("index", b"2"))
    assert not ring.is_mac("index", b"1", ring.mac("index", b"1") + b"\0")


def test_signatures_verify_with_the_public_key_alone(directory: Path) -> None:
    ring = KeyRing(directory)
    signature = ring.sign("checkpoint", b"root")

    assert ring.verify("checkpoint", b"root", signature)
    assert verify_with(ring.public_keys("checkpoint")[1], b"root", signature.value)
    assert not ring.verify("checkpoint", b"other", signature)
    assert not ring.verify("checkpoint", b"root", Signature(kid=2, value=signature.value))
    assert not verify_with(b"short", b"root", signature.value)


@pytest.mark.parametrize(
    "material",
    [b"", bytes(31), bytes(33), bytes(32), b"ab" * 16, bytes(range(32)), bytes(range(0, 256, 8)), os.urandom(8) * 4],
    ids=["empty", "short", "long", "zeros", "pair", "counted", "stepped", "repeated"],
)
def test_weak_keys_are_refused_by_name(directory: Path, material: bytes) -> None:
    write(directory, "epoch-202611.key", material)

    with pytest.raises(UnsafeSetting, match=r"epoch-202611\.key"):
        KeyRing(directory)


def test_a_password_in_place_of_a_key_is_refused(directory: Path) -> None:
    write(directory, "epoch-202611.key", b"correct horse battery staple, 32")

    with pytest.raises(UnsafeSetting, match="not random"):
        KeyRing(directory)


def test_equal_keys_are_refused(directory: Path) -> None:
    (directory / "epoch-202611.key").write_bytes((directory / "index-1.key").read_bytes())

    with pytest.raises(UnsafeSetting, match="equals"):
        KeyRing(directory)


@pytest.mark.parametrize("text", ["not base64!", "changeme", "AAAA\nAAAA", "x" * 5000])
def test_what_is_no_base64_is_refused_and_not_repeated(directory: Path, text: str) -> None:
    (directory / "epoch-202611.key").write_text(text)

    with pytest.raises(UnsafeSetting) as refusal:
        KeyRing(directory)

    assert text not in str(refusal.value)


@pytest.mark.parametrize("name", ["epoch.key", "epoch-0.key", "epoch-1a.key", "Epoch-1.key", "epoch-99999999999.key"])
def test_a_key_with_a_name_that_says_nothing_is_refused(directory: Path, name: str) -> None:
    write(directory, name, os.urandom(32))

    with pytest.raises(UnsafeSetting):
        KeyRing(directory)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601])
def test_production_refuses_files_that_are_open_to_everybody(directory: Path, mode: int) -> None:
    (directory / "index-1.key").chmod(mode)

    KeyRing(directory)
    with pytest.raises(UnsafeSetting, match=r"index-1\.key"):
        KeyRing(directory, private=True)


def test_a_missing_directory_or_purpose_is_named(directory: Path) -> None:
    with pytest.raises(UnsafeSetting, match="cannot be read"):
        KeyRing(directory / "absent")
    with pytest.raises(UnsafeSetting, match=r"repeats-1\.key, token-1\.ed25519"):
        KeyRing(directory).require(symmetric=["epoch", "repeats"], signing=["checkpoint", "token"])


def test_a_key_is_never_overwritten_and_never_half_there(directory: Path) -> None:
    before = (directory / "index-1.key").read_bytes()

    assert not create_key(directory, KeyName(purpose="index", kid=1))
    assert (directory / "index-1.key").read_bytes() == before
    assert [file.name for file in directory.iterdir() if file.name.startswith(".")] == []


def test_keys_do_not_show_in_what_is_printed(directory: Path) -> None:
    ring = KeyRing(directory)
    material = base64.b64decode((directory / "index-1.key").read_bytes())

    assert repr(material) not in repr(ring.current("index"))
    assert repr(ring.current("index")) == "SymmetricKey(kid=1)"


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], list[str]]:
    return lambda service: create_keys(tmp_path / service, service)


@pytest.mark.parametrize("service", sorted(KEYS))
def test_an_installation_makes_every_key_once(tmp_path: Path, made: Callable[[str], list[str]], service: str) -> None:
    first, second = made(service), made(service)
    ring = KeyRing(tmp_path / service, private=True)

    assert len(first) == len(KEYS[service])
    assert second == []
    ring.require(
        symmetric=[purpose for purpose, kind in KEYS[service].items() if kind == "key"],
        signing=[purpose for purpose, kind in KEYS[service].items() if kind == "ed25519"],
    )
