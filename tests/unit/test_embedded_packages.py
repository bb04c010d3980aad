"""Finding servers, and saying plainly what is missing."""

import base64
import hashlib
import subprocess

import pytest

from deploy.naming import ON_BROKER, SERVICES, Names, broker_settings, database_settings, with_account
from embedded import environment, packages
from embedded.applications import PROCESSES, Applications, Servers, port_names
from embedded.errors import EmbeddedError
from embedded.layout import Layout
from embedded.rabbitmq import password_hash


@pytest.fixture
def here(tmp_path):
    layout = Layout(root=tmp_path)
    layout.create()
    return layout


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine on which nothing is installed."""
    monkeypatch.setattr(packages, "SYSTEM", tmp_path / "nothing")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(packages, "has_installer", lambda: False)


@pytest.mark.usefixtures("bare")
def test_all_that_is_missing_is_named_at_once(here):
    assert packages.missing_packages(here, with_postgres=True, with_rabbit=True) == [
        "postgresql",
        "rabbitmq-server",
        "python3-venv",
    ]


@pytest.mark.usefixtures("bare")
def test_a_given_server_is_not_missing(here):
    assert packages.missing_packages(here, with_postgres=False, with_rabbit=False) == ["python3-venv"]


@pytest.mark.usefixtures("bare")
def test_without_apt_the_message_says_what_to_ask_for(here):
    with pytest.raises(EmbeddedError, match=r"(?s)Missing.*postgresql.*apt-get install.*LIANXIN_POSTGRES_URL"):
        packages.obtain(here, ["postgresql", "rabbitmq-server"], lambda _: None)


def test_a_failed_download_shows_what_apt_said(here, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate package'\nexit 100\n")
    (tools / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv(packages.IGNORE_SYSTEM, "1")

    with pytest.raises(EmbeddedError, match=r"(?s)Unable to locate.*Ask an administrator"):
        packages.obtain(here, ["postgresql"], lambda _: None)


def test_erlang_is_told_where_it_was_unpacked(tmp_path):
    script = tmp_path / "usr/lib/erlang/bin/erl"
    script.parent.mkdir(parents=True)
    script.write_text('ROOTDIR="/usr/lib/erlang"\n')

    packages._move_erlang(tmp_path)
    packages._move_erlang(tmp_path)

    assert script.read_text() == f'ROOTDIR="{tmp_path}/usr/lib/erlang"\n'


def test_a_service_is_kept_from_starting_and_an_earlier_policy_comes_back(tmp_path, monkeypatch):
    guard = packages._services_kept_from_starting()
    policy = tmp_path / "policy-rc.d"
    policy.write_text("mine")
    monkeypatch.setattr(type(guard), "_policy", policy)
    monkeypatch.setattr(type(guard), "_aside", tmp_path / "aside")

    with guard:
        assert subprocess.run([str(policy)], check=False).returncode == 101

    assert policy.read_text() == "mine"


def test_an_unchanged_lock_file_costs_nothing(here, monkeypatch):
    (here.root / environment.RUN_LOCK).write_text("a==1\n")
    (here.root / environment.DEVELOPMENT_LOCK).write_text("a==1\nb==2\n")
    calls = []
    monkeypatch.setattr(environment, "_make", lambda *_: here.environment.mkdir(exist_ok=True))
    monkeypatch.setattr(environment, "_install", lambda _, lock, __: calls.append(lock.name))
    monkeypatch.setattr(environment, "_works", lambda _: True)

    for development in (True, True, False, False):
        environment.ensure(here, development=development, tell=lambda _: None)
    (here.root / environment.RUN_LOCK).write_text("a==2\n")
    environment.ensure(here, development=False, tell=lambda _: None)

    assert calls == [environment.DEVELOPMENT_LOCK, environment.RUN_LOCK]


def test_the_hash_is_the_one_that_the_broker_computes():
    # The example of RabbitMQ's documentation on passwords: salt 908DC60A, password test12.
    assert password_hash("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    assert base64.b64decode(password_hash("test12", b"salt"))[4:] == hashlib.sha256(b"salttest12").digest()


def test_an_address_keeps_its_host_and_options():
    url = with_account("postgresql://boss:old@db:5433/postgres?sslmode=require", user="me", password="p@ss/", path="a")

    assert url == "postgresql://me:p%40ss%2F@db:5433/a?sslmode=require"


def test_every_variable_carries_the_account_it_should():
    names = Names(prefix="county")
    databases = database_settings("postgresql://b:x@h/postgres", names, dict.fromkeys(names.database_roles, "word"))
    brokers = broker_settings("amqp://b:x@h:5672/%2F", names, dict.fromkeys(names.broker_users, "word"))

    assert len(databases) == len(SERVICES) * 3
    assert len(brokers) == len(ON_BROKER) * 3
    assert databases["LIANXIN_NOTIFY_OWNER_DATABASE_URL"] == "postgresql://county_notify_owner:word@h/county_notify"
    asking = {databases[f"LIANXIN_{service.upper()}_IDENTITY_DATABASE_URL"] for service in SERVICES}
    assert asking == {"postgresql://county_identity_reader:word@h/county_identity"}
    assert brokers["LIANXIN_INTAKE_TASK_BROKER_URL"] == "amqp://county_intake:word@h:5672/county.intake"
    assert brokers["LIANXIN_INTAKE_DEPLOY_BROKER_URL"] == "amqp://county_deploy:word@h:5672/county"


@pytest.fixture
def applications(here, monkeypatch):
    monkeypatch.setenv("LIANXIN_INTAKE_LOG_LEVEL", "debug")
    monkeypatch.setenv("LIANXIN_INTAKE_API_PORT", "1")
    monkeypatch.setenv("LIANXIN_POSTGRES_URL", "postgresql://admin:word@h/postgres")
    return Applications(
        here,
        names=Names(),
        servers=Servers(
            postgres_url="postgresql://admin:word@h/postgres",
            rabbitmq_url="amqp://admin:word@h/%2F",
            management_url="http://admin:word@h:15672",
            are_private=True,
        ),
        ports={name: 20_000 + number for number, name in enumerate(port_names())},
        smtp_url=None,
        account=None,
    )


def test_every_process_runs_with_a_management_port_of_its_own(applications):
    children = [child for child in applications.children() if child.command.name != "mail"]

    ports = [
        value
        for child in children
        for name, value in child.command.environment.items()
        if name.endswith("_MANAGEMENT_PORT")
    ]
    assert len(children) == sum(len(processes) for processes in PROCESSES.values())
    assert len(set(ports)) == len(children)


def test_a_process_never_learns_an_owners_or_administrators_password(applications):
    for child in applications.children():
        assert not any("OWNER" in name or "DEPLOY" in name for name in child.command.environment)
        assert not any("admin:" in value for value in child.command.environment.values())


def test_a_service_sees_no_variables_of_another(applications):
    assert not any("ASSESSMENT" in name or "NOTIFY" in name for name in applications.environment("intake"))


def test_what_a_person_sets_reaches_the_service_but_addresses_are_ours(applications):
    intake = applications.environment("intake")

    assert intake["LIANXIN_INTAKE_LOG_LEVEL"] == "debug"
    assert intake["LIANXIN_INTAKE_API_PORT"] != "1"


def test_migrations_run_as_owner(applications):
    for command in applications.migrations():
        assert any("_OWNER_DATABASE_URL" in name for name in command.environment)
        on_broker = command.name.removesuffix("-migrate") in ON_BROKER
        assert any("_DEPLOY_BROKER_URL" in name for name in command.environment) == on_broker
