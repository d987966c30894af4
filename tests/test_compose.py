"""docker-compose.yaml: valid by the Compose Specification, without a secret, and with commands that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.postgres.layout import programs_folder
from roster_sync import __version__
from roster_sync.engine import holds, housekeeping
from roster_sync.orchestration import cluster_policies, hooks
from tests.dsl.database import REPOSITORY, Cluster

pytestmark = pytest.mark.slow

COMPOSE = REPOSITORY / "docker-compose.yaml"
LOCK = (REPOSITORY / "requirements.txt").read_text()
CONFIGURATION = (REPOSITORY / "docs" / "configuration.md").read_text()
DOCS = [
    (REPOSITORY / "README.md").read_text(),
    *(page.read_text() for page in sorted((REPOSITORY / "docs").rglob("*.md"))),
]
ELSEWHERE = {
    "AIRFLOW_CONN_PORTAL_DB",  # the database of the file itself
    "ROSTER_HOME",  # the image's
    "ROSTER_DISTRICTS",  # the folder that is mounted
    "ROSTER_MIGRATE_DSN",  # of the migrations only
    "ROSTER_PORT_BASE", "ROSTER_CHROMIUM",  # of the commands in bin/ only
}  # fmt: skip
"""Settings of docs/configuration.md that are not handed on from .env."""
AIRFLOW_SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def test_the_file_follows_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_a_file_that_breaks_the_specification_is_noticed(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yaml"
    broken.write_text(COMPOSE.read_text().replace("depends_on:", "depends_upon:"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(broken)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_every_airflow_service_waits_for_the_migrations_to_succeed(services: dict[str, Any]) -> None:
    for name in AIRFLOW_SERVICES:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert services["migrate"]["restart"] == "no"


def test_no_secret_is_in_the_file_and_none_may_be_left_out(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD$|SECRET|_KEY$|BROKER_URL|RESULT_BACKEND|SQL_ALCHEMY_CONN|CONN_PORTAL_DB", name):
                assert re.search(r"\$\{[A-Z_]+:\?", value), name
    assert not re.search(
        r"(password|secret|key)\w*[\"']?[:=] ?[\"']?[A-Za-z0-9]{6,}", COMPOSE.read_text(), re.IGNORECASE
    )


def test_the_example_of_env_names_every_variable_and_holds_no_secret() -> None:
    example = dict(
        line.split("=", 1)
        for line in (REPOSITORY / ".env.example").read_text().splitlines()
        if re.match(r"[A-Z]", line)
    )
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text())) | {"AIRFLOW_PASSWORDS"}
    assert set(example) == used
    assert not [name for name, value in example.items() if value and re.search("PASSWORD|SECRET|KEY", name)]


def test_every_setting_of_the_configuration_page_can_be_set_in_env(services: dict[str, Any]) -> None:
    table = CONFIGURATION.partition("| Variable | Meaning |")[2].partition("\n\n")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    settings = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert settings > ELSEWHERE
    for name in AIRFLOW_SERVICES:
        environment = services[name]["environment"]
        handed = {setting for setting in settings if str(environment.get(setting)).startswith(f"${{{setting}:-")}
        assert handed == settings - ELSEWHERE, name


def test_a_setting_left_empty_in_env_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"^(ROSTER_\w+)=$", (REPOSITORY / ".env.example").read_text(), re.MULTILINE):
        monkeypatch.setenv(name, "")
    assert housekeeping.Settings.from_environment() == housekeeping.Settings()
    assert holds.hours() == holds.HOURS
    assert cluster_policies.forks_tasks(["airflow", "scheduler"])
    assert not cluster_policies.forks_tasks(["airflow", "triggerer"])


def test_without_a_mail_server_in_env_mails_go_to_the_catcher(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = services["worker"]["environment"]["AIRFLOW_CONN_SMTP_DEFAULT"]
    default = re.fullmatch(r"\$\{AIRFLOW_CONN_SMTP_DEFAULT:-([^{}]+)\}", value)  # a brace would end the default
    assert default
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", default[1])
    found = hooks.connection("smtp_default")
    assert (found.conn_type, found.host, found.port, found.login) == ("smtp", "mail", 1025, None)
    assert found.extra_dejson == {
        "disable_ssl": "true",
        "disable_tls": "true",
        "from_email": "roster-sync@publisher.example",
    }


def test_the_image_is_made_from_the_official_one_and_carries_the_product_s_version(services: dict[str, Any]) -> None:
    locked = re.search(r"^apache-airflow==(\S+)", LOCK, re.MULTILINE)
    assert locked
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) == [f"apache/airflow:slim-{locked[1]}-python3.12"]
    assert re.findall(r'image\.version="(\S+)"', dockerfile) == [__version__]
    assert {services[name]["image"] for name in AIRFLOW_SERVICES} == {f"roster-sync:{__version__}"}


def test_the_database_is_postgresql_18_and_logs_no_row(services: dict[str, Any]) -> None:
    assert services["postgres"]["image"] == "postgres:18"
    assert "log_min_messages=log" in services["postgres"]["command"]


def test_what_the_image_copies_and_the_services_mount_is_there(services: dict[str, Any]) -> None:
    for source in re.findall(r"^COPY (\S+)", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE):
        assert (REPOSITORY / source).exists(), source
        assert f"!{source}" in (REPOSITORY / ".dockerignore").read_text().splitlines()
    for mount in services["postgres"]["volumes"]:
        if mount.startswith("./"):
            assert (REPOSITORY / mount.partition(":")[0]).is_file(), mount


def test_the_modules_that_containers_run_are_in_the_image() -> None:
    """As the image runs them: only its own folders on the path."""
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    (path,) = re.findall(r"PYTHONPATH=(\S+)", dockerfile)
    copied = re.findall(r"^COPY (\S+) /opt/roster/\1$", dockerfile, re.MULTILINE)
    folders = path.replace("/opt/roster", str(REPOSITORY)).split(":")
    assert {Path(folder).relative_to(REPOSITORY).parts[:1] for folder in folders} <= {(), *((name,) for name in copied)}
    texts = (COMPOSE, REPOSITORY / "helm" / "values.yaml")
    modules = {name for text in texts for name in re.findall(r"python -m ([\w.]+)", text.read_text())}
    assert "roster_sync.migrations" in modules
    for module in (*modules, "airflow_local_settings"):
        code = f"import importlib.util as found; assert found.find_spec({module!r}) is not None"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(folders)}
        subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", check=True)


def test_every_service_says_whether_it_is_well(services: dict[str, Any]) -> None:
    own_image = {"mail"}  # its image brings a check of its own
    lacking = {name for name, service in services.items() if "healthcheck" not in service} - own_image - {"migrate"}
    assert lacking == set()


def test_what_a_worker_is_asked_is_an_app_that_exists(services: dict[str, Any]) -> None:
    asked = services["worker"]["healthcheck"]["test"][-1]
    module, _, name = re.findall(r"--app (\S+)", asked)[0].rpartition(".")
    code = f"import importlib; assert callable(importlib.import_module({module!r}).{name}.control.inspect().ping)"
    environment = {
        **os.environ,
        "AIRFLOW__CELERY__BROKER_URL": "memory://",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_logs_and_pages_lie_on_the_volume_that_all_share(services: dict[str, Any]) -> None:
    home = re.search(r"ROSTER_HOME=(\S+)", (REPOSITORY / "Dockerfile").read_text())
    assert home
    for name in AIRFLOW_SERVICES:
        assert f"roster-home:{home[1]}" in services[name]["volumes"], name
        assert services[name]["environment"]["AIRFLOW__LOGGING__BASE_LOG_FOLDER"].startswith(f"{home[1]}/"), name


def test_the_chart_gets_the_locked_version_the_pools_and_the_shared_home() -> None:
    values = yaml.safe_load((REPOSITORY / "helm" / "values.yaml").read_text())
    locked = re.search(r"^apache-airflow==(\S+)", LOCK, re.MULTILINE)
    assert locked
    (migrate,) = values["scheduler"]["extraInitContainers"]
    image = f"{values['images']['airflow']['repository']}:{__version__}"
    assert (values["airflowVersion"], values["images"]["airflow"]["tag"]) == (locked[1], __version__)
    assert migrate["image"] == image
    assert "airflow pools import /opt/roster/include/pools.json" in values["migrateDatabaseJob"]["args"][-1]
    assert values["config"]["api"]["base_url"].startswith("https://"), "links in mails would lead to localhost"
    (mount,) = values["volumeMounts"]
    assert f"ROSTER_HOME={mount['mountPath']}\n" in (REPOSITORY / "Dockerfile").read_text()


def test_every_command_is_one_that_airflow_has(services: dict[str, Any]) -> None:
    lines = [_airflow_lines(services[name]["command"]) for name in ("migrate", *AIRFLOW_SERVICES)]
    lines += [
        _airflow_lines(service["healthcheck"]["test"][-1])
        for name, service in services.items()
        if "jobs" in str(service.get("healthcheck"))
    ]
    found = [line for group in lines for line in group]
    assert len(found) == 10
    _airflow_has(found)


def test_the_commands_that_the_docs_give_name_a_service_and_a_command_that_exist(services: dict[str, Any]) -> None:
    typed = [found for text in DOCS for found in re.findall(r"docker compose exec ([\w-]+) (\w+) ?([^\n`]*)", text)]
    assert {service for service, _, _ in typed} <= set(services)
    airflow = [rest.partition(" #")[0].strip() for _, program, rest in typed if program == "airflow"]
    assert len(airflow) >= 3
    _airflow_has(airflow)
    files = [name for text in DOCS for name in re.findall(r"/opt/roster/([\w./-]+)", text)]
    assert files
    assert {name for name in files if not (REPOSITORY / name).exists()} == set()


def _airflow_has(lines: list[str]) -> None:
    code = (
        "import shlex, sys\n"
        "from airflow.cli import cli_parser\n"
        "for line in sys.stdin.read().splitlines():\n"
        "    assert callable(cli_parser.get_parser().parse_args(shlex.split(line)).func), line\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join(lines),
        env={**os.environ, "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def _airflow_lines(command: str | list[str]) -> list[str]:
    """The arguments of each call of the airflow command in a service's command."""
    if isinstance(command, str) and not command.startswith("airflow "):
        return [command]  # the image's entry point puts `airflow` in front
    text = command if isinstance(command, str) else command[-1]
    parts = [part.strip().removeprefix("exec ") for part in text.split("&&")]
    calls = [part.removeprefix("airflow ") for part in parts if part.startswith("airflow ")]
    return [call.replace("$$(hostname)", "host") for call in calls]


def test_the_databases_are_made_with_the_passwords_of_env(cluster: Cluster, tmp_path: Path) -> None:
    text = (REPOSITORY / "ops" / "compose" / "init-databases.sql").read_text()
    script = tmp_path / "init.sql"
    script.write_text(text.replace("/roster/", f"{REPOSITORY / 'ops' / 'sql'}/"))
    names = ("AIRFLOW_DB_PASSWORD", "ROSTER_APP_PASSWORD", "ROSTER_OWNER_PASSWORD")
    environment = {
        **os.environ,
        **dict.fromkeys(names, "it's \\quoted"),
        "PGHOST": cluster.host,
        "PGUSER": cluster.user,
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    for _ in range(2):
        result = subprocess.run(
            [str(programs_folder() / "psql"), "-X", "-q", "-d", "postgres", "-f", str(script)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.returncode, result.stderr) == (0, "")
    with cluster.admin() as cursor:
        cursor.execute(
            "select count(*) from pg_authid where rolpassword is not null"
            " and rolname in ('airflow', 'roster_app', 'roster_owner')"
        )
        assert cursor.fetchone() == (3,)
        cursor.execute("select rolinherit from pg_roles where rolname = 'roster_app'")
        assert cursor.fetchone() == (False,)
