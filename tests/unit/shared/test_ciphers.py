"""Sealing, keyed hashes and their stored form against published vectors, damage and repeats."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st

from shared.ciphers import (
    ALGORITHMS,
    HEADER,
    NONCE_BYTES,
    Algorithm,
    SymmetricKey,
    Undecipherable,
    finish_mac,
    open_sm4,
    seal_sm4,
)

MATERIAL = bytes(range(7, 39))
KEY = SymmetricKey(MATERIAL, kid=202611, context="epoch")
PLACE = b"issue|title|1"
# What earlier releases have written must open for ever: these bytes are never to be changed.
STORED = {
    "aes256gcm": "0101000317736dcb1d7ab0d26ba66ae42c6f0fb21cb474a9b54fe1f264aac0a2a7fff3d59a9fd559",
    "sm4gcm": "0102000317739060824a296ff9e7c5eebd960805cb552009102c587be6d9d41694233f1484f2c55d",
}
STORED_MACS: dict[Algorithm, str] = {
    "aes256gcm": "010100031773c6835fcb7783ec179882da09a58feebe7b6f9c633891a2b23b2641af27c612f8",
    "sm4gcm": "010200031773dac95bc6c271546faacaa39f492c3aba1294efca1739274abf90a71a24cf91ee",
}
BOTH = pytest.mark.parametrize("algorithm", ALGORITHMS)


def test_aes_256_gcm_is_the_one_of_the_specification() -> None:
    # McGrew and Viega, "The Galois/Counter Mode of Operation", test case 14.
    sealed = AESGCM(bytes(32)).encrypt(bytes(12), bytes(16), b"")

    assert sealed.hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"


def test_sm4_gcm_is_the_one_of_rfc_8998() -> None:
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    text = b"".join(bytes([byte]) * 8 for byte in b"\xaa\xbb\xcc\xdd\xee\xff\xee\xaa")
    aad = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")

    sealed = seal_sm4(key, nonce, text, aad)

    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert open_sm4(key, nonce, sealed, aad) == text


def test_sm3_and_its_hmac_are_those_of_the_standards() -> None:
    # GB/T 32905-2016, example 1; and RFC 2104 written out over that SM3.
    def sm3(data: bytes) -> bytes:
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize()

    key, data = b"Jefe".ljust(64, b"\0"), b"what do ya want for nothing?"
    inner = sm3(bytes(byte ^ 0x36 for byte in key) + data)

    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert finish_mac(HMAC(b"Jefe", hashes.SM3()), data) == sm3(bytes(byte ^ 0x5C for byte in key) + inner)


def test_hmac_sha_256_is_the_one_of_rfc_4231() -> None:
    begun = HMAC(b"Jefe", hashes.SHA256())

    digests = {finish_mac(begun, b"what do ya want for nothing?").hex() for _ in range(2)}

    assert digests == {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}


@BOTH
def test_what_an_earlier_release_wrote_is_still_read(algorithm: Algorithm) -> None:
    assert KEY.decrypt(aad=PLACE, data=bytes.fromhex(STORED[algorithm])).decode() == "张三"
    assert KEY.mac(b"13812345678", algorithm=algorithm).hex() == STORED_MACS[algorithm]


@BOTH
@given(data=st.binary(max_size=200), aad=st.binary(max_size=50))
def test_what_was_sealed_opens(algorithm: Algorithm, data: bytes, aad: bytes) -> None:
    assert KEY.decrypt(aad=aad, data=KEY.encrypt(aad=aad, data=data, algorithm=algorithm)) == data


@BOTH
def test_moved_to_another_row_column_or_purpose_it_does_not_open(algorithm: Algorithm) -> None:
    sealed = KEY.encrypt(aad=b"citizen|phone|1|contact", data=b"13812345678", algorithm=algorithm)

    for place in (b"citizen|phone|2|contact", b"citizen|name|1|contact", b"citizen|phone|1|text", b""):
        with pytest.raises(Undecipherable):
            KEY.decrypt(aad=place, data=sealed)


@BOTH
def test_no_bit_can_be_flipped(algorithm: Algorithm) -> None:
    sealed = KEY.encrypt(aad=PLACE, data=b"13812345678", algorithm=algorithm)

    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Undecipherable):
            KEY.decrypt(aad=PLACE, data=bytes(broken))


@BOTH
def test_nothing_can_be_cut_off_or_added(algorithm: Algorithm) -> None:
    sealed = KEY.encrypt(aad=PLACE, data=b"13812345678", algorithm=algorithm)

    for broken in [*(sealed[:length] for length in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(Undecipherable):
            KEY.decrypt(aad=PLACE, data=broken)


@pytest.mark.parametrize("header", [(0, 1, 202611), (2, 1, 202611), (1, 0, 202611), (1, 3, 202611), (1, 1, 202610)])
def test_an_unknown_version_algorithm_or_key_fails_closed(header: tuple[int, int, int]) -> None:
    sealed = bytes.fromhex(STORED["aes256gcm"])

    with pytest.raises(Undecipherable):
        KEY.decrypt(aad=PLACE, data=HEADER.pack(*header) + sealed[HEADER.size :])


def test_the_same_material_for_another_purpose_is_another_key() -> None:
    other = SymmetricKey(MATERIAL, kid=202611, context="index")

    assert other.mac(b"1", algorithm="aes256gcm") != KEY.mac(b"1", algorithm="aes256gcm")
    with pytest.raises(Undecipherable):
        other.decrypt(aad=PLACE, data=bytes.fromhex(STORED["aes256gcm"]))


@pytest.mark.parametrize(("algorithm", "count"), [("aes256gcm", 1_000_000), ("sm4gcm", 100_000)])
def test_no_nonce_comes_twice(algorithm: Algorithm, count: int) -> None:
    seen = set()

    for _ in range(count):
        sealed = KEY.encrypt(aad=b"", data=b"", algorithm=algorithm)
        seen.add(sealed[HEADER.size : HEADER.size + NONCE_BYTES])

    assert len(seen) == count


@BOTH
def test_what_is_sealed_together_opens_each_in_its_place_and_has_a_nonce_of_its_own(algorithm: Algorithm) -> None:
    items = [(b"contact|note|%d" % number, b"the same text") for number in range(200)]

    sealed = KEY.encrypt_all(items, algorithm=algorithm)

    nonces = {data[HEADER.size : HEADER.size + NONCE_BYTES] for data in sealed}
    assert len(nonces) == len(items)
    assert [KEY.decrypt(aad=aad, data=data) for (aad, _), data in zip(items, sealed, strict=True)] == [
        data for _, data in items
    ]
    with pytest.raises(Undecipherable):
        KEY.decrypt(aad=items[0][0], data=sealed[1])
