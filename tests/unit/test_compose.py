"""The compose installation, checked as far as it can be without an engine."""

import ast
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore] # whether its types are there is the environment's affair
from typing_extensions import override

from deploy import certificates, credentials, provision
from deploy.keys import KEYS
from embedded.applications import ON_DEMAND, PROCESSES
from services.assessment.settings import AssessmentSettings
from services.identity.settings import IdentitySettings
from services.intake.settings import IntakeSettings
from services.notify.settings import NotifySettings
from shared.edge import LARGEST_BODY_BYTES
from shared.links import make_server_context
from shared.settings import ProcessSettings, ServiceSettings, load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS: dict[str, type[ProcessSettings]] = {
    "identity": IdentitySettings,
    "intake": IntakeSettings,
    "assessment": AssessmentSettings,
    "notify": NotifySettings,
}
RUNNING = [f"{service}-{process}" for service, processes in PROCESSES.items() for process in processes]
STARTED_ON_DEMAND = [f"{service}-{process}" for service, process in ON_DEMAND]
MIGRATING = [f"{service}-migrate" for service in PROCESSES]
NO_PROCESS = {
    "migrate",
    "replay",
    "import",
    "administrator",
    "evaluate",
    "agree",
    "count-entries",
    "rotate-token-keys",
    "audit-export",
    "",
}
OF_OTHERS = {"up", "rabbitmq_alarms_free_disk_space_watermark", "rabbitmq_alarms_memory_used_watermark"} | {
    "rabbitmq_detailed_queue_messages",
    "rabbitmq_detailed_queue_consumers",
}

# What other proxies tell about a client: only ours may.
CLAIMED = (
    *(
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded-Proto",
    ),
    *("X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Client-IP", "X-Real-IP", "True-Client-IP"),
    *("X-HTTP-Method-Override", "X-Original-Host", "X-Original-URL", "X-Rewrite-URL", "Proxy"),
)


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture(scope="module")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation") / "secrets"
    credentials.create(folder, name="lianxin")
    return folder


def mounted_secrets(container: str) -> list[str]:
    return [entry if isinstance(entry, str) else entry["source"] for entry in CONTAINERS[container].get("secrets", [])]


def secrets_as_mounted(container: str, folder: Path, beside: Path) -> Path:
    """A folder of this test where the container has /run/secrets."""
    mounted = beside / container
    mounted.mkdir()
    for name in mounted_secrets(container):
        text = (folder / name).read_text("utf-8").replace("/run/secrets/", f"{mounted}/")
        (mounted / name).write_text(text, "utf-8")
    return mounted


@pytest.mark.parametrize("service", PROCESSES)
def test_every_process_of_a_service_has_a_container(service: str) -> None:
    program = ast.parse((ROOT / "services" / service / "__main__.py").read_text("utf-8"))
    listed = (ast.get_docstring(program) or "").splitlines()[0].partition(f"services.{service} ")[2].rstrip(". |")
    commands = {command.strip() for command in listed.split("|")}

    on_demand = {process for owner, process in ON_DEMAND if owner == service}
    assert commands - NO_PROCESS == {*PROCESSES[service], *on_demand}
    for process in [*PROCESSES[service], *on_demand, "migrate"]:
        command = CONTAINERS[f"{service}-{process}"]["command"]
        assert command == ["python", "-m", f"services.{service}", process]


@pytest.mark.parametrize("container", STARTED_ON_DEMAND)
def test_what_is_started_on_demand_is_so_alone_and_says_by_which_variable(container: str) -> None:
    service, _, process = container.partition("-")

    assert CONTAINERS[container]["profiles"]
    assert ON_DEMAND[service, process] in CONTAINERS[container]["environment"]
    assert not any("profiles" in CONTAINERS[name] for name in [*RUNNING, *MIGRATING])


@pytest.mark.parametrize("container", [*RUNNING, *STARTED_ON_DEMAND, *MIGRATING])
def test_every_process_accepts_the_settings_it_gets(
    container: str, secrets_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _, process = container.partition("-")
    mounted = secrets_as_mounted(container, secrets_folder, tmp_path)
    for name, value in CONTAINERS[container]["environment"].items():
        given = re.sub(r"\$\{\w+:-(.*)\}", r"\1", value).replace("/run/secrets/", f"{mounted}/")
        monkeypatch.setenv(name, given)

    settings = load(SETTINGS[service], secrets_directory=str(mounted))

    assert settings.mode == "production"
    assert not settings.allow_plaintext_links
    assert process == "migrate" or settings.make_door_context() is not None
    assert (settings.owner_database_url is not None) == (process == "migrate")
    asks = process == "serve" or container in {"identity-migrate", "notify-work"}  # who asks, or lets others ask
    assert (settings.identity_database_url is not None) == asks
    assert str(settings.audit_export_directory) in (DEPLOY / "Dockerfile").read_text("utf-8")
    assert settings.keys_directory == Path(f"/var/lib/lianxin/keys/{service}")
    if isinstance(settings, ServiceSettings):
        assert (settings.deploy_broker_url is not None) == (process == "migrate")
        assert settings.task_broker_url is not None or process != "work"


@pytest.mark.parametrize("container", [*RUNNING, *STARTED_ON_DEMAND, "intake-migrate"])
def test_every_process_sees_the_keys_of_its_own_service_alone(container: str) -> None:
    service = container.partition("-")[0]
    volumes = [volume for volume in CONTAINERS[container]["volumes"] if "keys" in volume]

    may_write = container in {
        "intake-serve",
        "intake-work",
        "intake-migrate",
    }  # the journal of erasures lies beside the keys

    assert volumes == [f"{service}-keys:/var/lib/lianxin/keys/{service}{'' if may_write else ':ro'}"]
    assert CONTAINERS[container]["depends_on"]["keys"] == {"condition": "service_completed_successfully"}


def test_whoever_exports_the_audit_has_a_place_for_it() -> None:
    writing = {name for name in RUNNING if "audit:/var/lib/lianxin/audit" in CONTAINERS[name]["volumes"]}

    assert writing == {"identity-keep", "intake-work", "assessment-work", "notify-work"}


def test_the_keys_are_made_where_the_processes_look_for_them() -> None:
    keys = CONTAINERS["keys"]

    assert keys["command"] == ["python", "-m", "deploy.keys", "/var/lib/lianxin/keys"]
    assert keys["volumes"] == [f"{service}-keys:/var/lib/lianxin/keys/{service}" for service in PROCESSES]
    assert set(PROCESSES) == set(KEYS)
    assert all(f"/var/lib/lianxin/keys/{service}" in (DEPLOY / "Dockerfile").read_text("utf-8") for service in KEYS)


def test_only_the_front_doors_network_is_believed_about_who_asks() -> None:
    pool = COMPOSE["networks"]["edge"]["ipam"]["config"][0]["subnet"]
    on_edge = {name for name, container in CONTAINERS.items() if "edge" in container.get("networks", [])}

    for service in PROCESSES:
        believed = CONTAINERS[f"{service}-serve"]["environment"][f"LIANXIN_{service.upper()}_TRUSTED_PROXIES"]
        assert believed == f'["{pool}"]'
    assert on_edge == {"nginx", *(name for name in RUNNING if name.endswith("-serve"))}


def test_provisioning_finds_every_secret_it_reads(
    secrets_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(provision, "provision_postgres", lambda url, **more: given.update(postgres=url, **more))
    monkeypatch.setattr(provision, "provision_broker", lambda url, _, **more: given.update(rabbitmq=url, **more))
    mounted = secrets_as_mounted("provision", secrets_folder, tmp_path)

    provision.main(CONTAINERS["provision"]["environment"] | {"LIANXIN_SECRETS_DIR": str(mounted)})

    believed = f"{mounted}/internal_ca.pem"
    assert given["postgres"].endswith(f"@postgres:5432/postgres?sslmode=verify-full&sslrootcert={believed}")
    assert given["rabbitmq"].endswith(f"@rabbitmq:5671/%2F?cacertfile={believed}")
    assert given["remove_guest"]


def test_secrets_are_kept_on_a_repeat_and_from_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    credentials.create(folder, name="lianxin")
    (folder / "lianxin_notify_smtp_url").unlink()
    (folder / "lianxin_notify_smtp_url").write_text("smtps://mail.example.org", "utf-8")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    credentials.create(folder, name="lianxin")

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "passwords.json").stat().st_mode & 0o777 == 0o600
    assert len(set((folder / "passwords.json").read_text("utf-8").split('"')[3::4])) == 15


def test_every_mounted_secret_is_declared_and_made(secrets_folder: Path) -> None:
    mounted = {name for container in CONTAINERS for name in mounted_secrets(container)}

    assert mounted == set(COMPOSE["secrets"])
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./deploy/secrets/{name}"}
        assert (secrets_folder / name).exists() or name.startswith("tls_")


def test_images_are_pinned_and_name_no_registry() -> None:
    images = {container["image"] for container in CONTAINERS.values()}
    images.add(re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)[0])

    for image in images:
        name, _, tag = re.sub(r"\$\{\w+:-(.*)\}", r"\1", image).partition(":")
        assert re.match(r"v?\d+\.\d+", tag), image
        assert "." not in name, image


def test_no_password_stands_in_a_file_of_the_repository() -> None:
    written = [ROOT / "docker-compose.yml", ROOT / ".env.example", DEPLOY / "Dockerfile"]
    for file in [*written, *DEPLOY.glob("*.yml"), *DEPLOY.glob("*.conf")]:
        text = file.read_text("utf-8")
        assert not re.search(r"//\w+:[^{@\s]+@", text), file
        assert not re.search(r"(?i)\b(password|default_pass|pgpassword)\s*[:=]\s*['\"]?\w", text), file
    for container in CONTAINERS.values():
        for name in container.get("environment", {}):
            assert name.endswith("_FILE") or not re.search("PASSWORD|TOKEN|(?<!PUBLIC)_URL", name)


def test_containers_have_few_rights_and_bounds() -> None:
    for name, container in CONTAINERS.items():
        assert container["read_only"], name
        assert container["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in container["security_opt"], name
        assert container["mem_limit"], name
        assert "healthcheck" in container, name


def test_only_the_front_door_is_open_to_the_network() -> None:
    published = {name: container["ports"] for name, container in CONTAINERS.items() if "ports" in container}

    assert set(published) == {"nginx", "prometheus"}
    assert published["prometheus"][0].startswith("${LIANXIN_PROMETHEUS_ADDRESS:-127.0.0.1}:")
    assert COMPOSE["networks"]["backend"]["internal"]
    assert CONTAINERS["nginx"]["networks"] == ["edge"]


@needs("docker-compose")
def test_compose_accepts_the_file() -> None:
    result = subprocess.run(["docker-compose", "config", "-q"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr


@needs("docker-compose")
def test_compose_accepts_what_a_larger_installation_is_told_to_add(tmp_path: Path) -> None:
    [override] = re.findall(r"```yaml\n(# docker-compose.override.yml\n.*?)```", OPERATIONS, re.DOTALL)
    (tmp_path / "override.yml").write_text(override, "utf-8")
    command = ["docker-compose", "-f", "docker-compose.yml", "-f", str(tmp_path / "override.yml"), "config"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
    merged = yaml.safe_load(result.stdout)["services"]
    for name, added in yaml.safe_load(override)["services"].items():
        assert added.get("environment", {}).items() <= merged[name]["environment"].items()
        assert merged[name]["command"] == added.get("command", CONTAINERS[name]["command"])
        assert {"LIANXIN_SECRETS_DIR", "POSTGRES_DB"} & set(merged[name]["environment"])


def test_prometheus_asks_every_process() -> None:
    configuration = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    jobs = {job["job_name"]: job.get("static_configs") for job in configuration["scrape_configs"]}

    assert [entry["targets"] for entry in jobs["lianxin"]] == [[f"{name}:9090"] for name in RUNNING]
    on_demand = next(job for job in configuration["scrape_configs"] if job["job_name"] == "lianxin-on-demand")
    assert [entry["names"] for entry in on_demand["dns_sd_configs"]] == [[name] for name in STARTED_ON_DEMAND]
    assert [f"{entry['labels']['service']}-{entry['labels']['process']}" for entry in jobs["lianxin"]] == RUNNING


def test_alerts_use_metrics_that_exist() -> None:
    alerts = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    rooms = list((ROOT / "shared").rglob("*.py"))
    for service in (ROOT / "services").glob("*/"):
        rooms += [room for room in (service / "metrics.py", service / "__main__.py") if room.exists()]
    texts = {room: room.read_text("utf-8").replace("{service}", room.parent.name) for room in rooms}
    counted = {name for text in texts.values() for name in re.findall(r'"([a-z_]+)"', text)}
    counted |= {name.replace("shared_", f"{service}_", 1) for name in counted for service in ("intake", "assessment")}

    used = {name for rule in rules for name in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b|\bup\b", rule["expr"])}

    assert used <= counted | OF_OTHERS, used - counted - OF_OTHERS
    assert all(rule["labels"]["severity"] in {"critical", "warning"} for rule in rules)


@needs("promtool")
def test_prometheus_accepts_configuration_and_rules() -> None:
    subprocess.run(["promtool", "check", "config", str(DEPLOY / "prometheus.yml")], check=True, capture_output=True)


@needs("promtool")
def test_alerts_are_raised_when_a_stage_stands_or_a_letter_is_dead(tmp_path: Path) -> None:
    dead = 'rabbitmq_detailed_queue_messages{queue="q.assessment.facts.dead",vhost="lianxin"}'
    series = {
        "intake_outbox_oldest_seconds": "0 0 0 70 85 100 115 130",
        dead: "0 0 0 2 2 2 2 2",
        'up{job="lianxin",service="notify",process="work"}': "1 1 1 0 0 0 0 0",
        'up{job="lianxin",service="identity",process="serve"}': "1 1 1 0 0 0 0 0",
    }
    expected = [
        ("OutboxStands", {}),
        ("DeadLetters", {"queue": "q.assessment.facts.dead", "vhost": "lianxin"}),
        ("ProcessDown", {"job": "lianxin", "service": "notify", "process": "work"}),
        ("ProcessDown", {"job": "lianxin", "service": "identity", "process": "serve"}),
    ]

    check_alerts(tmp_path, series, expected, severity="critical", quiet_at="1m", raised_at="3m30s")


@needs("promtool")
def test_alerts_are_raised_when_people_leave_in_exports_at_night_or_by_the_thousand(tmp_path: Path) -> None:
    series = {
        'intake_people_exported_total{time="night",process="serve"}': "0 0 0 0 2 2 2 2",
        'intake_people_exported_total{time="day",process="serve"}': "0 0 0 0 12000 12000 12000 12000",
        'intake_exports_refused_total{process="serve"}': "0 0 0 0 1 1 1 1",
    }
    critical = [("PeopleExportedAtNight", {}), ("ExportsRefused", {"process": "serve"})]

    check_alerts(tmp_path, series, critical, severity="critical", quiet_at="1m", raised_at="3m30s")
    check_alerts(tmp_path, series, [("ManyPeopleExported", {})], severity="warning", quiet_at="1m", raised_at="3m30s")


@needs("promtool")
def test_alerts_are_raised_when_the_audit_is_broken_or_late(tmp_path: Path) -> None:
    old, new = " ".join(["8000", "11000"] * 30), " ".join(["10", "20"] * 30)
    series = {
        'audit_chain_sound{service="intake",process="work"}': "1 1 1 " + "0 " * 57,
        'audit_records_unsigned_oldest_seconds{service="intake",process="work"}': f"0 0 0 {old}",
        'audit_records_unsigned_oldest_seconds{service="notify",process="work"}': f"0 0 0 {new}",
        'audit_records_unexported_oldest_seconds{service="identity",process="keep"}': "0 0 0 " + "11000 " * 57,
    }
    expected = [
        ("AuditBroken", {"service": "intake"}),
        ("AuditNotSigned", {"service": "intake"}),
        ("AuditNotExported", {"service": "identity"}),
    ]

    check_alerts(tmp_path, series, expected, severity="critical", quiet_at="1m", raised_at="20m")


@needs("promtool")
def test_an_alert_is_raised_when_what_is_over_stays(tmp_path: Path) -> None:
    old, new = " ".join(["300000"] * 200), " ".join(["200000"] * 200)
    series = {
        'retention_oldest_beyond_seconds{service="notify",process="work",kind="message"}': f"0 {old}",
        'retention_oldest_beyond_seconds{service="intake",process="work",kind="import_file"}': f"0 {new}",
    }
    expected = [("RetentionStands", {"service": "notify", "kind": "message"})]

    check_alerts(tmp_path, series, expected, severity="warning", quiet_at="0s", raised_at="90m")


@needs("promtool")
def test_an_alert_is_raised_when_somebody_wants_to_see_too_many_citizens(tmp_path: Path) -> None:
    labels = 'job="lianxin",service="intake",process="serve"'
    series = {
        f'intake_reveals_total{{{labels},result="refused"}}': "0 0 0 1 1 1 1",
        f'intake_reveals_total{{{labels},result="shown"}}': "0 5 10 15 20 25 30",
    }
    expected = [("ManyReveals", {"job": "lianxin", "service": "intake", "process": "serve", "result": "refused"})]

    check_alerts(tmp_path, series, expected, severity="critical", quiet_at="1m", raised_at="2m")


@needs("promtool")
def test_messages_without_a_right_seal_wake_somebody(tmp_path: Path) -> None:
    labels = 'job="lianxin",service="assessment",process="consume",code="bad-seal"'
    series = {f"messages_disbelieved_total{{{labels}}}": "0 0 0 1 1 1 1"}
    expected = [
        (
            "MessagesDisbelieved",
            {"job": "lianxin", "service": "assessment", "process": "consume", "code": "bad-seal"},
        )
    ]

    check_alerts(tmp_path, series, expected, severity="critical", quiet_at="1m", raised_at="2m")


@needs("promtool")
def test_task_messages_of_somebody_else_wake_somebody(tmp_path: Path) -> None:
    labels = 'job="lianxin",service="notify",process="work",reason="body"'
    series = {f"tasks_refused_total{{{labels}}}": "0 0 0 1 1 1 1"}
    expected = [("TasksRefused", {"job": "lianxin", "service": "notify", "process": "work", "reason": "body"})]

    check_alerts(tmp_path, series, expected, severity="critical", quiet_at="1m", raised_at="2m")


@needs("promtool")
def test_an_alert_is_raised_when_many_sign_ins_are_refused(tmp_path: Path) -> None:
    series = {
        'identity_sign_ins_total{method="password",outcome="refused"}': "0 1 2 3 60 60 60 60",
        'identity_sign_ins_total{method="password",outcome="signed-in"}': "0 500 1000 1500 2000 2500 3000 3500",
    }

    check_alerts(tmp_path, series, [("SignInsRefused", {})], severity="warning", quiet_at="1m30s", raised_at="3m")


def check_alerts(
    folder: Path,
    series: dict[str, str],
    expected: list[tuple[str, dict[str, str]]],
    *,
    severity: str,
    quiet_at: str,
    raised_at: str,
) -> None:
    """Nothing at the first time; at the second exactly these of their kinds."""
    cases: list[dict[str, Any]] = []
    for name in {name for name, _ in expected}:
        raised = [{"exp_labels": {"severity": severity, **labels}} for each, labels in expected if each == name]
        cases.append({"eval_time": quiet_at, "alertname": name, "exp_alerts": []})
        cases.append({"eval_time": raised_at, "alertname": name, "exp_alerts": raised})
    document = {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "30s",
                "input_series": [{"series": name, "values": values.strip()} for name, values in series.items()],
                "alert_rule_test": cases,
            }
        ],
    }
    # Texts are for people; that an alert is raised, and for what, is for this test.
    rules = re.sub(r"\n +annotations:\n +summary: .*", "", (DEPLOY / "alerts.yml").read_text("utf-8"))
    (folder / "alerts.yml").write_text(rules, "utf-8")
    (folder / "test.yml").write_text(yaml.safe_dump(document), "utf-8")

    result = subprocess.run(
        ["promtool", "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr


class Stub(BaseHTTPRequestHandler):
    """Stands in for a service: tells what reached it, with one of the headers a service sends itself."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        received = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = f"{self.path}\n{len(received)}\n{self.headers}".encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - the names that http.server looks for

    @override
    def log_message(self, *_: object) -> None:
        """Nothing to tell."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def service_showing(holder: str, secrets_folder: Path) -> Iterator[str]:
    """A stand-in behind the certificate that the installation made for a service; its address."""
    backend = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    files = (secrets_folder / f"{holder}_certificate.pem", secrets_folder / f"{holder}_key.pem")
    backend.socket = make_server_context(*files).wrap_socket(backend.socket, server_side=True)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{backend.server_address[1]}"
    finally:
        backend.shutdown()
        backend.server_close()


@contextmanager
def nginx_before(backends: Mapping[str, str], secrets_folder: Path, folder: Path) -> Iterator[int]:
    """nginx with the real configuration; only addresses and folders are those of this test."""
    port, health = free_port(), free_port()
    configuration = (DEPLOY / "nginx.conf").read_text("utf-8")
    replaced = {
        " resolve;": ";",  # Debian's release is older than the image and cannot resolve an upstream again
        **{f"{service}-serve:8080": address for service, address in backends.items()},
        "listen 8443 ssl": f"listen 127.0.0.1:{port} ssl",
        "127.0.0.1:8081": f"127.0.0.1:{health}",
        "worker_processes auto": "worker_processes 1",
        "/tmp/": f"{folder}/",  # noqa: S108 - the container's own
        "/run/secrets/": f"{secrets_folder}/",
        "/dev/stdout": f"{folder}/access.log",
        "/dev/stderr": f"{folder}/error.log",
    }
    for old, new in replaced.items():
        assert old in configuration
        configuration = configuration.replace(old, new)
    # Started as root, workers would change to an account that may not read pytest's folders.
    configuration = "user root;\ndaemon off;\n" + configuration
    (folder / "nginx.conf").write_text(configuration, "utf-8")
    arguments = ["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", str(folder / "nginx.conf")]
    checked = subprocess.run([*arguments, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_open(port)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture(scope="module")
def front_door(secrets_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Notify is away."""
    with ExitStack() as opened:
        backends = {
            service: opened.enter_context(service_showing(service, secrets_folder))
            for service in ("identity", "intake", "assessment")
        }
        backends["notify"] = f"127.0.0.1:{free_port()}"
        yield opened.enter_context(nginx_before(backends, secrets_folder, tmp_path_factory.mktemp("nginx")))


@pytest.fixture
def deceived_door(secrets_folder: Path, tmp_path: Path) -> Iterator[int]:
    """Behind the names of two services are another service and somebody of another authority."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    certificates.create_certificates(foreign)
    with ExitStack() as opened:
        backends = {
            "identity": opened.enter_context(service_showing("identity", secrets_folder)),
            "intake": opened.enter_context(service_showing("assessment", secrets_folder)),
            "assessment": opened.enter_context(service_showing("assessment", foreign)),
            "notify": f"127.0.0.1:{free_port()}",
        }
        yield opened.enter_context(nginx_before(backends, secrets_folder, tmp_path))


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("nginx does not listen")


def ask(
    port: int, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


@needs("nginx")
@needs("openssl")
class TestFrontDoor:
    def test_takes_the_prefix_away_and_tells_who_asks(self, front_door: int) -> None:
        status, headers, text = ask(front_door, "GET", "/assessment/v1/scores?period=2025&limit=2")

        assert status == 200
        assert text.split("\n")[:2] == ["/v1/scores?period=2025&limit=2", "0"]
        assert "X-Forwarded-For: 127.0.0.1\n" in text
        assert "X-Forwarded-Proto: https\n" in text
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000; includeSubDomains"]

    @pytest.mark.parametrize("name", CLAIMED)
    def test_passes_on_nothing_that_a_client_claims_about_itself(self, front_door: int, name: str) -> None:
        _, _, text = ask(front_door, "GET", "/identity/v1/session", headers={name: "10.9.8.7"})

        assert "10.9.8.7" not in text

    def test_passes_the_cookie_and_what_guards_it(self, front_door: int) -> None:
        own = {
            "Cookie": "__Host-lianxin=a",
            "X-Lianxin-Request": "1",
            "Origin": "https://x",
            "Authorization": "Bearer b",
        }

        _, _, text = ask(front_door, "POST", "/intake/v1/contacts", body=b"{}", headers=own)

        assert all(f"{name}: {value}\n" in text for name, value in own.items())

    def test_finds_the_description_of_the_issuer_where_the_standard_looks(self, front_door: int) -> None:
        _, _, text = ask(front_door, "GET", "/.well-known/oauth-authorization-server/identity")

        assert text.startswith("/.well-known/oauth-authorization-server\n")

    def test_leaves_the_problems_of_a_service_as_they_are(self, front_door: int) -> None:
        status, _, text = ask(front_door, "GET", "/intake/v1/missing")

        assert status == 404
        assert text.startswith("/v1/missing")

    def test_bounds_bodies_like_the_edge_guard(self, front_door: int) -> None:
        largest, too_large = bytes(LARGEST_BODY_BYTES), bytes(LARGEST_BODY_BYTES + 1)

        assert ask(front_door, "POST", "/intake/v1/contacts", body=largest)[0] == 200
        status, headers, text = ask(front_door, "POST", "/intake/v1/contacts", body=too_large)

        assert status == 413
        assert headers["Content-Type"] == "application/problem+json"
        assert '"title":"too-large"' in text

    def test_lets_large_uploads_through(self, front_door: int) -> None:
        status, _, text = ask(front_door, "POST", "/intake/v1/imports?profile=x", body=bytes(3_000_000))

        assert status == 200
        assert text.split("\n")[:2] == ["/v1/imports?profile=x", "3000000"]

    def test_waits_for_files_of_scores_at_the_path_of_their_route(self, front_door: int) -> None:
        status, _, text = ask(front_door, "GET", "/assessment/v1/scores/export?period=2025")

        assert status == 200
        assert text.split("\n")[0] == "/v1/scores/export?period=2025"

    @pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/readyz", "/v1/scores"])
    def test_shows_nothing_outside_the_prefixes(self, front_door: int, path: str) -> None:
        status, headers, text = ask(front_door, "GET", path)

        assert status == 404
        assert headers["Content-Type"] == "application/problem+json"
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert '"status":404' in text

    @pytest.mark.parametrize(("service", "status"), [("identity", 200), ("intake", 503), ("assessment", 503)])
    def test_believes_each_service_under_its_own_name_and_authority_alone(
        self, deceived_door: int, service: str, status: int
    ) -> None:
        assert ask(deceived_door, "GET", f"/{service}/v1/thing")[0] == status

    def test_says_when_a_service_is_away(self, front_door: int) -> None:
        status, headers, _ = ask(front_door, "GET", "/notify/v1/subscriptions")

        assert status == 503
        assert headers["Retry-After"] == "2"


def test_every_certificate_is_for_the_names_by_which_its_containers_are_found() -> None:
    for service, processes in PROCESSES.items():
        on_demand = [process for owner, process in ON_DEMAND if owner == service]
        names = (f"{service}-{process}" for process in (*processes, *on_demand))
        assert certificates.HOLDERS[service] == (*names, "localhost")
    assert {name for names in certificates.HOLDERS.values() for name in names} - {"localhost"} <= set(CONTAINERS)


def test_a_key_is_seen_by_its_own_containers_alone() -> None:
    for name in CONTAINERS:
        keys = {secret for secret in mounted_secrets(name) if secret.endswith("_key.pem")} - {"tls_key.pem"}
        holder = name.partition("-")[0]
        shows = holder in certificates.HOLDERS and not name.endswith("-migrate")
        assert keys == ({f"{holder}_key.pem"} if shows else set()), name
        assert "internal_ca_key.pem" not in mounted_secrets(name)
        assert "internal_ca.pem" in mounted_secrets(name) or name in {"postgres", "keys"}, name
    assert "internal_ca_key.pem" not in COMPOSE["secrets"]
