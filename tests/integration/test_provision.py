"""The rights on real servers: what each account may do, and above all what it may not."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pika.exceptions
import psycopg
import pytest
from psycopg import sql

from deploy.naming import ON_BROKER, SERVICES, Names, broker_settings, database_settings
from deploy.provision import Management, ProvisionError, main, provision_broker, provision_postgres, remove_broker
from shared.settings import UnsafeSetting
from shared.startup import check_broker

pytestmark = pytest.mark.integration

NAME = f"provision{os.getpid()}"
NAMES = Names(prefix=NAME)
ROLE_PASSWORDS = {role: f"word-of-{role}" for role in NAMES.database_roles}
USER_PASSWORDS = {user: f"term-of-{user}" for user in NAMES.broker_users}


@pytest.fixture(scope="module")
def urls(postgres_admin_url):
    yield provision_postgres(postgres_admin_url, name=NAME, passwords=ROLE_PASSWORDS)
    with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
        for service in SERVICES:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(NAMES.database(service))))
        for role in NAMES.database_roles:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture(scope="module")
def table(urls):
    with psycopg.connect(urls["LIANXIN_INTAKE_OWNER_DATABASE_URL"]) as owner:
        owner.execute("CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL)")
    return "note"


@pytest.fixture
def runtime(urls, table):
    assert table
    with psycopg.connect(urls["LIANXIN_INTAKE_DATABASE_URL"], autocommit=True) as connection:
        yield connection


def test_the_running_service_reads_and_writes_rows(runtime):
    runtime.execute("INSERT INTO note (word) VALUES ('a')")
    runtime.execute("UPDATE note SET word = 'b'")
    runtime.execute("CREATE TEMPORARY TABLE incoming (word text)")

    assert runtime.execute("SELECT word FROM note").fetchall() == [("b",)]
    runtime.execute("DELETE FROM note")


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE note", "ALTER TABLE note ADD COLUMN x text", "TRUNCATE note", "CREATE TABLE mine (id int)"],
)
def test_the_running_service_cannot_change_the_schema(runtime, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        runtime.execute(statement)


def test_a_service_cannot_enter_the_database_of_another(urls):
    own = urlsplit(urls["LIANXIN_NOTIFY_DATABASE_URL"])

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(own._replace(path=f"/{NAMES.database('intake')}").geturl())


@pytest.fixture
def asking(urls):
    with psycopg.connect(urls["LIANXIN_IDENTITY_OWNER_DATABASE_URL"], autocommit=True) as owner:
        owner.execute("CREATE TABLE secret (word text NOT NULL)")
        owner.execute("CREATE FUNCTION tell() RETURNS text LANGUAGE sql AS $$ SELECT 'told' $$")
        with psycopg.connect(urls["LIANXIN_NOTIFY_IDENTITY_DATABASE_URL"], autocommit=True) as connection:
            yield connection
        owner.execute("DROP FUNCTION tell()")
        owner.execute("DROP TABLE secret")


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM secret", "SELECT tell()", "CREATE TABLE mine (id int)", "CREATE TEMPORARY TABLE mine (id int)"],
)
def test_who_asks_for_identities_may_do_nothing_that_was_not_granted(asking, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        asking.execute(statement)


def test_who_asks_for_identities_can_enter_no_other_database(urls):
    asking = urlsplit(urls["LIANXIN_NOTIFY_IDENTITY_DATABASE_URL"])

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(asking._replace(path=f"/{NAMES.database('intake')}").geturl())


def test_the_running_service_may_call_what_its_owner_makes(urls):
    with psycopg.connect(urls["LIANXIN_IDENTITY_OWNER_DATABASE_URL"], autocommit=True) as owner:
        owner.execute("CREATE FUNCTION count_up() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$")
    with psycopg.connect(urls["LIANXIN_IDENTITY_DATABASE_URL"], autocommit=True) as runtime:
        assert runtime.execute("SELECT count_up()").fetchone() == (1,)


@pytest.mark.usefixtures("table")
def test_repeating_changes_nothing_but_the_password(postgres_admin_url, urls):
    changed = ROLE_PASSWORDS | {NAMES.runtime("assessment"): "another-word-entirely"}

    again = provision_postgres(postgres_admin_url, name=NAME, passwords=changed)

    psycopg.connect(again["LIANXIN_ASSESSMENT_DATABASE_URL"]).close()
    psycopg.connect(urls["LIANXIN_INTAKE_DATABASE_URL"]).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(urls["LIANXIN_ASSESSMENT_DATABASE_URL"])


def attempt(url, action):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        action(connection.channel())
    finally:
        if connection.is_open:
            connection.close()


@pytest.fixture
def declared(broker):
    def declare(channel):
        for service in ON_BROKER:
            channel.exchange_declare(f"evt.{service}", "topic", durable=True)
        channel.queue_declare("q.assessment.facts", durable=True)
        channel.queue_bind("q.assessment.facts", "evt.intake", "intake.#")

    attempt(broker.urls["deploy"], declare)
    return broker


def publish(exchange, key):
    def action(channel):
        channel.confirm_delivery()
        channel.basic_publish(exchange, key, b"{}", mandatory=exchange == "evt.intake")

    return action


def test_a_service_publishes_its_own_events(declared):
    attempt(declared.urls["intake"], publish("evt.intake", "intake.issue.closed.v1"))


@pytest.mark.parametrize(
    ("service", "action"),
    [
        pytest.param("intake", publish("evt.assessment", "assessment.x"), id="to the exchange of another"),
        pytest.param("intake", publish("evt.intake", "assessment.x"), id="with the key of another"),
        pytest.param("intake", publish("", "q.assessment.facts"), id="straight into a queue"),
        pytest.param("notify", lambda c: c.basic_get("q.assessment.facts"), id="reading the queue of another"),
        pytest.param("notify", lambda c: c.queue_purge("q.assessment.facts"), id="purging"),
        pytest.param("assessment", lambda c: c.queue_declare("q.assessment.more"), id="declaring"),
        pytest.param(
            "assessment", lambda c: c.queue_bind("q.assessment.facts", "evt.notify", "#"), id="binding"
        ),
    ],
)  # fmt: skip
def test_a_service_is_refused(declared, service, action):
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refusal:
        attempt(declared.urls[service], action)

    assert refusal.value.reply_code == 403


def test_tasks_are_a_services_own_affair(declared):
    attempt(declared.task_urls["notify"], lambda channel: channel.queue_declare("notify.tasks", durable=True))
    path = urlsplit(declared.task_urls["notify"]).path
    intruder = urlsplit(declared.task_urls["intake"])._replace(path=path).geturl()

    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(intruder))


def test_a_broker_with_its_well_known_account_is_refused(rabbit_management_url):
    amqp_url, management_url = rabbit_management_url
    management = Management(management_url)
    check_broker(amqp_url)
    management.put("users", "guest", password="guest", tags="")
    try:
        management.put("permissions", "/", "guest", configure="^$", write="^$", read="^$")
        with pytest.raises(UnsafeSetting, match="guest"):
            check_broker(amqp_url)
    finally:
        management.delete("users", "guest")


def test_rights_can_be_given_twice_and_taken_twice(rabbit_management_url):
    amqp_url, management_url = rabbit_management_url

    for _ in range(2):
        provision_broker(amqp_url, management_url, name=f"{NAME}_twice", remove_guest=True)
    for _ in range(2):
        remove_broker(management_url, name=f"{NAME}_twice")


@pytest.fixture
def variables(postgres_admin_url, rabbit_management_url):
    amqp_url, management_url = rabbit_management_url
    administrators = {
        "LIANXIN_NAME": NAME,
        "LIANXIN_POSTGRES_URL": postgres_admin_url,
        "LIANXIN_RABBITMQ_URL": amqp_url,
        "LIANXIN_RABBITMQ_MANAGEMENT_URL": management_url,
    }
    own = database_settings(postgres_admin_url, NAMES, ROLE_PASSWORDS) | broker_settings(
        amqp_url, NAMES, USER_PASSWORDS
    )
    yield administrators | own
    remove_broker(management_url, name=NAME)


@pytest.mark.usefixtures("urls")
def test_as_a_program_it_gives_the_passwords_that_the_services_use(variables):
    command = [sys.executable, "-m", "deploy.provision"]
    root = Path(__file__).parents[2]
    result = subprocess.run(command, env=os.environ | variables, cwd=root, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")
    psycopg.connect(variables["LIANXIN_NOTIFY_OWNER_DATABASE_URL"]).close()
    attempt(variables["LIANXIN_NOTIFY_BROKER_URL"], lambda _: None)


@pytest.mark.usefixtures("urls")
def test_a_secret_may_stand_in_a_file(variables, tmp_path):
    (tmp_path / "LIANXIN_POSTGRES_URL").write_text(variables.pop("LIANXIN_POSTGRES_URL") + "\n")

    assert main(variables | {"LIANXIN_SECRETS_DIR": str(tmp_path)}) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"LIANXIN_INTAKE_DATABASE_URL": ""}, "LIANXIN_INTAKE_DATABASE_URL: is missing"),
        ({"LIANXIN_INTAKE_DATABASE_URL": "postgresql://postgres:x@h/d"}, "must name the account"),
        ({"LIANXIN_NAME": "x; DROP"}, "LIANXIN_NAME"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_touched(variables, change, message):
    with pytest.raises(ProvisionError, match=message):
        main(variables | change)
