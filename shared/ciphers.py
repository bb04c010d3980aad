"""Authenticated encryption and keyed hashes with one key: which algorithms there are and how sealed bytes look.

    v | alg | kid | nonce | ciphertext | tag        1 + 1 + 4 + 12 + n + 16 bytes
    v | alg | kid | mac                             1 + 1 + 4 + 32 bytes

The header is authenticated too. It names the key, so several keys and both algorithms are readable at the same time.
"""

import os
import struct
from collections.abc import Sequence
from functools import cached_property
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

Algorithm = Literal["aes256gcm", "sm4gcm"]
ALGORITHMS: Final[dict[Algorithm, int]] = {"aes256gcm": 1, "sm4gcm": 2}
NAMES: Final[dict[int, Algorithm]] = {number: name for name, number in ALGORITHMS.items()}
VERSION: Final = 1
HEADER: Final = struct.Struct(">BBI")
NONCE_BYTES: Final = 12  # random: one key seals at most 2^32 messages, or a repeat is no longer out of the question
TAG_BYTES: Final = 16
MAC_BYTES: Final = 32
KEY_BYTES: Final = 32


class Undecipherable(Exception):
    """Sealed bytes that this key does not open: altered, moved elsewhere, or sealed by something we do not know."""


def header_of(sealed: bytes) -> tuple[Algorithm, int]:
    """The algorithm and the key's id. Raises Undecipherable for anything that is not ours."""
    if len(sealed) < HEADER.size:
        raise Undecipherable("too short to be sealed")
    version, number, kid = HEADER.unpack_from(sealed)
    if version != VERSION or number not in NAMES:
        raise Undecipherable("sealed by a version or an algorithm that is not known here")
    return NAMES[number], kid


class SymmetricKey:
    """32 random bytes in use; every algorithm and every use works with a key of its own, derived from them."""

    def __init__(self, material: bytes, *, kid: int, context: str = "") -> None:
        if len(material) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        self._material = material
        self._context = context.encode()
        self.kid = kid

    @override
    def __repr__(self) -> str:
        return f"SymmetricKey(kid={self.kid})"

    def encrypt(self, *, aad: bytes, data: bytes, algorithm: Algorithm) -> bytes:
        header = HEADER.pack(VERSION, ALGORITHMS[algorithm], self.kid)
        nonce = os.urandom(NONCE_BYTES)
        bound = header + aad
        if algorithm == "aes256gcm":
            return header + nonce + self._aes.encrypt(nonce, data, bound)
        return header + nonce + seal_sm4(self._sm4, nonce, data, bound)

    def encrypt_all(self, items: Sequence[tuple[bytes, bytes]], *, algorithm: Algorithm) -> list[bytes]:
        """Seal many, each bound by what stands before it; the same as one by one, with all nonces drawn at once."""
        if algorithm != "aes256gcm":
            return [self.encrypt(aad=aad, data=data, algorithm=algorithm) for aad, data in items]
        header = HEADER.pack(VERSION, ALGORITHMS[algorithm], self.kid)
        drawn = os.urandom(NONCE_BYTES * len(items))
        seal = self._aes.encrypt
        sealed = []
        for place, (aad, data) in enumerate(items):
            nonce = drawn[place * NONCE_BYTES : (place + 1) * NONCE_BYTES]
            sealed.append(header + nonce + seal(nonce, data, header + aad))
        return sealed

    def decrypt(self, *, aad: bytes, data: bytes) -> bytes:
        """Raises Undecipherable unless these bytes were sealed with this key for this very place."""
        algorithm, kid = header_of(data)
        if kid != self.kid or len(data) < HEADER.size + NONCE_BYTES + TAG_BYTES:
            raise Undecipherable("sealed with another key, or cut short")
        header, nonce = data[: HEADER.size], data[HEADER.size : HEADER.size + NONCE_BYTES]
        body, bound = data[HEADER.size + NONCE_BYTES :], header + aad
        try:
            if algorithm == "aes256gcm":
                return self._aes.decrypt(nonce, body, bound)
            return open_sm4(self._sm4, nonce, body, bound)
        except InvalidTag:
            raise Undecipherable("altered, or moved from the place that it was sealed for") from None

    def mac(self, data: bytes, *, algorithm: Algorithm) -> bytes:
        header = HEADER.pack(VERSION, ALGORITHMS[algorithm], self.kid)
        return header + finish_mac(self._mac_sha256 if algorithm == "aes256gcm" else self._mac_sm3, data)

    def _derive(self, use: str, *, length: int, algorithm: hashes.HashAlgorithm) -> bytes:
        info = b"lianxin 1|" + use.encode() + b"|" + self._context
        return HKDF(algorithm=algorithm, length=length, salt=None, info=info).derive(self._material)

    @cached_property
    def _aes(self) -> AESGCM:
        return AESGCM(self._derive("aes256gcm", length=32, algorithm=hashes.SHA256()))

    @cached_property
    def _sm4(self) -> bytes:
        return self._derive("sm4gcm", length=16, algorithm=hashes.SM3())

    @cached_property
    def _mac_sha256(self) -> HMAC:
        return HMAC(self._derive("hmac-sha256", length=32, algorithm=hashes.SHA256()), hashes.SHA256())

    @cached_property
    def _mac_sm3(self) -> HMAC:
        return HMAC(self._derive("hmac-sm3", length=32, algorithm=hashes.SM3()), hashes.SM3())


def seal_sm4(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def open_sm4(key: bytes, nonce: bytes, body: bytes, aad: bytes) -> bytes:
    """Raises InvalidTag; nothing of the text leaves before the tag has been checked."""
    mode = modes.GCM(nonce, body[-TAG_BYTES:], min_tag_length=TAG_BYTES)
    decryptor = Cipher(algorithms.SM4(key), mode).decryptor()
    decryptor.authenticate_additional_data(aad)
    return decryptor.update(body[:-TAG_BYTES]) + decryptor.finalize()


def finish_mac(begun: HMAC, data: bytes) -> bytes:
    """The mac of these bytes; `begun` has the key taken in, which is half of the work, and stays as it is."""
    mac = begun.copy()
    mac.update(data)
    return mac.finalize()
