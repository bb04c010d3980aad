"""The chores of a service as its worker and its commands do them, in real processes where that matters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.notify.handlers import retention
from services.notify.settings import NotifySettings
from shared import chores
from shared.audit.chain import Line, record
from shared.database import open_pool, transaction
from shared.keyfiles import KeyName, create_key
from shared.settings import UnsafeSetting
from shared.worker import make_celery
from tools import verify_audit

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
BROKER = "amqp://somebody:another-password-5678@localhost/x"


@pytest.fixture
def database(new_database):
    return new_database("notify")


@pytest.fixture
def pool(database):
    pool = open_pool(database.url, size=4, application="test", system=True)
    yield pool
    pool.close()


@pytest.fixture
def keys(tmp_path):
    (tmp_path / "keys").mkdir()
    create_key(tmp_path / "keys", KeyName(purpose="audit", kid=1, kind="ed25519"))
    return tmp_path / "keys"


def count(pool, table):
    with transaction(pool) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - fixed words
        return row[0] if row else None


def test_a_worker_signs_exports_and_retains_at_its_clock(database, pool, keys, tmp_path):
    settings = NotifySettings(
        mode="test",
        database_url=database.url,
        broker_url=BROKER,
        keys_directory=keys,
        audit_export_directory=tmp_path / "out",
    )
    app = make_celery("notify")
    record(pool, Line(action="score.read"))

    chores.add_chores(app, chores.open_chores(settings, pool, retention.CLASSES, service="notify"))
    unsigned = REGISTRY.get_sample_value("audit_records_unsigned")
    for task in ("notify.keep_audit", "notify.keep_audit", "notify.retain", "notify.retain"):
        assert app.conf.beat_schedule[task]["task"] == task
        app.tasks[task]()

    assert unsigned == 1
    assert REGISTRY.get_sample_value("audit_records_unsigned") == 0
    assert REGISTRY.get_sample_value("audit_records_unexported") == 0
    assert count(pool, "audit_checkpoint") == 1
    assert count(pool, "retention_run") == len(retention.CLASSES) + 2
    assert len(list((tmp_path / "out" / "notify").iterdir())) == 2


def test_nothing_is_signed_without_a_key(database, pool, tmp_path):
    settings = NotifySettings(mode="test", database_url=database.url, broker_url=BROKER, keys_directory=tmp_path)

    with pytest.raises(UnsafeSetting, match=r"audit-1\.ed25519"):
        chores.make_audit_keeper(settings, pool, service="notify")


def test_the_commands_export_for_the_verifier_and_show_what_is_over(database, pool, keys, tmp_path):
    record(pool, Line(action="score.read"), Line(action="score.read"))
    environment = {
        **os.environ,
        "LIANXIN_NOTIFY_MODE": "test",
        "LIANXIN_NOTIFY_DATABASE_URL": database.url,
        "LIANXIN_NOTIFY_BROKER_URL": BROKER,
        "LIANXIN_NOTIFY_KEYS_DIRECTORY": str(keys),
        "LIANXIN_NOTIFY_AUDIT_EXPORT_DIRECTORY": str(tmp_path / "out"),
    }

    def run(*words):
        command = [sys.executable, "-m", "services.notify", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    assert run("audit-export").endswith("1 checkpoints made, 1 exported\n")
    public = tmp_path / "public.json"
    public.write_text(run("audit-export", "--public-keys"))
    assert verify_audit.main([str(tmp_path / "out" / "notify"), "--keys", str(public)]) == 0
    shown = run("retain", "--dry-run").splitlines()
    assert {line.split()[0] for line in shown} >= {"audit_records", "notification_content", "inbox_messages"}
    assert count(pool, "retention_run") == 0
