"""The installation's own authority, and a certificate of it for each of its servers and services.

Made on the server itself with openssl, before any image is built, and made anew on a repeat when one is nearly over.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

AUTHORITY: Final = "internal_ca"
# Under which names the others know them; localhost is for a container that asks itself whether it is ready.
HOLDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgres": ("postgres",),
    "rabbitmq": ("rabbitmq",),
    "identity": ("identity-serve", "identity-keep", "localhost"),
    "intake": ("intake-serve", "intake-relay", "intake-work", "intake-tell", "localhost"),
    "assessment": ("assessment-serve", "assessment-consume", "assessment-relay", "assessment-work", "localhost"),
    "notify": ("notify-serve", "notify-consume", "notify-work", "notify-push", "localhost"),
}
AUTHORITY_DAYS: Final = 3_650
DAYS: Final = 397
RENEWED_BEFORE_SECONDS: Final = 90 * 86_400
READABLE: Final = 0o444
OWN: Final = 0o600
_AUTHORITY_EXTENSIONS: Final = """\
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
_EXTENSIONS: Final = """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class NoOpenssl(Exception):
    """Without it no link could be encrypted; the text says what to install."""


def create_certificates(folder: Path) -> list[str]:
    """Make what is missing, over in three months, or not as it should be. Return whose it was. Raises NoOpenssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise NoOpenssl("openssl was not found: install it, for the certificates of this installation's links")
    maker = _Maker(openssl, folder)
    made = []
    if not maker.is_sound(AUTHORITY, ()):
        maker.make(AUTHORITY, (), days=AUTHORITY_DAYS)
        made.append(AUTHORITY)
    for holder, names in HOLDERS.items():
        if not maker.is_sound(holder, names):
            maker.make(holder, names, days=DAYS)
            made.append(holder)
    return made


class _Maker:
    def __init__(self, openssl: str, folder: Path) -> None:
        self._openssl = openssl
        self._folder = folder

    def make(self, holder: str, names: tuple[str, ...], *, days: int) -> None:
        """A new key each time. Cut short between the two files it is made again, since they do not fit together."""
        certificate, key = self._files(holder)
        is_authority = holder == AUTHORITY
        settings = self._folder / f".{holder}.cnf"
        extensions = _AUTHORITY_EXTENSIONS if is_authority else _EXTENSIONS + f"subjectAltName = {_alternatives(names)}"
        settings.write_text(
            "[req]\ndistinguished_name = name\nprompt = no\nx509_extensions = extensions\n"
            f"[name]\nCN = lianxin {holder}\n[extensions]\n{extensions}\n",
            "ascii",
        )
        command = ["req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-config", str(settings), "-days", str(days), "-keyout", f"{key}.new", "-out", f"{certificate}.new"]
        if not is_authority:
            authority, authority_key = self._files(AUTHORITY)
            command += ["-CA", str(authority), "-CAkey", str(authority_key)]
        try:
            self._run(*command)  # openssl makes the key for its owner alone
            for file, mode in ((key, OWN if is_authority else READABLE), (certificate, READABLE)):
                made = file.with_name(f"{file.name}.new")
                made.chmod(mode)
                made.replace(file)
        finally:
            settings.unlink()

    def is_sound(self, holder: str, names: tuple[str, ...]) -> bool:
        """Whether it is there, of this authority and this key, for these names, and good for a while yet."""
        certificate, key = self._files(holder)
        if not (certificate.exists() and key.exists()):
            return False
        shown = self._ask("x509", "-in", str(certificate), "-noout", "-pubkey", "-ext", "subjectAltName")
        public = self._ask("pkey", "-in", str(key), "-pubout")
        lasts = self._ask("x509", "-in", str(certificate), "-noout", "-checkend", str(RENEWED_BEFORE_SECONDS))
        verified = self._ask("verify", "-CAfile", str(self._files(AUTHORITY)[0]), str(certificate))
        if shown is None or public is None or lasts is None or verified is None:
            return False
        return public in shown and set(re.findall(r"DNS:([a-z-]+)", shown)) == set(names)

    def _files(self, holder: str) -> tuple[Path, Path]:
        name = holder if holder == AUTHORITY else f"{holder}_certificate"
        return self._folder / f"{name}.pem", self._folder / f"{holder}_key.pem"

    def _ask(self, *words: str) -> str | None:
        """What it says; None where it says no."""
        result = subprocess.run(  # noqa: S603 - fixed words and own files
            [self._openssl, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        return result.stdout if result.returncode == 0 else None

    def _run(self, *words: str) -> None:
        subprocess.run(  # noqa: S603 - fixed words and own files
            [self._openssl, *words], check=True, stdin=subprocess.DEVNULL, capture_output=True
        )


def _alternatives(names: tuple[str, ...]) -> str:
    return ", ".join(f"DNS:{name}" for name in names)
