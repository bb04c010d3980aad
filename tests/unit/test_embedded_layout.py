"""What a checkout remembers from run to run: ports, secrets, state."""

import json
import socket
import stat

import pytest

from embedded import layout, settings
from embedded.errors import EmbeddedError
from embedded.layout import Secrets, State, keep_ports


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_port_is_kept_from_run_to_run(tmp_path):
    state = State(tmp_path / "state.json")

    first = keep_ports(state, ["postgres", "mail"])

    assert keep_ports(State(tmp_path / "state.json"), ["postgres", "mail"]) == first


def test_a_port_that_a_stranger_took_meanwhile_is_replaced(tmp_path):
    state = State(tmp_path / "state.json")
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        state.set("ports", {"postgres": taken})

        assert keep_ports(state, ["postgres"])["postgres"] != taken


def test_two_names_never_share_a_port(tmp_path):
    ports = keep_ports(State(tmp_path / "state.json"), [f"process-{number}" for number in range(20)])

    assert len(set(ports.values())) == 20


def test_a_port_that_another_checkout_claimed_is_not_free(monkeypatch):
    port = layout.free_port()
    monkeypatch.setattr(layout, "_reservations", {})  # as another process sees it

    assert layout.is_port_free(port)
    assert not layout.reserve(port)


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path):
    path = tmp_path / "secrets.json"

    word = Secrets(path).get("postgres")

    assert Secrets(path).get("postgres") == word
    assert len(word) >= 32
    assert mode_of(path) == 0o600


def test_two_hands_on_the_secrets_do_not_undo_one_another(tmp_path):
    one, other = Secrets(tmp_path / "secrets.json"), Secrets(tmp_path / "secrets.json")

    words = {"a": one.get("a"), "b": other.get("b"), "c": one.get("c")}

    assert json.loads((tmp_path / "secrets.json").read_text()) == words


def test_a_damaged_state_file_counts_as_empty(tmp_path):
    (tmp_path / "state.json").write_text('{"ports": {')

    assert State(tmp_path / "state.json").get("ports") is None


def test_the_management_address_follows_from_the_brokers(monkeypatch):
    monkeypatch.delenv("LIANXIN_RABBITMQ_MANAGEMENT_URL", raising=False)
    monkeypatch.setenv("LIANXIN_RABBITMQ_URL", "amqp://boss:word@broker.example:5672/%2F")

    assert settings.read_given().management_url == "http://boss:word@broker.example:15672"


def test_a_name_that_is_no_name_is_refused(monkeypatch):
    monkeypatch.setenv("LIANXIN_NAME", "Robert'); DROP")

    with pytest.raises(EmbeddedError, match="LIANXIN_NAME"):
        settings.read_given()
