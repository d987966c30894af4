"""Airflow's environment: everything follows ROSTER_HOME, what the caller set wins, secrets are private and stay."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from ops.airflow.environment import USERS, airflow_environment, passwords
from ops.console import Problem
from ops.home import Home
from ops.postgres.cluster import Server
from ops.postgres.layout import Layout


def _home(folder: Path) -> Home:
    home = Home(folder)
    home.make()
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return _home(tmp_path / "first")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server("/run/some/pg", Layout(tmp_path, tmp_path, tmp_path, tmp_path, "someone"))


def test_what_the_caller_set_wins(home: Home, server: Server) -> None:
    given = {
        "AIRFLOW__CORE__PARALLELISM": "99",
        "AIRFLOW_CONN_PORTAL_DB": "postgresql://elsewhere/db",
        "AIRFLOW_CONN_SMTP_DEFAULT": "smtp://elsewhere",
        "ROSTER_DISTRICTS": "/some/districts",
        "PATH": "/bin",
    }
    found = airflow_environment(home, server, given)
    assert {name: found[name] for name in given if name != "PATH"} == {k: v for k, v in given.items() if k != "PATH"}


def test_everything_of_a_home_is_in_it(home: Home, server: Server) -> None:
    found = airflow_environment(home, server, {})
    assert found["AIRFLOW_HOME"] == str(home.folder / "airflow")
    assert found["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"].startswith(str(home.folder))


def test_two_homes_share_no_port_and_no_secret(tmp_path: Path, server: Server) -> None:
    first, second = (airflow_environment(_home(tmp_path / name), server, {}) for name in ("one", "two"))
    for name in (
        "AIRFLOW__API__PORT",
        "AIRFLOW__API__BASE_URL",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW_CONN_SMTP_DEFAULT",
    ):
        assert first[name] != second[name], name


def test_the_ports_of_a_home_are_the_same_every_time_or_as_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _home(tmp_path / "one").port_base == _home(tmp_path / "one").port_base
    monkeypatch.setenv("ROSTER_PORT_BASE", "23450")
    home = _home(tmp_path / "one")
    assert (home.api_port, home.oneroster_port) == (23450, 23454)
    monkeypatch.setenv("ROSTER_PORT_BASE", "eighty")
    with pytest.raises(Problem, match="ROSTER_PORT_BASE"):
        _ = _home(tmp_path / "one").port_base


def test_a_port_that_someone_else_uses_is_left_to_them(tmp_path: Path) -> None:
    home = _home(tmp_path / "one")
    wished = home.port_base
    with socket.socket() as other:
        other.bind(("127.0.0.1", wished + 3))
        other.listen()
        home.choose_ports()
    assert home.port_base != wished
    assert _home(tmp_path / "one").port_base == home.port_base


def test_secrets_are_long_stay_the_same_and_are_ours_alone(home: Home, server: Server) -> None:
    first, second = airflow_environment(home, server, {}), airflow_environment(home, server, {})
    assert first == second
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64
    private = [*(home.folder / "secrets").iterdir(), Path(first["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])]
    assert len(private) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_users_are_real_and_never_all_admins(home: Home, server: Server) -> None:
    found = airflow_environment(home, server, {})
    assert found["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,staff:user,viewer:viewer"
    assert found["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
    known = passwords(home)
    assert set(known) == set(USERS)
    assert len(set(known.values())) == len(USERS)
    assert min(map(len, known.values())) >= 12


def test_the_portal_is_reached_over_the_socket_without_a_password(home: Home, server: Server) -> None:
    portal = json.loads(airflow_environment(home, server, {})["AIRFLOW_CONN_PORTAL_DB"])
    assert (portal["host"], portal["login"], portal["schema"]) == ("/run/some/pg", "roster_app", "portal")
    assert "password" not in portal


def test_calls_to_this_machine_never_go_through_a_proxy(home: Home, server: Server) -> None:
    found = airflow_environment(home, server, {"NO_PROXY": "intern.example", "HTTP_PROXY": "http://proxy.example"})
    assert found["NO_PROXY"] == found["no_proxy"] == "intern.example,localhost,127.0.0.1,::1"
