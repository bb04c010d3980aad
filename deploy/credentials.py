"""The secret files of a compose installation: made once, kept on every repeat, one file for one variable.

The standard library only: it runs on the server itself, before any image is built.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import cast

from deploy.certificates import AUTHORITY, NoOpenssl, create_certificates
from deploy.naming import Names, broker_settings, database_settings

FOLDER = Path(__file__).parent / "secrets"
ADMINISTRATOR = "lianxin_admin"
# Containers see each file with the owner and mode it has here, and run under accounts of their own: the files are
# readable, and the folder is what keeps everybody else on this machine out.
FOLDER_MODE = 0o700
SERVICE_MODE = 0o444
OWNER_MODE = 0o600
# Accepted in production because it stays on this machine, where nobody listens: mails wait until a server is named.
NO_MAIL_SERVER = "smtp://127.0.0.1:25"

# Where every container finds the authority that it believes.
TRUSTED = f"/run/secrets/{AUTHORITY}.pem"
DATABASE_TLS = f"sslmode=verify-full&sslrootcert={TRUSTED}"
BROKER_TLS = f"cacertfile={TRUSTED}"


class Passwords:
    """Random words by name, remembered in one file: taking a name out of it and repeating changes that password."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._words = cast("dict[str, str]", json.loads(file.read_text("utf-8")) if file.exists() else {})

    def get(self, name: str) -> str:
        return self._words.setdefault(name, secrets.token_urlsafe(24))

    def save(self) -> None:
        write_whole(self._file, json.dumps(self._words, indent=2) + "\n", mode=OWNER_MODE)


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Leave either the old file or the new one; the mode holds from the first byte."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def create(folder: Path, *, name: str) -> list[str]:
    """Write what is missing and what follows from the passwords; what a person may have edited stays.

    Return whose certificates were made. Raises NoOpenssl.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    passwords = Passwords(folder / "passwords.json")
    generated = _service_urls(passwords, Names(prefix=name)) | _administration(passwords)
    passwords.save()
    for file_name, text in generated.items():
        write_whole(folder / file_name, text, mode=SERVICE_MODE)
    _write_once(folder / "lianxin_notify_smtp_url", NO_MAIL_SERVER, mode=SERVICE_MODE)
    _create_certificate(folder)
    return create_certificates(folder)


def _service_urls(passwords: Passwords, names: Names) -> dict[str, str]:
    databases = {role: passwords.get(f"database.{role}") for role in names.database_roles}
    users = {user: passwords.get(f"broker.{user}") for user in names.broker_users}
    urls = database_settings(f"postgresql://postgres:5432?{DATABASE_TLS}", names, databases)
    urls |= broker_settings(f"amqps://rabbitmq:5671?{BROKER_TLS}", names, users)
    return {variable.lower(): url for variable, url in urls.items()}


def _administration(passwords: Passwords) -> dict[str, str]:
    database, broker = passwords.get("administrator.postgres"), passwords.get("administrator.rabbitmq")
    return {
        "postgres_password": database,
        "lianxin_postgres_url": f"postgresql://{ADMINISTRATOR}:{database}@postgres:5432/postgres?{DATABASE_TLS}",
        "rabbitmq_administrator.conf": f"default_user = {ADMINISTRATOR}\ndefault_pass = {broker}\n",
        "lianxin_rabbitmq_url": f"amqps://{ADMINISTRATOR}:{broker}@rabbitmq:5671/%2F?{BROKER_TLS}",
        "lianxin_rabbitmq_management_url": f"https://{ADMINISTRATOR}:{broker}@rabbitmq:15671?{BROKER_TLS}",
    }


def _write_once(path: Path, text: str, *, mode: int) -> None:
    if not path.exists():
        write_whole(path, text, mode=mode)


def _create_certificate(folder: Path) -> None:
    """A self-signed certificate for the first start, unless there is one; to be replaced by the authority's."""
    certificate, key = folder / "tls_certificate.pem", folder / "tls_key.pem"
    if certificate.exists() and key.exists():
        return
    openssl = shutil.which("openssl")
    if openssl is None:
        sys.stderr.write(f"openssl was not found: put a certificate and its key into {certificate} and {key}\n")
        return
    command = [openssl, "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "90", "-subj", "/CN=lianxin"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603 - fixed words
    for file in (certificate, key):
        file.chmod(SERVICE_MODE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.credentials", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    options = parser.parse_args()
    try:
        made = create(options.folder, name="lianxin")
    except NoOpenssl as error:
        sys.stderr.write(f"credentials: {error}\n")
        return 1
    sys.stdout.write("".join(f"made the certificate of {holder}\n" for holder in made))
    sys.stdout.write(f"the secrets are in {options.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
