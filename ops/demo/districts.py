"""The demo's districts: their simulated servers, Airflow's connections, and what people do in the portal."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from ops.console import Problem
from ops.home import REPOSITORY, Home
from ops.postgres.cluster import OWNER, PORTAL_DATABASE, Server

REGISTRY = REPOSITORY / "include" / "districts" / "demo.yaml"
SERVED = Path(__file__).with_name("simulator.yaml")
_SQL = REPOSITORY / "ops" / "sql"


@dataclass(frozen=True)
class DemoDistrict:
    """One enabled district of the demo's registry."""

    key: str
    name: str
    conn_id: str
    kind: str
    freshens: bool
    """Whether its events are read between two nights."""

    @property
    def dag_id(self) -> str:
        """Its nightly DAG."""
        return f"roster_sync__{self.key}"

    @property
    def freshen_dag_id(self) -> str:
        """Its hourly DAG."""
        return f"roster_freshen__{self.key}"


def demo_districts() -> list[DemoDistrict]:
    """The enabled districts of the demo's registry."""
    entries = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))["districts"]
    return [
        DemoDistrict(
            key=entry["key"],
            name=entry["name"],
            conn_id=entry["source"]["conn_id"],
            kind=entry["source"]["kind"],
            freshens=entry.get("freshen") == "hourly",
        )
        for entry in entries
        if entry.get("enabled", True)
    ]


def connections(home: Home) -> dict[str, str]:
    """Airflow's connections to the simulated servers, as environment variables."""
    root = f"http://127.0.0.1:{home.oneroster_port}"
    return {
        f"AIRFLOW_CONN_{district.conn_id.upper()}": json.dumps(_connection(root, district, _server(district)))
        for district in demo_districts()
    }


def _connection(root: str, district: DemoDistrict, server: dict[str, Any]) -> dict[str, Any]:
    if district.kind == "clever":
        return {"conn_type": "clever", "host": root, "password": server["token"]}
    address = f"{root}/{district.key}"
    extra = {"token_url": f"{address}/oauth/token"} if server["auth"] == "oauth2" else {}
    return {
        "conn_type": "oneroster",
        "host": address,
        "login": server["key"],
        "password": server["secret"],
        "extra": extra,
    }


def move_to_day(home: Home, day: int, only: str | None = None) -> None:
    """Moves the simulated districts to a day; with `only`, those under one prefix (Clever's is empty)."""
    session = requests.Session()
    session.trust_env = False
    order = {"day": day} if only is None else {"day": day, "site": only}
    answer = session.post(f"http://127.0.0.1:{home.oneroster_port}/_control", json=order, timeout=120)
    if not answer.ok:
        raise Problem(f"the simulator answered {answer.status_code} when it was moved to day {day}.")


def subscribe(server: Server) -> None:
    """Subscribes a person of each district to the sync's mails."""
    with closing(server.connect(OWNER, PORTAL_DATABASE)) as connection, connection, connection.cursor() as cursor:
        for district in demo_districts():
            values = {"key": district.key, "name": district.name, "email": f"rosters@{district.key}.example"}
            cursor.execute((_SQL / "demo_subscribe.sql").read_text(encoding="utf-8"), values)


def work_in_the_portal(server: Server) -> None:
    """Does what staff and teachers do between two nights: licenses for teachers, books for classes and students."""
    with closing(server.connect(OWNER, PORTAL_DATABASE)) as connection, connection, connection.cursor() as cursor:
        cursor.execute((_SQL / "demo_portal_work.sql").read_text(encoding="utf-8"))


def _server(district: DemoDistrict) -> dict[str, Any]:
    """The simulator's settings of a district's server; Clever is one host for all of its districts, found by name."""
    for entry in yaml.safe_load(SERVED.read_text(encoding="utf-8"))["districts"]:
        for server in entry["servers"]:
            if server["kind"] == district.kind and (
                entry["name"] == district.name if district.kind == "clever" else server["prefix"] == f"/{district.key}"
            ):
                return dict(server)
    raise Problem(f"the simulator does not serve {district.key}: add it to {SERVED.name}.")
