"""The one file that Airflow's plugin scan loads: hands it the pages of `roster_sync.ui`."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class _Apps:
    """Makes the app when it is first asked for: the API server does, scheduler and workers never need it."""

    def __get__(self, instance: object, owner: type) -> list[dict[str, Any]]:
        from roster_sync.ui.app import PREFIX, app

        return [{"app": app(), "url_prefix": PREFIX, "name": "Roster sync"}]


class RosterSyncPlugin(AirflowPlugin):
    """Pages, tabs and the HTTP API of the roster sync."""

    name = "roster_sync"
    fastapi_apps = _Apps()
    # Without a leading slash the addresses survive a proxy that serves Airflow under a path of its own.
    external_views = [  # noqa: RUF012 - the base class declares a plain list
        {
            "name": "Districts",
            "href": "roster/",
            "destination": "nav",
            "url_route": "roster",
            "nav_top_level": True,
            "icon": "roster/static/nav.svg",
            "icon_dark_mode": "roster/static/nav-dark.svg",
        },
        {"name": "District", "href": "roster/dags/{DAG_ID}", "destination": "dag", "url_route": "roster-district"},
    ]
