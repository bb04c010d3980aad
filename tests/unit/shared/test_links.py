"""Which links are encrypted, which are local, and which URLs are refused."""

import pytest

from services.intake.settings import IntakeSettings
from shared.links import BadLink, check_link, is_encrypted, is_local, tls_files, without_files
from shared.settings import UnsafeSetting, load

BASE = {
    "LIANXIN_INTAKE_DATABASE_URL": "postgresql://somebody:a-long-password-1234@localhost/x",
    "LIANXIN_INTAKE_BROKER_URL": "amqp://somebody:another-password-5678@localhost/x",
}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@127.0.0.1/x",
        "postgresql://u:p@localhost:5433/x?sslmode=disable",
        "postgresql:///x?host=/var/run/postgresql",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/x",
        "amqp://u:p@[::1]:5672/x",
        "smtp://127.0.0.1:25",
    ],
)
def test_a_link_within_this_machine_needs_no_encryption(url):
    assert is_local(url)
    check_link(url, allow_plaintext=False)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.example.org/x",
        "postgresql://u:p@db.example.org/x?sslmode=require",
        "postgresql://u:p@db.example.org/x?sslmode=verify-ca",
        "postgresql://u:p@db.example.org/x?sslmode=prefer&sslmode=verify-full",
        "postgresql://u:p@localhost/x?host=db.example.org",
        "postgresql://u:p@127.0.0.1.example.org/x",
        "amqp://u:p@mq.example.org/x",
        "smtp://mail.example.org",
    ],
)
def test_a_link_to_another_machine_must_be_encrypted_and_verified(url):
    with pytest.raises(BadLink) as refusal:
        check_link(url, allow_plaintext=False)

    assert "example.org" not in str(refusal.value)
    check_link(url, allow_plaintext=True)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.example.org/x?sslmode=verify-full&sslrootcert=/ca.pem",
        "amqps://u:p@mq.example.org/x",
        "smtps://mail.example.org",
        "smtp+starttls://mail.example.org",
    ],
)
def test_encrypted_links_may_go_anywhere(url):
    assert is_encrypted(url)
    check_link(url, allow_plaintext=False)


@pytest.mark.parametrize(
    "query",
    [
        "verify=verify_none",
        "fail_if_no_peer_cert=false",
        "server_name_indication=other",
        "ssl_options={}",
        "cacertfile=/nowhere/ca.pem",
        "certfile=/etc/hostname",
        "keyfile=/etc/hostname",
    ],
)
def test_a_url_cannot_weaken_how_certificates_are_checked(query):
    with pytest.raises(BadLink):
        tls_files(f"amqps://u:p@mq.example.org/x?{query}")


def test_certificates_on_a_plain_scheme_are_a_mistake_and_not_ignored(tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_text("")

    with pytest.raises(BadLink):
        tls_files(f"amqp://u:p@mq.example.org/x?cacertfile={ca}")


def test_a_client_sees_the_url_without_our_words():
    url = "amqps://u:p@mq/x?cacertfile=/ca.pem&heartbeat=5&certfile=/c&keyfile=/k"

    assert without_files(url) == "amqps://u:p@mq/x?heartbeat=5"


def load_with(monkeypatch, **values):
    for name, value in (BASE | {f"LIANXIN_INTAKE_{name}": value for name, value in values.items()}).items():
        monkeypatch.setenv(name, value)
    return load(IntakeSettings)


FAR = "postgresql://somebody:a-long-password-1234@db.example.org/x"


@pytest.mark.parametrize("mode", ["production", "embedded"])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", FAR),
        ("OWNER_DATABASE_URL", FAR),
        ("IDENTITY_DATABASE_URL", f"{FAR}?sslmode=require"),
        ("BROKER_URL", "amqp://somebody:another-password-5678@mq.example.org/x"),
        ("TASK_BROKER_URL", "amqp://somebody:another-password-5678@mq.example.org/x"),
        ("DEPLOY_BROKER_URL", "amqp://somebody:another-password-5678@mq.example.org/x"),
    ],
)
def test_a_service_refuses_plain_text_to_another_machine_by_the_settings_name(monkeypatch, mode, name, url):
    with pytest.raises(UnsafeSetting, match=name.lower()) as refusal:
        load_with(monkeypatch, MODE=mode, **{name: url})

    assert "password" not in str(refusal.value)
    load_with(monkeypatch, MODE=mode, ALLOW_PLAINTEXT_LINKS="true", **{name: url})


def test_a_door_that_others_can_reach_needs_a_certificate(monkeypatch):
    for name in ("API_HOST", "MANAGEMENT_HOST"):
        with monkeypatch.context() as once, pytest.raises(UnsafeSetting, match="certificate_file"):
            load_with(once, MODE="production", **{name: "0.0.0.0"})  # noqa: S104 - that is what is refused


@pytest.mark.parametrize(
    "values",
    [{"CERTIFICATE_FILE": "/c.pem"}, {"CERTIFICATE_KEY_FILE": "/k.pem"}, {"MANAGEMENT_CLIENT_CA_FILE": "/ca.pem"}],
)
def test_half_a_certificate_is_refused(monkeypatch, values):
    with pytest.raises(UnsafeSetting, match="certificate"):
        load_with(monkeypatch, **values)
