"""Which mail settings notify refuses to start with."""

import pytest

from services.notify.settings import NotifySettings
from shared.settings import UnsafeSetting, load

BASE = {
    "LIANXIN_NOTIFY_DATABASE_URL": "postgresql://somebody:a-long-password-1234@localhost/x",
    "LIANXIN_NOTIFY_BROKER_URL": "amqp://somebody:another-password-5678@localhost/x",
}


def load_with(monkeypatch: pytest.MonkeyPatch, **values: str) -> NotifySettings:
    for name, value in (BASE | {f"LIANXIN_NOTIFY_{name}": value for name, value in values.items()}).items():
        monkeypatch.setenv(name, value)
    return load(NotifySettings)


def test_a_login_and_a_default_port_come_from_the_url(monkeypatch):
    settings = load_with(
        monkeypatch, SMTP_URL="smtp+starttls://post:p%40ss@mail.example.org", MAIL_FROM="连心 <lx@example.org>"
    )

    assert settings.mail_server == ("smtp+starttls", "mail.example.org", 587)
    assert settings.mail_login == ("post", "p@ss")
    assert (settings.sender.display_name, settings.sender.addr_spec) == ("连心", "lx@example.org")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"SMTP_URL": "http://mail.example.org"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://post:secret-of-the-mail@127.0.0.1"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://mail.example.org", "MODE": "production"}, "smtp_url"),
        ({"MAIL_FROM": "a@b\r\nBcc: c@d"}, "MAIL_FROM"),
        ({"MAIL_FROM": "a@b, c@d"}, "MAIL_FROM"),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM"),
        ({"SWEEP_SECONDS": "31"}, "SWEEP_SECONDS"),
    ],
)
def test_an_unsafe_value_is_refused_by_name_and_not_repeated(monkeypatch, values, named):
    with pytest.raises(UnsafeSetting, match=named) as refusal:
        load_with(monkeypatch, **values)

    assert "secret-of-the-mail" not in str(refusal.value)
    assert "Bcc" not in str(refusal.value)
