"""The certificates of an installation: for whom they are, when they are made anew, and what is never made again."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from deploy import certificates
from deploy.certificates import AUTHORITY, HOLDERS, NoOpenssl, create_certificates

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert create_certificates(tmp_path) == [AUTHORITY, *HOLDERS]
    return tmp_path


def read(folder: Path, holder: str) -> x509.Certificate:
    name = AUTHORITY if holder == AUTHORITY else f"{holder}_certificate"
    return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())


def everything(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_certificate_says_whose_it_is_and_serves_for_nothing_else(folder: Path, holder: str) -> None:
    certificate, authority = read(folder, holder), read(folder, AUTHORITY)

    certificate.verify_directly_issued_by(authority)
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(names.get_values_for_type(x509.DNSName)) == HOLDERS[holder]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificate.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=398)


def test_the_authority_signs_certificates_and_no_other_authority(folder: Path) -> None:
    constraints = read(folder, AUTHORITY).extensions.get_extension_for_class(x509.BasicConstraints)

    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert (folder / "internal_ca_key.pem").stat().st_mode & 0o777 == 0o600
    assert not list(folder.glob("*.new")) + list(folder.glob(".*"))


def test_a_repeat_makes_nothing(folder: Path) -> None:
    before = everything(folder)

    assert create_certificates(folder) == []
    assert everything(folder) == before


def test_what_is_nearly_over_is_made_anew_and_the_authority_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(folder)
    monkeypatch.setattr(certificates, "RENEWED_BEFORE_SECONDS", 400 * 86_400)

    assert create_certificates(folder) == list(HOLDERS)

    after = everything(folder)
    assert {name for name in before if before[name] == after[name]} == {"internal_ca.pem", "internal_ca_key.pem"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "intake_key.pem").unlink(),
        lambda folder: (folder / "intake_certificate.pem").unlink(),
        lambda folder: shutil.copy(folder / "notify_key.pem", folder / "intake_key.pem"),
        lambda folder: shutil.copy(folder / "notify_certificate.pem", folder / "intake_certificate.pem"),
        lambda folder: (folder / "intake_certificate.pem").write_text("torn"),
    ],
    ids=["no-key", "no-certificate", "foreign-key", "foreign-certificate", "torn"],
)
def test_what_does_not_fit_together_is_made_anew(folder: Path, damage) -> None:
    for file in folder.iterdir():
        file.chmod(0o600)
    damage(folder)

    assert create_certificates(folder) == ["intake"]
    read(folder, "intake").verify_directly_issued_by(read(folder, AUTHORITY))


def test_under_another_authority_all_are_made_anew(folder: Path) -> None:
    (folder / "internal_ca.pem").unlink()

    assert create_certificates(folder) == [AUTHORITY, *HOLDERS]


def test_without_openssl_it_is_said_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(NoOpenssl, match="install it"):
        create_certificates(tmp_path)


def test_openssl_itself_finds_each_good_for_a_server(folder: Path) -> None:
    for holder, names in HOLDERS.items():
        words = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", names[0]]
        words += ["-CAfile", str(folder / "internal_ca.pem"), str(folder / f"{holder}_certificate.pem")]
        subprocess.run(words, check=True, capture_output=True)
