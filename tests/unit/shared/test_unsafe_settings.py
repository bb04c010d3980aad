"""The settings that a service does not start with in production, and that it names each of them and no value."""

import os
import resource
import subprocess
import sys

import pytest

from services.assessment.settings import AssessmentSettings
from services.intake.settings import IntakeSettings
from services.notify.settings import NotifySettings
from shared.settings import UnsafeSetting, load
from shared.startup import check_secrets

DATABASE, BROKER = "a-password-of-the-database", "another-word-for-the-broker"
SAFE = {
    "MODE": "production",
    "DATABASE_URL": f"postgresql://lianxin_notify:{DATABASE}@localhost/lianxin_notify",
    "BROKER_URL": f"amqp://lianxin_notify:{BROKER}@localhost/lianxin",
}


def load_with(monkeypatch, kind=NotifySettings, **changes):
    prefix = kind.model_config["env_prefix"]
    for name, value in (SAFE | changes).items():
        monkeypatch.setenv(f"{prefix}{name}", value)
    return load(kind)


def test_what_is_safe_is_accepted(monkeypatch):
    assert load_with(monkeypatch).mode == "production"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"DATABASE_URL": "postgresql://postgres:postgres@localhost/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://postgres:{DATABASE}@localhost/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://lianxin_notify:changeme@localhost/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://lianxin_notify:aaaaaaaaaaaaaaaaaaaaaaaa@localhost/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://lianxin_notify@localhost/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://lianxin_notify:{DATABASE}@db.example.org/x"}, "database_url"),
        ({"BROKER_URL": "amqp://guest:guest@localhost/x"}, "BROKER_URL"),
        ({"BROKER_URL": f"amqp://guest:{BROKER}@localhost/x"}, "BROKER_URL"),
        ({"BROKER_URL": f"amqp://lianxin_notify:{DATABASE}@localhost/x"}, "broker_url"),
        ({"BROKER_URL": f"amqp://lianxin_notify:{BROKER}@mq.example.org/x"}, "broker_url"),
        ({"DEPLOY_BROKER_URL": f"amqp://lianxin_deploy:{BROKER}@localhost/x"}, "deploy_broker_url"),
        ({"OWNER_DATABASE_URL": f"postgresql://lianxin_notify_owner:{DATABASE}@localhost/x"}, "owner_database_url"),
        ({"IDENTITY_DATABASE_URL": f"postgresql://reader:{DATABASE}@localhost/x"}, "identity_database_url"),
        ({"API_HOST": "0.0.0.0"}, "certificate_file"),  # noqa: S104 - that is what is refused
        ({"MANAGEMENT_HOST": "0.0.0.0"}, "certificate_file"),  # noqa: S104 - same
        ({"CRASH_POINTS": "relay.after_select"}, "crash_points"),
        ({"SMTP_URL": "smtp://mail.example.org"}, "smtp_url"),
        ({"LOG_LEVEL": "everything"}, "LOG_LEVEL"),
        ({"MODE": "debug"}, "MODE"),
        ({"READS_PER_MINUTE": "0"}, "READS_PER_MINUTE"),
        ({"ALLOWED_ORIGINS": '["*"]'}, "ALLOWED_ORIGINS"),
    ],
)
def test_an_unsafe_setting_is_refused_by_its_name_and_never_repeated(monkeypatch, changes, named):
    with pytest.raises(UnsafeSetting, match=named) as refusal:
        load_with(monkeypatch, **changes)

    assert DATABASE not in str(refusal.value)
    assert BROKER not in str(refusal.value)


@pytest.mark.parametrize("raters", ["0", "1", "4"])
def test_fewer_raters_than_the_floor_are_refused(monkeypatch, raters):
    with pytest.raises(UnsafeSetting, match="RELEASE_RATERS"):
        load_with(monkeypatch, AssessmentSettings, RELEASE_RATERS=raters)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The settings of a production process as they should be given: from files that nobody else may open."""
    for name in ("LIANXIN_INTAKE_DATABASE_URL", "LIANXIN_INTAKE_BROKER_URL"):
        file = tmp_path / name.lower()
        file.write_text(SAFE[name.removeprefix("LIANXIN_INTAKE_")])
        file.chmod(0o400)
    monkeypatch.setenv("LIANXIN_INTAKE_MODE", "production")
    return tmp_path


def check(folder, *, environment=None, arguments=("intake", "serve")):
    settings = load(IntakeSettings, secrets_directory=str(folder))
    check_secrets(settings, environment=environment or {}, arguments=arguments, directory=str(folder))


def test_secrets_from_files_of_ones_own_are_accepted(files):
    check(files)


@pytest.mark.parametrize("name", ["LIANXIN_INTAKE_DATABASE_URL", "lianxin_intake_broker_url"])
def test_secrets_from_the_environment_are_refused(files, name):
    with pytest.raises(UnsafeSetting, match=name.upper()):
        check(files, environment={name: "x"})


def test_secrets_on_the_command_line_are_refused(files):
    with pytest.raises(UnsafeSetting, match="command line"):
        check(files, arguments=("intake", f"--url={SAFE['DATABASE_URL']}"))


@pytest.mark.parametrize("mode", [0o404, 0o444, 0o422, 0o602, 0o620, 0o666, 0o644])
def test_a_secret_file_that_others_may_open_is_refused(files, mode):
    (files / "lianxin_intake_broker_url").chmod(mode)

    with pytest.raises(UnsafeSetting, match="LIANXIN_INTAKE_BROKER_URL"):
        check(files)


def test_a_certificates_key_that_others_may_open_is_refused(files, monkeypatch):
    for name in ("certificate", "key"):
        (files / name).write_text("x")
        (files / name).chmod(0o644)
    monkeypatch.setenv("LIANXIN_INTAKE_CERTIFICATE_FILE", str(files / "certificate"))
    monkeypatch.setenv("LIANXIN_INTAKE_CERTIFICATE_KEY_FILE", str(files / "key"))

    with pytest.raises(UnsafeSetting, match="certificate_key_file"):
        check(files)


def test_a_process_leaves_no_core_file_and_no_file_to_strangers():
    program = (
        "import os, resource; from shared.startup import seal_off; seal_off();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert told.split() == ["(0,", "0)", "0o27"]
    assert resource.RLIMIT_CORE >= 0


def test_a_whole_process_refuses_and_says_why_in_one_line(files):
    environment = {"PATH": os.environ["PATH"], "LIANXIN_SECRETS_DIR": str(files), "LIANXIN_INTAKE_MODE": "production"}
    environment["LIANXIN_INTAKE_DATABASE_URL"] = SAFE["DATABASE_URL"]

    refused = subprocess.run(
        [sys.executable, "-m", "services.intake", "relay"], env=environment, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert refused.stderr.startswith("refusing to start: LIANXIN_INTAKE_DATABASE_URL")
    assert DATABASE not in refused.stderr + refused.stdout
