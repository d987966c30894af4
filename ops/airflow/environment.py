"""The environment that Airflow runs in: what the caller has set wins, everything else follows ROSTER_HOME."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from ops.home import REPOSITORY, Home, write_private
from ops.locks import exclusive
from ops.postgres.cluster import AIRFLOW, AIRFLOW_DATABASE, APP, PORTAL_DATABASE, Server

USERS = {"admin": "admin", "staff": "user", "viewer": "viewer"}
"""Name and Airflow role: one can do everything, one can start and approve runs, one can only read."""


def airflow_environment(home: Home, server: Server, caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """All variables for an Airflow process of this home."""
    given = dict(os.environ if caller is None else caller)
    environment = {**_settings(home, server), **_connections(home, server), **given}
    environment["AIRFLOW_HOME"] = str(home.airflow)
    environment["ROSTER_HOME"] = str(home.folder)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", "/usr/bin:/bin")])
    # a proxy between a task and the API server on this machine would answer for it
    environment["NO_PROXY"] = environment["no_proxy"] = ",".join(
        filter(None, [given.get("NO_PROXY") or given.get("no_proxy"), "localhost,127.0.0.1,::1"])
    )
    return environment


def metadata_url(server: Server) -> str:
    """Airflow's own database; SQLAlchemy does not decode `%2F` in a host, so the query names the socket."""
    return f"postgresql+psycopg2://{AIRFLOW}@/{AIRFLOW_DATABASE}?host={quote(server.host, safe='/')}"


def passwords(home: Home) -> dict[str, str]:
    """The users' passwords: generated once, stored in a file that only we can read."""
    path = _password_file(home)
    with exclusive(home.run / "secrets.lock"):
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        missing = {user: secrets.token_urlsafe(12) for user in USERS if user not in known}
        if missing:
            write_private(path, json.dumps(known | missing) + "\n")
    return known | missing


def _settings(home: Home, server: Server) -> dict[str, str]:
    address = f"http://127.0.0.1:{home.api_port}"
    passwords(home)
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(home),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_password_file(home)),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url(server),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(home.api_port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__SECRET_KEY": home.secret("api-secret-key"),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": home.secret("jwt-secret"),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(home.worker_log_port),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(home.trigger_log_port),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "false",
    }


def portal_connection(server: Server, database: str = PORTAL_DATABASE) -> dict[str, str]:
    """Airflow's connection to a portal database, as its environment variable."""
    portal = {"conn_type": "postgres", "host": server.host, "port": 5432, "login": APP, "schema": database}
    return {"AIRFLOW_CONN_PORTAL_DB": json.dumps(portal)}


def _connections(home: Home, server: Server) -> dict[str, str]:
    smtp = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": home.mail_port,
        "extra": {
            "disable_ssl": True,
            "disable_tls": True,
            "from_email": "roster-sync@publisher.example",
            "timeout": 10,
        },
    }
    return {**portal_connection(server), "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp)}


def _password_file(home: Home) -> Path:
    return home.airflow / "simple_auth_manager_passwords.json"


def _fernet_key(home: Home) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(home.secret("fernet").encode()).digest()).decode()
